"""The clock of a rollout: how much of the protocol's seconds is left.

Only the agent's own time counts. While tools work, and while a model waits for an endpoint that is busy or down, the
clock stands; a model that works over a network says afterwards how long the answer itself took.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType

__all__ = ["Clock", "charge", "stopped"]


class Clock:
    """Ends the block that it guards with `TimeoutError` when the seconds are used up.

    Args:
        seconds: what may be used; None is no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._left = seconds
        self._stops = 0
        self._over = False
        self._token: Token[Clock | None] | None = None

    async def __aenter__(self) -> Clock:
        await self._timeout.__aenter__()
        self._token = _running.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _running.reset(self._token)
        self._over = True
        await self._timeout.__aexit__(kind, error, traceback)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Time that passes in this block does not count."""
        self._stops += 1
        if self._stops == 1:
            deadline = self._timeout.when()
            self._left = None if deadline is None else deadline - _now()
            self._move(None)
        try:
            yield
        finally:
            self._stops -= 1
            if self._stops == 0 and self._left is not None:
                self._move(_now() + self._left)

    def charge(self, seconds: float) -> None:
        """Count time that passed while the clock stood."""
        if self._stops and self._left is not None:
            self._left -= seconds
            return
        deadline = self._timeout.when()
        if deadline is not None:
            self._move(deadline - seconds)

    def check(self) -> None:
        """Raise `TimeoutError` when nothing is left."""
        deadline = self._timeout.when()
        if deadline is not None and deadline <= _now():
            raise TimeoutError

    def _move(self, deadline: float | None) -> None:
        # Work that was started in the block may still be under way when it ends; then there is nothing to move.
        if not (self._over or self._timeout.expired()):
            self._timeout.reschedule(deadline)


_running: ContextVar[Clock | None] = ContextVar("rollout clock", default=None)


@contextmanager
def stopped() -> Iterator[None]:
    """Stop the clock of the rollout that this code works for, if it works for one."""
    clock = _running.get()
    if clock is None:
        yield
        return
    with clock.stopped():
        yield


def charge(seconds: float) -> None:
    """Count time on the clock of the rollout that this code works for, if it works for one."""
    clock = _running.get()
    if clock is not None:
        clock.charge(seconds)


def _now() -> float:
    return asyncio.get_running_loop().time()
