"""Success against what it takes: steps, money."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.report.picture import write_png
from lrat_bench.report.plots.labels import label_points
from lrat_bench.report.plots.marks import Mark, draw_marks
from lrat_bench.report.plots.series import Point, by_task, names_of, parts_of, point_of, title_of
from lrat_bench.report.plots.style import DPI, key, looks, panels
from lrat_bench.report.reported import ReportedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_tradeoff"]


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
        id(run): Mark(name, look, *place)
        for run, name, look in zip(shown, names, looks(parts), strict=True)
        if (place := _at(run, measure)) is not None
    }
    tasks = by_task(shown)
    figure, axes = panels(len(tasks))
    drawn: list[tuple[Axes, list[Mark]]] = []
    for panel, (task, own) in zip(axes, tasks.items(), strict=True):
        here = [marks[id(run)] for run in own]
        draw_marks(panel, here)
        panel.set_title(title_of(task, own), fontsize=10)
        panel.set_xlabel(axis, fontsize=9)
        panel.set_ylabel("answered correctly, %", fontsize=9)
        drawn.append((panel, here))
    if not label_points(figure, [(panel, [mark.labelled for mark in here]) for panel, here in drawn]):
        key(figure, parts, names, lines=False)
    write_png(figure, file, dpi=DPI)
    return True


def _at(run: ReportedRun, measure: str) -> tuple[Point, Point] | None:
    x, y = point_of(run.metric(measure)), point_of(run.metric("success_rate"), 100)
    return None if x is None or y is None else (x, y)
