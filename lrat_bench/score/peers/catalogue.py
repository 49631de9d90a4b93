"""Every number of a peer, and which of ours it stands beside."""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure
from lrat_bench.score.peers import browsecomp_plus, lrat

__all__ = ["BESIDE", "PEER_MEASURES"]

PEER_MEASURES: tuple[Measure, ...] = (*browsecomp_plus.MEASURES, *lrat.MEASURES)
"""Those that are means over trajectories."""

BESIDE: dict[str, str | None] = {
    "browsecomp_plus.accuracy": "success_rate",
    "browsecomp_plus.recall": "evidence_recall_searched",
    "browsecomp_plus.search_calls": "searches",
    "browsecomp_plus.calibration_error": "calibration_error",
    "browsecomp_plus.citation_coverage": "citation_coverage",
    "browsecomp_plus.citations": None,
    "browsecomp_plus.citation_precision": "citation_precision",
    "browsecomp_plus.citation_recall": "citation_recall",
    "lrat.success_rate": "success_rate",
    "lrat.steps": "steps",
    "lrat.recall": "evidence_recall",
}
"""Name of a peer's number → ours of the same thing, in the order of tables; None where we have none."""
