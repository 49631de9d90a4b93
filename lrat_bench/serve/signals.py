"""What SIGTERM and Ctrl-C do while a server is open: what is under way is finished first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

__all__ = ["Signals"]


class Signals:
    """Signals that end the command as Ctrl-C does; a second one does not wait.

    Args:
        numbers: that are listened to.
        first: done before the command ends; None is nothing.
    """

    def __init__(
        self, numbers: Sequence[signal.Signals], *, first: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._numbers = numbers
        self._first = first
        self._before: dict[signal.Signals, Any] = {}
        self._doing: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Listen from now on; not where the loop is not the main thread's, as in a notebook."""
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            before = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, self._come)
            except (ValueError, RuntimeError, NotImplementedError):
                return
            self._before[number] = before

    def stop(self) -> None:
        """Leave signals as they were."""
        loop = asyncio.get_running_loop()
        for number, before in self._before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, before)
        self._before.clear()

    def _come(self) -> None:
        if self._first is None or self._doing is not None:
            self._end()
        else:
            self._doing = asyncio.create_task(self._finish(self._first))

    async def _finish(self, first: Callable[[], Awaitable[None]]) -> None:
        try:
            await first()
        finally:
            # Not from within a task, which would keep what is raised here.
            asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        if self._before:
            self.stop()
            if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
                # A shell has started us in the background, where Ctrl-C is not for us. This is.
                signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.raise_signal(signal.SIGINT)
