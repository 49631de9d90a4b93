"""Batches: which rows are trained on together, the same in every process and after every restart."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lrat_bench.errors import UsageError

__all__ = ["Batches", "Place", "permuted"]

Place = tuple[int, int]
"""(epoch, row), both 0-based: all that the negatives of a row depend on beside the seed."""

T = TypeVar("T")


def permuted(items: Sequence[T], *key: object) -> list[T]:
    """The items in an order that depends on `key` alone: on any machine, in any process, under any Python.

    Of Python's generators only `random()` is promised to stay what it is, so that the order is made of that.
    """
    draw = random.Random("/".join(map(str, key)))  # noqa: S311 -- no secret
    places = sorted((draw.random(), at) for at in range(len(items)))
    return [items[at] for _, at in places]


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of one process, all epochs in a row.

    Each epoch has its own order, drawn from (seed, epoch). A global batch is the next `batch` rows of it; a process
    takes its part. With several processes the tail of an epoch that does not fill a batch is left out, since all must
    hold as many rows; a single one keeps it.

    Attributes:
        rows: how many there are.
        batch: rows of a step, over all processes.
        epochs: how often the rows are gone through.
        seed: of the order.
        rank: which process this is.
        processes: how many there are.
    """

    rows: int
    batch: int
    epochs: int
    seed: int
    rank: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if self.batch % self.processes:
            raise UsageError(
                f"a batch of {self.batch} rows cannot be shared by {self.processes} processes: --batch is over all of "
                "them, give a multiple of their number"
            )
        if not self.per_epoch:
            raise UsageError(
                f"{self.rows} rows do not fill one batch of {self.batch}, as several processes need it: give a smaller "
                "--batch"
            )

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch."""
        full, rest = divmod(self.rows, self.batch)
        return full + (1 if rest and self.processes == 1 else 0)

    def is_full(self, step: int) -> bool:
        """Whether the batch of a step, counted from 0, is of full size; the last of an epoch may hold fewer rows."""
        return step % self.per_epoch < self.rows // self.batch

    def __len__(self) -> int:
        return self.per_epoch * self.epochs

    def __iter__(self) -> Iterator[list[Place]]:
        share = self.batch // self.processes
        for epoch in range(self.epochs):
            order = permuted(range(self.rows), "order", self.seed, epoch)
            for step in range(self.per_epoch):
                start = step * self.batch + self.rank * share
                yield [(epoch, row) for row in order[start : start + share]]
