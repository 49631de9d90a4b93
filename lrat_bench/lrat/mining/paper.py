"""The rule set `paper`: Section 5.1 of "Learning to Retrieve from Agent Trajectories", to the letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lrat_bench.lrat.mining.candidate import Found, Gathering, Unchained
from lrat_bench.lrat.pair import Rule
from lrat_bench.trajectory import Browse, Search, Trajectory

__all__ = ["Paper"]


class Paper(Unchained):
    """Takes a search turn and the turn right after it.

    - The document must be in a list of that very search turn; of several, the last that shows it.
    - Negatives are what that list showed and the next turn did not open; they may be opened later.
    - The same document for the same query counts once, at its first browse.

    Where turns are not known, the browses that follow one call of `search` with no other call in between are the turn
    after it if they came in one call.
    """

    name: Rule = "paper"

    def find(self, trajectory: Trajectory) -> Found:
        """The browses of turns that follow a search turn."""
        gathering = Gathering(trajectory, unheld="not right after its search")
        before: list[int] = []
        for turn in _turns(trajectory):
            browses = [(index, step) for index in turn if isinstance(step := trajectory.steps[index], Browse)]
            lists = _lists(trajectory, before, turn)
            opened = frozenset(browse.docid for _, browse in browses)
            for index, browse in browses:
                search = next((one for one in reversed(lists) if _shows(one, browse.docid)), None)
                gathering.take(index, browse, search, opened=opened)
            before = turn
        return gathering.found


def _turns(trajectory: Trajectory) -> Iterator[list[int]]:
    """The tool steps of each turn, as indices; of each call where turns are not known."""
    turn: list[int] = []
    key: tuple[object, ...] | None = None
    for index, step in enumerate(trajectory.steps):
        if not isinstance(step, Search | Browse):
            continue
        here = (step.turn,) if step.turn is not None else (None, step.call)
        if turn and here != key:
            yield turn
            turn = []
        key = here
        turn.append(index)
    if turn:
        yield turn


def _lists(trajectory: Trajectory, before: Sequence[int], turn: Sequence[int]) -> list[Search]:
    """The lists of the turn before, where it is the one right before."""
    if not before:
        return []
    last, this = trajectory.steps[before[-1]].turn, trajectory.steps[turn[0]].turn
    if last is not None and this is not None and this != last + 1:
        return []
    steps = (trajectory.steps[index] for index in before)
    return [step for step in steps if isinstance(step, Search) and step.error is None]


def _shows(search: Search, docid: str) -> bool:
    return any(hit.shown and hit.docid == docid for hit in search.hits)
