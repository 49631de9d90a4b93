"""What the analysis looks at in a trajectory: its calls in order, and each document that was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lrat_bench.lrat.intensity import share_of, tokens_of
from lrat_bench.lrat.mining.candidate import list_of
from lrat_bench.lrat.reasoning import Reasoning, reasonings
from lrat_bench.score.verdict import Grade
from lrat_bench.task.tokenizer import Tokenizer
from lrat_bench.trajectory import Answer, Browse, Search, Trajectory

__all__ = ["GROUPS", "Call", "Group", "Length", "Listed", "Read", "Seen", "groups_of", "see"]

Call = Literal["search", "browse"]
"""The tool of a step."""

Group = Literal["correct", "incorrect", "all"]
"""Trajectories by what became of the answer; "all" holds those that the judge has not graded, too."""

GROUPS: tuple[Group, ...] = ("correct", "incorrect", "all")


class Listed(NamedTuple):
    """Where a document stood in the list that an agent found it in.

    Attributes:
        rank: in the retriever's list, from 1.
        position: in the list as it was shown, from 1.
        ranks: of all the documents that were shown, this one included.
    """

    rank: int
    position: int
    ranks: tuple[int, ...]


class Length(NamedTuple):
    """The length of the reasoning after a browse.

    Attributes:
        tokens: per document read before it; None where it cannot be measured.
        why: what is special about it: nothing, it is a lower bound, there is none, or the provider withholds it.
    """

    tokens: float | None
    why: Literal["measured", "censored", "none", "withheld"]


@dataclass(frozen=True, slots=True)
class Read:
    """A document, read for the first time.

    Attributes:
        docid: which.
        evidence: whether it is evidence of the question; None where the task cannot say.
        listed: where it was found; None where no list that the agent had seen holds it.
        length: of the reasoning that follows.
    """

    docid: str
    evidence: bool | None
    listed: Listed | None
    length: Length


@dataclass(frozen=True, slots=True)
class Seen:
    """One trajectory that did not error.

    Attributes:
        question: task and question, the same in all runs and repeats.
        grade: what became of the answer.
        calls: the tool of each step, in order: of each call of which a query or document succeeded.
        answered: whether an answer follows the last of them.
        reads: the documents read, each once.
        again: documents read again.
        has_evidence: whether the task names evidence for the question.
    """

    question: tuple[str, str]
    grade: Grade
    calls: tuple[Call, ...]
    answered: bool
    reads: tuple[Read, ...]
    again: int
    has_evidence: bool


def groups_of(seen: Seen) -> tuple[Group, ...]:
    """The groups that a trajectory belongs to."""
    return ("all",) if seen.grade == "ungraded" else (seen.grade, "all")


def see(
    trajectory: Trajectory, grade: Grade, *, task: str, evidence: frozenset[str] | None, tokenizer: Tokenizer
) -> Seen:
    """Read a trajectory.

    Args:
        trajectory: that did not error.
        grade: what became of its answer.
        task: fingerprint of the task, so that equal question ids of two tasks stay apart.
        evidence: of the question; None where the task cannot say.
        tokenizer: that counts reasoning.
    """
    reads: dict[str, Read] = {}
    browsed = 0
    thought = reasonings(trajectory)
    for at, browse in _browses(trajectory):
        browsed += 1
        if browse.docid not in reads:
            reads[browse.docid] = Read(
                docid=browse.docid,
                evidence=browse.docid in evidence if evidence else None,
                listed=_listed(trajectory, at),
                length=_length(thought.get(at), tokenizer),
            )
    return Seen(
        question=(task, trajectory.question_id),
        grade=grade,
        calls=tuple(_calls(trajectory)),
        answered=any(isinstance(step, Answer) for step in trajectory.steps) or bool((trajectory.answer or "").strip()),
        reads=tuple(reads.values()),
        again=browsed - len(reads),
        has_evidence=bool(evidence),
    )


def _calls(trajectory: Trajectory) -> Iterator[Call]:
    told: set[tuple[int | None, int]] = set()
    for step in trajectory.steps:
        if isinstance(step, Search | Browse) and _succeeded(step) and (step.turn, step.call) not in told:
            told.add((step.turn, step.call))
            yield step.kind


def _succeeded(step: Search | Browse) -> bool:
    """As `score.metrics` counts steps: a search that found nothing succeeded, a document that is not there did not."""
    return step.error is None and (isinstance(step, Search) or step.found)


def _browses(trajectory: Trajectory) -> Iterator[tuple[int, Browse]]:
    for at, step in enumerate(trajectory.steps):
        if isinstance(step, Browse) and _succeeded(step):
            yield at, step


def _listed(trajectory: Trajectory, at: int) -> Listed | None:
    """Where the document of a browse stood in the list that it was found in."""
    found, browse = list_of(trajectory, at), trajectory.steps[at]
    if found is None or not isinstance(browse, Browse):
        return None
    shown = [hit for hit in found.hits if hit.shown]
    position = next(place for place, hit in enumerate(shown, 1) if hit.docid == browse.docid)
    return Listed(shown[position - 1].rank, position, tuple(hit.rank for hit in shown))


def _length(reasoning: Reasoning | None, tokenizer: Tokenizer) -> Length:
    if reasoning is None:
        return Length(None, "none")
    if reasoning.source != "text":
        return Length(None, "withheld")
    tokens = share_of(tokens_of(reasoning.text, tokenizer), reasoning.shared)
    return Length(tokens, "censored" if reasoning.censored else "measured")
