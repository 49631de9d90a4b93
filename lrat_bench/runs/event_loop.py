"""One event loop for everything that a command awaits.

Clients of model endpoints belong to the loop they were made in: several loops would cost a set of connections each,
and leave warnings behind.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from lrat_bench.agent.own_task import forget
from lrat_bench.errors import RunIncomplete

__all__ = ["EventLoop"]

T = TypeVar("T")

_PATIENCE = 2.0
"""Seconds that tasks which are left may take to end."""


class EventLoop:
    """Runs coroutines one after the other in the same loop, also where the caller has a running loop of its own.

    In a plain program the loop is the main thread's and Ctrl-C cancels what is running. In a notebook, whose thread
    is busy with its own loop, it lives in a thread.
    """

    def __enter__(self) -> EventLoop:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._runner: asyncio.Runner | None = asyncio.Runner()
        else:
            self._runner = None
            self._loop = asyncio.new_event_loop()
            self._coming: Future[Any] | None = None
            self._handing_over = threading.Lock()
            self._thread = threading.Thread(target=self._serve, name="lrat-bench", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner is not None:
            # What is left may want to end the program, too.
            for end in (lambda runner: runner.run(_wind_up()), asyncio.Runner.close):
                with suppress(SystemExit):
                    end(self._runner)
            return
        asyncio.run_coroutine_threadsafe(_wind_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; a KeyboardInterrupt cancels it first.

        Raises:
            RunIncomplete: a task that code of the user's has started wants to end the program.
        """
        if self._runner is not None:
            try:
                return self._runner.run(work)
            except SystemExit as left:
                # Its exit code would say that all is well.
                raise _ended(left) from None
        # The work may want to end the program before this thread is told what to wait for.
        with self._handing_over:
            coming: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._coming = coming
        try:
            return coming.result()
        except KeyboardInterrupt:
            coming.cancel()
            # The cancelled coroutine still writes down what it has.
            asyncio.run_coroutine_threadsafe(_wind_up(), self._loop).result()
            raise

    def _serve(self) -> None:
        """Run the loop, in the thread, until it is stopped."""
        while True:
            try:
                self._loop.run_forever()
            except SystemExit as left:
                with self._handing_over:
                    coming = self._coming
                if coming is not None and not coming.done():
                    coming.set_exception(_ended(left))
            else:
                return


def _ended(left: SystemExit) -> RunIncomplete:
    return RunIncomplete(f"code that was called has ended the program (SystemExit: {left})")


async def _wind_up() -> None:
    """Cancel what is left in the loop and wait for it; what does not listen is left behind."""
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    if left:
        _, deaf = await asyncio.wait(left, timeout=_PATIENCE)
        for task in deaf:
            forget(task)
    await asyncio.get_running_loop().shutdown_asyncgens()
