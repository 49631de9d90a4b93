"""How long work reports on itself, without knowing who watches."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "no_progress"]

Progress = Callable[[str, int, int | None], None]
"""Called with (what is being done, how many are done, how many there are or None)."""


def no_progress(what: str, done: int, total: int | None) -> None:
    """A `Progress` that shows nothing."""
