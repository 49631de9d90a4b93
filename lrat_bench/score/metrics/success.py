"""Success rate: the share of questions answered correctly.

NOTE: LRAT's "success rate" and BrowseComp-Plus's "accuracy" divide by the files that were evaluated, so a question
without one raises the number. Here every selected question counts.
"""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["SUCCESS_RATE"]


def _success(seen: Observation) -> float | None:
    return None if seen.grade == "ungraded" else float(seen.grade == "correct")


SUCCESS_RATE = Measure(
    name="success_rate",
    definition=(
        "Correct answers over selected questions times repeats; what is unanswered, ungraded, errored or missing "
        "counts as not correct."
    ),
    unit="share",
    direction="higher",
    of=_success,
    binary=True,
    absent=0.0,
)
