"""A report as Markdown, as GitHub reads it; names are shown as they are, and are never markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lrat_bench.report.grid import Cell, Grid
from lrat_bench.report.text import printable

__all__ = ["escaped", "markdown"]

_SPECIAL = re.compile(r"[\\`*_{}\[\]()!~$^\"']")
"""What can begin emphasis, code, a link, an image or a formula: a backslash before it keeps it a character."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "@": "@&#8203;", "#": "#&#8203;"}
"""What takes more: HTML, the border of a cell, and names of people and issues, which a space without width parts."""


def escaped(text: object) -> str:
    """A text that shows as it is: no markup, no link, no HTML, no mention of anybody, on one line."""
    plain = printable(" ".join(str(text).split()))
    found = "".join(_ENTITIES.get(one) or (f"\\{one}" if _SPECIAL.match(one) else one) for one in plain)
    # An address links itself otherwise.
    return re.sub(r"(?i)(https?|ftp|mailto):", r"\1&#58;&#8203;", re.sub(r"(?i)www\.", "www&#46;&#8203;", found))


def markdown(grids: Sequence[Grid]) -> str:
    """The tables, one below the other; group headings stand before those of their columns."""
    return "\n".join(_table(grid) for grid in grids)


def _table(grid: Grid) -> str:
    headings = [
        escaped(f"{column.group}: {column.heading}" if column.group else column.heading) for column in grid.columns
    ]
    rules = ["---:" if column.numeric else "---" for column in grid.columns]
    lines = [f"**{escaped(grid.title)}**", "", _line(headings), _line(rules)]
    lines += [_line([_cell(cell) for cell in row]) for block in grid.blocks for row in block]
    notes = (*grid.notes, *((f"Bold: {grid.best_means}",) if grid.best_means else ()))
    return "\n".join([*lines, "", escaped(" ".join(notes))]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    value = escaped(f"{cell.text}{cell.mark}")
    value = f"**{value}**" if cell.best else value
    return f"{value} {cell.interval}" if cell.interval else value
