"""Reading what `--set retriever.key=value` gave."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from lrat_bench.errors import UnknownName, UsageError

__all__ = ["number_setting", "refuse_argument", "refuse_unknown_settings", "whole_setting"]


def refuse_unknown_settings(retriever: str, settings: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a setting that the retriever does not have.

    Raises:
        UsageError: some key of `settings` is not in `known`.
    """
    for key in settings:
        if not known:
            raise UsageError(f"retriever {retriever!r} has no settings, got {key!r}")
        if key not in known:
            raise UnknownName(f"setting of retriever {retriever!r}", key, known)


def refuse_argument(retriever: str, argument: str | None) -> None:
    """Refuse the text after the colon, for a retriever that takes none.

    Raises:
        UsageError: there is one.
    """
    if argument is not None:
        raise UsageError(f"retriever {retriever!r} takes no argument, got {f'{retriever}:{argument}'!r}")


def number_setting(
    retriever: str, settings: Mapping[str, Any], key: str, default: float, *, low: float, high: float = math.inf
) -> float:
    """The number under `key`, or the default.

    Raises:
        UsageError: it is no number, or not a finite one of [low, high].
    """
    value = settings.get(key, default)
    try:
        # bool is a kind of int in Python, and not a number that anyone means.
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and low <= number <= high):
        span = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise UsageError(f"setting {key!r} of retriever {retriever!r} must be a number {span}, got {value!r}")
    return number


def whole_setting(
    retriever: str, settings: Mapping[str, Any], key: str, *, low: float = 1, high: float = 1_000_000
) -> int | None:
    """The whole number under `key`; None where it is not set.

    Raises:
        UsageError: it is something else, or not of [low, high].
    """
    if settings.get(key) is None:
        return None
    number = number_setting(retriever, settings, key, low, low=low, high=high)
    if number != int(number):
        raise UsageError(f"setting {key!r} of retriever {retriever!r} must be a whole number, got {settings[key]!r}")
    return int(number)
