"""Stated confidence: how sure do answers say they are, and how far is that from what becomes of them?

Of graded answers alone, and only of those that state a confidence. `calibration_error`, which is no mean of questions,
is in `score.calibration`.
"""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["BRIER_SCORE", "STATED_CONFIDENCE"]


def _stated(seen: Observation) -> float | None:
    return seen.held.confidence if seen.held is not None and seen.graded else None


def _brier(seen: Observation) -> float | None:
    confidence = _stated(seen)
    return None if confidence is None else (confidence - (seen.grade == "correct")) ** 2


STATED_CONFIDENCE = Measure(
    name="stated_confidence",
    definition="Confidence that an answer states, averaged over graded answers that state one.",
    unit="share",
    direction="neutral",
    of=_stated,
)

BRIER_SCORE = Measure(
    name="brier_score",
    definition=(
        "Squared difference between the stated confidence and 1 for a correct answer or 0 for another, averaged over "
        "graded answers that state one (Brier 1950)."
    ),
    unit="squared error",
    direction="lower",
    of=_brier,
)
