"""What a measure is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lrat_bench.score.verdict import Grade, Held
from lrat_bench.trajectory import Browse, Search, Trajectory

__all__ = ["Direction", "Measure", "Observation"]

Direction = Literal["higher", "lower", "neutral"]
"""Which way is better; a gate ignores neutral ones."""


@dataclass(frozen=True)
class Observation:
    """One (question, repeat) of which there is a trajectory.

    Attributes:
        trajectory: what happened.
        grade: what became of the answer; one that is missing is incorrect.
        evidence: documents that support the answer, empty where the question has none; None where the task cannot say.
        gold: documents that state the answer, as `evidence`.
        held: the verdict that counts; None where there is none, or no answer.
    """

    trajectory: Trajectory
    grade: Grade
    evidence: frozenset[str] | None
    gold: frozenset[str] | None
    held: Held | None

    @property
    def graded(self) -> bool:
        """Whether a judge has graded the answer."""
        return self.held is not None and self.held.grade != "ungraded"

    @cached_property
    def searches(self) -> tuple[Search, ...]:
        """The queries that were carried out; one that found nothing is among them."""
        return tuple(step for step in self.trajectory.steps if isinstance(step, Search) and step.error is None)

    @cached_property
    def browses(self) -> tuple[Browse, ...]:
        """The documents that were read; one that does not exist is not among them."""
        return tuple(
            step for step in self.trajectory.steps if isinstance(step, Browse) and step.found and step.error is None
        )

    @cached_property
    def searched_docids(self) -> frozenset[str]:
        """Documents that a search showed to the agent."""
        return frozenset(hit.docid for search in self.searches for hit in search.hits if hit.shown)

    @cached_property
    def retrieved_docids(self) -> frozenset[str]:
        """Documents that a search showed to the agent or that it read."""
        return self.searched_docids | {browse.docid for browse in self.browses}


@dataclass(frozen=True, slots=True)
class Measure:
    """One number per question, and its mean over questions.

    Attributes:
        name: as it stands in files and tables.
        definition: one sentence that leaves nothing open.
        unit: of the value; "share" lies between 0 and 1.
        direction: which way is better.
        of: the value on one question; None where there is none to give (unknown, or the task cannot support it).
        binary: every value is 0 or 1, which makes the mean a rate.
        absent: what a question without a value counts as; None leaves it out of mean and n.
    """

    name: str
    definition: str
    unit: str
    direction: Direction
    of: Callable[[Observation], float | None]
    binary: bool = False
    absent: float | None = None
