"""A report as LaTeX, in the manner of `booktabs`; names are shown as they are, and are never commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from lrat_bench.report.grid import Cell, Grid, Row
from lrat_bench.report.text import printable

__all__ = ["escaped", "latex"]

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "…": r"\dots{}",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "†": r"$^\dagger$",
    "→": r"$\rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "β": r"$\beta$",
    "µ": r"$\mu$",
    "μ": r"$\mu$",
    "�": "?",
    "\xa0": "~",
    "²": r"$^2$",
}
"""Characters that are commands, or that 8-bit fonts lack → what shows them."""

_LATIN = 0x17F
"""Letters up to this one, pdfLaTeX knows."""


def escaped(text: object) -> str:
    """A text that shows as it is, also at the start of a row, where a bracket or star would belong to the one above."""
    plain = printable(" ".join(str(text).split()))
    # To TeX, -- is one dash.
    found = "".join(_COMMANDS.get(one, one) for one in re.sub("-(?=-)", "-\0", plain)).replace("\0", "{}")
    return f"{{{found[0]}}}{found[1:]}" if found[:1] in ("[", "*") else found


def latex(grids: Sequence[Grid]) -> str:
    """The tables as floats, one below the other."""
    tables = "\n".join(_table(grid) for grid in grids)
    foreign = sorted({one for one in tables if ord(one) > _LATIN})
    head = ["% \\usepackage{booktabs}"]
    if foreign:
        head.append(f"% with LuaLaTeX or XeLaTeX and a font that has {' '.join(foreign)}")
    return "\n".join([*head, tables])


def _table(grid: Grid) -> str:
    shape = "".join("r" if column.numeric else "l" for column in grid.columns)
    blocks = [[_line(row) for row in block] for block in grid.trimmed]
    body = "\n\\midrule\n".join("\n".join(block) for block in blocks)
    notes = " ".join(map(escaped, (*grid.notes, *((f"Bold: {grid.best_means}",) if grid.best_means else ()))))
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(grid.title)}. {notes}}}",
            rf"\begin{{tabular}}{{{shape}}}",
            r"\toprule",
            *_headings(grid),
            r"\midrule",
            body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _headings(grid: Grid) -> list[str]:
    columns = _row([escaped(column.heading) for column in grid.columns])
    if not any(column.group for column in grid.columns):
        return [columns]
    ends = list(accumulate(span for _, span in grid.groups))
    groups = [
        rf"\multicolumn{{{span}}}{{c}}{{{escaped(group)}}}" if group else " & ".join([""] * span)
        for group, span in grid.groups
    ]
    rules = [
        rf"\cmidrule(lr){{{end - span + 1}-{end}}}"
        for (group, span), end in zip(grid.groups, ends, strict=True)
        if group
    ]
    return [_row(groups), " ".join(rules), columns]


def _line(row: Row) -> str:
    return _row([_cell(cell) for cell in row])


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _cell(cell: Cell) -> str:
    value = escaped(f"{cell.text}{cell.mark}")
    value = rf"\textbf{{{value}}}" if cell.best else value
    return rf"{value} {{\small {cell.interval}}}" if cell.interval else value
