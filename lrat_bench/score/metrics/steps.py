"""Steps: how many tool calls did the agent need?

A step is one tool call of which at least one query or document succeeded, as LRAT counts them (its average steps
are average searches plus average browses). The entries of one list-valued call share (turn, call) and are one step.
"""

from __future__ import annotations

from collections.abc import Iterable

from lrat_bench.score.metrics.measure import Measure, Observation
from lrat_bench.trajectory import Browse, Search

__all__ = ["BROWSES", "DOCUMENTS", "QUERIES", "SEARCHES", "STEPS"]


def _calls(entries: Iterable[Search | Browse]) -> float:
    return float(len({(entry.turn, entry.call) for entry in entries}))


def _steps(seen: Observation) -> float:
    return _calls((*seen.searches, *seen.browses))


def _searches(seen: Observation) -> float:
    return _calls(seen.searches)


def _browses(seen: Observation) -> float:
    return _calls(seen.browses)


def _queries(seen: Observation) -> float:
    return float(len(seen.searches))


def _documents(seen: Observation) -> float:
    return float(len(seen.browses))


STEPS = Measure(
    name="steps",
    definition=(
        "Tool calls of which at least one query or document succeeded, per question that did not error; a call with "
        "a list of queries or documents is one step."
    ),
    unit="steps",
    direction="lower",
    of=_steps,
)

SEARCHES = Measure(
    name="searches",
    definition="Search calls of which at least one query succeeded, per question that did not error.",
    unit="calls",
    direction="neutral",
    of=_searches,
)

BROWSES = Measure(
    name="browses",
    definition="Browse calls of which at least one document was found, per question that did not error.",
    unit="calls",
    direction="neutral",
    of=_browses,
)

QUERIES = Measure(
    name="queries",
    definition="Queries that succeeded, repeated ones included, per question that did not error.",
    unit="queries",
    direction="neutral",
    of=_queries,
)

DOCUMENTS = Measure(
    name="documents",
    definition="Documents read, repeated ones included, per question that did not error.",
    unit="documents",
    direction="neutral",
    of=_documents,
)
