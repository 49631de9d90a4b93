"""Values of several measures on several things (queries, trajectories), each of which belongs to a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.score.intervals import Interval, bootstrap, unanimous
from lrat_bench.score.metrics.measure import Direction
from lrat_bench.score.paired import Difference, paired_difference
from lrat_bench.score.score import Metric

__all__ = ["About", "Measured", "MeasuredLine"]


@dataclass(frozen=True, slots=True)
class About:
    """What a reader must know of a measure.

    Attributes:
        name: as it stands in files and tables.
        definition: one sentence that leaves nothing open.
        unit: of the value; "share" lies between 0 and 1.
        direction: which way is better.
    """

    name: str
    definition: str
    unit: str
    direction: Direction = "higher"


class MeasuredLine(BaseModel):
    """One line of `per_query.jsonl` or `per_trajectory.jsonl`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str
    question_id: str
    values: dict[str, float] = Field(description="measure → value; a measure that cannot be told is not there")


@dataclass(frozen=True)
class Measured:
    """A table of values.

    Attributes:
        ids: of the things, each once.
        questions: which question each belongs to.
        measures: the columns.
        array: shape (things, measures); NaN where a value cannot be told.
    """

    ids: tuple[str, ...]
    questions: tuple[str, ...]
    measures: tuple[str, ...]
    array: NDArray[np.float64]

    @classmethod
    def of_lines(cls, lines: Sequence[MeasuredLine], measures: Sequence[str]) -> Measured:
        """The table of which these are the `lines`."""
        array = np.full((len(lines), len(measures)), np.nan)
        for at, line in enumerate(lines):
            array[at] = [line.values.get(name, np.nan) for name in measures]
        return cls(tuple(line.id for line in lines), tuple(line.question_id for line in lines), tuple(measures), array)

    def lines(self) -> Iterator[MeasuredLine]:
        """One record per thing."""
        for thing, question, row in zip(self.ids, self.questions, self.array, strict=True):
            values = {name: float(value) for name, value in zip(self.measures, row, strict=True) if value == value}
            yield MeasuredLine(id=thing, question_id=question, values=values)

    def column(self, measure: str) -> dict[str, float]:
        """Thing → value, for the things that have one."""
        at = self.measures.index(measure)
        return {thing: float(row[at]) for thing, row in zip(self.ids, self.array, strict=True) if row[at] == row[at]}

    def means(self, about: Mapping[str, About], *, seed: int = 0) -> tuple[Metric, ...]:
        """The mean of each measure over the things that have a value.

        The interval is the percentile bootstrap over questions, which carry all their things with them. Values that are
        the same throughout would get none with a width, however few they are: where all values between 0 and 1 are 0,
        or all are 1, it is Wilson's for the number of questions instead, and any other such mean has none.

        Args:
            about: measure → what is said of it.
            seed: of the bootstrap.
        """
        place = {question: at for at, question in enumerate(dict.fromkeys(self.questions))}
        rows = np.fromiter((place[question] for question in self.questions), dtype=np.int64, count=len(self.questions))
        known = ~np.isnan(self.array)
        totals, counts = np.zeros((len(place), len(self.measures))), np.zeros((len(place), len(self.measures)))
        np.add.at(totals, rows, np.where(known, self.array, 0.0))
        np.add.at(counts, rows, known)
        intervals = bootstrap(totals, counts, seed=seed)
        return tuple(
            self._metric(about[name], self.array[known[:, at], at], int(np.count_nonzero(counts[:, at])), intervals[at])
            for at, name in enumerate(self.measures)
        )

    def _metric(self, about: About, values: NDArray[np.float64], questions: int, resampled: Interval) -> Metric:
        interval = resampled
        if len(set(values)) == 1:
            interval = unanimous(values, questions, unit=about.unit) or Interval(None, None)
        return Metric(
            name=about.name,
            value=fsum(values) / len(values) if len(values) else None,
            n=len(values),
            low=interval.low,
            high=interval.high,
            unit=about.unit,
            direction=about.direction,
            definition=about.definition,
        )

    def minus(self, other: Measured, *, seed: int = 0) -> dict[str, Difference]:
        """Measure → mean difference from another table of the same things, over questions; for the measures of both.

        Raises:
            UsageError: the tables are not of the same things.
        """
        cluster = dict(zip(self.ids, self.questions, strict=True))
        return {
            name: paired_difference(self.column(name), other.column(name), cluster=cluster, seed=seed)
            for name in self.measures
            if name in other.measures
        }
