"""What is still owed: a pure function of what was asked for and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lrat_bench.task.question import Question
from lrat_bench.trajectory import Status, Trajectory

__all__ = ["Kept", "Owed", "kept_of", "owed"]


class Kept(NamedTuple):
    """What a stored trajectory says about its question."""

    status: Status | None
    attempts: int


class Owed(NamedTuple):
    """One rollout to do; `attempts` counts this one."""

    question: Question
    repeat: int
    attempts: int


def kept_of(trajectories: Iterable[Trajectory]) -> dict[tuple[str, int], Kept]:
    """What is there, of the current trajectory of each (question id, repeat)."""
    return {record.key: Kept(record.status, record.attempts) for record in trajectories}


def owed(questions: Sequence[Question], repeats: int, kept: Mapping[tuple[str, int], Kept]) -> list[Owed]:
    """The rollouts that are missing or ended in an infrastructure error.

    Args:
        questions: the selection.
        repeats: how often each.
        kept: (question id, repeat) → what is there.

    Returns:
        repeat by repeat, in question order.
    """
    todo = []
    for repeat in range(repeats):
        for question in questions:
            there = kept.get((question.qid, repeat))
            if there is None:
                todo.append(Owed(question, repeat, 1))
            elif there.status == "error":
                todo.append(Owed(question, repeat, there.attempts + 1))
    return todo
