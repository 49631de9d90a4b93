"""`per_question.jsonl`: the numbers of every question of a run, which `metrics.json` holds the means of.

Whatever pairs, gates or shows runs reads this file and needs neither the task nor its corpus. It holds ids and numbers
and no text, so that it lies open also where a task is guarded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from lrat_bench.errors import DataError
from lrat_bench.files import write_atomic
from lrat_bench.score.rows import Row, RowLine
from lrat_bench.values import plainly

__all__ = ["read_rows", "write_rows"]

_MEND = "run `lrat-bench score` on the folder"


def write_rows(file: Path, rows: Sequence[Row]) -> str:
    """Write the rows, one a line; returns the SHA-256 of the file, for `metrics.json` to name it by."""
    content = "".join(RowLine.of(row).model_dump_json() + "\n" for row in rows).encode()
    write_atomic(file, content)
    return hashlib.sha256(content).hexdigest()


def read_rows(file: Path, *, sha256: str | None) -> list[Row]:
    """The rows that a run's metrics are means of.

    Args:
        file: where they lie.
        sha256: of the file, as `metrics.json` names it.

    Raises:
        DataError: there are none, or others than the metrics were taken from.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}): {_MEND}", file=file) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"not the rows that metrics.json was taken from: {_MEND}", file=file)
    try:
        return [RowLine.model_validate_json(line).row() for line in content.splitlines()]
    except ValidationError as error:
        raise DataError(f"not rows of this version ({plainly(error)}): {_MEND}", file=file) from None
