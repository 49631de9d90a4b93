"""The reasoning behind a browse: what an agent wrote once it had read a document.

Its length is the relevance intensity of LRAT (Section 5.3 of "Learning to Retrieve from Agent Trajectories", SIGIR
2026): an agent thinks longer over what serves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lrat_bench.trajectory import Browse, Step, Think, Trajectory

__all__ = ["Reasoning", "post_browse"]


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
    """The reasoning that follows a browse.

    It is that of the next turn that has any, whatever the turn goes on to do: call a tool, answer, answer because it
    must. All that this turn thought counts, in order. Where turns are not known the order of the steps stands in for
    them. Turns that think nothing in between leave their documents to the same reasoning.

    Args:
        trajectory: what happened.
        step_index: of the browse in its `steps`.

    Returns:
        None where nothing was thought after it.

    Raises:
        ValueError: the step is no browse.
    """
    steps = trajectory.steps
    browse = steps[step_index]
    if not isinstance(browse, Browse):
        raise ValueError(f"step {step_index} is no browse but a {browse.kind}")  # noqa: TRY004 -- a wrong value
    first = _next_thought(steps, step_index)
    if first is None:
        return None
    thoughts = _whole(steps, first)
    sources = {thought.source for thought in thoughts}
    together = {browse.docid} | {
        other.docid
        for index, other in enumerate(steps[:first])
        if isinstance(other, Browse) and other.found and _next_thought(steps, index) == first
    }
    return Reasoning(
        text="\n\n".join(thought.text.strip() for thought in thoughts if thought.text.strip()),
        source="hidden" if "hidden" in sources else "summary" if "summary" in sources else "text",
        censored=any(thought.censored for thought in thoughts),
        shared=len(together),
        turn=thoughts[0].turn,
    )


def _next_thought(steps: Sequence[Step], index: int) -> int | None:
    """Index of the first thought after a browse that is of a later turn and has something in it."""
    turn = steps[index].turn
    for position in range(index + 1, len(steps)):
        step = steps[position]
        if not isinstance(step, Think) or not _has_any(step):
            continue
        if turn is None or step.turn is None or step.turn > turn:
            return position
    return None


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
