"""`lrat-bench score`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.options import json_option, print_json, stdout
from lrat_bench.cli.watch import watch

__all__ = ["score"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved.")
@click.option("--judge", help="Another judge than the protocol's: exact, contains, module:object.")
@json_option
def score(runs: tuple[Path, ...], task: str | None, judge: str | None, json: bool) -> int:
    """Judge what has no verdict yet and measure, from the trajectories alone; nothing is run again.

    Verdicts of several judges coexist; metrics.json holds the scores of the one used last.
    """
    from lrat_bench.api import rescore
    from lrat_bench.report.summary import summary, to_json

    documents, unresolved = [], 0
    for path in runs:
        with watch() as shown:
            run, manifest, scores = rescore(path, task=task, judge=judge, progress=shown.work)
        unresolved += scores.unresolved
        documents.append(to_json(run.path, manifest, scores))
        if not json:
            stdout().print(summary(run, manifest, scores))
    if json:
        print_json(documents[0] if len(documents) == 1 else documents)
    return 3 if unresolved else 0
