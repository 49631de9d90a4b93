"""A sweep as one table, its record, and the plots of its axes."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from lrat_bench.errors import MissingLibrary
from lrat_bench.files import write_atomic, writing
from lrat_bench.report import numbers
from lrat_bench.report.export import report_json
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.frame import lines, to_csv
from lrat_bench.report.layout import layout
from lrat_bench.report.markdown import escaped, markdown
from lrat_bench.report.plots.axis import AxisPoint, plot_axis
from lrat_bench.report.reported import Names, Report, read_report
from lrat_bench.report.terminal import FittingReport
from lrat_bench.report.text import printable
from lrat_bench.sweep.outcome import NOT_CHOSEN, CellOutcome, SweepRecord

__all__ = [
    "dry_run_json",
    "dry_run_table",
    "plot_sweep",
    "report_of_sweep",
    "sweep_json",
    "sweep_summary",
    "write_tables",
]


def report_of_sweep(record: SweepRecord, folder: Path) -> Report:
    """The scored runs of a sweep, under the names of its file, named from its folder."""
    scored = [cell for cell in record.cells if cell.scored and cell.run is not None]
    if not scored:
        return Report()
    paths = [folder / str(cell.run) for cell in scored]
    names = {path: Names(cell.agent, cell.retriever) for path, cell in zip(paths, scored, strict=True)}
    return read_report(paths, names=names, root=folder)


def write_tables(record: SweepRecord, report: Report, folder: Path) -> None:
    """Lay the table into a sweep's folder: `table.md`, `table.csv`, `table.json`.

    Raises:
        UsageError: the disk refuses.
    """
    with writing(f"the table into {folder}"):
        text = markdown(layout(report)) if report.runs else ""
        write_atomic(folder / "table.md", "\n".join(filter(None, (text, _missing_markdown(record)))))
        write_atomic(folder / "table.csv", to_csv(lines(report)))
        document = json.dumps(report_json(report), indent=2, ensure_ascii=False, allow_nan=False)
        write_atomic(folder / "table.json", f"{document}\n")


def plot_sweep(record: SweepRecord, report: Report, folder: Path) -> list[Path]:
    """Draw success, recall and steps against each axis of a sweep that is a number: `by-protocol.k.png`, ….

    Where matplotlib is not installed, a warning says so. What is unresolved is left out.

    Returns:
        the files that were written.

    Raises:
        UsageError: the disk refuses.
    """
    try:
        with writing(f"plots into {folder}"):
            return _plots(record, report, folder)
    except MissingLibrary as missing:
        logging.getLogger(__name__).warning("no plots: %s", missing)
        return []


def sweep_summary(record: SweepRecord, report: Report, folder: Path, plots: Sequence[Path]) -> RenderableType:
    """What `sweep` prints: the table, what is not done and why, and where everything lies."""
    parts: list[RenderableType] = []
    if report.runs:
        parts += [FittingReport(report), Text()]
    chosen = [cell for cell in record.missing if cell.problem != NOT_CHOSEN]
    for cell in chosen:
        problem = f": {printable(cell.problem)}" if cell.problem else ""
        parts.append(Text.assemble((f"{cell.state}  ", "yellow"), printable(cell.name), (problem, "dim")))
    done = len(record.cells) - len(record.missing)
    others = len(record.missing) - len(chosen)
    left = f", {numbers.count(others)} {NOT_CHOSEN}" if others else ""
    spent = f", {numbers.usd(record.spent_usd)} spent" if record.spent_usd else ""
    files = ", ".join(("table.md", "table.csv", "table.json", *(plot.name for plot in plots)))
    parts.append(
        Text(f"{done} of {len(record.cells)} cells done{left}{spent} · {printable(folder)}: {files}", style="dim")
    )
    return Group(*parts)


def sweep_json(record: SweepRecord, report: Report, folder: Path) -> dict[str, Any]:
    """The same for machines."""
    return {
        "sweep": str(folder),
        **record.model_dump(mode="json", exclude={"schema_"}),
        "report": report_json(report),
    }


def dry_run_table(plans: Sequence[dict[str, Any]]) -> RenderableType:
    """What a sweep would do, cell by cell and in all."""
    table = FittingTable()
    table.name("cell, and the folder of its run")
    for heading in ("to do", "of", "calls at most", "USD at most"):
        table.number(heading)
    for plan in plans:
        about = (printable(plan["problem"]), "yellow") if plan["problem"] else (printable(plan["run"]), "dim")
        name = Text.assemble((printable(plan["cell"]), "" if plan["chosen"] else "dim"), "\n", about)
        if plan["problem"]:
            table.row(name, *[numbers.NULL] * 4)
            continue
        table.row(
            name,
            numbers.count(plan["to do"]),
            numbers.count(plan["rollouts"]),
            numbers.count(plan["calls at most"]),
            numbers.usd(plan["USD at most"]),
        )
    total = _total(plans)
    line = ", ".join(
        (
            f"{numbers.count(total['cells'])} cells",
            f"{numbers.count(total['to do'])} of {numbers.count(total['rollouts'])} rollouts to do",
            _at_most(plans, total),
            f"{numbers.count(total['retrievers'])} retrievers, each opened once",
        )
    )
    return Group(table, Text(), Text(line, style="bold"))


def dry_run_json(plans: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The same for machines."""
    cells = [{key: value for key, value in plan.items() if key != "retriever"} for plan in plans]
    return {"cells": cells, "total": _total(plans)}


