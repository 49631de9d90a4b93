"""A report for a terminal, by rich: intervals below what they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.console import Group as Lines
from rich.text import Text

from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.grid import Cell, Grid
from lrat_bench.report.layout import Group, layout
from lrat_bench.report.reported import Report
from lrat_bench.report.text import printable

__all__ = ["FittingReport", "terminal", "terminal_text"]

_WIDTH = 120
"""Of a file, in characters, where a row does not need more."""


def terminal(grids: Sequence[Grid]) -> RenderableType:
    """The tables, one below the other."""
    parts: list[RenderableType] = []
    for grid in grids:
        if parts:
            parts.append(Text())
        parts += [Text(printable(grid.title), style="bold"), _table(grid)]
        notes = (*grid.notes, *((f"* {grid.best_means}",) if grid.best_means else ()))
        parts += [Text(printable(note), style="dim") for note in notes]
    return Lines(*parts)


@dataclass(frozen=True)
class FittingReport:
    """A report as wide as the terminal: tasks that do not fit side by side stand one below the other.

    Attributes:
        report: what to show.
        measures: names of measures; the main ones unless given.
        group: how runs are laid out; only where it is "auto" the width matters.
    """

    report: Report
    measures: Sequence[str] = ()
    group: Group = "auto"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grids = layout(self.report, measures=self.measures, group=self.group)
        if self.group == "auto" and _width(grids) > options.max_width:
            grids = layout(self.report, measures=self.measures, group="runs")
        yield terminal(grids)


def terminal_text(grids: Sequence[Grid]) -> str:
    """The same as plain text, for a file or a pipe, as wide as it needs to be."""
    console = Console(width=max(_WIDTH, _width(grids)), highlight=False, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(terminal(grids))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _width(grids: Sequence[Grid]) -> int:
    """What the widest table needs, in characters."""
    return max((_table(grid).width for grid in grids), default=0)


def _table(grid: Grid) -> FittingTable:
    table = FittingTable()
    for column in grid.columns:
        if column.numeric:
            # What follows the task's name has a line of its own, so that it does not widen the column.
            group = "\n".join(map(printable, column.group.split(", ", 1)))
            table.number(column.heading, left=True, group=group)
        else:
            table.name(column.heading)
    for at, block in enumerate(grid.trimmed):
        if at:
            table.gap()
        for row in block:
            table.row(*map(_cell, row))
    return table


def _cell(cell: Cell) -> Text:
    style = "bold" if cell.best else ""
    # A pipe shows no bold.
    value = f"{printable(cell.text)}{cell.mark}{'*' if cell.best else ''}"
    return Text.assemble((value, style), *((("\n" + cell.interval, "dim"),) if cell.interval else ()))
