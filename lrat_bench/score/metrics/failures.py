"""Failure rate: how often did something break that is neither the answer nor a limit of the protocol?"""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["FAILURES", "FAILURE_RATE"]

FAILURES = ("format_error", "context_limit", "refused", "error")
"""Statuses that speak of a failing agent, model or endpoint."""


def _failed(seen: Observation) -> float | None:
    status = seen.trajectory.status
    return None if status is None else float(status in FAILURES)


FAILURE_RATE = Measure(
    name="failure_rate",
    definition=(
        "Share of selected questions times repeats that ended in a format error, at the end of the context window, "
        "refused by the provider, or errored; one that is missing counts as failed."
    ),
    unit="share",
    direction="lower",
    of=_failed,
    binary=True,
)
