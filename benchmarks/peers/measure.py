"""A command and all that it starts: how long, how much CPU, how much memory."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clients import Started

__all__ = ["Measured", "run"]

_EVERY = 0.1
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        seconds: of the clock.
        cpu: seconds of CPU, user and system, as last seen of every process.
        peak_mb: most resident memory of all its processes together; pages that they share count for each.
        code: exit code; negative for a signal.
        killed: whether `until` said that it had gone far enough.
        started: seconds since the epoch.
    """

    seconds: float
    cpu: float
    peak_mb: float
    code: int
    killed: bool
    started: float


def run(
    command: Started,
    *,
    folder: Path,
    log: Path,
    limit: float,
    until: Callable[[], bool] | None = None,
) -> Measured:
    """Run a command to its end, or to `until`, when it is killed with all that it started.

    Args:
        command: what is started.
        folder: where.
        log: gets all that it prints.
        limit: seconds after which it is killed.
        until: asked ten times a second.
    """
    peak, killed = 0.0, False
    cpu: dict[int, float] = {}
    started = time.time()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command.words, cwd=folder, env=command.environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            while process.poll() is None:
                mb = 0.0
                for pid, seconds, pages in _session(process.pid):
                    cpu[pid] = seconds
                    mb += pages * _PAGE_MB
                peak = max(peak, mb)
                killed = until is not None and until()
                if killed or time.time() - started > limit:
                    break
                time.sleep(_EVERY)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return Measured(time.time() - started, sum(cpu.values()), peak, process.returncode, killed, started)


def _session(leader: int) -> list[tuple[int, float, int]]:
    """Every process of a session: its id, seconds of CPU, and pages in memory."""
    found = []
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # Behind the name: state, parent, group, session, …; user and system ticks; resident pages.
        if int(fields[3]) == leader:
            found.append((int(place.name), (int(fields[11]) + int(fields[12])) / _TICK, int(fields[21])))
    return found
