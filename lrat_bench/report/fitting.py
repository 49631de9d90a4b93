"""A table that fits its terminal: names fold, numbers stay whole, and what does not fit abreast stands below.

Where it is wider than there is room, it gives way in this order, as far as it must: headings take several lines and
texts are folded; what is `below` goes under the number to its left, as an interval under what it is of; names are
folded, to no less than 16 characters a line; the numbers make several tables, each with the names of its rows; and
where not even one number has room beside the names, each row becomes a list, a line a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lrat_bench.report.text import printable

__all__ = ["FittingTable", "metrics_table"]

_GAP = 2
_NAME = 16
_TEXT = 24
"""What a line of a name or of a text holds at least, in characters, however narrow the terminal is."""

_BREAKS = (re.compile(r"(?<=\s)(?=\S)"), re.compile(r"(?<=[\s/:+_@,-])(?=\S)"))
"""Where a line is folded: between words, else within one, behind what parts a name."""

Kind = Literal["name", "number", "text"]


@dataclass(frozen=True)
class _Column:
    """One column, with its cells; the cells of all columns are equally many."""

    heading: Text
    kind: Kind
    right: bool
    below: bool
    group: str
    style: str
    cells: list[Text] = field(default_factory=list)

    @property
    def natural(self) -> int:
        """The width at which nothing is folded."""
        return max(map(_width, (self.heading, *self.cells)))

    def least(self) -> int:
        """The width below which it cannot go."""
        word = max((cell_len(word) for word in self.heading.plain.split()), default=0)
        if self.kind == "number":
            return max(word, *map(_width, self.cells), 0)
        return min(self.natural, max(word, _NAME if self.kind == "name" else _TEXT))


class FittingTable:
    """A table to be printed, whatever the width.

    Columns are added from left to right, those of names first; then rows. A cell that is a plain string is shown as it
    is, without markup and control sequences.

    Args:
        title: above it.
    """

    def __init__(self, title: str = "") -> None:
        self._title = title
        self._columns: list[_Column] = []
        self._indents: list[int] = []

    def name(self, heading: str = "", *, style: str = "") -> None:
        """Add a column that says what a row is of: it is never left out, and folds."""
        self._add("name", heading, style=style)

    def number(
        self, heading: str, *, below: bool = False, left: bool = False, group: str = "", style: str = ""
    ) -> None:
        """Add a column of numbers, or of what else is short and must stay whole.

        Args:
            heading: of it, with its unit.
            below: in a narrow terminal it goes under the column to its left.
            left: set to the left.
            group: heading above it and its neighbours of the same group.
            style: of its cells.
        """
        self._add("number", heading, right=not left, below=below, group=group, style=style)

    def text(self, heading: str = "", *, style: str = "") -> None:
        """Add a column of sentences, which fold."""
        self._add("text", heading, style=style)

    def row(self, *cells: str | Text, indent: int = 0, style: str = "") -> None:
        """Add a row; what it lacks at its end is blank.

        Args:
            cells: one a column.
            indent: of its first cell, in characters.
            style: of all its cells.
        """
        self._indents.append(indent)
        for at, column in enumerate(self._columns):
            cell = cells[at] if at < len(cells) else ""
            text = Text(printable(cell)) if isinstance(cell, str) else cell.copy()
            for own in filter(None, (style, column.style)):
                text.stylize_before(own)
            column.cells.append(Text.assemble(" " * indent, text) if indent and not at else text)

    def gap(self) -> None:
        """Add a blank line; a name that is left out from here on is not the one above."""
        self.row()

    @property
    def width(self) -> int:
        """What it takes, in characters, for nothing to give way."""
        headed = _headed(self._columns)
        return max(cell_len(self._title), sum(column.natural for column in headed) + _GAP * (len(headed) - 1))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(self.width, _NAME), self.width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._title:
            yield Text(printable(self._title), style="bold")
        for at, part in enumerate(self._parts(options.max_width)):
            if at:
                yield Text()
            yield part

    def _add(
        self, kind: Kind, heading: str, *, style: str, right: bool = False, below: bool = False, group: str = ""
    ) -> None:
        shown = Text("\n".join(map(printable, heading.split("\n"))))
        above = "\n".join(map(printable, group.split("\n")))
        self._columns.append(_Column(shown, kind, right, below, above, style))

    def _parts(self, width: int) -> Iterable[RenderableType]:
        merged = _merged(self._columns)
        for columns, firm in ((self._columns, True), (merged, True), (merged, False)):
            if (widths := _fitted(columns, width, firm=firm)) is not None:
                return [self._table(columns, widths)]
        names = [column for column in merged if column.kind == "name"]
        others = [column for column in merged if column.kind != "name"]
        fewest = _stacked(names, others, width, most=len(others), firm=False)
        if not fewest:
            return [self._lists()]
        # As few tables as it takes; of as many, those with whole names, and as long as each other.
        even = -(-len(others) // len(fewest))
        for most, firm in ((even, True), (len(others), True), (even, False)):
            stacks = _stacked(names, others, width, most=most, firm=firm)
            if stacks is not None and len(stacks) == len(fewest):
                break
        else:
            stacks = fewest
        return [self._table(columns, widths) for columns, widths in stacks]

    def _table(self, columns: Sequence[_Column], widths: Sequence[int]) -> Table:
        headed = any(column.heading.plain for column in columns)
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False, show_header=headed)
        for column, width in zip(_headed(columns), widths, strict=True):
            justify: Literal["right", "left"] = "right" if column.right else "left"
            table.add_column(column.heading, justify=justify, width=width, overflow="fold")
        for at, indent in enumerate(self._indents):
            if self._is_idle(at, columns):
                continue
            cells = (
                _folded(column.cells[at], width, 0 if which else indent)
                for which, (column, width) in enumerate(zip(columns, widths, strict=True))
            )
            table.add_row(*cells)
        return table

    def _is_idle(self, at: int, columns: Sequence[_Column]) -> bool:
        """Whether a row has nothing to say in these columns, but has in others, and no name below it hangs on it."""
        if any(column.cells[at].plain for column in columns if column.kind != "name"):
            return False
        below = at + 1 < len(self._indents) and not all(
            column.cells[at + 1].plain for column in columns if column.kind == "name"
        )
        return not below and any(column.cells[at].plain for column in self._columns if column.kind != "name")

    def _lists(self) -> RenderableType:
        """The rows as lists: their names, then a line a number."""
        names = [column for column in self._columns if column.kind == "name"]
        others = [column for column in self._columns if column.kind != "name"]
        several = len(names) > 1
        called = [""] * len(names)
        lines: list[RenderableType] = []
        for at in range(len(self._indents)):
            own = [column.cells[at].plain.strip() for column in names]
            if not any(column.cells[at].plain for column in self._columns):
                called = [""] * len(names)
                continue
            called = [mine or above for mine, above in zip(own, called, strict=True)]
            said = (_said(column, Text(name), several) for column, name in zip(names, called, strict=True) if name)
            lines.append(Text(" · ").join(said))
            lines += [
                Padding(_said(column, column.cells[at], True), (0, 0, 0, 2))
                for column in others
                if column.cells[at].plain
            ]
        return Group(*lines)


def metrics_table() -> FittingTable:
    """A table of metrics with their intervals, without rows yet."""
    table = FittingTable()
    table.name("metric")
    table.number("value")
    table.number("95 % interval", below=True)
    table.number("n", style="dim")
    return table


def _said(column: _Column, cell: Text, with_heading: bool) -> Text:
    """A cell on a line of its own."""
    of = " ".join((*column.group.split(), *column.heading.plain.split())) if with_heading else ""
    style = "bold" if column.kind == "name" else ""
    value = Text(" ").join(cell.split("\n"))
    value.stylize_before(style)
    return Text.assemble((f"{of} " if of else "", "dim"), value)


def _width(text: Text) -> int:
    return max((cell_len(line) for line in text.plain.split("\n")), default=0)


def _headed(columns: Sequence[_Column]) -> list[_Column]:
    """The columns with the headings of their groups, each above the first of its group."""
    if not any(column.group for column in columns):
        return list(columns)
    lines = max(column.group.count("\n") for column in columns) + 1
    found, last = [], ""
    for column in columns:
        above = column.group if column.group != last else ""
        last = column.group
        filled = above + "\n" * (lines - 1 - above.count("\n"))
        found.append(replace(column, heading=Text.assemble((filled, "bold"), "\n", column.heading)))
    return found


def _merged(columns: Sequence[_Column]) -> list[_Column]:
    """What is below in its place: under the column to its left."""
    found: list[_Column] = []
    for column in columns:
        if not column.below:
            found.append(column)
            continue
        over = found[-1]
        cells = [_one_above(*pair) for pair in zip(over.cells, column.cells, strict=True)]
        found[-1] = replace(over, heading=_one_above(over.heading, column.heading), cells=cells)
    return found


def _one_above(upper: Text, lower: Text) -> Text:
    return Text.assemble(upper, "\n", lower) if lower.plain else upper


def _fitted(columns: Sequence[_Column], width: int, *, firm: bool) -> list[int] | None:
    """Widths at which all columns stand abreast, names whole where `firm`; None where there are none."""
    headed = _headed(columns)
    natural = [column.natural for column in headed]
    widths = [
        most if firm and column.kind == "name" else column.least() for column, most in zip(headed, natural, strict=True)
    ]
    room = width - sum(widths) - _GAP * (len(widths) - 1)
    if room < 0:
        return None
    for kind in ("name", "number", "text"):
        own = [at for at, column in enumerate(headed) if column.kind == kind]
        while room and (short := [at for at in own if widths[at] < natural[at]]):
            # Who lacks most is given first.
            widths[max(short, key=lambda at: natural[at] - widths[at])] += 1
            room -= 1
    return widths


def _stacked(
    names: Sequence[_Column], others: Sequence[_Column], width: int, *, most: int, firm: bool
) -> list[tuple[list[_Column], list[int]]] | None:
    """Tables with all names and at most so many of the others each, and their widths; None where one has no room."""
    found: list[tuple[list[_Column], list[int]]] = []
    taken = 0
    while taken < len(others):
        for many in range(min(most, len(others) - taken), 0, -1):
            columns = [*names, *others[taken : taken + many]]
            if (widths := _fitted(columns, width, firm=firm)) is not None:
                found.append((columns, widths))
                taken += many
                break
        else:
            return None
    return found


def _break(line: str, fits: int) -> int:
    """Where a line is parted of which so many characters fit."""
    if line[fits].isspace():
        return fits
    for kind in _BREAKS:
        # One that leaves most of the line empty is none.
        found = max((one.start() for one in kind.finditer(line) if one.start() <= fits), default=0)
        if 3 * found >= fits:
            return found
    return fits


def _folded(cell: Text, width: int, indent: int) -> RenderableType:
    """A cell in as many lines as it takes, parted between its words where that is possible."""
    if _width(cell) <= width:
        return cell
    room = max(1, width - indent)
    lines: list[Text] = []
    for line in cell.split("\n"):
        rest = line[indent:] if indent else line
        while cell_len(rest.plain) > room:
            fits = next(at for at in range(len(rest.plain), 0, -1) if at == 1 or cell_len(rest.plain[:at]) <= room)
            at = _break(rest.plain, fits)
            lines.append(rest[:at])
            rest = rest[at:]
            rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        lines.append(rest)
    return Padding(Text("\n").join(lines), (0, 0, 0, indent))
