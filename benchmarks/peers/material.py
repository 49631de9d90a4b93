"""What every harness is given: the same questions, and the same Lucene index with the texts in it.

The questions are of synth-wiki, so nothing is fetched. Peers read `queries.tsv` and the index; ours reads the task
folder and searches that index, too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.api import load_task
from lrat_bench.retriever.jvm import find_anserini, find_java

__all__ = ["Material", "make_material"]


@dataclass(frozen=True)
class Material:
    """Where it lies.

    Attributes:
        task: folder task.
        queries: .tsv without a header: id, question.
        index: of Lucene, with stored texts.
        ids: of the questions, in order.
    """

    task: Path
    queries: Path
    index: Path
    ids: tuple[str, ...]


def make_material(folder: Path, *, questions: int, documents: int) -> Material:
    """Make it in a folder, or find it there.

    Raises:
        SystemExit: the index cannot be built; the message has what Anserini said.
    """
    place = folder / f"{documents}-{questions}"
    found = Material(place / "task", place / "queries.tsv", place / "index", _ids(questions, documents))
    if (place / "done").is_file():
        return found
    shutil.rmtree(place, ignore_errors=True)
    task = load_task("synth-wiki", set={"documents": documents})
    asked = task.select("test")[:questions]
    found.task.mkdir(parents=True)
    _write(found.task / "corpus.jsonl", [document._asdict() for document in task.corpus])
    records = [{"qid": one.qid, "question": one.text, "answers": list(one.answers)} for one in asked]
    _write(found.task / "questions.jsonl", records)
    found.queries.write_text("".join(f"{one.qid}\t{one.text}\n" for one in asked), encoding="utf-8")
    collection = place / "collection"
    collection.mkdir()
    stored = [{"id": document.docid, "contents": document.contents} for document in task.corpus]
    _write(collection / "corpus.jsonl", stored)
    _index(collection, found.index)
    (place / "done").touch()
    return found


def _ids(questions: int, documents: int) -> tuple[str, ...]:
    return tuple(one.qid for one in load_task("synth-wiki", set={"documents": documents}).select("test")[:questions])


def _write(file: Path, records: list[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _index(collection: Path, index: Path) -> None:
    """As `python -m pyserini.index.lucene --storeRaw` does it, without Pyserini's other requirements."""
    command = [
        str(find_java() / "bin" / "java"), "-Xmx2g", "-cp", str(find_anserini()), "io.anserini.index.IndexCollection",
        "-collection", "JsonCollection", "-generator", "DefaultLuceneDocumentGenerator", "-threads", "1", "-storeRaw",
        "-input", str(collection), "-index", str(index),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not index.is_dir():
        raise SystemExit(f"Anserini could not build the index:\n{(done.stdout + done.stderr)[-2000:]}")
