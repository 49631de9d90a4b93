"""`lrat-bench retrieve`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from lrat_bench.cli.options import config_file, json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

__all__ = ["retrieve"]

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("more", nargs=-1, type=_FOLDER, metavar="[RUN…]")
@click.option(
    "--task", metavar="NAME|FOLDER", help="Whose questions and corpus.  [default: synth-wiki; the runs' task]"
)
@click.option(
    "--retriever",
    metavar="NAME[:ARGUMENT]|MODULE:OBJECT",
    default="bm25",
    show_default=True,
    help="What is scored.",
)
@click.option("--split", help="Which questions.  [default: the task's]")
@click.option("--limit", type=int, help="Only the first so many questions.")
@click.option(
    "--replay",
    type=_FOLDER,
    multiple=True,
    metavar="RUN",
    help="Search the queries that agents issued in a run, instead of questions. More runs may follow.",
)
@click.option("--k", type=int, help="Documents per query.  [default: 1000; with --replay 10]")
@set_option
@config_file
@click.option(
    "-o",
    "--out",
    type=_FOLDER,
    help="Folder.  [default: retrievals/<what>-<hash>, the same for the same retrieval]",
)
@click.option("--fresh", is_flag=True, help="Search again, whatever the folder holds.")
@click.option(
    "--against", type=_FOLDER, metavar="FOLDER", help="Another retrieval over the same queries, to be compared with."
)
@json_option
def retrieve(
    more: tuple[Path, ...],
    task: str | None,
    retriever: str,
    split: str | None,
    limit: int | None,
    replay: tuple[Path, ...],
    k: int | None,
    set: tuple[str, ...],
    out: Path | None,
    fresh: bool,
    against: Path | None,
    json: bool,
) -> None:
    """Score a retriever alone, without any agent or language model.

    Queries are the questions of a task, or those that agents issued in runs (--replay); relevant is what the task
    calls evidence, and what it calls gold. The same command again finds it done.
    """
    if more and not replay:
        raise click.UsageError(
            f"{more[0]} is one word too many: runs are given with --replay", click.get_current_context()
        )
    from lrat_bench.report.retrieval import describe_against, differences_table, retrieval_json, retrieval_summary
    from lrat_bench.runs.resolve import Settings
    from lrat_bench.runs.retrieval import retrieve as carry_out
    from lrat_bench.runs.retrieval_folder import Retrieval

    other = None if against is None else Retrieval(against)
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    with watch() as shown:
        done = carry_out(
            task=task,
            retriever=retriever,
            split=split,
            limit=limit,
            replay=(*replay, *more),
            k=k,
            settings=Settings.parse(set),
            out=out,
            fresh=fresh,
            against=against,
            progress=shown.work,
        )
    manifest, scores = done.manifest, done.metrics
    found = None if other is None else done.against(other)
    if json:
        described = None if other is None or found is None else describe_against(other.path, found)
        print_json(retrieval_json(done.path, manifest, scores, described))
        return
    if manifest.started < begun:  # both in UTC, to the second
        said = f"{done.path} was there already; nothing was searched (--fresh searches again)"
        stdout().print(said, markup=False, soft_wrap=True)
    table = None if other is None or found is None else differences_table(found, scores, other.metrics)
    stdout().print(retrieval_summary(done.path, manifest, scores, table))
