"""Our own retries: with backoff, jitter and the server's Retry-After, for as long as an outage may last."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lrat_bench.errors import Halt, RolloutFailure
from lrat_bench.model.lite.failures import Transient
from lrat_bench.model.lite.throttle import Throttle

__all__ = ["Answered", "Patience"]

_log = logging.getLogger("lrat_bench.model")

_FIRST, _LONGEST = 1.0, 60.0
"""Seconds of the first pause, which doubles, and of the longest."""
_RESAMPLES = 3
_NOTICEABLE = 10.0
"""Seconds after which an outage is worth a line on the terminal."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What a call gave in the end; `seconds` is the time of the attempt that succeeded, `attempts` counts all."""

    value: T
    seconds: float
    attempts: int


@dataclass
class Patience:
    """How long calls to one endpoint are tried again; shared by all of them, since an outage is.

    Attributes:
        name: of the model, for messages.
        outage_seconds: how long a call may fail before it is given up.
        throttle: how many calls are made at once.
    """

    name: str
    outage_seconds: float
    throttle: Throttle = field(default_factory=Throttle)
    _succeeded: float | None = None
    _given_up: bool = False
    _told: bool = False

    async def until_answered(self, ask: Callable[[int], Awaitable[T]]) -> Answered[T]:
        """Ask until there is an answer.

        An outage lasts from the first failure of this call on; while the server only asks for fewer calls and others
        are answered, it has not begun.

        Args:
            ask: makes one attempt, given how many samples of the turn were thrown away; raises `Transient` for what
                may pass.

        Raises:
            RolloutFailure: it failed for too long.
            Halt: it did, and so did everything else meanwhile.
        """
        attempts, resampled = 0, 0
        failing_since: float | None = None
        while True:
            attempts += 1
            async with self.throttle:
                started = _now()
                try:
                    value = await ask(resampled)
                except Transient as transient:
                    failure = transient
                    if failure.busy:
                        # A wait that is too long for this call must not hold up the others: they find out themselves.
                        wait = failure.retry_after if (failure.retry_after or 0) <= self.outage_seconds else None
                        self.throttle.complained(started=started, retry_after=wait)
                else:
                    self._succeeded, self._given_up = _now(), False
                    if self._told:
                        self._told = False
                        _log.warning("%s answers again", self.name)
                    self.throttle.succeeded()
                    return Answered(value, _now() - started, attempts)
            if failing_since is None:
                failing_since = _now()
            resampled += failure.resample
            pause = self._pause(failure, attempts, failing_since, resampled)
            self._tell(failure, attempts, pause, _now() - failing_since)
            await asyncio.sleep(pause)

    def _tell(self, failure: Transient, attempts: int, pause: float, failing: float) -> None:
        """Log a failure; whoever watches is told of an outage once it lasts."""
        _log.info("%s: attempt %d failed, next in %.1f s: %s", self.name, attempts, pause, failure.reason)
        if failing + pause >= _NOTICEABLE and not self._told:
            self._told = True
            _log.warning("%s fails, and is tried again for %g s: %s", self.name, self.outage_seconds, failure.reason)

    def _pause(self, failure: Transient, attempts: int, failing_since: float, resampled: int) -> float:
        """Seconds until the next attempt; raises when there is to be none."""
        begun = failing_since
        if failure.busy and self._succeeded is not None:
            begun = max(begun, self._succeeded)
        left = self.outage_seconds - (_now() - begun)
        wanted: float = min(_LONGEST, _FIRST * 2 ** min(attempts - 1, 10)) * random.uniform(0.5, 1)  # noqa: S311 -- jitter
        asked = failure.retry_after or 0.0
        if left <= 0 or asked > left or resampled > _RESAMPLES:
            self._give_up(failure, attempts, failing_since)
        # A server that says how long knows better; one that says "at once" for ever is not taken at its word.
        return max(asked, min(wanted if failure.retry_after is None else wanted / 10, left))

    def _give_up(self, failure: Transient, attempts: int, failing_since: float) -> None:
        alone = self._succeeded is not None and self._succeeded >= failing_since
        tried = "once" if attempts == 1 else f"{attempts} times in {_now() - failing_since:.0f} s"
        wait = f"; it asks to wait {failure.retry_after:.0f} s" if failure.retry_after else ""
        text = f"{self.name} failed {tried}: {failure.reason}{wait}"
        # A server that is there and fails on one request may do well on the next question.
        first, self._given_up = not self._given_up, True
        if alone or (failure.answered and first and not failure.busy):
            raise RolloutFailure(text)
        raise Halt(text)


def _now() -> float:
    return asyncio.get_running_loop().time()
