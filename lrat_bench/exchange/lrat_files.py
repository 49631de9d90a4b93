"""Trajectories as LRAT's own clients write them: a folder of JSON files, one a question."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from lrat_bench.errors import DataError, UsageError
from lrat_bench.exchange.record import Imported
from lrat_bench.exchange.run_json import read_run
from lrat_bench.trajectory import Trajectory

__all__ = ["ORIGIN", "by_number", "lrat_files", "read_lrat_file"]

ORIGIN = "lrat"
"""`Trajectory.origin` of what is read here."""


def lrat_files(folder: Path) -> list[Path]:
    """The JSON files of a folder, in the order of their names, numbers as numbers."""
    return sorted((path for path in folder.glob("*.json") if path.is_file()), key=by_number)


def read_lrat_file(path: Path) -> Trajectory:
    """One run file as a trajectory; one without a `query_id` is named by its file.

    Whether an answer is correct the files do not say.

    Raises:
        DataError: it is no run file.
    """
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", file=path) from None
    try:
        found = read_run(record if isinstance(record, dict) else {}, str(path), origin=ORIGIN)
    except UsageError as error:
        raise DataError(str(error).removeprefix(f"{path}: "), file=path) from None
    return _named(found, path).trajectory


def _named(found: Imported, path: Path) -> Imported:
    if found.trajectory.question_id:
        return found
    return replace(found, trajectory=found.trajectory.model_copy(update={"question_id": path.stem}))


def by_number(path: Path) -> tuple[tuple[int, int | str], ...]:
    """A key that sorts paths by name, numbers in them as numbers."""
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", path.name) if part)
