"""Adaptive concurrency: fewer calls at once when the server says it is too many, and back up again.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP has it: a "too many requests" halves what is
allowed, once per burst; every round of successes allows one more, until nothing is held back any more.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from types import TracebackType

__all__ = ["Throttle"]


class Throttle:
    """Guards the calls to one endpoint; `async with throttle:` is one call.

    Attributes:
        limit: calls allowed at once; infinite until the server complains.
        in_flight: calls now.
    """

    def __init__(self) -> None:
        self.limit = math.inf
        self.in_flight = 0
        self._most = 0
        self._decreased = -math.inf
        self._until = -math.inf
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Throttle:
        if self._open and not self._waiting:
            self._take()
            return self
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            # What was granted in the same moment goes to the next one.
            if not granted.cancelled():
                self.in_flight -= 1
                self._wake()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.in_flight -= 1
        self._wake()

    def succeeded(self) -> None:
        """A call was answered."""
        if self.limit < math.inf:
            self.limit += 1 / self.limit
            if self.limit >= self._most:
                self.limit = math.inf
            self._wake()

    def complained(self, *, started: float, retry_after: float | None) -> None:
        """The server refused a call as one too many.

        Args:
            started: when the call was made, by the event loop's clock; one made before the last decrease says nothing
                new.
            retry_after: seconds in which no call is to be made at all.
        """
        now = asyncio.get_running_loop().time()
        if started >= self._decreased:
            # The call that failed is still counted.
            self.limit = max(1.0, min(self.limit, float(self.in_flight)) / 2)
            self._decreased = now
        if retry_after is not None and now + retry_after > self._until:
            self._until = now + retry_after
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(retry_after, self._wake)

    @property
    def _open(self) -> bool:
        return self.in_flight < self.limit and asyncio.get_running_loop().time() >= self._until

    def _take(self) -> None:
        self.in_flight += 1
        self._most = max(self._most, self.in_flight)

    def _wake(self) -> None:
        """Give what is free to those who wait, in the order in which they came."""
        while self._waiting and self._open:
            granted = self._waiting.popleft()
            if not granted.cancelled():
                self._take()
                granted.set_result(None)
