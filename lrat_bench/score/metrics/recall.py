"""Recall of judged documents over a whole trajectory: what share of them did the agent get to see?

NOTE: `evidence_recall_searched` is the recall of BrowseComp-Plus (Chen et al. 2025), whose evaluator counts search
results only. LRAT's evaluator takes over its formula but, with most agents, counts documents read as well, which is
`evidence_recall`. LRAT's text defines a third quantity, `hit_rate`.
"""

from __future__ import annotations

from collections.abc import Set

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["EVIDENCE_RECALL", "EVIDENCE_RECALL_SEARCHED", "GOLD_RECALL", "recall"]


def recall(found: Set[str], relevant: Set[str] | None) -> float | None:
    """|found ∩ relevant| / |relevant|; None where nothing is judged relevant."""
    return len(found & relevant) / len(relevant) if relevant else None


def _evidence(seen: Observation) -> float | None:
    return recall(seen.retrieved_docids, seen.evidence)


def _evidence_searched(seen: Observation) -> float | None:
    return recall(seen.searched_docids, seen.evidence)


def _gold(seen: Observation) -> float | None:
    return recall(seen.retrieved_docids, seen.gold)


EVIDENCE_RECALL = Measure(
    name="evidence_recall",
    definition=(
        "Share of a question's evidence documents that a search showed or the agent read, averaged over questions "
        "that have evidence and did not error."
    ),
    unit="share",
    direction="higher",
    of=_evidence,
)

EVIDENCE_RECALL_SEARCHED = Measure(
    name="evidence_recall_searched",
    definition=(
        "Share of a question's evidence documents that a search showed, averaged over questions that have evidence "
        "and did not error."
    ),
    unit="share",
    direction="higher",
    of=_evidence_searched,
)

GOLD_RECALL = Measure(
    name="gold_recall",
    definition=(
        "Share of a question's gold documents that a search showed or the agent read, averaged over questions that "
        "have gold documents and did not error."
    ),
    unit="share",
    direction="higher",
    of=_gold,
)
