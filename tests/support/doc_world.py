"""A folder in which what the examples of the documentation name exists: `RUN_A`, `MODEL`, `my-task`, `runs/bm25`, …

Names in capitals are folders of that name, so the commands of the pages run as they stand.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from doc_examples import REPOSITORY, blocks, rules

__all__ = ["DOCUMENTS", "SMALL", "make_world"]

SMALL = {
    "LRAT_BENCH_RUN_LIMIT": "3",
    "LRAT_BENCH_RETRIEVE_LIMIT": "3",
    "LRAT_BENCH_MINE_OUTCOME": "all",
    "LRAT_BENCH_TRAIN_STAGE": "naive",
    "LRAT_BENCH_FLYWHEEL_ARM": "naive",
    "LRAT_BENCH_FLYWHEEL_OUTCOME": "all",
    "LRAT_BENCH_FLYWHEEL_LIMIT": "6",
    "LRAT_BENCH_FLYWHEEL_EVAL_LIMIT": "2",
    "LRAT_BENCH_FLYWHEEL_PRESET": "small",
    "LRAT_BENCH_TRAIN_PRESET": "small",
}
"""Defaults of the commands, so that the examples take seconds, and few questions with a random model suffice."""

DOCUMENTS = 1000
"""Of synth-wiki, in place of its 5,000."""

_HARBOUR = [
    ("d1", "Ostrel Bridge", "The Ostrel Bridge was built by the mason Aldwin Marr in 1402."),
    ("d2", "Aldwin Marr", "Aldwin Marr was a mason of Tarn. He raised three bridges."),
    ("d3", "Tarn", "Tarn is a harbour town on the river Ostrel."),
    ("d4", "Veyle", "Veyle is a village known for its kilns."),
]
_QUESTIONS = [
    ("q1", "Which mason built the bridge over the Ostrel?", ["Aldwin Marr"], "dev", ["d1", "d2"]),
    ("q2", "Which village has kilns?", ["Veyle"], "dev", ["d4"]),
    ("q3", "Which town lies on the Ostrel?", ["Tarn"], "train", ["d3"]),
]


def make_world(folder: Path) -> Path:
    """Make the folder; takes some seconds, so one is copied for every page.

    Args:
        folder: where; made when missing.

    Returns:
        the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _make_task(folder / "my-task")
    _make_package(folder)
    _make_runs(folder)
    _make_models(folder)
    shutil.copytree(REPOSITORY / "leaderboard", folder / "leaderboard")
    shutil.copytree(REPOSITORY / "examples", folder / "examples")
    shutil.copy2(REPOSITORY / "examples" / "agents" / "httpx_agent.py", folder / "my_agent.py")
    (folder / "LOG").write_text("INFO one line of a log\n", encoding="utf-8")
    return folder


def _make_task(folder: Path) -> None:
    folder.mkdir()
    corpus = [{"docid": docid, "title": title, "text": text} for docid, title, text in _HARBOUR]
    asked = [
        {"qid": qid, "question": text, "answers": right, "split": split} for qid, text, right, split, _ in _QUESTIONS
    ]
    for name, records in (("corpus.jsonl", corpus), ("questions.jsonl", asked)):
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    judged = [f"{qid} 0 {docid} 1\n" for qid, *_, evidence in _QUESTIONS for docid in evidence]
    (folder / "qrels.trec").write_text("".join(judged), encoding="utf-8")


def _make_package(folder: Path) -> None:
    """`my_package`: the retriever of the README, and beside it the agent and the judge of their pages."""
    package = folder / "my_package"
    package.mkdir()
    (retriever,) = (block.text for block in blocks("README.md") if rules().file(block) == "my_package/retriever.py")
    (package / "retriever.py").write_text(retriever, encoding="utf-8")
    (package / "__init__.py").write_text("from my_package.retriever import Mine\n", encoding="utf-8")
    for page in ("docs/agents.md", "docs/judges.md"):
        (code,) = (block.text for block in blocks(page) if rules().file(block) == "my_package/__init__.py")
        with (package / "__init__.py").open("a", encoding="utf-8") as file:
            file.write("\n\n" + code)


def _make_runs(folder: Path) -> None:
    """Runs and retrievals by the names that the pages give them."""
    import lrat_bench

    size = {"task.documents": DOCUMENTS}

    def run(name: str, retriever: str = "bm25", limit: int = 6, **words: Any) -> None:
        lrat_bench.run(retriever=retriever, limit=limit, out=folder / name, **{"set": size, **words})

    run("RUN", split="train", limit=12)
    run("RUN_A")
    for name, retriever in (("RUN_B", "oracle"), ("RUN_C", "none")):
        run(name, retriever)
    run("K5", set={**size, "protocol.k": 5})
    _link(folder / "RUN", folder / "NEW")
    for name in ("K10", "recorded", "runs/bm25", "runs/base"):
        _link(folder / "RUN_A", folder / name)
    _link(folder / "RUN_B", folder / "runs" / "dense")
    lrat_bench.run(str(folder / "my-task"), retriever="bm25", out=folder / "runs" / "my-task-bm25")
    for name, retriever in (("RETRIEVAL_A", "bm25"), ("RETRIEVAL_B", "oracle")):
        lrat_bench.retrieve(retriever=retriever, limit=3, k=10, set=size, out=folder / name)
    lrat_bench.retrieve(replay=[str(folder / "runs" / "base")], retriever="bm25", out=folder / "FOLDER")
    _link(folder / "RETRIEVAL_A", folder / "retrievals" / "a")


def _make_models(folder: Path) -> None:
    """A tiny encoder under each name that a page has for one, and a tiny cross-encoder."""
    from tiny_model import make_cross_encoder, make_encoder

    import lrat_bench

    texts = [document.contents for document in lrat_bench.load_task("synth-wiki", set={"documents": DOCUMENTS}).corpus]
    make_encoder(folder / "MODEL", texts=texts)
    for name in ("my-model", "mine"):
        _link(folder / "MODEL", folder / name)
    make_cross_encoder(folder / "my-reranker", texts=texts)


def _link(there: Path, here: Path) -> None:
    """A copy that takes no room: files of runs are replaced or appended to, so only what is replaced is linked."""
    here.parent.mkdir(exist_ok=True)
    shutil.copytree(there, here, copy_function=os.link if there.name == "MODEL" else shutil.copy2)
