"""`lrat-bench score`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import (
    access_options,
    json_option,
    judge_options,
    print_json,
    set_option,
    stdout,
)
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.model.cassette import CassetteMode

__all__ = ["score"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("--task", metavar="NAME|FOLDER", help="Where the task lies now, if it moved.")
@judge_options(several=True)
@set_option
@access_options
@click.option(
    "--peers", is_flag=True, help="Print beside ours what BrowseComp-Plus and LRAT would count; --json always has it."
)
@json_option
def score(
    runs: tuple[Path, ...],
    task: str | None,
    judge: tuple[str, ...],
    rubric: str | None,
    verdict_cache: bool,
    set: tuple[str, ...],
    max_cost: float | None,
    cassette: Path | None,
    cassette_mode: CassetteMode,
    peers: bool,
    json: bool,
) -> int:
    """Judge what has no verdict yet and measure, from the trajectories alone; nothing is run again.

    Verdicts of several judges coexist; metrics.json holds the scores of the one used last.
    """
    from lrat_bench.api import compare_judges, rescore
    from lrat_bench.errors import UsageError
    from lrat_bench.report.agreement import agreement_table
    from lrat_bench.report.peers import peers_table
    from lrat_bench.report.summary import summary, to_json
    from lrat_bench.runs.resolve import Settings

    settings = Settings.parse(set).to_dict()
    documents: list[Any] = []
    unresolved = 0
    refused = 0
    for path in runs:
        manifests = []
        try:
            for one in judge or (None,):
                with watch() as shown:
                    run, manifest, scores = rescore(
                        path,
                        task=task,
                        judge=one,
                        rubric=rubric,
                        verdict_cache=verdict_cache,
                        set=settings,
                        max_cost=max_cost,
                        cassette=cassette,
                        cassette_mode=cassette_mode,
                        progress=shown.work,
                    )
                manifests.append(manifest)
                unresolved += scores.unresolved
                documents.append(to_json(run.path, manifest, scores))
                if not json:
                    stdout().print(summary(run, manifest, scores))
                    if peers:
                        stdout().print(peers_table(scores))
            if len(manifests) > 1:
                found = compare_judges(path, manifests, task=task)
                documents[-1]["agreement"] = [one.model_dump(mode="json") for one in found]
                if not json:
                    stdout().print(agreement_table(found))
        except UsageError as error:
            # One folder that cannot be scored keeps no other from it.
            if len(runs) == 1:
                raise
            refused += 1
            click.echo(f"lrat-bench: {error}", err=True)
    if json:
        print_json(documents[0] if len(runs) == 1 and len(documents) == 1 else documents)
    if refused:
        raise UsageError(f"{refused} of {len(runs)} could not be scored; what was wrong with each stands above")
    return 3 if unresolved else 0