def _total(plans: Sequence[dict[str, Any]]) -> dict[str, Any]:
    own = [plan for plan in plans if plan["chosen"] and not plan["problem"]]
    costs = [plan["USD at most"] for plan in own]
    return {
        "cells": len(own),
        "rollouts": sum(plan["rollouts"] for plan in own),
        "to do": sum(plan["to do"] for plan in own),
        "calls at most": sum(plan["calls at most"] for plan in own),
        "USD at most": None if None in costs else sum(costs),
        "retrievers": len({plan["retriever"] for plan in own if plan["to do"]}),
    }


def _at_most(plans: Sequence[dict[str, Any]], total: dict[str, Any]) -> str:
    """What a sweep takes, in words; a cost that nobody can tell is said to be unknown, and is no part of a sum."""
    calls = f"at most {numbers.count(total['calls at most'])} calls"
    costs = [plan["USD at most"] for plan in plans if plan["chosen"] and not plan["problem"] and plan["to do"]]
    known = [cost for cost in costs if cost is not None]
    if len(known) == len(costs):
        return f"{calls} and {numbers.usd(sum(known))}"
    unknown = "cost unknown (an agent without a known price and context window)"
    if not known:
        return f"{calls}, {unknown}"
    left = len(costs) - len(known)
    return f"{calls} and {numbers.usd(sum(known))}, not counting {left} {'cell' if left == 1 else 'cells'} of {unknown}"


def _missing_markdown(record: SweepRecord) -> str:
    if not record.missing:
        return ""
    found = [f"- {escaped(cell.name)}: {escaped(cell.problem or cell.state)}" for cell in record.missing]
    return "\n".join(["Not done:", "", *found, ""])


def _plots(record: SweepRecord, report: Report, folder: Path) -> list[Path]:
    runs = {run.run: run for run in report.runs if not run.unresolved}
    cells = [(cell, runs[cell.run]) for cell in record.cells if cell.run in runs]
    drawn = []
    for knob in dict.fromkeys(key for cell, _ in cells for key in cell.knobs):
        points = [
            AxisPoint(run, (cell.agent, cell.retriever, _rest(record, cell, knob)), float(cell.knobs[knob]))
            for cell, run in cells
            if _is_number(cell.knobs.get(knob))
        ]
        if plot_axis(points, knob, folder / (name := f"by-{_file_name(knob)}.png")):
            drawn.append(folder / name)
    sized = [
        AxisPoint(run, (cell.agent, cell.family, _rest(record, cell, "")), float(cell.training_size))
        for cell, run in cells
        if cell.training_size is not None
    ]
    if plot_axis(sized, "trained on", folder / "by-training-size.png"):
        drawn.append(folder / "by-training-size.png")
    return drawn


def _rest(record: SweepRecord, cell: CellOutcome, axis: str) -> str:
    knobs = [f"{key} {value}" for key, value in cell.knobs.items() if key != axis]
    seed = [f"seed {cell.seed}"] if len({one.seed for one in record.cells}) > 1 else []
    return ", ".join((*knobs, *seed))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _file_name(knob: str) -> str:
    return "".join(one if one.isalnum() or one in "._-" else "_" for one in knob)
