"""Success against what it takes: steps, money."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lrat_bench.report.picture import write_png
from lrat_bench.report.plots.labels import Labelled, label_points
from lrat_bench.report.plots.series import Point, by_task, names_of, parts_of, point_of, title_of
from lrat_bench.report.plots.style import DPI, Look, key, looks, panels, percent_axis
from lrat_bench.report.reported import ReportedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_tradeoff"]


class _Mark(NamedTuple):
    name: str
    look: Look
    x: Point
    y: Point


def plot_tradeoff(runs: Sequence[ReportedRun], measure: str, axis: str, file: Path) -> bool:
    """Draw success against a measure: a panel a task, a point a run, with 95 % intervals of both.

    Args:
        runs: resolved ones.
        measure: of the x axis.
        axis: its label.
        file: the PNG.

    Returns:
        whether there was anything to draw: a run of which both are known, and the measure is not 0 throughout.

    Raises:
        MissingLibrary: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    shown = [run for run in runs if _at(run, measure) is not None]
    if not any((point := point_of(run.metric(measure))) is not None and point.value for run in shown):
        return False
    parts = [parts_of(run) for run in shown]
    names = names_of(parts)
    marks = {
        id(run): _Mark(name, look, *place)
        for run, name, look in zip(shown, names, looks(parts), strict=True)
        if (place := _at(run, measure)) is not None
    }
    tasks = by_task(shown)
    figure, axes = panels(len(tasks))
    drawn: list[tuple[Axes, list[_Mark]]] = []
    for panel, (task, own) in zip(axes, tasks.items(), strict=True):
        here = [marks[id(run)] for run in own]
        _panel(panel, here)
        panel.set_title(title_of(task, own), fontsize=10)
        panel.set_xlabel(axis, fontsize=9)
        panel.set_ylabel("answered correctly, %", fontsize=9)
        drawn.append((panel, here))
    if not label_points(figure, [(panel, [_labelled(mark) for mark in here]) for panel, here in drawn]):
        key(figure, parts, names, lines=False)
    write_png(figure, file, dpi=DPI)
    return True


def _labelled(mark: _Mark) -> Labelled:
    x, y = mark.x, mark.y
    low, high = (x.value - x.below, y.value - y.below), (x.value + x.above, y.value + y.above)
    return Labelled(x.value, y.value, low, high, mark.name, mark.look.colour)


def _at(run: ReportedRun, measure: str) -> tuple[Point, Point] | None:
    x, y = point_of(run.metric(measure)), point_of(run.metric("success_rate"), 100)
    return None if x is None or y is None else (x, y)


def _panel(axes: Axes, marks: Sequence[_Mark]) -> None:
    for mark in marks:
        axes.errorbar(
            [mark.x.value],
            [mark.y.value],
            xerr=[[mark.x.below], [mark.x.above]],
            yerr=[[mark.y.below], [mark.y.above]],
            color=mark.look.colour,
            marker=mark.look.marker,
            markersize=6,
            elinewidth=0.8,
            clip_on=False,
        )
    left, right = min(mark.x.value - mark.x.below for mark in marks), max(mark.x.value + mark.x.above for mark in marks)
    # From 0 where that leaves room for the points.
    left = 0.0 if left < right / 3 or left == right else left - 0.25 * (right - left)
    axes.set_xlim(left, right + (0.08 * (right - left) or 1.0))
    top = max(mark.y.value + mark.y.above for mark in marks)
    axes.set_ylim(0, 1.08 * top + 2)
    percent_axis(axes)
