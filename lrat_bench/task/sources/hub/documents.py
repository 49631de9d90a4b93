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
from lrat_bench.task.sources.hub.fields import text_at, texts_at
from lrat_bench.task.sources.hub.rows import read_rows

__all__ = ["write_documents"]

_EVERY = 20_000  # documents between two marks: what a kill can cost


def write_documents(
    part: CorpusPart, files: Sequence[Path], folder: Path, *, expected: int | None, progress: Progress
) -> int:
    """Write `corpus.jsonl` into a folder, or complete it; memory does not depend on how many documents there are.

    What is surely on the disk stands in `corpus.state.json`: after a kill the file is cut back to it.

    Args:
        part: in which fields they are.
        files: in order.
        folder: where to.
        expected: how many there should be, for the progress.
        progress: told how many are written.

    Returns:
        how many there are.

    Raises:
        DataError: a row has no id or no text.
    """
    corpus, mark = folder / "corpus.jsonl", folder / "corpus.state.json"
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


def _line(part: CorpusPart, row: dict[str, Any], file: Path, number: int) -> str:
    docid, texts = text_at(row, part.docid), texts_at(row, part.text)
    if docid is None or not texts:
        raise DataError(f"row {number} has no {part.docid!r} or no {part.text!r}", file=file)
    title = None if part.title is None else text_at(row, part.title)
    text = encodable("\n".join(texts))
    record = {"docid": encodable(docid), **({"title": encodable(title)} if title else {}), "text": text}
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
