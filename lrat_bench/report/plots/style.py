"""How plots look: colours that the colour-blind tell apart, markers and strokes that survive print, labels that fit."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lrat_bench.report.picture import new_figure
from lrat_bench.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "DPI", "Look", "drawable", "grid_of_panels", "key", "looks", "panels", "percent_axis"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7A5C00")
"""Those of M. Okabe and K. Ito (2008, "Color universal design") that are dark enough on white; a brown for yellow."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_STROKES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))

DPI = 200
_PANEL = (4.6, 3.4)
_ACROSS = 3
_LEGEND_ROW = 0.2
"""Inches of a panel, how many stand side by side, and inches of a row of the legend."""

_LONGEST = 44
"""Characters of a name; the middle of a longer one is left out."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one series is drawn."""

    colour: str
    marker: str
    stroke: Any


def looks(series: Sequence[tuple[str, str, str]]) -> list[Look]:
    """A look for each (agent, retriever, rest); equal ones look equal.

    As long as colours last, each has its own, with its own marker and stroke, since colour is not all there is. Of
    more, colours are by retriever, markers and strokes by agent and the rest.
    """
    once = list(dict.fromkeys(series))
    if len(once) <= len(COLOURS):
        return [_look(once.index(one), once.index(one), once.index(one)) for one in series]
    retrievers, others = _parties(once)
    return [
        _look(retrievers.index(retriever), others.index((agent, rest)), others.index((agent, rest)))
        for agent, retriever, rest in series
    ]


def _parties(series: Collection[tuple[str, str, str]]) -> tuple[list[str], list[tuple[str, str]]]:
    """Retrievers, and agents with the rest, each once."""
    return (
        list(dict.fromkeys(retriever for _, retriever, _ in series)),
        list(dict.fromkeys((agent, rest) for agent, _, rest in series)),
    )


def _look(colour: int, marker: int, stroke: int) -> Look:
    return Look(COLOURS[colour % len(COLOURS)], _MARKERS[marker % len(_MARKERS)], _STROKES[stroke % len(_STROKES)])


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels, side by side as far as they go.

    Raises:
        MissingLibrary: matplotlib is not installed.
    """
    across = min(count, _ACROSS)
    figure, rows = grid_of_panels(-(-count // across), across)
    axes = [one for row in rows for one in row]
    for unused in axes[count:]:
        unused.set_visible(False)
    return figure, axes[:count]


def grid_of_panels(down: int, across: int) -> tuple[Figure, list[list[Axes]]]:
    """A figure with rows of panels.

    Raises:
        MissingLibrary: matplotlib is not installed.
    """
    figure = new_figure(max(across * _PANEL[0], 5.4), down * _PANEL[1])
    rows = [list(row) for row in figure.subplots(down, across, squeeze=False)]
    for one in (axes for row in rows for axes in row):
        one.spines[["top", "right"]].set_visible(False)
        one.grid(visible=True, color="#e4e4e4", linewidth=0.6)
        one.set_axisbelow(True)
        one.tick_params(labelsize=8)
    return figure, rows


def percent_axis(axes: Axes) -> None:
    """From 0 % to as much as is needed; a share is never above 100 %."""
    top = axes.get_ylim()[1]
    axes.set_ylim(0, min(102.0, top))


def key(figure: Figure, series: Sequence[tuple[str, str, str]], names: Sequence[str], *, lines: bool) -> None:
    """A legend below all panels, which makes the figure higher and leaves the panels as they are.

    Where colours are by retriever, it says what each colour, marker and stroke means.

    Args:
        figure: that it belongs to.
        series: (agent, retriever, rest) of what is drawn.
        names: what each is called.
        lines: whether lines are drawn, or points alone.
    """
    from matplotlib.lines import Line2D

    once = dict(zip(series, names, strict=True))
    if len(once) <= len(COLOURS):
        entries = [
            (name, Line2D([], [], color=look.colour, marker=look.marker, linestyle=look.stroke if lines else "none"))
            for name, look in zip(once.values(), looks(list(once)), strict=True)
        ]
    else:
        retrievers, others = _parties(once)
        entries = [
            (drawable(name), Line2D([], [], color=_look(at, 0, 0).colour, marker="s", markersize=9, linestyle="none"))
            for at, name in enumerate(retrievers)
        ]
        for at, parts in enumerate(others if len(others) > 1 else ()):
            look = _look(0, at, at)
            stroke: Any = look.stroke if lines else "none"
            name = drawable(", ".join(filter(None, parts)))
            entries.append((name, Line2D([], [], color="#555555", marker=look.marker, linestyle=stroke)))
    longest = max(len(name) for name, _ in entries)
    width, height = figure.get_size_inches()
    fit = max(1, min(len(entries), int(width * 13 / (longest + 8))))
    rows = -(-len(entries) // fit)
    figure.set_size_inches(width, height + _LEGEND_ROW * rows)
    figure.legend(
        [handle for _, handle in entries],
        [name for name, _ in entries],
        loc="outside lower center",
        ncols=-(-len(entries) // rows),
        frameon=False,
        fontsize=8,
    )


def drawable(text: object) -> str:
    """A name as it can be drawn: no formula, no character that the font lacks, not too long."""
    known = _glyphs()
    plain = "".join(one if ord(one) in known else "�" for one in printable(text)).strip() or "?"
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST // 2 - 1]}…{plain[-(_LONGEST // 2 - 1) :]}"
    # A dollar begins a formula, and a leading underscore hides a label from the legend.
    return re.sub(r"\$", r"\\$", f" {plain}" if plain.startswith("_") else plain)


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
