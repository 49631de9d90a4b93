"""Rules: what of a measure may not fall, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lrat_bench.compare.side import LARGEST, Side
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.files import read_value
from lrat_bench.values import plainly

__all__ = ["Rule", "changed_rules", "default_rules", "parse_rule"]

_OF_RUNS = ("success_rate", "evidence_recall", "steps", "cost_usd", "failure_rate")
_DEPTHS = (100, 10, 5)
"""Cut-offs of recall, of which a retrieval is held to the deepest that it has."""

Amount = Annotated[float, Field(ge=0)]


class Rule(BaseModel):
    """What of one measure may not fall. To fall is to change for the worse: fewer successes, more steps.

    A fall below `ignore` is let pass, one beyond the tolerance is not; between the two it must be more than chance.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # Names in files that strangers may edit: nothing that a page or a terminal could take for more than a name.
    measure: str = Field(pattern=r"^[A-Za-z0-9_.@-]{1,64}$", description="name of the measure, as the run has it")
    significant: bool = Field(
        default=True,
        description="a fall fails that chance does not explain: one-sided, all such rules together at the file's alpha",
    )
    ignore: Amount = Field(
        default=0.0, description="a significant fall of less than this passes, in the measure's unit (0.02: 2 points)"
    )
    tolerance: Amount | None = Field(
        default=None, description="a fall of more than this fails, whatever chance says, in the measure's unit"
    )
    relative: Amount | None = Field(
        default=None, description="the same as a share of the baseline's value (0.1: a tenth of it)"
    )
    min: float | None = Field(default=None, description="a value below this fails, whatever the baseline has")
    max: float | None = Field(default=None, description="a value above this fails, whatever the baseline has")

    @model_validator(mode="after")
    def _holds_together(self) -> Rule:
        for key in ("ignore", "tolerance", "relative", "min", "max"):
            if abs(getattr(self, key) or 0.0) > LARGEST:
                raise ValueError(f"the rule of {self.measure} has a {key} above {LARGEST:g}, which nothing reaches")
        if self.tolerance is not None and self.relative is not None:
            raise ValueError(f"the rule of {self.measure} has both tolerance and relative: leave one of them out")
        if self.ignore and not self.significant:
            raise ValueError(f"the rule of {self.measure} has ignore, which says something of significant falls alone")
        if self.tolerance is not None and self.ignore > self.tolerance:
            raise ValueError(f"the rule of {self.measure} ignores falls that are beyond its tolerance")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"the rule of {self.measure} has a min above its max")
        if not (self.pairs or self.min is not None or self.max is not None):
            raise ValueError(f"the rule of {self.measure} holds nothing: give tolerance, relative, min or max")
        return self

    @property
    def bounded(self) -> bool:
        """Whether it can fail whatever chance says: by a tolerance, min or max."""
        return any(bound is not None for bound in (self.tolerance, self.relative, self.min, self.max))

    @property
    def pairs(self) -> bool:
        """Whether it asks for a difference from the baseline, and not for bounds alone."""
        return self.significant or self.tolerance is not None or self.relative is not None

    def allowed(self, baseline: float) -> float | None:
        """The largest fall that is no failure by itself; None where the rule sets none.

        Args:
            baseline: the baseline's value.
        """
        return self.tolerance if self.relative is None else self.relative * abs(baseline)


def default_rules(side: Side) -> tuple[Rule, ...]:
    """Those of a baseline that nobody gave any: what a run or a retrieval is known by, if it has a value.

    Of a run: success, evidence recall, steps, failures, and cost where something was paid. Of a retrieval: nDCG@10, the
    deepest of the usual recalls, and that of a trajectory's queries together, on evidence, or on gold where a task has
    no evidence. A fall fails when it is significant, of whatever size.
    """
    names = _OF_RUNS if side.kind == "run" else _of_retrieval(side.columns)
    return tuple(Rule(measure=name) for name in names if _is_worth_a_rule(side, name))


def parse_rule(text: str) -> Rule:
    """A rule as it is written on a command line: `steps`, `success_rate:tolerance=0.05,significant=false`.

    Raises:
        UsageError: it is none.
    """
    measure, _, rest = text.partition(":")
    fields: dict[str, Any] = {"measure": measure}
    for word in rest.split(",") if rest else ():
        key, equals, value = word.partition("=")
        if not equals or key in fields:
            raise UsageError(f"--rule {text!r}: after the colon stands KEY=VALUE,KEY=VALUE with each key once")
        fields[key] = read_value(value)
    try:
        return Rule.model_validate(fields)
    except ValidationError as error:
        known = ", ".join(name for name in Rule.model_fields if name != "measure")
        raise UsageError(f"--rule {text!r}: {plainly(error)} (known: {known})") from None


def changed_rules(rules: Sequence[Rule], new: Iterable[Rule], drop: Iterable[str]) -> tuple[Rule, ...]:
    """The rules without those that are dropped; a new one stands in for the old one of its measure, or at the end.

    Raises:
        UnknownName: there is no rule of a measure that is to be dropped.
    """
    found = {rule.measure: rule for rule in rules}
    for name in drop:
        if name not in found:
            raise UnknownName("rule", name, found)
        del found[name]
    found |= {rule.measure: rule for rule in new}
    return tuple(found.values())


def _of_retrieval(names: Iterable[str]) -> list[str]:
    there = list(names)
    for kind in ("evidence", "gold"):
        depths = [f"{kind}_R@{depth}" for depth in _DEPTHS if f"{kind}_R@{depth}" in there]
        union = [name for name in there if name.startswith(f"{kind}_union_R@")]
        ndcg = [name for name in there if name == f"{kind}_nDCG@10"]
        if found := [*ndcg, *depths[:1], *union]:
            return found
    return []


def _is_worth_a_rule(side: Side, name: str) -> bool:
    value = side.columns[name].metric.value if name in side.columns else None
    # What is free has nothing to fall from, and each rule costs the others some of their power.
    return value is not None and (name != "cost_usd" or value > 0)
