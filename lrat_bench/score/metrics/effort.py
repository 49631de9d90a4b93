"""Effort: turns, tokens, money and time. Unknown is never counted as 0; n says on how many questions it is known."""

from __future__ import annotations

from lrat_bench.score.metrics.measure import Measure, Observation

__all__ = ["COMPLETION_TOKENS", "COST_USD", "JUDGE_COST_USD", "SECONDS", "TURNS"]


def _turns(seen: Observation) -> float | None:
    record = seen.trajectory
    if record.turns:
        return float(len(record.turns))
    # Source formats of imports may carry no turns, and a function shows none; else, none means none.
    unseen = record.origin is not None or any(step.turn is None for step in record.steps)
    return None if unseen else 0.0


def _completion_tokens(seen: Observation) -> float | None:
    tokens = seen.trajectory.usage.completion_tokens
    return None if tokens is None else float(tokens)


def _cost(seen: Observation) -> float | None:
    return seen.trajectory.usage.cost_usd


def _judge_cost(seen: Observation) -> float | None:
    return None if seen.held is None else seen.held.usage.cost_usd


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

JUDGE_COST_USD = Measure(
    name="judge_cost_usd",
    definition=(
        "Price of the verdict that counts, 0 where no model was asked for it, per question that has a verdict and "
        "whose price is known."
    ),
    unit="USD",
    direction="lower",
    of=_judge_cost,
)

SECONDS = Measure(
    name="seconds",
    definition="Time from question to answer, per question that did not error and whose time is recorded.",
    unit="seconds",
    direction="lower",
    of=_seconds,
)
