"""The record of a comparison: what `compare --json` prints and Python gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.compare.contrast import ALPHA
from lrat_bench.errors import MissingLibrary, UnknownName
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.measure import Direction

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "Across", "ComparedSide", "Comparison", "Flips", "PairedDifference", "TiedSide", "Ties"]

SCHEMA = "lrat-bench/comparison/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""

Test = Literal["mcnemar", "randomisation"]
Effect = Literal["cohen_g", "cohen_dz"]

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class Across(BaseModel):
    """Something that differs between the sides on purpose."""

    model_config = _STRICT

    key: str
    values: tuple[str | None, ...] = Field(description="of each side, in their order")


class ComparedSide(BaseModel):
    """One side, as its own folder has it."""

    model_config = _STRICT

    name: str = Field(description="what it is called here; each side has another name")
    path: str
    free: dict[str, str] = Field(description="what may differ: agent, retriever, seed")
    repeats: int = Field(ge=1)
    unresolved: int = Field(ge=0, description="rollouts that are ungraded or errored; no number is final while any are")
    success_bound: float | None = Field(description="the success rate if all of these were correct; null without any")
    metrics: tuple[Metric, ...] = Field(description="the compared measures over all that this side has, paired or not")

    def metric(self, name: str) -> Metric:
        """The metric of that name."""
        return next(metric for metric in self.metrics if metric.name == name)


class PairedDifference(BaseModel):
    """One measure of two sides: other minus baseline, on what both have a value for."""

    model_config = _STRICT

    measure: str
    unit: str
    direction: Direction = Field(description="which way is better")
    baseline: str = Field(description="name of a side")
    other: str = Field(description="name of another side")
    value: float | None = Field(description="mean difference in the unit; null where nothing could be paired")
    low: float | None = Field(description="lower end of the 95 % interval; null where the data cannot say")
    high: float | None = Field(description="upper end of the 95 % interval")
    n: int = Field(ge=0, description="pairs that it is the mean of")
    questions: int = Field(ge=0, description="independent units among them")
    test: Test = Field(
        description="mcnemar (mid-p) where each question has one value on each side, 0 or 1; else randomisation"
    )
    p: float | None = Field(ge=0, le=1, description="two-sided; null where the data cannot say")
    p_holm: float | None = Field(
        ge=0, le=1, description="p adjusted by Holm's method over the comparisons of this measure"
    )
    effect: float | None = Field(description="effect size; null where it is undefined")
    effect_name: Effect
    sd: float | None = Field(
        description="standard deviation of the differences over questions, as `power --sd` takes it; null below two"
    )
    higher: int = Field(ge=0, description="pairs on which the other side's value is the higher one")
    equal: int = Field(ge=0)
    lower: int = Field(ge=0)
    detectable: float | None = Field(
        description="difference, in the unit, that so many questions find in 80 % of cases at 5 %, shared among the "
        "comparisons of this measure; null where the data cannot say"
    )

    @property
    def better(self) -> bool | None:
        """Whether the other side is significantly better (true), worse (false), or neither can be said."""
        if self.p_holm is None or self.p_holm > ALPHA or not self.value or self.direction == "neutral":
            return None
        return (self.value > 0) == (self.direction == "higher")


class TiedSide(BaseModel):
    """The place of one side."""

    model_config = _STRICT

    name: str
    letters: tuple[str, ...] = Field(description="two sides that share one do not differ significantly")
    best_rank: int = Field(ge=1, description="1 and one more for each side that is significantly better")
    worst_rank: int = Field(ge=1, description="the number of sides, less one for each that is significantly worse")


class Ties(BaseModel):
    """How the data order the sides by one measure."""

    model_config = _STRICT

    measure: str
    sides: tuple[TiedSide, ...] = Field(description="best first, by their own value")


class Flips(BaseModel):
    """Questions on which one side succeeded and another did not; with repeats, more often than the other."""

    model_config = _STRICT

    baseline: str
    other: str
    only_baseline: tuple[str, ...] = Field(description="question ids")
    only_other: tuple[str, ...] = Field(description="question ids")


class Comparison(BaseModel):
    """Two or more runs, or retrievals, on the same questions."""

    model_config = _STRICT

    schema_: Literal["lrat-bench/comparison/1"] = Field(default="lrat-bench/comparison/1", alias="schema")
    kind: Literal["run", "retrieval"]
    shared: dict[str, str] = Field(description="what is equal on all sides")
    across: tuple[Across, ...] = Field(description="what differs on purpose")
    seed: int
    resamples: int = Field(
        ge=1, description="of the bootstrap, and flips of the randomisation test, which has more over many sides"
    )
    all_pairs: bool = Field(description="whether every pair is compared, or each side with the first")
    unresolved: int = Field(ge=0, description="rollouts of all sides that are ungraded or errored")
    sides: tuple[ComparedSide, ...] = Field(min_length=2, description="the first is the baseline")
    differences: tuple[PairedDifference, ...] = Field(description="measure by measure, pair by pair")
    ties: tuple[Ties, ...] = Field(
        description="by each measure that has a better and a worse, at 5 %, Holm over all pairs"
    )
    flips: tuple[Flips, ...] = Field(description="of each pair; empty for retrievals")

    @property
    def measures(self) -> tuple[str, ...]:
        """What is compared, in the order of the tables."""
        return tuple(dict.fromkeys(one.measure for one in self.differences))

    def side(self, name: str) -> ComparedSide:
        """The side of that name.

        Raises:
            UnknownName: there is none.
        """
        by_name = {side.name: side for side in self.sides}
        if name not in by_name:
            raise UnknownName("side", name, by_name)
        return by_name[name]

    def difference(self, measure: str, other: str | None = None, baseline: str | None = None) -> PairedDifference:
        """The difference of one measure.

        Args:
            measure: its name.
            other: name of a side; the second one unless given.
            baseline: name of a side; the first one unless given.

        Raises:
            UnknownName: the measure was not compared, or not between these.
        """
        of = [one for one in self.differences if one.measure == measure]
        if not of:
            raise UnknownName("measure", measure, self.measures)
        pair = (baseline or self.sides[0].name, other or self.sides[1].name)
        found = {(one.baseline, one.other): one for one in of}
        if pair not in found:
            raise UnknownName("pair", " → ".join(pair), map(" → ".join, found))
        return found[pair]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per measure and pair, with the fields of `PairedDifference`.

        Raises:
            MissingLibrary: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingLibrary("pandas", install='"lrat-bench[frames]"') from None
        return pd.DataFrame([one.model_dump() for one in self.differences], columns=list(PairedDifference.model_fields))
