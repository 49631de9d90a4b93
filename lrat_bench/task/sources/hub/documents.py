"""The documents of a benchmark, written as `corpus.jsonl`: as a stream, and on from where a kill came."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError
from lrat_bench.files import encodable, write_json
from lrat_bench.progress import Progress
from lrat_bench.task.hub_card import CorpusPart
from lrat_bench.task.jsonl import Line
from lrat_bench.task.sources.hub.fields import text_at, texts_at
from lrat_bench.task.sources.hub.rows import read_rows

__all__ = ["MARK", "row_of", "write_documents"]

MARK = "corpus.state.json"
"""File that says how far a corpus is written: of use until it is whole."""

_EVERY = 20_000  # documents between two marks: what a kill can cost


def write_documents(
    part: CorpusPart, files: Sequence[Path], folder: Path, *, expected: int | None, progress: Progress
) -> int:
    """Write `corpus.jsonl` into a folder, or complete it; memory does not depend on how many documents there are.

    What is surely on the disk stands in `MARK`: after a kill the file is cut back to it.

    Args:
        part: in which fields they are.
        files: in order.
        folder: where to.
        expected: how many there should be, for the progress.
        progress: told how many are written.

    Returns:
        how many there are.

    Raises:
        DataError: a row has no text, or no id, or one that is none.
    """
    corpus, mark = folder / "corpus.jsonl", folder / MARK
    these = [_stamp(file) for file in files]
    done = _read_mark(mark, these, corpus)
    corpus.touch()
    fields = [path for path in (part.docid, part.text, part.title) if path is not None]
    what = "writing documents"
    count = done["documents"]
    with corpus.open("r+b") as stream:
        stream.truncate(done["bytes"])
        stream.seek(0, os.SEEK_END)
        for number in range(done["file"], len(files)):
            skip = done["rows"] if number == done["file"] else 0
            row_number = skip
            rows = read_rows(files[number], fields=fields, columns=part.columns, skip=skip)
            for row_number, row in enumerate(rows, skip + 1):
                stream.write(_line(part, row, files[number], row_number).encode())
                count += 1
                if count % _EVERY == 0:
                    _mark(mark, stream, {"file": number, "rows": row_number, "documents": count}, these)
                    progress(what, count, expected)
            _mark(mark, stream, {"file": number, "rows": row_number, "documents": count}, these)
            progress(what, count, expected)
    return count


def row_of(part: CorpusPart, files: Sequence[Path], line: int) -> tuple[Path, int, str]:
    """File, 1-based row and docid of what stands on a 1-based line of the `corpus.jsonl` that was written of files.

    Raises:
        DataError: the files have fewer rows.
    """
    for file in files:
        for number, row in enumerate(read_rows(file, fields=[part.docid], columns=part.columns), 1):
            line -= 1
            if line == 0:
                return file, number, str(text_at(row, part.docid))
    raise DataError("changed while it was read: give the same command again", file=files[-1])


def _line(part: CorpusPart, row: dict[str, Any], file: Path, number: int) -> str:
    docid, texts = text_at(row, part.docid), texts_at(row, part.text)
    if docid is None or not texts:
        raise DataError(f"row {number} has no {part.docid!r} or no {part.text!r}", file=file)
    title = None if part.title is None else text_at(row, part.title)
    text = encodable("\n".join(texts))
    docid = Line(file, number, {part.docid: encodable(docid)}).identifier(part.docid)
    record = {"docid": docid, **({"title": encodable(title)} if title else {}), "text": text}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _mark(mark: Path, stream: Any, done: dict[str, int], these: list[list[Any]]) -> None:
    stream.flush()
    os.fsync(stream.fileno())
    write_json(mark, {**done, "bytes": stream.tell(), "files": these})


def _stamp(file: Path) -> list[Any]:
    """What tells one copy of a file from another without reading it."""
    status = file.stat()
    return [file.name, status.st_size, status.st_mtime_ns]


def _read_mark(mark: Path, these: list[list[Any]], corpus: Path) -> dict[str, int]:
    nothing = {"file": 0, "rows": 0, "documents": 0, "bytes": 0}
    try:
        found = json.loads(mark.read_bytes())
        whole = found.pop("files") == these and corpus.stat().st_size >= found["bytes"]
        return {key: int(found[key]) for key in nothing} if whole else nothing
    except (OSError, ValueError, KeyError, TypeError):
        return nothing
