"""`lrat-bench export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrat_bench.cli.options import json_option, print_json, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.exchange.exporting import ExportFormat

__all__ = ["export"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--format",
    required=True,
    type=click.Choice(["lrat", "browsecomp-plus", "browsecomp-plus-summary", "trec", "parquet", "jsonl"]),
    help="Run files, one a question, as LRAT's or BrowseComp-Plus's clients write them; evaluation_summary.json; a "
    "TREC run; a row of numbers for each question and repeat, as parquet or JSON lines.",
)
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder of the run files; else the file."
)
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved.")
@click.option("--judge", metavar="NAME", help="Whose verdicts count.  [default: the protocol's judge's]")
@click.option("--plain", is_flag=True, help="Write what is guarded in plain text, inside a git work tree too.")
@json_option
def export(
    run: Path, format: ExportFormat, out: Path, task: str | None, judge: str | None, plain: bool, json: bool
) -> int:
    """Write a run as what other tools read; the run is not changed."""
    from lrat_bench.api import export_run

    with watch() as shown:
        report = export_run(run, out, format=format, task=task, judge=judge, plain=plain, progress=shown.work)
    if report.without_texts:
        click.echo(f"documents stand there as ids alone, without their task: {report.without_texts}", err=True)
    if report.unresolved:
        click.echo(f"{report.unresolved} of {report.written} are ungraded, errored or missing", err=True)
    if json:
        print_json({**{name: getattr(report, name) for name in report.__slots__}, "path": str(report.path)})
    else:
        stdout().print(f"{report.path}: {report.written} records", markup=False, soft_wrap=True)
    return 3 if report.unresolved else 0
