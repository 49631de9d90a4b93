"""Which questions may still start under a cost cap: those that it will pay for to the end.

A question that is stopped in the middle has cost its money for nothing. So under a cap, what the questions in flight
will cost on average is set aside, and no further one starts that would not fit.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lrat_bench.model.budget import Budget

__all__ = ["Admission"]

_BLIND = 4
"""Questions in flight until the first one has ended and its cost is known."""
_LOOK = 0.2
"""Seconds between looks."""


@dataclass
class Admission:
    """Counts questions, and what they cost on average.

    Attributes:
        budget: what may be spent.
        running: questions in flight.
        finished: questions that have ended, those of earlier commands included.
    """

    budget: Budget
    running: int = 0
    finished: int = 0

    async def enter(self) -> str | None:
        """Wait until another question may start, and count it.

        Returns:
            why none may any more; None where it may.
        """
        while not self._fits():
            if not self.running:
                return (
                    f"another question would pass the cost cap of {self.budget.amount(self.budget.limit_usd)} "
                    f"({self.budget.amount(self.budget.spent)} spent, {self.budget.amount(self._mean)} a question); "
                    "a larger --max-cost goes on"
                )
            await asyncio.sleep(_LOOK)
        self.running += 1
        return None

    def withdraw(self) -> None:
        """The question that was let in does not start."""
        self.running -= 1

    def leave(self) -> None:
        """A question has ended."""
        self.running -= 1
        self.finished += 1

    @property
    def _mean(self) -> float:
        """USD a question that has ended, with what those in flight have cost on top: too high rather than too low."""
        return self.budget.spent / self.finished if self.finished else 0.0

    def _fits(self) -> bool:
        if not self.budget.capped:
            return True
        if not self.finished:
            return self.running < _BLIND
        # What is in flight may have cost nothing yet.
        return self.budget.spent + (self.running + 1) * self._mean <= self.budget.limit_usd
