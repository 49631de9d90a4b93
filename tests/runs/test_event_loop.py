"""One event loop per command, which ends whatever code of the user's has left in it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from lrat_bench.runs.event_loop import EventLoop


def plainly(work: Callable[[], None]) -> None:
    work()


def in_a_notebook(work: Callable[[], None]) -> None:
    """Where the thread is busy with a loop of its own."""

    async def cell() -> None:
        work()

    asyncio.run(cell())


PLACES = pytest.mark.parametrize("place", [plainly, in_a_notebook])


@PLACES
def test_everything_runs_in_the_same_loop(place: Callable[[Callable[[], None]], None]) -> None:
    async def loop_id() -> int:
        return id(asyncio.get_running_loop())

    def work() -> None:
        with EventLoop() as loop:
            assert loop.run(loop_id()) == loop.run(loop_id())

    place(work)


@PLACES
def test_a_task_that_does_not_listen_is_left_behind(place: Callable[[Callable[[], None]], None]) -> None:
    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                continue

    left = []

    async def start() -> str:
        left.append(asyncio.create_task(deaf()))
        await asyncio.sleep(0)
        return "done"

    def work() -> None:
        with EventLoop() as loop:
            assert loop.run(start()) == "done"

    begun = time.monotonic()
    place(work)
    assert time.monotonic() - begun < 20


LEAVES = """
import asyncio, sys
from lrat_bench.errors import RunIncomplete
from lrat_bench.runs.event_loop import EventLoop

async def leave():
    sys.exit(0)

async def start():
    task = asyncio.create_task(leave())
    await asyncio.sleep(5)
    task.cancel()

def work():
    with EventLoop() as loop:
        try:
            loop.run(start())
        except RunIncomplete as incomplete:
            print(incomplete)

async def cell():
    work()

asyncio.run(cell()) if sys.argv[1] == "in_a_notebook" else work()
"""


@pytest.mark.parametrize("place", ["plainly", "in_a_notebook"])
def test_code_that_wants_to_end_the_program_ends_the_run_with_its_own_exit_code(place: str) -> None:
    # In a process of its own: a SystemExit out of a task leaves Python 3.11 unable to compile anything.
    done = subprocess.run(
        [sys.executable, "-c", LEAVES, place], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "code that was called has ended the program (SystemExit: 0)"
