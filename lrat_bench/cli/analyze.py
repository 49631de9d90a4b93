"""`lrat-bench analyze`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.options import json_option, print_json, stdout
from lrat_bench.cli.watch import watch

__all__ = ["analyze"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved.")
@click.option(
    "--tokenizer",
    metavar="NAME|FILE",
    default="regex-v1",
    show_default=True,
    help="Counts reasoning: regex-v1, a tokenizer.json, or NAME@REVISION.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for analysis.json and plots; none without.",
)
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw plots into the folder of --out.")
@json_option
def analyze(
    runs: tuple[Path, ...], task: str | None, tokenizer: str, out: Path | None, plots: bool, json: bool
) -> None:
    """What agents did with what they retrieved, over runs: per retriever, and over all.

    Searches and browses by correctness, which step follows which, accuracy by evidence browsed, where in their lists
    documents are opened, and how long agents reason over what they read. Runs are read, not changed.
    """
    from lrat_bench.files import write_json, writing
    from lrat_bench.lrat.analysis.analysis import analyse
    from lrat_bench.report.analysis import analysis_tables
    from lrat_bench.report.analysis_plots import plot_analysis
    from lrat_bench.report.picture import require_matplotlib

    drawn = plots and out is not None
    if drawn:
        require_matplotlib()
    with watch() as shown:
        found = analyse(runs, task=task, tokenizer=tokenizer, progress=shown.work)
    document = found.model_dump(mode="json", by_alias=True)
    files: list[Path] = []
    if out is not None:
        with writing(f"the analysis to {out}"):
            write_json(out / "analysis.json", document)
            files = [out / "analysis.json", *(plot_analysis(found, out) if drawn else [])]
    if json:
        print_json(document)
        return
    console = stdout()
    console.print(analysis_tables(found))
    if files:
        console.print(f"\nwritten: {', '.join(map(str, files))}", markup=False, style="dim", soft_wrap=True)
