"""Randomness that is a function of what is drawn, not of when or where."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

__all__ = ["Draw"]

T = TypeVar("T")


class Draw:
    """A stream of choices, the same for the same key on every machine and Python.

    Only `Random.random` is used: of the library's generator, it alone is documented to keep its sequence for a given
    seed. Keys are hashed so that neighbouring ones have unrelated streams.

    Args:
        key: what is drawn for: seed, world, index, purpose, …
    """

    __slots__ = ("unit",)

    def __init__(self, *key: str | int) -> None:
        digest = hashlib.sha256("\x1f".join(map(str, key)).encode()).digest()
        self.unit = Random(int.from_bytes(digest[:16], "big")).random  # noqa: S311  # nothing here is secret

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return int(self.unit() * bound)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.unit() * len(options))]

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.unit() < probability

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order (Fisher-Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = int(self.unit() * (last + 1))
            result[last], result[other] = result[other], result[last]
        return result
