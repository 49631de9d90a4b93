"""A flywheel on one screen: what each turn has brought, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from lrat_bench.lrat.flywheel.table import Entry, FlywheelTable
from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.text import printable

__all__ = ["flywheel_markdown", "flywheel_summary"]

_SHOWN = (("success_rate", "success"), ("evidence_recall", "evidence recall"), ("steps", "steps"))


_KEY = "Beside each value: the paired difference from turn 0, and below it its 95 % interval."


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
    blocks += [Text(), Text(_KEY, style="dim")]
    unresolved = sum(entry.unresolved for entry in table.entries)
    if unresolved:
        blocks.append(Text(f"{numbers.count(unresolved)} questions are unresolved.", style="yellow"))
    return Group(*blocks)


def flywheel_markdown(table: FlywheelTable) -> str:
    """The same as Markdown: `table.md`."""
    lines = [f"Task {table.task}, agent {table.agent}, base {table.base}. Differences are paired, from iteration 0."]
    headings = ["turn", "arm", "pairs", *(word for _, label in _SHOWN for word in (label, "difference [95 %]"))]
    for entries in _by_task(table):
        lines += ["", f"**{_title(entries[0])}**", ""]
        lines += [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
        lines += [f"| {' | '.join(_cells(entry))} |" for entry in entries]
    return "\n".join(lines) + "\n"


def _block(entries: Sequence[Entry]) -> FittingTable:
    """Intervals stand below what they are of, so that a row fits into 80 columns."""
    table = FittingTable(_title(entries[0]))
    table.name("turn")
    table.name("arm")
    for _, label in _SHOWN:
        table.number(label, left=True)
    for entry in entries:
        pairs = "" if entry.pairs is None else f"{numbers.count(entry.pairs)} pairs"
        cells = [
            Text.assemble(value, f"  {change}" if change else "", "\n", (interval, "dim"))
            for value, change, interval in _measured(entry)
        ]
        table.row(str(entry.iteration), Text.assemble(entry.arm, "\n", (pairs, "dim")), *cells)
    return table


def _cells(entry: Entry) -> list[str]:
    cells = [str(entry.iteration), entry.arm, numbers.count(entry.pairs)]
    for value, change, interval in _measured(entry):
        cells += [value, f"{change} {interval}".strip()]
    return cells


def _measured(entry: Entry) -> list[tuple[str, str, str]]:
    """Value, difference and its interval, of each measure that is shown."""
    found = []
    for name, _ in _SHOWN:
        metric, change = entry.metrics[name], entry.change.get(name)
        if change is None:
            found.append((numbers.value(metric), "", ""))
            continue
        shown = numbers.difference(metric, change.value, change.low, change.high, change.n)
        found.append((numbers.value(metric), numbers.signed(shown), numbers.interval(shown)))
    return found


def _by_task(table: FlywheelTable) -> list[list[Entry]]:
    tasks: dict[str, list[Entry]] = {}
    for entry in table.entries:
        tasks.setdefault(entry.task, []).append(entry)
    return list(tasks.values())


def _title(entry: Entry) -> str:
    domain = {"ID": "in-domain", "OOD": "out-of-domain"}.get(entry.domain or "", "")
    n = entry.metrics["success_rate"].n
    return f"{entry.task} · {entry.split}{f', {domain}' if domain else ''}, n = {numbers.count(n)}"
