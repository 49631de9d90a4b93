"""`lrat-bench index`."""

from __future__ import annotations

import time

import click

from lrat_bench.cli.options import json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

__all__ = ["index"]


@click.command()
@click.option("--task", metavar="NAME|FOLDER", default="synth-wiki", show_default=True, help="Whose corpus.")
@click.option("--retriever", metavar="NAME[:ARGUMENT]", default="bm25", show_default=True, help="Which retriever.")
@set_option
@json_option
def index(task: str, retriever: str, set: tuple[str, ...], json: bool) -> None:
    """Build a retriever's index over a task's corpus; one that is there already is used."""
    from lrat_bench.api import close, load_retriever
    from lrat_bench.report import numbers
    from lrat_bench.runs.resolve import Settings
    from lrat_bench.task.catalog import load_task

    settings = Settings.parse(set)
    started = time.monotonic()
    with watch() as shown:
        loaded, _ = load_task(task, settings=settings.task, progress=shown.work)
        found = load_retriever(retriever, loaded, set=settings.retriever, progress=shown.work)
    close(found)
    seconds = time.monotonic() - started
    if json:
        print_json(
            {
                "task": loaded.name,
                "documents": len(loaded.corpus),
                "retriever": found.name,
                "fingerprint": found.fingerprint,
                "seconds": round(seconds, 3),
            }
        )
        return
    stdout().print(
        f"{found.name} over {loaded.name}: {numbers.count(len(loaded.corpus))} documents ready "
        f"after {numbers.duration(seconds)}",
        markup=False,
    )
