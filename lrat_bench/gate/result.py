"""What a gate found: of each rule whether it holds, with what it stands on."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.compare.side import Kind
from lrat_bench.gate.rules import Rule
from lrat_bench.score.metric import Metric

__all__ = ["GateResult", "Outcome", "Party", "Reason", "RuleResult", "Verdict"]

Outcome = Literal["held", "failed", "unresolved"]
"""Of a gate: every rule holds; one does not; it cannot be said before the run is complete."""

Verdict = Literal[
    "ok",
    "better",  # significantly, by the same test in the other direction
    "failed",
    "missing",  # what the baseline has a value of has none now, or a rule that asks for significance alone has no p
]

Reason = Literal[
    "significant",  # chance does not explain the fall
    "tolerance",  # the fall is beyond what the rule allows
    "min",
    "max",
    "missing",
]


class Party(BaseModel):
    """One of the two that are held against each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="of the folder")
    free: dict[str, str] = Field(description="agent, retriever, seed: what may differ")
    repeats: int = Field(ge=1, description="how often each question was asked")


class RuleResult(BaseModel):
    """What became of one rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    rule: Rule
    verdict: Verdict
    reasons: tuple[Reason, ...] = Field(description="why it does not hold; empty where it does")
    baseline: Metric
    now: Metric | None = Field(description="null where the run has no such measure")
    difference: float | None = Field(description="now minus baseline, mean over what both have values of")
    low: float | None = Field(description="lower end of its 95 % interval; null when the data cannot say")
    high: float | None = Field(description="upper end")
    n: int = Field(ge=0, description="pairs that the difference is the mean of: questions, or queries of a replay")
    questions: int = Field(ge=0, description="questions that they belong to")
    expected: int = Field(ge=0, description="questions that the baseline has a value of")
    p: float | None = Field(description="one-sided, of a change for the worse; null when the data cannot say")
    adjusted: float | None = Field(
        description="the same over all rules that ask for significance (Holm); null for rules that do not"
    )
    allowed: float | None = Field(description="the largest fall that the rule's tolerance lets pass")
    worse: int = Field(ge=0, description="questions that changed for the worse")
    better: int = Field(ge=0, description="questions that changed for the better")
    worst: tuple[str, ...] = Field(description="up to ten of those that changed most for the worse")


class GateResult(BaseModel):
    """A run held against a baseline."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    schema_: Literal["lrat-bench/gate/1"] = Field(default="lrat-bench/gate/1", alias="schema")
    outcome: Outcome
    kind: Kind
    baseline: Party
    run: Party
    alpha: float = Field(description="chance of a false alarm by all significance rules together")
    unresolved: int = Field(ge=0, description="rollouts that are ungraded or errored; no rule is looked at before 0")
    success: float | None = Field(description="success rate; null of a retrieval")
    success_bound: float | None = Field(description="success rate if all that is unresolved were correct")
    rules: tuple[RuleResult, ...]

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """The rules that do not hold."""
        return tuple(one for one in self.rules if one.verdict in ("failed", "missing"))
