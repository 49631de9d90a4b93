"""Progress on stderr: live bars in a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lrat_bench.cli.options import stderr

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from lrat_bench.runs.tally import Tally

__all__ = ["Watch", "time_left", "watch"]

_LOG_SECONDS = 10.0
"""How often a log that is no terminal gets a line."""


@dataclass
class Watch:
    """Shows work that is prepared (`work`) and a run that goes on (`run`)."""

    console: Console
    bars: Progress
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _last: float = 0.0
    _began: dict[str, tuple[float, int]] = field(default_factory=dict)

    def begin(self, what: str) -> None:
        """Say in one line what begins now, and let go of the bars of what came before."""
        for task in self._tasks.values():
            self.bars.remove_task(task)
        self._tasks.clear()
        self._began.clear()
        self.console.print(what, markup=False, style="bold" if self.console.is_terminal else None)

    def work(self, what: str, done: int, total: int | None) -> None:
        """A `Progress`: one bar per kind of work, with the time left."""
        first = what not in self._began
        began, before = self._began.setdefault(what, (time.monotonic(), done))
        left = time_left(time.monotonic() - began, done - before, total, done)
        if not self.console.is_terminal:
            self._log(what, done, total, left, first=first)
        self._show(what, done, total, f"{left} left" if left else "")

    def _log(self, what: str, done: int, total: int | None, left: str, *, first: bool) -> None:
        if first:
            self._last = time.monotonic()
            self.console.print(f"{what} …", markup=False)
        elif time.monotonic() - self._last > _LOG_SECONDS:
            self._last = time.monotonic()
            of = "" if total is None else f"/{total}"
            self.console.print(f"{what} {done}{of}{f'  {left} left' if left else ''}", markup=False)

    def run(self, tally: Tally) -> None:
        """An `OnTally`: success so far, steps, queries per second, time left."""
        self.state("questions", tally.kept + tally.done, tally.total, _state(tally))

    def state(self, what: str, done: int, total: int, state: str) -> None:
        """How far it is, in words of the caller's; in a log now and then, and at the end."""
        self._show(what, done, total, state)
        if not self.console.is_terminal and (done == total or time.monotonic() - self._last > _LOG_SECONDS):
            self._last = time.monotonic()
            self.console.print(f"{what} {done}/{total}  {state}", markup=False)

    def _show(self, what: str, done: int, total: int | None, state: str) -> None:
        from rich.markup import escape

        if what not in self._tasks:
            self._tasks[what] = self.bars.add_task(escape(what), total=total, state="")
        self.bars.update(self._tasks[what], completed=done, total=total, state=state)


@contextmanager
def watch() -> Iterator[Watch]:
    """Show progress while the block runs; what it showed is gone from a terminal afterwards."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = stderr()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield Watch(console, bars)


def time_left(seconds: float, done: int, total: int | None, so_far: int) -> str:
    """The time that is left at the speed so far; empty where that cannot be told.

    Args:
        seconds: since the first sign of life.
        done: since then.
        total: how many there are.
        so_far: done in all.
    """
    from lrat_bench.report import numbers

    if total is None or done <= 0 or so_far >= total or seconds < 1:
        return ""
    return numbers.duration(seconds / done * (total - so_far))


def _state(tally: Tally) -> str:
    from lrat_bench.report import numbers

    if not tally.done:
        return f"{tally.kept} kept from before" if tally.kept else ""
    parts = [
        *([f"{tally.done} new:"] if tally.kept else []),
        f"success {numbers.rate(tally.correct / tally.judged) if tally.judged else numbers.NULL}",
        f"{tally.steps / tally.done:.1f} steps",
        f"{tally.queries / max(tally.seconds, 1e-9):,.0f} queries/s",
    ]
    if tally.errored:
        parts.append(f"{tally.errored} errors")
    if tally.seconds_left:
        parts.append(f"{numbers.duration(tally.seconds_left)} left")
    return "  ".join(parts)
