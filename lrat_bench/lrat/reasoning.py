"""The reasoning behind a browse: what an agent wrote once it had read a document.

Its length is the relevance intensity of LRAT (Section 5.3 of "Learning to Retrieve from Agent Trajectories", SIGIR
2026): an agent thinks longer over what serves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lrat_bench.trajectory import Browse, Search, Step, Think, Trajectory

__all__ = ["Reasoning", "post_browse", "reasonings"]


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What was thought after a browse.

    Attributes:
        text: all of it; empty where the provider withholds it.
        source: whether `text` is the reasoning itself, a summary of it, or withheld; only `text` has a length that can
            be measured.
        censored: whether an output limit cut it off, so that its length is a lower bound.
        shared: distinct documents that were read just before it, this one included; it is about all of them.
        turn: 0-based turn it was written in; None where turns cannot be seen.
    """

    text: str
    source: Literal["text", "summary", "hidden"]
    censored: bool
    shared: int
    turn: int | None


def post_browse(trajectory: Trajectory, step_index: int) -> Reasoning | None:
    """The reasoning that follows one browse; `reasonings` says which that is.

    Args:
        trajectory: what happened.
        step_index: of the browse in its `steps`.

    Returns:
        None where nothing was thought after it.

    Raises:
        ValueError: the step is no browse.
    """
    step = trajectory.steps[step_index]
    if not isinstance(step, Browse):
        raise ValueError(f"step {step_index} is no browse but a {step.kind}")  # noqa: TRY004 -- a wrong value
    return reasonings(trajectory).get(step_index)


def reasonings(trajectory: Trajectory) -> dict[int, Reasoning]:
    """The reasoning that follows each browse.

    It is that of the next turn that has any, whatever the turn goes on to do: call a tool, answer, answer because it
    must. All that this turn thought counts, in order. Turns that only read, or that could not be understood, leave
    their documents to the same reasoning; a turn that searches without a word does not, since what is thought later is
    about its list. Where turns are not known the order of the steps stands in for them.

    Args:
        trajectory: what happened.

    Returns:
        index of the browse in `steps` → what was thought; a browse after which nothing was is not there.
    """
    steps = trajectory.steps
    found: dict[int, Reasoning] = {}
    waiting: list[int] = []
    for index, step in enumerate(steps):
        if isinstance(step, Browse):
            waiting.append(index)
        elif isinstance(step, Search) or (isinstance(step, Think) and _has_any(step)):
            behind = [browse for browse in waiting if _is_later(step, steps[browse].turn)]
            if behind:
                waiting = [browse for browse in waiting if not _is_later(step, steps[browse].turn)]
            if behind and isinstance(step, Think):
                found |= _shared(steps, behind, index)
    return found


def _is_later(step: Step, turn: int | None) -> bool:
    """Whether a step that comes after another one is of a later turn than that one."""
    return turn is None or step.turn is None or step.turn > turn


def _shared(steps: Sequence[Step], browses: Sequence[int], first: int) -> dict[int, Reasoning]:
    """What the turn thought whose first thought is at `first`, for each of the browses that it follows."""
    thoughts = _whole(steps, first)
    sources = {thought.source for thought in thoughts}
    text = "\n\n".join(thought.text.strip() for thought in thoughts if thought.text.strip())
    read = [(index, step) for index in browses if isinstance(step := steps[index], Browse)]
    together = {browse.docid for _, browse in read if browse.found}
    return {
        index: Reasoning(
            text=text,
            source="hidden" if "hidden" in sources else "summary" if "summary" in sources else "text",
            censored=any(thought.censored for thought in thoughts),
            shared=len(together | {browse.docid}),
            turn=thoughts[0].turn,
        )
        for index, browse in read
    }


def _has_any(thought: Think) -> bool:
    return thought.source == "hidden" or (thought.source != "none" and bool(thought.text.strip()))


def _whole(steps: Sequence[Step], first: int) -> list[Think]:
    """All thoughts of the turn that the first one is of; those that follow at once where turns are not known."""
    opening = steps[first]
    assert isinstance(opening, Think)
    found = [opening]
    for step in steps[first + 1 :]:
        if isinstance(step, Think) and step.turn == opening.turn:
            found.append(step)
        elif opening.turn is None or step.turn != opening.turn:
            break
    return found
