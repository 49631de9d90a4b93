"""What plots are of: runs by task, and what each series is called when what all share is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lrat_bench.report.plots.style import drawable
from lrat_bench.report.reported import ReportedRun
from lrat_bench.score.metric import Metric

__all__ = ["Point", "by_task", "names_of", "parts_of", "point_of", "title_of"]


class Point(NamedTuple):
    """A number to be drawn, with how far its interval reaches to either side."""

    value: float
    below: float
    above: float


def by_task(runs: Iterable[ReportedRun]) -> dict[str, list[ReportedRun]]:
    """Runs by task, in order of appearance: a panel each."""
    found: dict[str, list[ReportedRun]] = {}
    for run in runs:
        found.setdefault(run.task, []).append(run)
    return found


def parts_of(run: ReportedRun, *, without: str | None = None) -> tuple[str, str, str]:
    """Agent, retriever, and what else sets the run apart, but for a knob that is an axis."""
    rest = ", ".join(f"{name} {value}" for name, value in run.apart.items() if name != without)
    return run.agent, run.retriever, rest


def names_of(series: Sequence[tuple[str, str, str]]) -> list[str]:
    """What each is called: the parts in which they differ, as they can be drawn."""
    differ = [at for at in range(3) if len({one[at] for one in series}) > 1]
    # A lone series is called by its retriever.
    return [drawable(", ".join(one[at] for at in differ or (1,) if one[at])) for one in series]


def title_of(task: str, runs: Sequence[ReportedRun]) -> str:
    """A panel's title: the task, and how many questions its runs are of."""
    ns = {run.n for run in runs}
    return drawable(f"{task} (n = {next(iter(ns)):,})" if len(ns) == 1 else task)


def point_of(metric: Metric | None, scale: float = 1.0) -> Point | None:
    """A metric as a point; None where it has no value."""
    if metric is None or metric.value is None:
        return None
    low = metric.value if metric.low is None else metric.low
    high = metric.value if metric.high is None else metric.high
    # The mean may lie outside of a percentile interval by a rounding error.
    return Point(scale * metric.value, scale * max(0.0, metric.value - low), scale * max(0.0, high - metric.value))
