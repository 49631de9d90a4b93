"""Citations: which documents does the final answer name in square brackets?

`[d1]`, `[d1, d2]`, `[docid: d1]`, and gpt-oss's `【d1†L3-L5】`, anywhere in the text. Docids are any texts without
whitespace. What is named counts if a search showed it or the agent read it: brackets hold much else (years, footnotes,
links), and what an agent never saw it cannot rest on.

NOTE: BrowseComp-Plus takes every integer in brackets for a docid, and averages precision and recall over responses that
have one (`score.peers.browsecomp_plus`).
"""

from __future__ import annotations

import re
from collections.abc import Set

from lrat_bench.score.metrics.measure import Measure, Observation
from lrat_bench.score.metrics.recall import recall

__all__ = ["CITATION_COVERAGE", "CITATION_PRECISION", "CITATION_RECALL", "cited"]

_BRACKETS = (re.compile(r"\[([^\[\]]*)\]"), re.compile(r"【([^【】]*)】"))
_BETWEEN = re.compile(r"[\s,;†]+")
_LABEL = re.compile(r"^doc(?:ument)?(?:[_-]?id)?s?[:#=]", re.IGNORECASE)


def cited(text: str, seen: Set[str]) -> frozenset[str]:
    """The documents that a text names in brackets, among those that were seen."""
    found: set[str] = set()
    for brackets in _BRACKETS:
        for content in brackets.findall(text):
            inside = content.strip()
            for said in (inside, *_BETWEEN.split(inside)):
                found |= {said, _LABEL.sub("", said)}
    return frozenset(found & seen)


def _cited(seen: Observation) -> frozenset[str]:
    return cited(seen.trajectory.answer or "", seen.retrieved_docids)


def _coverage(seen: Observation) -> float | None:
    return float(bool(_cited(seen)))


def _precision(seen: Observation) -> float | None:
    named = _cited(seen)
    return len(named & seen.evidence) / len(named) if named and seen.evidence else None


def _recall(seen: Observation) -> float | None:
    return recall(_cited(seen), seen.evidence)


CITATION_COVERAGE = Measure(
    name="citation_coverage",
    definition=(
        "Share of selected questions times repeats whose final answer names, in brackets, a document that the agent "
        "was shown or read; without an answer it names none."
    ),
    unit="share",
    direction="higher",
    of=_coverage,
    binary=True,
    absent=0.0,
)

CITATION_PRECISION = Measure(
    name="citation_precision",
    definition=(
        "Share of the documents an answer cites that are evidence, averaged over answers that cite any, to questions "
        "that have evidence and did not error."
    ),
    unit="share",
    direction="higher",
    of=_precision,
)

CITATION_RECALL = Measure(
    name="citation_recall",
    definition=(
        "Share of a question's evidence documents that the answer cites, 0 where it cites none, averaged over "
        "questions that have evidence and did not error."
    ),
    unit="share",
    direction="higher",
    of=_recall,
)
