"""Hit rate: on how many questions did the agent see any evidence at all?

NOTE: this is what the text of LRAT calls evidence recall ("proportion of tasks in which the annotated evidence
document is retrieved"); the numbers in its tables are those of `evidence_recall`.
"""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["HIT_RATE"]


def _hit(seen: Observation) -> float | None:
    return float(not seen.evidence.isdisjoint(seen.retrieved_docids)) if seen.evidence else None


HIT_RATE = Measure(
    name="hit_rate",
    definition=(
        "Share of questions on which a search showed, or the agent read, at least one evidence document, among those "
        "that have evidence and did not error."
    ),
    unit="share",
    direction="higher",
    of=_hit,
    binary=True,
)
