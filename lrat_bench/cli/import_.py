"""`lrat-bench import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrat_bench.cli.options import json_option, print_json, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.exchange.intake import ImportReport

__all__ = ["import_"]


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--task",
    required=True,
    metavar="NAME|FOLDER[@PROTOCOL]",
    help="The task that the records are of; the protocol that they were made under, where it is known.",
)
@click.option(
    "--format",
    metavar="NAME",
    help="lrat, browsecomp-plus, chat-log (Tongyi, WebDancer), search-r1, r1-searcher or trec.  [default: told by the "
    "content]",
)
@click.option("--split", metavar="NAME", help="Split of the questions.  [default: the one that holds them]")
@click.option("--agent", metavar="NAME", help="What the agent is called.  [default: as the records say]")
@click.option("--retriever", metavar="NAME", help="What the retriever is called.  [default: as the records say]")
@click.option("--repeats", is_flag=True, help="Take several records of one question for its repeats, in file order.")
@click.option("--skip-unknown", is_flag=True, help="Leave out records of questions that the task does not have.")
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The run folder.")
@json_option
def import_(
    paths: tuple[Path, ...],
    task: str,
    format: str | None,
    split: str | None,
    agent: str | None,
    retriever: str | None,
    repeats: bool,
    skip_unknown: bool,
    out: Path,
    json: bool,
) -> int:
    """Make a run folder of trajectories that others recorded: files, or folders of files.

    Counts and documents are taken from the steps, not from what the records say of themselves; what a format cannot say
    is null. `score`, `mine`, `analyze`, `retrieve --replay` and `export` read the folder as any other.
    """
    from lrat_bench.api import import_runs

    with watch() as shown:
        report = import_runs(
            list(paths),
            out,
            task=task,
            format=format,
            split=split,
            agent=agent,
            retriever=retriever,
            repeats=repeats,
            skip_unknown=skip_unknown,
            on_problem=lambda line: click.echo(f"lrat-bench: {' '.join(line.split())}", err=True),
            progress=shown.work,
        )
    for remark in _remarks(report):
        click.echo(remark, err=True)
    if json:
        print_json({**{name: getattr(report, name) for name in report.__slots__}, "path": str(report.path)})
    else:
        formats = ", ".join(f"{many} {name}" for name, many in report.formats.items())
        stdout().print(
            f"{report.path}: {report.imported} trajectories ({formats}) for {report.questions} questions"
            f"{f' × {report.repeats} repeats' if report.repeats > 1 else ''}\n"
            f"next: lrat-bench score {report.path}",
            markup=False,
            soft_wrap=True,
        )
    return 3 if report.unreadable else 0


def _remarks(report: ImportReport) -> list[str]:
    """A line for each thing that is not as one might think."""
    missing = report.questions * report.repeats - report.imported
    said = (
        (report.unreadable, "records could not be read and are missing"),
        (report.unknown, "records of questions that the task does not have were left out"),
        (missing, "questions times repeats have no record, and count as errored"),
        (report.disputed, "records count calls or documents otherwise than their steps show; the steps count"),
        (report.reworded, "records word their question otherwise than the task does: see that it is the right task"),
        (report.not_carried_out, "queries stood in lists of which the client carried out the first alone"),
        (report.foreign, "records show documents that the corpus of the task does not have"),
        (
            report.unlisted,
            "records do not name documents, or not as the corpus does: recall is not known, and not 0",
        ),
    )
    return [f"{many} {what}" for many, what in said if many > 0]
