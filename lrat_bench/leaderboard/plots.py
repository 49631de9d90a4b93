"""Plots of a track: success against what it takes, entries filled, published figures hollow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.leaderboard.board import BoardRow, BoardTrack, Result
from lrat_bench.report.picture import write_png
from lrat_bench.report.plots.labels import label_points
from lrat_bench.report.plots.marks import Mark, draw_marks
from lrat_bench.report.plots.series import point_of
from lrat_bench.report.plots.style import COLOURS, DPI, Look, drawable, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AXES", "plot_track"]

AXES = {"steps": "steps a question", "searches": "searches a question", "cost_usd": "cost a question, USD"}
"""Measure of the x axis → its label."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_NAMED = 24
"""Rows that have a colour and a name, best first; the others are grey."""


@dataclass(frozen=True, slots=True)
class _Mark(Mark):
    named: bool = True


def plot_track(track: BoardTrack, measure: str, file: Path) -> bool:
    """Draw success against a measure: a panel a task, a point a row, with 95 % intervals.

    Args:
        track: with its rows.
        measure: of `AXES`.
        file: the PNG.

    Returns:
        whether there was anything to draw.

    Raises:
        MissingLibrary: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    by_task: dict[str, list[_Mark]] = {}
    shown = [row for row in track.rows if any(_known(result, measure) for result in row.results)]
    for at, row in enumerate(shown):
        for result in row.results:
            x, y = point_of(result.metric(measure)), point_of(result.metric("success_rate"), 100)
            if x is not None and y is not None:
                mark = _Mark(_name(row), _look(at), x, y, row.source == "published", at < _NAMED)
                by_task.setdefault(result.task, []).append(mark)
    if not any(mark.x.value for marks in by_task.values() for mark in marks):
        return False
    figure, axes = panels(len(by_task))
    for panel, (task, marks) in zip(axes, by_task.items(), strict=True):
        draw_marks(panel, marks)
        panel.set_title(drawable(task), fontsize=10)
        panel.set_xlabel(AXES[measure], fontsize=9)
        panel.set_ylabel("answered correctly, %", fontsize=9)
    drawn = list(zip(axes, by_task.values(), strict=True))
    if not label_points(figure, [(panel, [mark.labelled for mark in marks]) for panel, marks in drawn]):
        _legend(figure, [mark for marks in by_task.values() for mark in marks if mark.named])
    write_png(figure, file, dpi=DPI)
    return True


def _name(row: BoardRow) -> str:
    """The label; where the font lacks characters of it the name, which is plain."""
    label = drawable(row.label)
    return drawable(row.name) if "\N{REPLACEMENT CHARACTER}" in label else label


def _look(at: int) -> Look:
    if at >= _NAMED:
        return Look("#b5bbc0", "o", "-")
    turn, colour = divmod(at, len(COLOURS))
    return Look(COLOURS[colour], _MARKERS[(colour + 3 * turn) % len(_MARKERS)], "-")


def _legend(figure: Figure, marks: Sequence[_Mark]) -> None:
    """Each row once, below the panels."""
    from matplotlib.lines import Line2D

    once = {(mark.name, mark.look): mark for mark in marks}
    handles = [
        Line2D([], [], color=mark.look.colour, marker=mark.look.marker, linestyle="none", markerfacecolor=mark.face)
        for mark in once.values()
    ]
    names = [name for name, _ in once]
    across = max(1, min(len(names), int(figure.get_size_inches()[0] * 13 / (max(map(len, names)) + 8))))
    figure.legend(handles, names, loc="outside lower center", ncols=across, frameon=False, fontsize=8)


def _known(result: Result, measure: str) -> bool:
    return all(point_of(result.metric(name)) is not None for name in (measure, "success_rate"))
