"""One event loop for everything that a command awaits.

Clients of model endpoints belong to the loop they were made in: several loops would cost a set of connections each,
and leave warnings behind.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

__all__ = ["EventLoop"]

T = TypeVar("T")


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
            self._thread = threading.Thread(target=self._loop.run_forever, name="lrat-bench", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner is not None:
            self._runner.close()
            return
        asyncio.run_coroutine_threadsafe(_wind_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; a KeyboardInterrupt cancels it first."""
        if self._runner is not None:
            return self._runner.run(work)
        coming: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return coming.result()
        except KeyboardInterrupt:
            coming.cancel()
            # The cancelled coroutine still writes down what it has.
            asyncio.run_coroutine_threadsafe(_wind_up(), self._loop).result()
            raise


async def _wind_up() -> None:
    """Cancel what is left in the loop and wait for it."""
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
