"""Drafts: what is written stands beside its place until it is whole, and goes when whoever wrote it is gone."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from uuid import uuid4

from lrat_bench.errors import UsageError
from lrat_bench.files import writing

__all__ = ["new_folder", "refuse_taken", "replacing"]


@contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """A draft that takes the place of a file when it is whole.

    Raises:
        UsageError: the place is a folder or a device, or cannot be written.
    """
    if place.is_dir():
        raise UsageError(f"{place} is a folder: give a file with -o")
    if place.exists() and not place.is_file():
        raise UsageError(f"{place} is no file that could be replaced: give another -o")
    with writing(str(place)), _draft(place) as draft:
        draft.touch()
        with _held(draft):
            yield draft
            draft.replace(place)


@contextmanager
def new_folder(place: Path, *, what: str = "") -> Iterator[Path]:
    """A draft that becomes a folder when it is whole.

    Args:
        place: not there yet, or an empty folder.
        what: it is, for messages.

    Raises:
        UsageError: the place holds something already, or cannot be written.
    """
    refuse_taken(place)
    with writing(f"{what}{place}"), _draft(place) as draft:
        draft.mkdir()
        with _held(draft):
            yield draft
            refuse_taken(place)
            if place.exists():
                place.rmdir()
            draft.rename(place)


def refuse_taken(place: Path) -> None:
    """See that a folder does not take the place of anything.

    Raises:
        UsageError: it would.
    """
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} holds something already: give another -o, or delete it")


@contextmanager
def _draft(place: Path) -> Iterator[Path]:
    """A name beside a place, of which nothing is left behind."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for stale in place.parent.glob(f".{escape(place.name)}.*.draft"):
        _remove_stale(stale)
    draft = place.with_name(f".{place.name}.{uuid4().hex[:8]}.draft")
    try:
        yield draft
    finally:
        _remove(draft)


@contextmanager
def _held(draft: Path) -> Iterator[None]:
    """Hold a draft: the kernel lets go of it however the process ends, which tells a draft in work from a stale one."""
    handle = os.open(draft, os.O_RDONLY)
    try:
        with suppress(OSError):  # a disk without locks keeps what a kill leaves
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove_stale(draft: Path) -> None:
    """Remove what a killed process has left; what another one works on is held, and stays."""
    with suppress(OSError):
        handle = os.open(draft, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(draft)
        finally:
            os.close(handle)


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        with suppress(OSError):
            draft.unlink()
