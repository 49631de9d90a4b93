"""`lrat-bench sweep`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import access_options, json_option, print_json, stdout
from lrat_bench.cli.watch import time_left, watch

if TYPE_CHECKING:
    from lrat_bench.sweep.sweep import Going

__all__ = ["sweep"]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.yaml")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder; the same command goes on in it.  [default: sweeps/<name of the file>]",
)
@click.option(
    "--only",
    multiple=True,
    metavar="KEY=VALUE",
    help="Run only cells with that task, agent, retriever, seed or knob, as retriever=bm25 or protocol.k=5. "
    "Repeatable: several of one key are alternatives.",
)
@click.option("--concurrency", type=click.IntRange(1), help="Questions in flight.  [default: the file's, else 16]")
@click.option("--preflight/--no-preflight", default=True, show_default=True, help="Try each model with one call first.")
@access_options
@click.option("--dry-run", is_flag=True, help="Print the cells, their folders and what is to do, and stop.")
@json_option
def sweep(
    file: Path,
    out: Path | None,
    only: tuple[str, ...],
    concurrency: int | None,
    preflight: bool,
    max_cost: float | None,
    dry_run: bool,
    json: bool,
    **access: Any,
) -> int:
    """Run a grid of tasks, agents, retrievers and knobs, and end in one table.

    Every cell is an ordinary run folder below FOLDER/runs; the same command completes what is missing. Tasks and
    indexes are opened once for all cells that share them. A cell that fails stops no other: it is listed at the end,
    and the exit code is 3. --max-cost is a cap on all cells together.
    """
    from lrat_bench.api.sweep import plan_sweep, run_sweep
    from lrat_bench.report.sweep import dry_run_json, dry_run_table, sweep_json, sweep_summary
    from lrat_bench.sweep.outcome import NOT_CHOSEN

    if dry_run:
        with watch() as shown:
            plans = plan_sweep(file, out, only=only, max_cost=max_cost, progress=shown.work)
        if json:
            print_json(dry_run_json(plans))
        else:
            stdout().print(dry_run_table(plans))
        return 2 if any(plan["problem"] for plan in plans if plan["chosen"]) else 0
    with watch() as shown:
        cells = _Cells(shown.begin, shown.state)
        result = run_sweep(
            file,
            out,
            only=only,
            concurrency=concurrency,
            max_cost=max_cost,
            preflight=preflight,
            progress=shown.work,
            on_tally=shown.run,
            on_going=cells.show,
            **access,
        )
    if json:
        print_json(sweep_json(result.record, result.report, result.folder))
    else:
        stdout().print(sweep_summary(result.record, result.report, result.folder, result.plots))
    owed = [cell for cell in result.record.missing if cell.problem != NOT_CHOSEN]
    return 3 if owed else 0


class _Cells:
    """How far a sweep is: a line when a cell begins, and a bar over all of them."""

    def __init__(self, begin: Callable[[str], None], state: Callable[[str, int, int, str], None]) -> None:
        self._begin, self._state = begin, state
        self._name = ""

    def show(self, going: Going) -> None:
        """An `on_going`."""
        from lrat_bench.report import numbers
        from lrat_bench.report.text import printable

        left = time_left(going.seconds, going.played, going.rollouts, going.played)
        parts = [f"{left} left" if left else "", f"{numbers.usd(going.spent)} spent" if going.spent else ""]
        state = "  ".join(filter(None, parts))
        if going.name != self._name:
            self._name = going.name
            head = f"cell {going.done + 1}/{going.cells}: {printable(going.name)}"
            self._begin("  ".join(filter(None, (head, state))))
        self._state("cells", going.done, going.cells, state)
