"""From a report to tables: one row a run, or agents and retrievers against tasks side by side, as in LRAT's Table 2."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from lrat_bench.report import numbers
from lrat_bench.report.grid import BLANK, Cell, Column, Grid, Row
from lrat_bench.report.measures import chosen, label, refuse_unknown
from lrat_bench.report.reported import Report, ReportedRetrieval, ReportedRun
from lrat_bench.score.metric import Metric

__all__ = ["Group", "in_order", "layout"]

R = TypeVar("R", ReportedRun, ReportedRetrieval)

Group = Literal["auto", "runs", "tasks"]
"""One row a run; agents and retrievers as rows with tasks side by side; the latter where there are several tasks."""

_UNRESOLVED = "†"
_BRACKETS = ("none", "oracle")
"""Floor and ceiling of a task: one finds nothing, the other is told the evidence. No number of theirs is the best."""

_RUN_PARTS: Mapping[str, Callable[[ReportedRun], str]] = {
    "task": lambda run: run.task,
    "split": lambda run: run.split,
    "protocol": lambda run: run.protocol,
    "judge": lambda run: run.judge,
    "repeats": lambda run: numbers.count(run.repeats),
    "n": lambda run: numbers.count(run.n),
}
_RETRIEVAL_PARTS: Mapping[str, Callable[[ReportedRetrieval], str]] = {
    "task": lambda row: row.task,
    "split": lambda row: row.split or numbers.NULL,
    "k": lambda row: numbers.count(row.k),
    "questions": lambda row: numbers.count(row.questions),
    "queries": lambda row: numbers.count(row.queries),
}
_COUNTS = ("repeats", "n", "k", "questions", "queries")
"""Parts that are numbers, and stand right before the measures."""


def layout(report: Report, *, measures: Sequence[str] = (), group: Group = "auto") -> list[Grid]:
    """The tables of a report: of runs, of retrievals by questions, of replays.

    What holds for all rows stands in the title. The best number of a column is marked among runs that may be compared;
    where these differ in both agent and retriever, agent by agent. What is unresolved is the best of nothing.

    Args:
        report: what to show.
        measures: names of measures; the main ones unless given.
        group: how runs are laid out.

    Raises:
        UnknownName: no run and no retrieval has such a measure.
    """
    refuse_unknown(report, measures)
    grids: list[Grid] = []
    if report.runs:
        side_by_side = group == "tasks" or (group == "auto" and len({run.task for run in report.runs}) > 1)
        grids.append((_by_task if side_by_side else _by_run)(report.runs, chosen(report.runs, measures)))
    by_source = [[row for row in report.retrievals if row.source == source] for source in ("questions", "replay")]
    return [*grids, *(_of_retrievals(rows, chosen(rows, measures)) for rows in by_source if rows)]


def _by_run(runs: Sequence[ReportedRun], measures: Sequence[str]) -> Grid:
    constant, varying = _split(runs, _RUN_PARTS, told=runs[0].apart)
    # What sets protocols of one task apart stands in columns of its own.
    if len({(run.task, run.protocol) for run in runs}) > len({run.task for run in runs}):
        varying = [name for name in varying if name != "protocol"]
    best = _best_of_runs(runs, measures)
    before = [name for name in varying if name not in _COUNTS]
    after = [name for name in varying if name in _COUNTS]
    rows = []
    for run in _together(in_order(runs), lambda run: (run.task, run.agent)):
        names = (*(_RUN_PARTS[name](run) for name in before), run.agent, run.retriever, *run.apart.values())
        counted = (_RUN_PARTS[name](run) for name in after)
        cells = (*map(Cell, names), *map(Cell, counted), *(_of_run(run, name, best) for name in measures))
        rows.append(((run.task, run.agent), cells))
    columns = (
        *map(Column, (*before, "agent", "retriever", *runs[0].apart)),
        *(Column(name, numeric=True) for name in (*after, *map(label, measures))),
    )
    return Grid(_title(constant), columns, _in_blocks(rows), _notes(runs), _BEST if best else "")


@dataclass(frozen=True, slots=True)
class _Span:
    """The columns of one task."""

    task: str
    heading: str
    measures: tuple[str, ...]
    with_n: bool

    def columns(self) -> tuple[Column, ...]:
        names = (*(("n",) if self.with_n else ()), *map(label, self.measures))
        return tuple(Column(name, self.heading, numeric=True) for name in names)

    def cells(self, run: ReportedRun | None, best: _Best) -> Row:
        if run is None:
            return (BLANK,) * len(self.columns())
        n = (Cell(numbers.count(run.n)),) if self.with_n else ()
        return (*n, *(_of_run(run, name, best) for name in self.measures))


def _by_task(runs: Sequence[ReportedRun], measures: Sequence[str]) -> Grid:
    parts = {name: part for name, part in _RUN_PARTS.items() if name not in ("task", "n")}
    constant, _ = _split(runs, parts, told=runs[0].apart)
    best = _best_of_runs(runs, measures)
    spans = [
        _span([run for run in runs if run.task == task], measures, with_protocol="protocol" not in constant)
        for task in _once(run.task for run in runs)
    ]
    places: dict[tuple[str, ...], dict[str, ReportedRun]] = {}
    for run in _together(in_order(runs), lambda run: run.agent):
        places.setdefault((run.agent, run.retriever, *run.apart.values()), {})[run.task] = run
    rows = [
        (key[0], (*map(Cell, key), *(cell for span in spans for cell in span.cells(by_task.get(span.task), best))))
        for key, by_task in places.items()
    ]
    columns = (
        *map(Column, ("agent", "retriever", *runs[0].apart)),
        *(column for span in spans for column in span.columns()),
    )
    return Grid(_title(constant), columns, _in_blocks(rows), _notes(runs), _BEST if best else "")


def _span(runs: Sequence[ReportedRun], measures: Sequence[str], *, with_protocol: bool) -> _Span:
    task, ns, protocols = runs[0].task, _once(run.n for run in runs), _once(run.protocol for run in runs)
    supported = [name for name in measures if any(_known(run.metric(name)) for run in runs)]
    name = f"{task}@{protocols[0]}" if with_protocol and len(protocols) == 1 else task
    heading = f"{name}, n = {numbers.count(ns[0])}" if len(ns) == 1 else name
    return _Span(task, heading, tuple(supported or measures[:1]), with_n=len(ns) > 1)


def _of_retrievals(rows: Sequence[ReportedRetrieval], measures: Sequence[str]) -> Grid:
    replayed = rows[0].source == "replay"
    parts = {name: part for name, part in _RETRIEVAL_PARTS.items() if not (replayed and name == "split")}
    constant, varying = _split(rows, parts, told=())
    best = _best(rows, measures, lambda row: row.comparable)
    before = [name for name in varying if name not in _COUNTS]
    after = [name for name in varying if name in _COUNTS]
    found = []
    for row in _together(rows, lambda row: row.task):
        names = (*(parts[name](row) for name in before), row.retriever)
        counted = (parts[name](row) for name in after)
        values = (_cell(_by_questions(row, name), id(row) in best.get(name, ())) for name in measures)
        found.append((row.task, (*map(Cell, names), *map(Cell, counted), *values)))
    columns = (
        *map(Column, (*before, "retriever")),
        *(Column(name, numeric=True) for name in (*after, *map(label, measures))),
    )
    title = _title(constant, "queries of agents, replayed" if replayed else "questions as queries")
    return Grid(title, columns, _in_blocks(found), (_INTERVALS,), _BEST if best else "")


_Best = Mapping[str, frozenset[int]]
"""Measure → ids of the rows (as objects) that have the best number of it."""


def _best_of_runs(runs: Sequence[ReportedRun], measures: Sequence[str]) -> _Best:
    parties: dict[str, tuple[set[str], set[str]]] = {}
    for run in runs:
        agents, retrievers = parties.setdefault(run.comparable, (set(), set()))
        agents.add(run.agent)
        retrievers.add(run.retriever)

    def among(run: ReportedRun) -> Hashable:
        agents, retrievers = parties[run.comparable]
        return (run.comparable, run.agent if len(agents) > 1 and len(retrievers) > 1 else "")

    return _best([run for run in runs if not run.unresolved], measures, among)


def _best(rows: Iterable[R], measures: Sequence[str], among: Callable[[R], Hashable]) -> _Best:
    """The best of each measure among rows that may be compared, where there are two of them that differ."""
    groups: dict[Hashable, list[R]] = {}
    for row in rows:
        if row.retriever not in _BRACKETS:
            groups.setdefault(among(row), []).append(row)
    found: dict[str, set[int]] = {}
    for group in groups.values():
        for name in measures:
            known = [(row, metric) for row in group if (metric := row.metric(name)) is not None and _known(metric)]
            shown = {numbers.value(metric) for _, metric in known}
            direction = known[0][1].direction if known else "neutral"
            if len(shown) < 2 or direction == "neutral":
                continue
            pick = max if direction == "higher" else min
            top = pick(known, key=lambda pair: pair[1].value or 0.0)[1]
            # Two numbers that look the same are the same to a reader.
            ties = (id(row) for row, metric in known if numbers.value(metric) == numbers.value(top))
            found.setdefault(name, set()).update(ties)
    return {name: frozenset(ids) for name, ids in found.items()}


def _of_run(run: ReportedRun, name: str, best: _Best) -> Cell:
    metric = run.metric(name)
    if run.unresolved and metric is not None and name == "success_rate":
        return Cell(numbers.between(metric.value, run.success_bound, metric.n), mark=_UNRESOLVED)
    cell = _cell(metric, id(run) in best.get(name, ()))
    if not run.unresolved or cell.text == numbers.NULL:
        return cell
    return Cell(cell.text, cell.interval, mark=_UNRESOLVED)


def _cell(metric: Metric | None, best: bool) -> Cell:
    if metric is None:
        return Cell(numbers.NULL)
    interval = numbers.interval(metric)
    return Cell(numbers.value(metric), "" if interval == numbers.NULL else interval, best=best)


def _by_questions(row: ReportedRetrieval, name: str) -> Metric | None:
    """A metric to be shown with the digits that its questions support: their queries are not independent."""
    metric = row.metric(name)
    return None if metric is None else metric.model_copy(update={"n": min(metric.n, row.questions)})


def _known(metric: Metric | None) -> bool:
    return metric is not None and metric.value is not None


_INTERVALS = "In brackets: 95 % intervals."
_BEST = "the best number among those that may be compared; lrat-bench compare says whether by more than chance."


def _notes(runs: Sequence[ReportedRun]) -> tuple[str, ...]:
    notes = [_INTERVALS]
    if several := [run for run in runs if run.unresolved]:
        owed = sum(run.unresolved for run in several)
        rollouts = sum(run.n for run in several)
        notes.append(
            f"{_UNRESOLVED} {numbers.count(owed)} of {numbers.count(rollouts)} rollouts of these runs are unresolved: "
            "success lies between the two, and other numbers are of those that ended."
        )
    return tuple(notes)


def _split(
    rows: Sequence[R], parts: Mapping[str, Callable[[R], str]], *, told: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """Parts that are the same for all rows, with their value; and those that are not, and stand in no other column."""
    values = {name: _once(map(part, rows)) for name, part in parts.items()}
    constant = {name: found[0] for name, found in values.items() if len(found) == 1}
    return constant, [name for name in values if name not in constant and name not in told]


def _title(constant: Mapping[str, str], *more: str) -> str:
    told = (f"{name} {value}" for name, value in constant.items() if (name, value) != ("repeats", "1"))
    return " · ".join((*more, *told))


def in_order(runs: Sequence[ReportedRun]) -> list[ReportedRun]:
    """Runs of one retriever beside each other, those with a smaller knob first."""
    first: dict[str, int] = {}
    for run in runs:
        for value in run.apart.values():
            first.setdefault(value, len(first))

    def place(run: ReportedRun) -> list[tuple[int, float]]:
        return [_size(value, first[value]) for value in run.apart.values()]

    grouped = _together(runs, lambda run: (run.agent, run.retriever))
    order = {key: at for at, key in enumerate(_once((run.agent, run.retriever) for run in grouped))}
    return sorted(grouped, key=lambda run: (order[run.agent, run.retriever], place(run)))


def _size(value: str, appeared: int) -> tuple[int, float]:
    try:
        return 0, float(value)
    except ValueError:
        return 1, float(appeared)


def _in_blocks(rows: Iterable[tuple[Hashable, Row]]) -> tuple[tuple[Row, ...], ...]:
    """Rows of one key after the other make a block."""
    blocks: list[list[Row]] = []
    last: Hashable = None
    for key, row in rows:
        if not blocks or key != last:
            blocks.append([])
        blocks[-1].append(row)
        last = key
    return tuple(map(tuple, blocks))


T = TypeVar("T")


def _together(rows: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
    """Rows of one key beside each other, in the order in which the keys first appear."""
    groups: dict[Hashable, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [row for group in groups.values() for row in group]


def _once(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
