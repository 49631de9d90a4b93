"""A flywheel as a picture: success, recall and steps by iteration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from lrat_bench.lrat.flywheel.place import BASE
from lrat_bench.lrat.flywheel.table import FlywheelTable
from lrat_bench.report.picture import new_figure, write_png
from lrat_bench.score.score import Metric

__all__ = ["plot_flywheel"]

_PANELS = (("success_rate", "success rate"), ("evidence_recall", "evidence recall"), ("steps", "steps"))


def plot_flywheel(table: FlywheelTable, file: Path) -> None:
    """Write the picture: one panel a measure, one line per task and arm, with 95 % intervals.

    Raises:
        MissingLibrary: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    figure = new_figure(12, 4)
    for axes, (measure, label) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        _panel(axes, table, measure, label)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    write_png(figure, file)


def _panel(axes: Any, table: FlywheelTable, measure: str, label: str) -> None:
    tasks = list(dict.fromkeys(entry.task for entry in table.entries))
    arms = list(dict.fromkeys(entry.arm for entry in table.entries if entry.arm != BASE))
    for at, task in enumerate(tasks):
        for number, arm in enumerate(arms):
            points = [
                _point(entry.iteration, entry.metrics[measure])
                for entry in table.entries
                if entry.task == task and entry.arm in (BASE, arm) and entry.metrics[measure].n
            ]
            if not points:
                continue
            # Intervals of the same iteration would lie on one another.
            shift = 0.02 * (number - (len(arms) - 1) / 2)
            axes.errorbar(
                [point.iteration + shift for point in points],
                [point.value for point in points],
                yerr=[[point.below for point in points], [point.above for point in points]],
                label=f"{task}, {arm}",
                color=f"C{number}",
                linestyle=("-", "--", ":", "-.")[at % 4],
                marker="o",
                markersize=4,
                capsize=2,
                linewidth=1.2,
            )
    axes.set_title(label, fontsize="medium")
    axes.set_xlabel("iteration")
    axes.set_xticks(sorted({entry.iteration for entry in table.entries}))
    axes.spines[["top", "right"]].set_visible(False)


class _Point(NamedTuple):
    iteration: int
    value: float
    below: float
    above: float


def _point(iteration: int, metric: Metric) -> _Point:
    value = metric.value or 0.0
    low = value if metric.low is None else metric.low
    high = value if metric.high is None else metric.high
    return _Point(iteration, value, value - low, high - value)
