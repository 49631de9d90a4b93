"""Check: a run held against a baseline, question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lrat_bench.compare.side import Column, Side
from lrat_bench.errors import UsageError
from lrat_bench.gate.baseline import Baseline
from lrat_bench.gate.cells import Cell, cells_of, paired
from lrat_bench.gate.result import GateResult, Party, Reason, RuleResult, Verdict
from lrat_bench.gate.rules import Rule
from lrat_bench.score.holm import holm
from lrat_bench.score.intervals import RESAMPLES
from lrat_bench.score.mcnemar import is_mcnemars, mcnemar
from lrat_bench.score.metric import Metric
from lrat_bench.score.paired import Difference, paired_means

__all__ = ["check", "differing"]

_SHOWN = 10
"""Questions of a rule that are named."""

_ENOUGH = 0.5
"""Share of the baseline's questions that must have a value now: of fewer, a difference says too little to pass."""

_ROUNDING = 1e-9
"""What a sum of floats may be off, relative to the numbers: a fall of just the tolerance is not beyond it."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """A rule's questions, paired. Differences are signed so that more is worse."""

    rule: Rule
    baseline: Metric
    now: Metric | None
    expected: int
    worsening: Mapping[str, float] = field(repr=False)  # question → sum of differences
    counts: Sequence[int] = field(repr=False)
    binary: bool  # whether they are a case for McNemar's test

    @property
    def sign(self) -> int:
        return -1 if self.baseline.direction == "higher" else 1


def check(baseline: Baseline, side: Side, *, seed: int = 0, resamples: int = RESAMPLES) -> GateResult:
    """Hold a run or a retrieval against a baseline.

    Of each rule the questions are paired, and the mean difference has a 95 % interval (bootstrap over questions). That
    it is for the worse is tested one-sided: by the mid-p value of McNemar's test where each question has one value in
    both, 0 or 1, else by the randomisation test over questions. All rules that ask for significance are one family:
    Holm's correction
    keeps the chance of any false alarm among them at the baseline's alpha, however they hang together.

    Args:
        baseline: what is held to.
        side: the run or retrieval.
        seed: of bootstrap and randomisation; equal seeds and inputs give equal results.
        resamples: of either.

    Returns:
        what became of each rule; where rollouts are unresolved, of none.

    Raises:
        UsageError: the two are not of the same questions, task, protocol, …, or a measure is not the same in both; the
            message names what differs. Or a value is too large.
    """
    _refuse_unpairable(baseline, side)
    rules: tuple[RuleResult, ...] = ()
    if not side.unresolved:
        pairs = [_pair(rule, baseline, side.columns.get(rule.measure)) for rule in baseline.rules]
        rules = _results(pairs, sorted(baseline.questions), baseline.alpha, seed, resamples)
    failed = any(one.reasons for one in rules)
    success = side.columns.get("success_rate")
    return GateResult(
        outcome="unresolved" if side.unresolved else "failed" if failed else "held",
        kind=side.kind,
        baseline=Party(name=baseline.origin.name, free=baseline.origin.free, repeats=baseline.origin.repeats),
        run=Party(name=side.name, free=dict(side.free), repeats=side.repeats),
        alpha=baseline.alpha,
        unresolved=side.unresolved,
        success=None if success is None else success.metric.value,
        success_bound=side.success_bound,
        rules=rules,
    )


def differing(baseline: Baseline, side: Side) -> list[str]:
    """What must be equal in both and is not, each under the name that a user knows it by."""
    if baseline.origin.kind != side.kind:
        return ["kind"]
    keys = [*baseline.shared, *(key for key in side.shared if key not in baseline.shared)]
    found = [key for key in keys if baseline.shared.get(key) != side.shared.get(key)]
    for name in (rule.measure for rule in baseline.rules if rule.measure in side.columns):
        before, now = baseline.metric(name), side.columns[name].metric
        found += [f"{key} of {name}" for key in ("unit", "direction") if getattr(before, key) != getattr(now, key)]
    return found


def _refuse_unpairable(baseline: Baseline, side: Side) -> None:
    keys = differing(baseline, side)
    if keys == ["kind"]:
        raise UsageError(
            f"{side.path} is a {side.kind} and the baseline is of a {baseline.origin.kind}: give the one that "
            f"`lrat-bench {'run' if baseline.origin.kind == 'run' else 'retrieve'}` made"
        )
    if keys:
        raise UsageError(
            f"{side.path} cannot be held against the baseline, made of {baseline.origin.name!r}: they differ in "
            f"{', '.join(_named(baseline, side, key) for key in keys)}; {_mend(keys)}, or, if the change is meant, "
            "bless a new one"
        )


def _mend(keys: Sequence[str]) -> str:
    return "run the missing repeats" if keys == ["repeats"] else "do again what the baseline was made by"


def _named(baseline: Baseline, side: Side, key: str) -> str:
    """A key, with its values where they say something to a reader: most are fingerprints."""
    values = [shared.get(key, "none") for shared in (baseline.shared, side.shared)]
    if key == "questions":
        # How many, and a fingerprint of their ids.
        values = [value.partition(" ")[0] for value in values]
    elif key not in ("split", "repeats"):
        return key
    before, now = (value if value.isalnum() else repr(value) for value in values)
    return f"{key} ({now} instead of {before})" if before != now else key


