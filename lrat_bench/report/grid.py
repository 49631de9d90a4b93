"""A table as people read it, before it is written in any format: columns in groups, rows in blocks, notes below."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BLANK", "Cell", "Column", "Grid", "Row"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; texts as they are, for each format to escape.

    Attributes:
        text: a name, or a number by the rules of `numbers`.
        interval: its 95 % interval, or nothing.
        best: best of what it may be compared with.
        mark: a reference to a note.
    """

    text: str
    interval: str = ""
    best: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        heading: of it.
        group: heading above it and its neighbours of the same group.
        numeric: set to the right.
    """

    heading: str
    group: str = ""
    numeric: bool = False


Row = tuple[Cell, ...]
"""One cell a column."""

BLANK = Cell("")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        title: what holds for all rows.
        columns: from left to right.
        blocks: rows that belong together, with a rule between blocks.
        notes: what marks mean, and how to read it.
        best_means: what a best number is, where one is marked.
    """

    title: str
    columns: tuple[Column, ...]
    blocks: tuple[tuple[Row, ...], ...]
    notes: tuple[str, ...] = ()
    best_means: str = ""

    @property
    def trimmed(self) -> tuple[tuple[Row, ...], ...]:
        """The blocks, without the names at the start of a row that the row above it starts with, too."""
        return tuple(
            tuple(self._without(block[at - 1], row) if at else row for at, row in enumerate(block))
            for block in self.blocks
        )

    def _without(self, above: Row, row: Row) -> Row:
        same = 0
        while not self.columns[same].numeric and row[same] == above[same] and same < len(row) - 1:
            same += 1
        # The last name tells the row from the one above, and stays.
        names = sum(not column.numeric for column in self.columns)
        same = min(same, names - 1)
        return (BLANK,) * same + row[same:]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Group headings from left to right, each with how many columns it spans."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found
