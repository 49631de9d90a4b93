"""The candidate: a browse that may become a pair, and what a rule set finds in a trajectory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.reasoning import Reasoning, reasonings
from lrat_bench.lrat.relevance.base import Outcome
from lrat_bench.trajectory import Browse, Search, Trajectory, same_query

__all__ = ["Candidate", "Found", "Gathering", "Passed", "RuleSet", "Unchained", "browses_of", "list_of", "passed_over"]

Passed = Literal["not found", "from no list", "not right after its search", "repeated"]
"""Why a browse gives no candidate."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A browse with the query that it is attributed to.

    Attributes:
        step: index of the browse in the trajectory's steps.
        turn: 0-based turn of the browse; None where turns cannot be seen.
        query: as the agent put it.
        docid: what was opened.
        neg_ids: documents of the same list that were passed over, best rank first.
        reasoning: what was thought after it; None where nothing was.
    """

    step: int
    turn: int | None
    query: str
    docid: str
    neg_ids: tuple[str, ...]
    reasoning: Reasoning | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule set finds in a trajectory.

    Attributes:
        candidates: in the order of the browses; all of them are put to the relevance judge.
        passed: why the other browses are none.
    """

    candidates: tuple[Candidate, ...]
    passed: tuple[Passed, ...]


class Gathering:
    """The browses of one trajectory, as a rule set goes over them.

    The same document for the same query counts once, at its first browse.

    Args:
        trajectory: what happened.
        unheld: why a browse whose document no list held is passed over.
    """

    def __init__(self, trajectory: Trajectory, *, unheld: Passed) -> None:
        self._thought = reasonings(trajectory)
        self._unheld = unheld
        self._candidates: list[Candidate] = []
        self._passed: list[Passed] = []
        self._seen: set[tuple[str, str]] = set()

    def take(self, index: int, browse: Browse, search: Search | None, *, opened: frozenset[str]) -> None:
        """Note a browse.

        Args:
            index: of the browse in the steps.
            browse: the step.
            search: whose list it belongs to; None for none.
            opened: documents that are no negatives.
        """
        if not browse.found:
            self._passed.append("not found")
        elif search is None:
            self._passed.append(self._unheld)
        elif (key := (same_query(search.query), browse.docid)) in self._seen:
            self._passed.append("repeated")
        else:
            self._seen.add(key)
            negatives, behind = passed_over(search, opened), self._thought.get(index)
            self._candidates.append(Candidate(index, browse.turn, search.query, browse.docid, negatives, behind))

    @property
    def found(self) -> Found:
        """What was noted."""
        return Found(tuple(self._candidates), tuple(self._passed))


class RuleSet(Protocol):
    """Attributes browses to queries.

    Attributes:
        name: as it stands in manifests and on the command line.
        chained: whether the judgement of one browse changes other pairs, so that none is known before all are judged.
    """

    name: Rule
    chained: bool

    def find(self, trajectory: Trajectory) -> Found:
        """The browses that are candidates; a pure function of the trajectory."""
        ...

    def settle(
        self, trajectory: Trajectory, candidates: Sequence[Candidate], outcomes: Mapping[int, Outcome]
    ) -> list[Candidate]:
        """The candidates that stand once all of them are judged, with their negatives.

        Args:
            trajectory: the one they were found in.
            candidates: as found.
            outcomes: step → what the judge made of it.
        """
        ...


class Unchained:
    """A rule set in which what the judge says of one browse changes no other pair."""

    chained = False

    def settle(
        self,
        trajectory: Trajectory,  # noqa: ARG002
        candidates: Sequence[Candidate],
        outcomes: Mapping[int, Outcome],  # noqa: ARG002
    ) -> list[Candidate]:
        """All of them."""
        return list(candidates)


def list_of(trajectory: Trajectory, index: int) -> Search | None:
    """The latest list that showed a browse's document, and that the agent had seen when it asked for it.

    Calls of one turn are made together, before any of them is answered, so a search of the browse's own turn does not
    count.

    Args:
        trajectory: what happened.
        index: of the browse in its steps.
    """
    browse = trajectory.steps[index]
    assert isinstance(browse, Browse)
    for step in reversed(trajectory.steps[:index]):
        if not isinstance(step, Search) or step.error is not None:
            continue
        if step.turn is not None and browse.turn is not None and step.turn >= browse.turn:
            continue
        if any(hit.shown and hit.docid == browse.docid for hit in step.hits):
            return step
    return None


def passed_over(search: Search, opened: Iterable[str]) -> tuple[str, ...]:
    """The documents of a list that were shown and not opened, best rank first, each once."""
    read = set(opened)
    ranked = sorted((hit for hit in search.hits if hit.shown), key=lambda hit: hit.rank)
    return tuple(dict.fromkeys(hit.docid for hit in ranked if hit.docid not in read))


def browses_of(trajectory: Trajectory) -> Iterator[tuple[int, Browse]]:
    """(index, step) of every browse."""
    return ((index, step) for index, step in enumerate(trajectory.steps) if isinstance(step, Browse))
