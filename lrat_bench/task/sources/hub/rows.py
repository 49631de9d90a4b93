"""Rows of files as hubs hold them, read as a stream: parquet, JSON, TSV without a header."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError, MissingLibrary
from lrat_bench.task.jsonl import decode, open_lines, parse

__all__ = ["read_rows"]

_BATCH = 256  # rows; one of BrowseComp-Plus holds a dozen web pages in the columns that are asked for


def read_rows(
    file: Path, *, fields: Sequence[str], columns: Sequence[str] | None = None, skip: int = 0
) -> Iterator[dict[str, Any]]:
    """The rows of a file, from number `skip` on.

    Args:
        file: `.parquet`, `.jsonl`, `.json` (a list) or `.tsv`.
        fields: paths that will be asked for; nothing else need be read.
        columns: of a `.tsv`.
        skip: rows to pass over.

    Raises:
        DataError: it cannot be read, or lacks a column.
        MissingLibrary: pyarrow is needed and not installed.
    """
    if file.suffix == ".parquet":
        return _parquet(file, list(dict.fromkeys(path.partition(".")[0] for path in fields)), skip)
    if file.suffix == ".jsonl":
        return islice(_lines(file), skip, None)
    if file.suffix == ".json":
        return islice(_list(file), skip, None)
    if file.suffix == ".tsv" and columns is not None:
        return islice(_tsv(file, columns), skip, None)
    if file.suffix == ".tsv":
        raise DataError("a .tsv needs columns, and the card of the task names none: another file is meant", file=file)
    raise DataError("is neither .parquet nor .jsonl, .json or .tsv", file=file)


def _parquet(file: Path, columns: list[str], skip: int) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingLibrary("pyarrow, which reads parquet,", install='"lrat-bench[hub]"') from None
    try:
        with parquet.ParquetFile(file) as opened:
            there = opened.schema_arrow.names
            if lacking := [name for name in columns if name not in there]:
                raise DataError(f"has no column {lacking[0]!r}; it has {', '.join(map(repr, there))}", file=file)
            passed = 0
            for batch in opened.iter_batches(_BATCH, columns=columns):
                if passed + batch.num_rows > skip:
                    yield from batch.slice(max(0, skip - passed)).to_pylist()
                passed += batch.num_rows
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"cannot be read as parquet ({type(error).__name__}: {reason})", file=file) from error


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with open_lines(file) as stream:
        for number, raw in enumerate(stream, 1):
            if (line := parse(raw, file, number)) is not None:
                yield line.record


def _list(file: Path) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as JSON: {error}", file=file) from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError("must be a list of objects", file=file)
    yield from found


def _tsv(file: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Fields between tabs, without quoting."""
    with open_lines(file) as stream:
        for number, raw in enumerate(stream, 1):
            text = decode(raw, file, number).rstrip("\r\n")
            if not text.strip():
                continue
            values = text.split("\t")
            if len(values) != len(columns):
                raise DataError(
                    f"{len(values)} fields between tabs instead of {len(columns)}: {', '.join(columns)}",
                    file=file,
                    line=number,
                )
            yield dict(zip(columns, values, strict=True))
