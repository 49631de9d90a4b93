"""An analysis of runs as tables: one each for the paper's Table 1, Figures 4a, 4b and 6, and for reasoning lengths."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lrat_bench.lrat.analysis.analysis import Analysis, Part
from lrat_bench.lrat.analysis.positions import Place
from lrat_bench.lrat.analysis.seen import GROUPS
from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.text import printable

__all__ = ["analysis_tables", "shown_parts"]

_FEW = 20
"""Places of a list that are shown; the rest is in the JSON."""


def analysis_tables(found: Analysis) -> RenderableType:
    """What `analyze` prints."""
    parts = shown_parts(found)
    blocks: list[RenderableType] = [_heading(found), Text(), _counts(parts), Text(), _transitions(parts)]
    for table in (_evidence(parts), _positions(parts, found), _lengths(parts, found)):
        if table is not None:
            blocks += [Text(), table]
    return Group(*blocks, *(Text(note, style="yellow") for note in _notes(found)))


def shown_parts(found: Analysis) -> tuple[Part, ...]:
    """The parts worth a row: each retriever, its runs where it has several, and all where there are several of them."""
    parts: list[Part] = []
    by_run = {part.name: part for part in found.runs}
    for retriever in found.retrievers:
        parts.append(retriever)
        if len(retriever.runs) > 1:
            parts += [by_run[name] for name in retriever.runs]
    return (*parts, found.total) if len(found.retrievers) > 1 else tuple(parts)


def _heading(found: Analysis) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    called = {run: part.name for part in found.retrievers for run in part.runs}
    runs = "\n".join(f"{run.run} ({run.agent}, {called[run.run]})" for run in found.analysed)
    table.add_row("runs", Text("\n".join(map(printable, runs.split("\n"))), overflow="fold"))
    return table


def _table(title: str, *headings: str, names: int = 2) -> FittingTable:
    """A table whose first columns are names, and the others numbers."""
    table = FittingTable(title)
    for at, heading in enumerate(headings):
        if at < names:
            table.name(heading)
        else:
            table.number(heading)
    return table


def _counts(parts: Sequence[Part]) -> FittingTable:
    table = _table("Searches (S) and browses (B) a question", "retriever", "", "n", "S", "B", "B/S", "T = S + B")
    for part in parts:
        for at, row in enumerate(part.counts):
            cells = (row.searches, row.browses, row.ratio, row.steps)
            table.row(_name(part, at), row.group, numbers.count(row.n), *map(numbers.mean, cells))
    return table


def _transitions(parts: Sequence[Part]) -> FittingTable:
    table = _table(
        "Next step", "retriever", "", "S→S", "S→B", "B→S", "B→B", "S→answer", "B→answer", "steps"
    )  # fmt: skip
    for part in parts:
        for at, group in enumerate(GROUPS):
            search, browse = (row for row in part.transitions if row.group == group)
            shares = (
                (search, search.to_search),
                (search, search.to_browse),
                (browse, browse.to_search),
                (browse, browse.to_browse),
                (search, search.to_answer),
                (browse, browse.to_answer),
            )
            cells = (numbers.rate(share, of.n) for of, share in shares)
            table.row(_name(part, at), group, *cells, numbers.count(search.n + browse.n))
    return table


def _evidence(parts: Sequence[Part]) -> FittingTable | None:
    if not any(part.evidence for part in parts):
        return None
    table = _table("Accuracy by evidence documents browsed", "retriever", "browsed", "accuracy", "95 % interval", "n")
    for part in parts:
        for at, one in enumerate(part.evidence):
            # Percentages, as `numbers.interval` has them.
            decimals = 1 if one.n >= 100 else 0
            ends = numbers.NULL
            if one.low is not None and one.high is not None:
                ends = f"[{100 * one.low:.{decimals}f}, {100 * one.high:.{decimals}f}]"
            accuracy = numbers.rate(one.accuracy, one.n)
            table.row(_name(part, at), str(one.browsed), accuracy, ends, numbers.count(one.n))
    return table


def _positions(parts: Sequence[Part], found: Analysis) -> FittingTable | None:
    if not any(part.positions.n for part in parts):
        return None
    shuffled = any(run.order == "shuffled" for run in found.analysed)
    manners = ("rank", "position shown") if shuffled else ("rank",)
    places = sorted({place.place for part in parts for place in _places(part, "rank")})[:_FEW]
    title = "Documents opened, by rank in their list"
    table = _table(title, "retriever", "by", *map(str, places), "n", "no list")
    for part in parts:
        for at, manner in enumerate(manners):
            by_place = {place.place: place for place in _places(part, manner)}
            cells = [numbers.rate(by_place[place].share, 0) if place in by_place else numbers.NULL for place in places]
            counts = (part.positions.n, part.positions.no_list)
            table.row(_name(part, at), manner, *cells, *map(numbers.count, counts))
        by_place = {place.place: place for place in _places(part, "rank")}
        cells = [numbers.rate(by_place[place].expected, 0) if place in by_place else numbers.NULL for place in places]
        table.row("", "by chance", *cells, style="dim")
    return table


def _places(part: Part, manner: str) -> tuple[Place, ...]:
    return part.positions.by_rank if manner == "rank" else part.positions.by_position


def _lengths(parts: Sequence[Part], found: Analysis) -> FittingTable | None:
    if not any(row.n for part in parts for row in part.lengths.rows):
        return None
    title = f"Tokens ({found.tokenizer}) of reasoning after a browse"
    table = _table(
        title, "retriever", "answer", "document", "mean", "lower quartile", "median", "upper quartile", "n", names=3
    )
    for part in parts:
        # What is told apart need not be shown together, too.
        apart = {row.group for row in part.lengths.rows if row.n and row.document == "evidence"}
        shown = [row for row in part.lengths.rows if row.n and not (row.document == "any" and row.group in apart)]
        for at, row in enumerate(shown):
            cells = (row.mean, row.q1, row.median, row.q3)
            table.row(_name(part, at), row.group, row.document, *map(numbers.mean, cells), numbers.count(row.n))
    return table


def _name(part: Part, at: int) -> Text:
    return Text(printable(part.name) if at == 0 else "", style="bold")


def _notes(found: Analysis) -> list[str]:
    total, lengths = found.total, found.total.lengths
    notes = []
    if total.ungraded:
        answers = "1 answer is" if total.ungraded == 1 else f"{numbers.count(total.ungraded)} answers are"
        notes.append(f"{answers} not graded yet: `lrat-bench score` does that.")
    if total.errored:
        owed = "1 trajectory is" if total.errored == 1 else f"{numbers.count(total.errored)} trajectories are"
        notes.append(f"{owed} owed: the same `run` command goes on.")
    unmeasured = {
        "followed by none": lengths.without,
        "withheld by the provider": lengths.withheld,
        "cut off by a limit": lengths.censored,
    }
    if said := [f"{numbers.count(many)} {why}" for why, many in unmeasured.items() if many]:
        notes.append(f"Reasoning that is not measured: {', '.join(said)}.")
    if not found.total.evidence:
        notes.append("Accuracy by evidence is left out: no graded question has evidence.")
    return notes
