"""Success, recall and steps against a knob or the size of training data, in the manner of LRAT's Figure 8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.report.picture import require_matplotlib, write_png
from lrat_bench.report.plots.series import by_task, names_of, point_of, title_of
from lrat_bench.report.plots.style import DPI, Look, drawable, grid_of_panels, key, looks
from lrat_bench.report.reported import ReportedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AxisPoint", "plot_axis"]

_MEASURES = (("success_rate", "success, %", 100.0), ("evidence_recall", "recall, %", 100.0), ("steps", "steps", 1.0))

_WIDE = 20
"""Ratio of the ends of an axis from which it is logarithmic."""


@dataclass(frozen=True, slots=True)
class AxisPoint:
    """One run on a line.

    Attributes:
        run: what it gave.
        line: agent, retriever or family of retrievers, and the rest: equal for points of one line.
        value: of the axis.
    """

    run: ReportedRun
    line: tuple[str, str, str]
    value: float


def plot_axis(points: Sequence[AxisPoint], axis: str, file: Path) -> bool:
    """Draw a row of panels a task (success, recall, steps), a line for what is equal but for the axis.

    Args:
        points: resolved runs.
        axis: what its values are.
        file: the PNG.

    Returns:
        whether there was anything to draw: a line of two values.

    Raises:
        MissingLibrary: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    lines: dict[tuple[str, tuple[str, str, str]], list[AxisPoint]] = {}
    for point in points:
        lines.setdefault((point.run.task, point.line), []).append(point)
    lines = {place: own for place, own in lines.items() if len({point.value for point in own}) > 1}
    if not lines:
        return False
    require_matplotlib()
    drawn = [point for own in lines.values() for point in own]
    tasks = by_task([point.run for point in drawn])
    measures = [one for one in _MEASURES if any(point_of(point.run.metric(one[0])) for point in drawn)]
    parts = list(dict.fromkeys(line for _, line in lines))
    shown = dict(zip(parts, looks(parts), strict=True))
    values = sorted({point.value for point in drawn})
    figure, grid = grid_of_panels(len(tasks), len(measures))
    for row, (task, runs) in zip(grid, tasks.items(), strict=True):
        own = [(line, found) for (place, line), found in lines.items() if place == task]
        for at, (panel, (measure, heading, scale)) in enumerate(zip(row, measures, strict=True)):
            for number, (line, found) in enumerate(own):
                shift = number - (len(own) - 1) / 2
                _line(panel, found, measure, scale, shown[line], shift, values)
            _finish(panel, values, axis, heading, title_of(task, runs) if at == 0 else "", percent=scale != 1)
    key(figure, parts, names_of(parts), lines=True)
    write_png(figure, file, dpi=DPI)
    return True


def _line(
    panel: Axes,
    found: Sequence[AxisPoint],
    measure: str,
    scale: float,
    look: Look,
    shift: float,
    values: Sequence[float],
) -> None:
    known = [
        (point.value, number)
        for point in sorted(found, key=lambda point: point.value)
        if (number := point_of(point.run.metric(measure), scale)) is not None
    ]
    panel.errorbar(
        # Intervals of the same value would lie on one another.
        [_beside(value, shift, values) for value, _ in known],
        [number.value for _, number in known],
        yerr=[[number.below for _, number in known], [number.above for _, number in known]],
        color=look.colour,
        marker=look.marker,
        linestyle=look.stroke,
        markersize=5,
        linewidth=1.5,
        elinewidth=0.8,
        clip_on=False,
    )


def _beside(value: float, shift: float, values: Sequence[float]) -> float:
    if _is_wide(values):
        return float(value * (values[-1] / values[0]) ** (0.008 * shift))
    return value + 0.008 * shift * (values[-1] - values[0])


def _is_wide(values: Sequence[float]) -> bool:
    return values[0] > 0 and values[-1] / values[0] >= _WIDE


def _finish(panel: Axes, values: Sequence[float], axis: str, heading: str, title: str, *, percent: bool) -> None:
    if _is_wide(values):
        panel.set_xscale("log")
    panel.set_xticks(values, [f"{value:,g}" for value in values], fontsize=8)
    panel.set_xticks([], minor=True)
    top = panel.get_ylim()[1]
    panel.set_ylim(0, min(102.0, top) if percent else top)
    panel.set_xlabel(drawable(axis), fontsize=9)
    panel.set_ylabel(heading, fontsize=9)
    if title:
        panel.set_title(title, fontsize=10, loc="left")
