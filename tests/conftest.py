"""What all tests share: a cache of their own, no hub, and a task folder small enough to read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from said import Command, Said

from lrat_bench.task.task import Task

os.environ["HF_HUB_OFFLINE"] = "1"

DOCUMENTS = {
    "d1": ("Ostrel Bridge", "The Ostrel Bridge was built by the mason Aldwin Marr in 1402."),
    "d2": ("Aldwin Marr", "Aldwin Marr was a mason of Tarn. He raised three bridges."),
    "d3": ("Tarn", "Tarn is a harbour town on the river Ostrel."),
    "d4": ("Veyle", "Veyle is a village known for its kilns."),
}
QUESTIONS = [
    ("q1", "Which mason built the bridge over the Ostrel?", ["Aldwin Marr", "A. Marr"], "test", ["d1", "d2"], ["d2"]),
    ("q2", "Which town lies on the Ostrel?", ["Tarn"], "test", ["d3"], ["d3"]),
    ("q3", "Which village has kilns?", ["Veyle"], "train", ["d4"], ["d4"]),
]

LONG = [
    "test_brackets.py", "test_doc_examples.py", "test_ray.py", "test_two_processes.py", "test_flywheel.py",
    "test_runs.py", "test_over_http.py", "test_peers_side_by_side.py",
]  # fmt: skip
"""Files that take longest, which workers begin with: no worker is left alone with one when the others are done."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make golden`."""
    parser.addoption("--golden", action="store_true", help="write the golden request bodies anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; a file's own tests stay in their order."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's cache; all workers of a session share one, as processes of a user do."""
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    folder = tmp_path_factory.getbasetemp().parent / "cache" if parallel else tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LRAT_BENCH_CACHE", str(folder))
        for name in [name for name in os.environ if name.startswith("LRAT_BENCH_") and name != "LRAT_BENCH_CACHE"]:
            patch.delenv(name)
        yield


def write_task_folder(folder: Path) -> Path:
    """The bridge task: four documents, two test questions, one train question."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = [{"docid": docid, "title": title, "text": text} for docid, (title, text) in DOCUMENTS.items()]
    questions = [
        {"qid": qid, "question": text, "answers": answers, "split": split}
        for qid, text, answers, split, _, _ in QUESTIONS
    ]
    for name, records in (("corpus.jsonl", corpus), ("questions.jsonl", questions)):
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    evidence = [f"{qid} 0 {docid} 1\n" for qid, _, _, _, docids, _ in QUESTIONS for docid in docids]
    gold = [f"{qid} 0 {docid} 1\n" for qid, _, _, _, _, docids in QUESTIONS for docid in docids]
    (folder / "qrels.trec").write_text("".join(evidence))
    (folder / "qrels.gold.trec").write_text("".join(gold))
    return folder


@pytest.fixture
def task_folder(tmp_path: Path) -> Path:
    """The bridge task on disk."""
    return write_task_folder(tmp_path / "bridge")


@pytest.fixture
def make_task_folder() -> Callable[[Path], Path]:
    """Writes the bridge task to a folder."""
    return write_task_folder


@pytest.fixture(scope="session")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The bridge task, loaded."""
    from lrat_bench.task.catalog import load_task

    return load_task(str(write_task_folder(tmp_path_factory.mktemp("tasks") / "bridge")))[0]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `lrat-bench WORDS…` in an empty folder; gives (exit code, stdout, stderr)."""
    from lrat_bench.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Said:
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        said = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, said.out, said.err

    return run
