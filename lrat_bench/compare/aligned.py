"""Values of all sides side by side, and the differences that pairs of them give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lrat_bench.compare.side import LARGEST, Side
from lrat_bench.errors import UsageError
from lrat_bench.score.mcnemar import is_mcnemars
from lrat_bench.score.paired import are_alike

__all__ = ["Aligned", "Paired", "align", "question_ids"]


@dataclass(frozen=True)
class Paired:
    """The differences of one measure between two sides, on what both have a value for.

    Attributes:
        keys: ids of what was paired: questions, queries, trajectories.
        differences: second minus first, shape (keys,).
        totals: their sum on each question, shape (questions,).
        counts: how many that are, shape (questions,).
        binary: whether they are a case for McNemar's test.
    """

    keys: Sequence[str] = field(repr=False)
    differences: NDArray[np.float64] = field(repr=False)
    totals: NDArray[np.float64] = field(repr=False)
    counts: NDArray[np.float64] = field(repr=False)
    binary: bool

    @property
    def alike(self) -> bool:
        """Whether all questions differ by the same."""
        return are_alike(self.totals, self.counts)

    @property
    def by_question(self) -> NDArray[np.float64]:
        """The mean difference of each question that has one, shape (≤ questions,)."""
        there = self.counts > 0
        means: NDArray[np.float64] = self.totals[there] / self.counts[there]
        return means


@dataclass(frozen=True)
class Aligned:
    """The values of one measure on all sides.

    Attributes:
        keys: ids of questions, queries or trajectories, sorted.
        questions: of each key, the place of its question in `question_ids`, shape (keys,).
        values: shape (keys, sides); NaN where a side has none.
        of: how many questions there are.
    """

    keys: tuple[str, ...] = field(repr=False)
    questions: NDArray[np.int64] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)
    of: int

    def pair(self, first: int, second: int) -> Paired:
        """The differences of the second side from the first, given by their places."""
        differences = self.values[:, second] - self.values[:, first]
        both = np.flatnonzero(~np.isnan(differences))
        differences, questions = differences[both], self.questions[both]
        counts = np.bincount(questions, minlength=self.of).astype(np.float64)
        return Paired(
            keys=[self.keys[at] for at in both],
            differences=differences,
            totals=np.bincount(questions, weights=differences, minlength=self.of).astype(np.float64),
            counts=counts,
            binary=is_mcnemars(self.values[both, first], self.values[both, second], counts),
        )


def question_ids(sides: Sequence[Side]) -> list[str]:
    """Every question that any measure of any side has a value for, sorted as `paired_difference` sorts.

    Of all measures, not of those that are looked at: what is drawn for one must not hang on which others are asked for.
    """
    there = {qid for side in sides for column in side.columns.values() for qid in column.clusters.values()}
    return sorted(there, key=repr)


def align(sides: Sequence[Side], measure: str, questions: Sequence[str]) -> Aligned:
    """The values of a measure that all sides have a column of.

    Args:
        sides: of one kind.
        measure: its name.
        questions: all ids that occur (`question_ids`).

    Raises:
        UsageError: a value is so large that no mean can be taken.
    """
    columns = [side.columns[measure] for side in sides]
    cluster = {key: qid for column in reversed(columns) for key, qid in column.clusters.items()}
    keys = tuple(sorted(cluster))
    place = {qid: at for at, qid in enumerate(questions)}
    values = np.full((len(keys), len(sides)), np.nan)
    for at, column in enumerate(columns):
        values[:, at] = [column.values.get(key, np.nan) for key in keys]
    if len(huge := np.argwhere(np.abs(values) > LARGEST)):
        at, side = (int(place) for place in huge[0])
        raise UsageError(
            f"{sides[side].path}: {measure} of {keys[at]} is {values[at, side]:g}, which is too large to be compared: "
            "mend the record, or compare by other measures (--measure)"
        )
    return Aligned(
        keys=keys,
        questions=np.array([place[cluster[key]] for key in keys], dtype=np.int64),
        values=values,
        of=len(questions),
    )
