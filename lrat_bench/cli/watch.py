"""Progress on stderr: a live bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lrat_bench.cli.options import stderr
from lrat_bench.progress import Progress, no_progress

if TYPE_CHECKING:
    from lrat_bench.runs.tally import OnTally, Tally

__all__ = ["watch_run", "watch_work"]

_LOG_SECONDS = 10.0
"""How often a log that is no terminal gets a line."""


@contextmanager
def watch_work(*, quiet: bool = False) -> Iterator[Progress]:
    """Show how preparing goes: one bar per kind of work."""
    if quiet:
        yield no_progress
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = stderr()
    tasks: dict[str, object] = {}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
                if not console.is_terminal:
                    console.print(f"{what} …")
            bars.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

        yield show


@contextmanager
def watch_run(*, quiet: bool = False) -> Iterator[OnTally]:
    """Show how a run goes: success so far, steps, queries per second, time left."""
    if quiet:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = stderr()
    columns = (TextColumn("questions"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("", total=None, state="")
        last = 0.0

        def show(tally: Tally) -> None:
            nonlocal last
            bars.update(bar, total=tally.total, completed=tally.kept + tally.done, state=_state(tally))
            ended = tally.kept + tally.done == tally.total
            if not console.is_terminal and (ended or time.monotonic() - last > _LOG_SECONDS):
                last = time.monotonic()
                console.print(f"questions {tally.kept + tally.done}/{tally.total}  {_state(tally)}")

        yield show


def _state(tally: Tally) -> str:
    from lrat_bench.report import numbers

    if not tally.done:
        return f"{tally.kept} kept from before" if tally.kept else ""
    parts = [
        f"success {numbers.rate(tally.correct / tally.judged) if tally.judged else numbers.NULL}",
        f"{tally.steps / tally.done:.1f} steps",
        f"{tally.queries / max(tally.seconds, 1e-9):,.0f} queries/s",
    ]
    if tally.errored:
        parts.append(f"{tally.errored} errors")
    if tally.seconds_left:
        parts.append(f"{numbers.duration(tally.seconds_left)} left")
    return "  ".join(parts)
