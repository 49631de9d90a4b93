"""A prepared folder: it says which files it holds, so that one that was cut short or damaged is noticed."""

from __future__ import annotations

import json
from pathlib import Path

from lrat_bench.files import write_json

__all__ = ["is_whole", "seal"]

_SIZES = "prepared.json"
"""Sizes of the files, written when all are there."""


def seal(folder: Path, *, without: tuple[str, ...] = ()) -> None:
    """Write down what a folder holds; it is whole from then on.

    Args:
        folder: with all its files.
        without: names of files that do not belong to it.
    """
    files = (file for file in sorted(folder.iterdir()) if file.name not in without)
    write_json(folder / _SIZES, {file.name: file.stat().st_size for file in files})


def is_whole(folder: Path) -> bool:
    """Whether a folder was sealed, and every file of it has the size that it had then."""
    try:
        sizes = json.loads((folder / _SIZES).read_bytes())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False
