"""Marks: points of success against a measure, with 95 % intervals of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrat_bench.report.plots.labels import Labelled
from lrat_bench.report.plots.series import Point
from lrat_bench.report.plots.style import Look, percent_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Mark", "draw_marks"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One point.

    Attributes:
        name: its label.
        look: colour and marker.
        x: of the measure.
        y: success, in percent.
        hollow: whether only its edge is drawn.
    """

    name: str
    look: Look
    x: Point
    y: Point
    hollow: bool = False

    @property
    def face(self) -> str:
        """Colour that the marker is filled with."""
        return "white" if self.hollow else self.look.colour

    @property
    def labelled(self) -> Labelled:
        """As labels are placed beside it."""
        x, y = self.x, self.y
        low, high = (x.value - x.below, y.value - y.below), (x.value + x.above, y.value + y.above)
        return Labelled(x.value, y.value, low, high, self.name, self.look.colour)


def draw_marks(axes: Axes, marks: Sequence[Mark]) -> None:
    """Draw the marks of a panel, and set the axes around them."""
    for mark in marks:
        axes.errorbar(
            [mark.x.value],
            [mark.y.value],
            xerr=[[mark.x.below], [mark.x.above]],
            yerr=[[mark.y.below], [mark.y.above]],
            color=mark.look.colour,
            marker=mark.look.marker,
            markerfacecolor=mark.face,
            markersize=6,
            elinewidth=0.8,
            clip_on=False,
        )
    left, right = min(mark.x.value - mark.x.below for mark in marks), max(mark.x.value + mark.x.above for mark in marks)
    # From 0 where that leaves room for the points.
    left = 0.0 if left < right / 3 or left == right else left - 0.25 * (right - left)
    axes.set_xlim(left, right + (0.08 * (right - left) or 1.0))
    axes.set_ylim(0, 1.08 * max(mark.y.value + mark.y.above for mark in marks) + 2)
    percent_axis(axes)
