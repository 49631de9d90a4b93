"""A flywheel on one screen: what each turn has brought, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lrat_bench.lrat.flywheel.table import Entry, FlywheelTable
from lrat_bench.report import numbers
from lrat_bench.report.text import printable
from lrat_bench.score.score import Metric

__all__ = ["flywheel_markdown", "flywheel_summary"]

_SHOWN = (("success_rate", "success"), ("evidence_recall", "evidence recall"), ("steps", "steps"))


def flywheel_summary(table: FlywheelTable, folder: Path) -> RenderableType:
    """What `flywheel` prints: one block a task, one row per iteration and arm, differences from iteration 0 beside."""
    blocks: list[RenderableType] = [
        Text.assemble(
            ("flywheel ", "bold"), printable(f"{table.task} · agent {table.agent} · base {table.base}"), overflow="fold"
        ),
        Text(printable(folder), style="dim", overflow="fold"),
    ]
    for entries in _by_task(table):
        blocks += [Text(), _block(entries)]
    unresolved = sum(entry.unresolved for entry in table.entries)
    if unresolved:
        blocks.append(Text(f"{numbers.count(unresolved)} questions are unresolved.", style="yellow"))
    return Group(*blocks)


def flywheel_markdown(table: FlywheelTable) -> str:
    """The same as Markdown: `table.md`."""
    lines = [f"Task {table.task}, agent {table.agent}, base {table.base}. Differences are paired, from iteration 0."]
    headings = ["iteration", "arm", "pairs", *(word for _, label in _SHOWN for word in (label, "difference [95 %]"))]
    for entries in _by_task(table):
        lines += ["", f"**{_title(entries[0])}**", ""]
        lines += [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
        lines += [f"| {' | '.join(_cells(entry))} |" for entry in entries]
    return "\n".join(lines) + "\n"


def _block(entries: Sequence[Entry]) -> Table:
    table = Table(
        box=None,
        padding=(0, 2, 0, 0),
        header_style="dim",
        pad_edge=False,
        title=Text(printable(_title(entries[0])), style="bold"),
        title_justify="left",
    )
    table.add_column("iteration", justify="right")
    table.add_column("arm", no_wrap=True)
    table.add_column("pairs", justify="right", style="dim")
    for _, label in _SHOWN:
        table.add_column(label, justify="right", no_wrap=True)
        table.add_column("difference [95 %]", style="dim", no_wrap=True)
    for entry in entries:
        table.add_row(*_cells(entry))
    return table


def _cells(entry: Entry) -> list[str]:
    cells = [str(entry.iteration), entry.arm, numbers.count(entry.pairs)]
    for name, _ in _SHOWN:
        metric = entry.metrics[name]
        cells += [numbers.value(metric), _change(entry, name, metric)]
    return cells


def _change(entry: Entry, name: str, metric: Metric) -> str:
    found = entry.change.get(name)
    if found is None:
        return ""
    shown = numbers.difference(metric, found.value, found.low, found.high, found.n)
    return f"{numbers.signed(shown)} {numbers.interval(shown)}"


def _by_task(table: FlywheelTable) -> list[list[Entry]]:
    tasks: dict[str, list[Entry]] = {}
    for entry in table.entries:
        tasks.setdefault(entry.task, []).append(entry)
    return list(tasks.values())


def _title(entry: Entry) -> str:
    domain = {"ID": "in-domain", "OOD": "out-of-domain"}.get(entry.domain or "", "")
    n = entry.metrics["success_rate"].n
    return f"{entry.task} · {entry.split}{f', {domain}' if domain else ''}, n = {numbers.count(n)}"
