"""Every measure that a run is given, in the order of its tables."""

from __future__ import annotations

from lrat_bench.score.metrics.citations import CITATION_COVERAGE, CITATION_PRECISION, CITATION_RECALL
from lrat_bench.score.metrics.confidence import BRIER_SCORE, STATED_CONFIDENCE
from lrat_bench.score.metrics.effort import COMPLETION_TOKENS, COST_USD, JUDGE_COST_USD, SECONDS, TURNS
from lrat_bench.score.metrics.failures import FAILURE_RATE
from lrat_bench.score.metrics.hit_rate import HIT_RATE
from lrat_bench.score.metrics.measure import Measure
from lrat_bench.score.metrics.ranking import FIRST_QUERY_NDCG_10
from lrat_bench.score.metrics.recall import EVIDENCE_RECALL, EVIDENCE_RECALL_SEARCHED, GOLD_RECALL
from lrat_bench.score.metrics.steps import BROWSES, DOCUMENTS, QUERIES, SEARCHES, STEPS
from lrat_bench.score.metrics.success import SUCCESS_RATE

__all__ = ["MEASURES"]

MEASURES: tuple[Measure, ...] = (
    SUCCESS_RATE,
    EVIDENCE_RECALL,
    EVIDENCE_RECALL_SEARCHED,
    HIT_RATE,
    GOLD_RECALL,
    FIRST_QUERY_NDCG_10,
    STEPS,
    SEARCHES,
    BROWSES,
    QUERIES,
    DOCUMENTS,
    FAILURE_RATE,
    STATED_CONFIDENCE,
    BRIER_SCORE,
    CITATION_COVERAGE,
    CITATION_PRECISION,
    CITATION_RECALL,
    TURNS,
    COMPLETION_TOKENS,
    COST_USD,
    JUDGE_COST_USD,
    SECONDS,
)
