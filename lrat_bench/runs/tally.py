"""How a run is going, in numbers that a progress line can show."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lrat_bench.trajectory import Search, Trajectory

__all__ = ["OnTally", "Tally"]


@dataclass(slots=True)
class Tally:
    """Running totals of one invocation.

    Attributes:
        total: rollouts selected.
        kept: of these, done by earlier invocations.
        done: finished by this one, errors included.
        judged: of these, with a verdict of correct or incorrect.
        correct: of these, correct.
        errored: rollouts that infrastructure ended.
        steps: tool calls that succeeded.
        queries: queries answered.
    """

    total: int
    kept: int = 0
    done: int = 0
    judged: int = 0
    correct: int = 0
    errored: int = 0
    steps: int = 0
    queries: int = 0
    _started: float = field(default_factory=time.monotonic)

    def add(self, trajectory: Trajectory, outcome: str) -> None:
        """Count one finished rollout."""
        self.done += 1
        self.judged += outcome in ("correct", "incorrect")
        self.correct += outcome == "correct"
        self.errored += outcome == "errored"
        tools = [step for step in trajectory.steps if step.kind in ("search", "browse")]
        self.steps += len({(step.turn, step.call) for step in tools if step.error is None})
        self.queries += sum(isinstance(step, Search) for step in tools)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._started

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before the first rollout ends."""
        left = self.total - self.kept - self.done
        return self.seconds / self.done * left if self.done else None


OnTally = Callable[[Tally], None]
