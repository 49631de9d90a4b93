"""Curves with bands, a panel a task: recall by turn, success by budget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.report.curves import Curve
from lrat_bench.report.picture import require_matplotlib, write_png
from lrat_bench.report.plots.series import by_task, names_of, parts_of, title_of
from lrat_bench.report.plots.style import DPI, Look, key, looks, panels
from lrat_bench.report.reported import ReportedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_curves"]

_BANDS = 6
"""Curves of a panel up to which bands are filled: more would hide one another."""


def plot_curves(curves: Sequence[tuple[ReportedRun, Curve]], file: Path, *, x: str, y: str) -> None:
    """Draw a curve a run.

    Args:
        curves: runs, each with its curve; at least one.
        file: the PNG.
        x: what its places are.
        y: what its values are a share of, in per cent.

    Raises:
        MissingLibrary: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    require_matplotlib()
    from matplotlib.ticker import MaxNLocator

    runs = [run for run, _ in curves]
    parts = [parts_of(run) for run in runs]
    drawn = {id(run): (curve, look) for (run, curve), look in zip(curves, looks(parts), strict=True)}
    tasks = by_task(runs)
    figure, axes = panels(len(tasks))
    for place, (task, own) in zip(axes, tasks.items(), strict=True):
        for run in own:
            _line(place, *drawn[id(run)], filled=len(own) <= _BANDS)
        place.set_title(title_of(task, own), fontsize=10)
        place.set_xlabel(x, fontsize=9)
        place.set_ylabel(y, fontsize=9)
        place.set_ylim(0, 102)
        place.set_xlim(left=0)
        place.xaxis.set_major_locator(MaxNLocator(integer=True))
    key(figure, parts, names_of(parts), lines=True)
    write_png(figure, file, dpi=DPI)


def _line(axes: Axes, curve: Curve, look: Look, *, filled: bool) -> None:
    values = [100 * value for value in curve.values]
    if filled and all(band.low is not None for band in curve.bands):
        low = [100 * (band.low or 0.0) for band in curve.bands]
        high = [100 * (band.high or 0.0) for band in curve.bands]
        axes.fill_between(curve.places, low, high, color=look.colour, alpha=0.14, linewidth=0)
    # Some ten markers a line, wherever it ends.
    every = max(1, len(values) // 10)
    axes.plot(
        curve.places,
        values,
        color=look.colour,
        linestyle=look.stroke,
        marker=look.marker,
        markersize=4,
        markevery=every,
        linewidth=1.6,
        clip_on=False,
    )
