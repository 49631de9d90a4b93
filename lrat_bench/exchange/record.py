"""What a reader gives: a trajectory, with what its source says beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lrat_bench.files import encodable
from lrat_bench.trajectory import Browse, Search, Trajectory, Usage

__all__ = [
    "NOT_CARRIED_OUT",
    "Claims",
    "Decrypt",
    "Imported",
    "as_id",
    "as_usage",
    "brief",
    "calls_of",
    "docids_of",
    "id_in",
]

_IDS = ("query_id", "question_id", "qid", "id")

NOT_CARRIED_OUT = "not carried out"
"""`Search.error` of a query of a list of which the client carried out only the first."""

Decrypt = Callable[[str], str]
"""An encrypted text → the text; raises ValueError on what is none."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a source says of its own steps; it is compared with them and not used.

    Attributes:
        searches: search calls; None where nothing is said.
        docids: documents retrieved; None where nothing is said.
    """

    searches: int | None
    docids: frozenset[str] | None

    def hold(self, trajectory: Trajectory) -> bool:
        """Whether the steps say the same, by one way of counting them or another.

        Calls may be counted when they are made or when they succeed, and documents with or without those read.
        """
        made, succeeded = calls_of(trajectory, failed=True)[0], calls_of(trajectory, failed=False)[0]
        searched, read = docids_of(trajectory)
        return self.searches in (None, made, succeeded) and self.docids in (None, searched, searched | read)


@dataclass(frozen=True, slots=True)
class Imported:
    """One record of a source.

    Attributes:
        place: file, and line where it has several records, for messages.
        trajectory: what happened; its `question_id` is empty where the source gives none.
        question: the question's text, where the source has it.
        claims: what the source says of its own steps.
    """

    place: str
    trajectory: Trajectory
    question: str | None = None
    claims: Claims = Claims(None, None)


def as_id(given: object) -> str:
    """An id as a text; the number 17.0 is 17, and nothing is empty."""
    if given is None or isinstance(given, dict | list):
        return ""
    whole = isinstance(given, float) and given.is_integer()
    return encodable(f"{given:.0f}" if whole else str(given)).strip()


def id_in(record: Mapping[str, object]) -> str:
    """The id of the question that a record is of, under any of the usual names; empty where there is none."""
    return as_id(next((record[key] for key in _IDS if record.get(key) is not None), None))


def brief(name: str) -> str:
    """As much of a name as a message has room for; that of a record may be megabytes."""
    return name if len(name) <= _BRIEF else f"{name[:_BRIEF]}…"


_BRIEF = 80
"""Characters."""


def as_usage(prompt: object, completion: object, reasoning: object) -> Usage:
    """Tokens as a source counts them; where all are 0 it did not count."""
    counts = [one if isinstance(one, int) and one >= 0 else None for one in (prompt, completion, reasoning)]
    if not any(counts):
        return Usage()
    return Usage(prompt_tokens=counts[0], completion_tokens=counts[1], reasoning_tokens=counts[2])


def calls_of(trajectory: Trajectory, *, failed: bool) -> tuple[int, int]:
    """Search calls and browse calls; of those alone of which a query or document succeeded, unless `failed`."""
    searches = {
        (step.turn, step.call)
        for step in trajectory.steps
        if isinstance(step, Search) and (failed or step.error is None)
    }
    browses = {
        (step.turn, step.call)
        for step in trajectory.steps
        if isinstance(step, Browse) and (failed or (step.found and step.error is None))
    }
    return len(searches), len(browses)


def docids_of(trajectory: Trajectory) -> tuple[frozenset[str], frozenset[str]]:
    """Documents that searches showed, and documents that were read."""
    shown = (hit.docid for step in trajectory.steps if isinstance(step, Search) for hit in step.hits if hit.shown)
    read = (step.docid for step in trajectory.steps if isinstance(step, Browse) and step.found)
    return frozenset(shown), frozenset(read)
