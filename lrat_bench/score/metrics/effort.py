"""Effort: turns, tokens, money and time. Unknown is never counted as 0; n says on how many questions it is known."""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["COMPLETION_TOKENS", "COST_USD", "SECONDS", "TURNS"]


def _turns(seen: Observation) -> float | None:
    record = seen.trajectory
    # Source formats of imports may carry no turns; in a trajectory of our own, none means none.
    return None if record.origin is not None and not record.turns else float(len(record.turns))


def _completion_tokens(seen: Observation) -> float | None:
    tokens = seen.trajectory.usage.completion_tokens
    return None if tokens is None else float(tokens)


def _cost(seen: Observation) -> float | None:
    return seen.trajectory.usage.cost_usd


def _seconds(seen: Observation) -> float | None:
    record = seen.trajectory
    return None if record.origin is not None and record.seconds == 0 else record.seconds


TURNS = Measure(
    name="turns",
    definition="Completions of the model, per question that did not error and whose turns are recorded.",
    unit="turns",
    direction="lower",
    of=_turns,
)

COMPLETION_TOKENS = Measure(
    name="completion_tokens",
    definition=(
        "Tokens the model wrote, reasoning included, as the provider reports them, per question that did not error "
        "and whose usage is known."
    ),
    unit="tokens",
    direction="lower",
    of=_completion_tokens,
)

COST_USD = Measure(
    name="cost_usd",
    definition="Price of the model's completions, per question that did not error and whose cost is known.",
    unit="USD",
    direction="lower",
    of=_cost,
)

SECONDS = Measure(
    name="seconds",
    definition="Time from question to answer, per question that did not error and whose time is recorded.",
    unit="seconds",
    direction="lower",
    of=_seconds,
)
