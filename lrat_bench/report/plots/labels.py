"""Labels beside points, where all of them fit without lying on one another; else a legend has to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

__all__ = ["Labelled", "label_points"]

_FEW = 9
"""Points of a panel up to which labels are tried."""

_PLACES = (
    (7, 5, "left", "bottom"),
    (-7, 5, "right", "bottom"),
    (7, -5, "left", "top"),
    (-7, -5, "right", "top"),
    (0, 9, "center", "bottom"),
    (0, -9, "center", "top"),
    (16, 14, "left", "bottom"),
    (-16, 14, "right", "bottom"),
    (16, -14, "left", "top"),
    (-16, -14, "right", "top"),
)
"""Where a label may stand: offsets in points, and which of its corners is there."""

_ROOM = 5.0
"""Pixels around a point that no label covers."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A point that is to have a label.

    Attributes:
        x: of the point.
        y: of the point.
        low: where its error bars begin, (x, y).
        high: where they end.
        name: the label.
        colour: of the label.
    """

    x: float
    y: float
    low: tuple[float, float]
    high: tuple[float, float]
    name: str
    colour: str


def label_points(figure: Figure, panels: Sequence[tuple[Axes, Sequence[Labelled]]]) -> bool:
    """Write names beside points: each clear of points, error bars and other names, nearest to its own.

    Args:
        figure: drawn but for the labels.
        panels: the points of each panel.

    Returns:
        whether all of them fit; where one does not, none is written.
    """
    if any(len(points) > _FEW for _, points in panels):
        return False
    figure.draw_without_rendering()
    written: list[Any] = []
    for axes, points in panels:
        covered = [box for point in points for box in _boxes(axes, point)]
        places = [_pixels(axes, point.x, point.y) for point in points]
        for at, point in enumerate(points):
            label = _fitting(axes, point, covered, at, places)
            if label is None:
                for one in written:
                    one.remove()
                return False
            covered.append(label.get_window_extent())
            written.append(label)
    return True


def _fitting(
    axes: Axes, point: Labelled, covered: Sequence[Bbox], at: int, places: Sequence[tuple[float, float]]
) -> Any:
    inside = axes.get_window_extent()
    for x, y, across, down in _PLACES:
        label = axes.annotate(
            point.name,
            (point.x, point.y),
            (x, y),
            textcoords="offset points",
            ha=across,
            va=down,
            fontsize=8,
            color=point.colour,
        )
        label.set_in_layout(False)
        box = label.get_window_extent()
        within = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
        near = min(range(len(places)), key=lambda number: _distance(box, places[number]))
        if within and near == at and not any(box.overlaps(other) for other in covered):
            return label
        label.remove()
    return None


def _boxes(axes: Axes, point: Labelled) -> list[Bbox]:
    """What a point and its error bars cover, in pixels."""
    from matplotlib.transforms import Bbox

    x, y = _pixels(axes, point.x, point.y)
    left, bottom = _pixels(axes, *point.low)
    right, top = _pixels(axes, *point.high)
    return [
        Bbox.from_extents(x - _ROOM, y - _ROOM, x + _ROOM, y + _ROOM),
        Bbox.from_extents(left, y - 1, right, y + 1),
        Bbox.from_extents(x - 1, bottom, x + 1, top),
    ]


def _pixels(axes: Axes, x: float, y: float) -> tuple[float, float]:
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _distance(box: Bbox, place: tuple[float, float]) -> float:
    x = max(box.x0 - place[0], 0.0, place[0] - box.x1)
    y = max(box.y0 - place[1], 0.0, place[1] - box.y1)
    return float(x**2 + y**2)
