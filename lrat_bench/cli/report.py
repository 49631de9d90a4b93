"""`lrat-bench report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrat_bench.cli.options import json_option, print_json, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.report.export import Format
    from lrat_bench.report.layout import Group

__all__ = ["report"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option(
    "--format",
    type=click.Choice(["terminal", "markdown", "latex", "csv", "parquet", "json"]),
    help="For people: terminal, markdown, latex. Exact: csv, parquet, json.  [default: by the ending of -o]",
)
@click.option(
    "--measure",
    multiple=True,
    metavar="NAME",
    help="A measure: success_rate, steps, lrat.recall, evidence_nDCG@10, … Repeatable.  [default: the main ones; exact "
    "formats hold all]",
)
@click.option(
    "--group",
    type=click.Choice(["auto", "runs", "tasks"]),
    default="auto",
    show_default=True,
    help="One row a run; or agents and retrievers against tasks side by side, which several tasks are shown as.",
)
@click.option("--per-question", is_flag=True, help="One line a question and repeat instead; exact formats.")
@click.option("--long", is_flag=True, help="One line a number instead of one a run; csv and parquet.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Draw success against steps and cost, success by budget, recall by turn, and the figures of `analyze`.",
)
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved; some plots take it.")
@json_option
def report(
    runs: tuple[Path, ...],
    format: Format | None,
    measure: tuple[str, ...],
    group: Group,
    per_question: bool,
    long: bool,
    out: Path | None,
    plots: Path | None,
    task: str | None,
    json: bool,
) -> int:
    """Tables and plots of runs and retrievals, for papers, pull requests and notebooks.

    Run folders and retrieval folders are read, not changed. The best of what may be compared is marked; a run with
    unresolved questions is shown by both ends of where its success may lie, and makes the exit code 3.
    """
    from lrat_bench.errors import UsageError
    from lrat_bench.report.export import export_report, format_of, report_json, write_report
    from lrat_bench.report.picture import require_matplotlib
    from lrat_bench.report.plots.draw import plot_report
    from lrat_bench.report.reported import read_report
    from lrat_bench.report.terminal import FittingReport
    from lrat_bench.task.catalog import require_task

    if task is not None:
        # A plot that lacks it is left out, all others are drawn: so it is looked for first.
        require_task(task)
    if plots is not None:
        require_matplotlib()
    if json and format not in (None, "json"):
        raise UsageError(f"--json prints json, and --format says {format}: give one of them")
    chosen: Format = format or (format_of(out) if out is not None else "json" if json else "terminal")
    if chosen == "parquet" and out is None:
        raise UsageError("parquet is not for reading: give -o FILE")
    found = read_report(runs)
    content = export_report(found, format=chosen, measures=measure, group=group, per_question=per_question, long=long)
    if out is not None:
        write_report(content, out)
    if plots is not None:
        with watch() as shown:
            plot_report(
                found,
                plots,
                task=task,
                progress=shown.work,
                on_remark=lambda line: click.echo(f"lrat-bench: {' '.join(line.split())}", err=True),
            )
    if out is not None:
        if json:
            print_json(report_json(found, measures=measure))
    elif chosen == "terminal" and sys.stdout.isatty():
        stdout().print(FittingReport(found, measure, group))
    else:
        click.echo(content.decode(), nl=False)
    return 3 if found.unresolved else 0
