"""`lrat-bench reproduce`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.options import json_option, print_json, stdout

__all__ = ["reproduce"]


@click.command()
@click.argument("table", required=False, metavar="[TABLE|FILE.yaml]")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN]…")
@click.option("--agent", metavar="NAME", help="Only the rows of this agent.")
@click.option("--retriever", metavar="NAME", help="Only the rows of this retriever.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Compare runs that answer no figure with the nearest row, and what is unresolved or judged by another judge, "
    "too; what differs is said.",
)
@click.option(
    "--calls-per-second",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="What your endpoint gives, for an estimate of hours.",
)
@json_option
def reproduce(
    table: str | None,
    runs: tuple[Path, ...],
    agent: str | None,
    retriever: str | None,
    anyway: bool,
    calls_per_second: float | None,
    json: bool,
) -> int:
    """Published figures: what there is, what it takes to produce them, and what your runs give beside them.

    Without TABLE it lists the tables. With TABLE it prints the figures and what they take. With RUN…, folders of `run`
    and of `retrieve`, it says of each figure that they answer: OK (equal in the published digits), within noise, or
    off. Exit code 1 says that some are off.
    """
    from lrat_bench.api.figures import known_tables
    from lrat_bench.api.figures import reproduce as carry_out
    from lrat_bench.errors import UsageError
    from lrat_bench.report.reproduce import (
        comparisons_json,
        comparisons_view,
        needs_commands,
        needs_view,
        published_json,
        published_list,
        published_view,
    )

    console = stdout()
    if table is None:
        if json:
            print_json([published_json(one, calls_per_second) for one in known_tables()])
        else:
            console.print(published_list(known_tables()))
        return 0
    found = carry_out(
        table,
        runs,
        agent=agent,
        retriever=retriever,
        anyway=anyway,
        on_problem=None
        if len(runs) == 1
        else lambda line: click.echo(f"lrat-bench: {' '.join(line.split())}", err=True),
    )
    if json and runs:
        print_json(comparisons_json(found.table, found.comparisons, found.unanswered))
    elif json:
        print_json(published_json(found.table, calls_per_second))
    elif runs:
        console.print(comparisons_view(found.comparisons, found.unanswered, found.table))
    else:
        console.print(published_view(found.table))
        console.print()
        console.print(needs_view(found.table, calls_per_second))
        click.echo("\n" + "\n".join(needs_commands(found.table)))
    if found.unreadable:
        raise UsageError(f"{found.unreadable} of {len(runs)} could not be read; what was wrong with each stands above")
    return 1 if found.off else 0