def _pair(rule: Rule, baseline: Baseline, column: Column | None) -> _Pairs:
    before = baseline.cells(rule.measure)
    now: Mapping[str, Cell] = {} if column is None else cells_of(column)
    shared = paired(before, now)
    metric = baseline.metric(rule.measure)
    sign = -1 if metric.direction == "higher" else 1
    return _Pairs(
        rule=rule,
        baseline=metric,
        now=None if column is None else column.metric,
        expected=len(before),
        worsening={qid: sign * (now[qid].total - before[qid].total) for qid in shared},
        counts=[before[qid].weight for qid in shared],
        binary=is_mcnemars(
            np.array([before[qid].mean for qid in shared], dtype=np.float64),
            np.array([now[qid].mean for qid in shared], dtype=np.float64),
            np.array([before[qid].weight for qid in shared], dtype=np.float64),
        ),
    )


def _results(
    pairs: Sequence[_Pairs], questions: Sequence[str], alpha: float, seed: int, resamples: int
) -> tuple[RuleResult, ...]:
    differences = _differences(pairs, questions, seed, resamples)
    worse = [_one_sided(one, difference) for one, difference in zip(pairs, differences, strict=True)]
    # A change for the better is told by the same test the other way round.
    family = [at for at, one in enumerate(pairs) if one.rule.significant and worse[at] is not None]
    tested = [p for at in family if (p := worse[at]) is not None]
    adjusted = dict(zip(family, holm(tested), strict=True))
    improved = dict(zip(family, holm([1 - p for p in tested]), strict=True))
    return tuple(
        _result(one, differences[at], worse[at], adjusted.get(at), improved.get(at), alpha)
        for at, one in enumerate(pairs)
    )


def _differences(pairs: Sequence[_Pairs], questions: Sequence[str], seed: int, resamples: int) -> list[Difference]:
    """Of each rule the mean worsening; of all questions, so that what is drawn for one hangs on no other rule."""
    place = {qid: at for at, qid in enumerate(questions)}
    totals, counts = np.zeros((len(place), len(pairs))), np.zeros((len(place), len(pairs)))
    for at, one in enumerate(pairs):
        rows = [place[qid] for qid in one.worsening]
        totals[rows, at], counts[rows, at] = list(one.worsening.values()), one.counts
    return paired_means(totals, counts, seed=seed, resamples=resamples)


def _one_sided(one: _Pairs, difference: Difference) -> float | None:
    """The p-value of a change for the worse."""
    if difference.p is None or difference.value is None:
        return None
    if one.binary:
        worse = sum(value > 0 for value in one.worsening.values())
        return mcnemar(worse, sum(value < 0 for value in one.worsening.values()), alternative="greater")
    # Flipping signs makes a distribution that is symmetric about 0: each side has half of both.
    return difference.p / 2 if difference.value > 0 else 1 - difference.p / 2


def _result(
    one: _Pairs,
    worsening: Difference,
    p: float | None,
    adjusted: float | None,
    improved: float | None,
    alpha: float,
) -> RuleResult:
    allowed = one.rule.allowed(one.baseline.value or 0.0)
    reasons = _reasons(one, worsening, adjusted, allowed, alpha)
    verdict: Verdict = "ok"
    if reasons:
        verdict = "missing" if "missing" in reasons else "failed"
    elif improved is not None and improved <= alpha and (worsening.value or 0.0) < 0:
        verdict = "better"
    low, high = worsening.low, worsening.high
    if one.sign < 0:
        low, high = (None if end is None else -end for end in (high, low))
    order = sorted(one.worsening.items(), key=lambda item: (-item[1], item[0]))
    return RuleResult(
        rule=one.rule,
        verdict=verdict,
        reasons=reasons,
        baseline=one.baseline,
        now=one.now,
        # Adding 0 makes -0.0 of a difference that is none 0.0.
        difference=None if worsening.value is None else one.sign * worsening.value + 0.0,
        low=low,
        high=high,
        n=worsening.n,
        questions=worsening.clusters,
        expected=one.expected,
        p=p,
        adjusted=adjusted,
        allowed=allowed,
        worse=sum(value > 0 for value in one.worsening.values()),
        better=sum(value < 0 for value in one.worsening.values()),
        worst=tuple(qid for qid, value in order[:_SHOWN] if value > 0),
    )


def _reasons(
    one: _Pairs, worsening: Difference, adjusted: float | None, allowed: float | None, alpha: float
) -> tuple[Reason, ...]:
    value = None if one.now is None else one.now.value
    if value is None or worsening.value is None or worsening.clusters < _ENOUGH * one.expected:
        return ("missing",)
    if adjusted is None and one.rule.significant and not one.rule.bounded:
        return ("missing",)  # nothing was looked at, which is no reason to pass
    fall, slack = worsening.value, _ROUNDING * max(1.0, abs(one.baseline.value or 0.0))
    found: list[Reason] = []
    # At an alpha of 0.5 no change at all would be significant.
    if adjusted is not None and adjusted <= alpha and 0 < fall >= one.rule.ignore - slack:
        found.append("significant")
    if allowed is not None and fall > allowed + slack:
        found.append("tolerance")
    if one.rule.min is not None and value < one.rule.min - slack:
        found.append("min")
    if one.rule.max is not None and value > one.rule.max + slack:
        found.append("max")
    return tuple(found)
