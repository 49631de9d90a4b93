"""Comparison: a published figure beside ours, and what is to be thought of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Literal

from lrat_bench.published.candidate import Candidate
from lrat_bench.published.figure import Figure
from lrat_bench.published.library import PublishedRow, PublishedTable
from lrat_bench.published.matching import Difference, differences, judge_differs
from lrat_bench.score.intervals import Interval, wilson
from lrat_bench.score.metric import Metric

__all__ = ["Comparison", "Outcome", "Unanswered", "compare", "difference_interval", "hold_against"]

Outcome = Literal[
    "OK",  # equal, as far as the published digits go
    "within noise",  # as far off as chance alone would put two such numbers
    "off",  # further
]

_UNKNOWN = Interval(None, None)

_ROUNDING = 1e-9  # of binary fractions, relative to numbers up to some hundred


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure and one folder.

    Attributes:
        figure: what is published.
        path: the folder.
        ours: the metric that stands beside it; None where there is none to compare.
        outcome: None where nothing was compared.
        difference: 95 % interval of ours minus published, in the published unit; no ends where it cannot be told.
        differs: what the folder has otherwise; a comparison that was asked for `anyway` has some.
        reason: why nothing was compared, or what to know of what was; empty else.
    """

    figure: Figure
    path: Path
    ours: Metric | None = None
    outcome: Outcome | None = None
    difference: Interval = _UNKNOWN
    differs: tuple[Difference, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A folder that answers no figure of a table.

    Attributes:
        path: the folder.
        row: the row that it is nearest to.
        differs: what it has otherwise than that row.
    """

    path: Path
    row: PublishedRow
    differs: tuple[Difference, ...]


def difference_interval(figure: Figure, ours: Metric) -> Interval:
    """The 95 % interval of ours minus published, in the published unit.

    A rate is a rate on both sides. With p₁ ours, p₂ published and (l, u) their intervals,

        p₁ − p₂ − √((p₁−l₁)² + (u₂−p₂)²)  to  p₁ − p₂ + √((u₁−p₁)² + (p₂−l₂)²)

    (R. G. Newcombe, 1998, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17:873–890, method 10, where both are Wilson's). Ours is Wilson's for questions asked once, and the
    bootstrap's over questions for repeats. The two are taken for independent, though they are of the same questions;
    that makes the interval too wide rather than too narrow.

    Of any other mean only our spread is known: its interval is ours, less the published value.

    Args:
        figure: what is published.
        ours: its counterpart.

    Returns:
        no ends where ours has no interval, or none is known of the published side.
    """
    if ours.value is None or ours.low is None or ours.high is None:
        return _UNKNOWN
    scale = figure.scale
    low, value, high = scale * ours.low, scale * ours.value, scale * ours.high
    if not figure.measures.rate or figure.measures.n is None:
        return Interval(low - figure.value, high - figure.value)
    n = figure.measures.n
    there = wilson(figure.value / scale * n, n)
    assert there.low is not None
    assert there.high is not None
    below = sqrt((value - low) ** 2 + (scale * there.high - figure.value) ** 2)
    above = sqrt((high - value) ** 2 + (figure.value - scale * there.low) ** 2)
    return Interval(value - figure.value - below, value - figure.value + above)


def compare(
    figure: Figure, candidate: Candidate, *, differs: Sequence[Difference] = (), anyway: bool = False
) -> Comparison:
    """A figure beside a candidate that stands where it does, or is to be compared `anyway`.

    Args:
        figure: what is published.
        candidate: what may answer it.
        differs: what the candidate has otherwise.
        anyway: compare where the judge is another one, or something is unresolved, too.
    """
    if figure.measures.metric is None and figure.measures.peer is None:
        return Comparison(figure, candidate.path, reason="no metric of a run says it")
    judge = judge_differs(figure, candidate)
    owed = candidate.errored + (candidate.ungraded if figure.measures.judged else 0)
    own = [] if judge is None else [judge]
    if owed:
        own.append(Difference("completeness", f"{owed:,} of {candidate.asked:,} unresolved"))
    others = (*differs, *own)
    if own and not anyway:
        return Comparison(figure, candidate.path, differs=others, reason=", ".join(one.text for one in own))
    ours, note = _counterpart(figure, candidate)
    note = "; ".join(filter(None, (_part_of(figure, candidate), note)))
    if ours is None or ours.value is None:
        return Comparison(figure, candidate.path, ours=ours, differs=others, reason=note or "not measured: n = 0")
    interval = difference_interval(figure, ours)
    outcome: Outcome | None = None
    if abs(figure.scale * ours.value - figure.value) <= figure.tolerance + _ROUNDING:
        outcome = "OK"
    elif interval.low is not None and interval.high is not None:
        reach = figure.measures.plus_minus or 0.0
        outcome = "within noise" if interval.low - reach <= 0 <= interval.high + reach else "off"
    else:
        note = "; ".join(("differs, and has no interval that says by how much it may", *((note,) if note else ())))
    return Comparison(figure, candidate.path, ours, outcome, interval, others, note)


def hold_against(
    table: PublishedTable, candidates: Sequence[Candidate], *, anyway: bool = False
) -> tuple[list[Comparison], list[Unanswered]]:
    """Every candidate beside the figures that it answers.

    Args:
        table: the figures, or those of them that were selected.
        candidates: runs and retrievals.
        anyway: compare those that answer none with the rows that they are nearest to.

    Returns:
        the comparisons, candidate by candidate, and the candidates that answer no figure.
    """
    compared: list[Comparison] = []
    unanswered: list[Unanswered] = []
    for candidate in candidates:
        apart = {figure.id: differences(figure, candidate) for figure in table.figures}
        least = min(map(_distance, apart.values()))
        near = [figure for figure in table.figures if _distance(apart[figure.id]) == least]
        if least == _SAME or (anyway and near[0].measures.by == candidate.kind):
            compared += [compare(figure, candidate, differs=apart[figure.id], anyway=anyway) for figure in near]
        else:
            row = next(row for row in table.rows if near[0] in row.figures)
            unanswered.append(Unanswered(candidate.path, row, apart[near[0].id]))
    return compared, unanswered


def _part_of(figure: Figure, candidate: Candidate) -> str:
    """What to know of a candidate that was asked less than the figure's questions; empty where it was asked all."""
    n, limit = figure.measures.n, candidate.limit
    if limit is None or (n is not None and limit >= n):
        return ""
    return f"the first {limit:,} questions alone{'' if n is None else f', of {n:,}'}"


_SAME = (0, 0, 0)


def _distance(differs: Sequence[Difference]) -> tuple[int, int, int]:
    """How far a candidate is from a figure: another task is further than another agent, that further than settings."""
    tasks = sum(one.part in ("kind", "task") for one in differs)
    others = sum(one.another for one in differs)
    return (tasks, others, len(differs))


def _counterpart(figure: Figure, candidate: Candidate) -> tuple[Metric | None, str]:
    """The metric to compare, the evaluator's own where it is there, and a remark on which it is."""
    peer, metric = figure.measures.peer, figure.measures.metric
    theirs = None if peer is None else candidate.metrics.get(peer)
    if theirs is not None and theirs.value is not None:
        return theirs, ""
    ours = None if metric is None else candidate.metrics.get(metric)
    if ours is None or ours.value is None:
        known = theirs or ours
        return known, "" if known else f"not measured: there is no {metric or peer} in metrics.json"
    if peer is None:
        return ours, ""
    return ours, f"by our definition: {peer} {'is not there' if theirs is None else 'has n = 0'}"
