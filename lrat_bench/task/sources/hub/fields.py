"""Values of a row by path, and their texts decrypted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lrat_bench.guard import Guard

__all__ = ["text_at", "texts_at"]


def texts_at(row: Mapping[str, Any], path: str, *, guard: Guard | None = None) -> list[str]:
    """The texts at a path; numbers are written out, what is null or not there is left out.

    Args:
        row: an object.
        path: keys between dots; lists on the way are gone through.
        guard: decrypts each text.

    Raises:
        ValueError: a text cannot be decrypted.
    """
    found: list[Any] = [row]
    for key in path.split("."):
        found = [value.get(key) for value in _flat(found) if isinstance(value, Mapping)]
    texts = [str(value) for value in _flat(found) if isinstance(value, str | int | float) and value == value]
    return texts if guard is None else [guard.decrypt(text) for text in texts]


def text_at(row: Mapping[str, Any], path: str, *, guard: Guard | None = None) -> str | None:
    """The first text at a path; None where there is none."""
    return next(iter(texts_at(row, path, guard=guard)), None)


def _flat(values: Iterable[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat.extend(_flat(value) if isinstance(value, list) else [value])
    return flat
