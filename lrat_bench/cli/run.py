"""`lrat-bench run`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.engine import check_workers, engine_options
from lrat_bench.cli.options import json_option, plain, print_json, stdout
from lrat_bench.cli.run_options import run_options
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.model.cassette import CassetteMode
    from lrat_bench.runs.config import RunConfig

__all__ = ["run"]


@click.command()
@run_options(
    agent=click.option(
        "--agent",
        metavar="NAME|PROVIDER/MODEL|FILE.yaml|MODULE:OBJECT|command:'…'",
        default="heuristic",
        show_default=True,
        help="Who answers: a name of `agents list`, any LiteLLM id, a backbone row, an agent or a program of yours.",
    ),
    concurrency=click.option("--concurrency", type=int, default=16, show_default=True, help="Questions in flight."),
    preflight="Try each model with one call first.",
)
@engine_options
@click.option("--dry-run", is_flag=True, help="Print what would be run, and stop.")
@click.option(
    "--peers", is_flag=True, help="Print beside ours what BrowseComp-Plus and LRAT would count; --json always has it."
)
@json_option
def run(
    set: tuple[str, ...],
    out: Path | None,
    fresh: bool,
    preflight: bool,
    max_cost: float | None,
    cassette: Path | None,
    cassette_mode: CassetteMode,
    engine: str,
    workers: int | None,
    dry_run: bool,
    peers: bool,
    json: bool,
    **named: Any,
) -> int:
    """Run an agent over a retriever on a task.

    The same command again completes what is missing: questions that were not asked yet, or ended in an
    infrastructure error. More --repeats or a larger --limit extend a run; anything else is another folder.
    """
    from lrat_bench.api import access, close
    from lrat_bench.report.peers import peers_table
    from lrat_bench.report.summary import summary, to_json
    from lrat_bench.runs.command import carry_out
    from lrat_bench.runs.resolve import Settings, resolve
    from lrat_bench.scale.rollouts import spread

    check_workers(engine, workers)
    with watch() as shown:
        config = resolve(
            **named,
            settings=Settings.parse(set),
            access=access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode),
            progress=shown.work,
        )
        try:
            if dry_run:
                return _show_plan(config, out, as_json=json)
            with spread(config, workers=workers) if engine == "ray" else nullcontext(config) as placed:
                done = carry_out(
                    placed, out=out, fresh=fresh, preflight=preflight, progress=shown.work, on_tally=shown.run
                )
        finally:
            close(config.retriever)
    manifest, scores = done.manifest, done.metrics
    if json:
        print_json(to_json(done.path, manifest, scores))
    else:
        stdout().print(summary(done, manifest, scores))
        if peers:
            stdout().print(peers_table(scores))
    return 3 if scores.unresolved else 0


def _show_plan(config: RunConfig, out: Path | None, *, as_json: bool) -> int:
    from lrat_bench.runs.plan import plan

    planned = plan(config, out)
    if as_json:
        print_json(planned)
        return 0
    console = stdout()
    for name, value in planned.items():
        if isinstance(value, dict):
            console.print(f"[bold]{name}[/bold]")
            for key, inner in value.items():
                console.print(f"  {key}: {plain(inner)}", markup=False)
        else:
            console.print(f"[bold]{name}[/bold]: ", end="")
            console.print(plain(value), markup=False)
    return 0
