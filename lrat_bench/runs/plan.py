"""What a run would do, before it does anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrat_bench.agent.agent import Agent
from lrat_bench.model.access import remote
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import describe_agent, describe_judge
from lrat_bench.runs.resume import kept_of, owed

__all__ = ["plan"]

_BYTES_PER_TURN = 2_500
"""Of a trajectory on disk: measured on synth-wiki with k = 10, reasoning of a paragraph a turn."""


def plan(config: RunConfig, out: Path | None = None) -> dict[str, Any]:
    """The resolved run: its parts, its folder, and upper bounds of what it will take.

    The task is prepared in the cache by then; no index is built, no model is asked, no run folder is touched.

    Args:
        config: the resolved run.
        out: the run folder, where it is not the default one.
    """
    folder = RunFolder(out or config.folder_in(Path("runs")))
    todo = owed(config.questions, config.repeats, kept_of(folder.trajectories.scan()))
    rollout = config.protocol.rollout
    completions = len(todo) * (rollout.max_turns + int(rollout.forced_answer))
    return {
        "run": str(folder.path),
        "identity": config.identity,
        "task": {
            "name": config.task.name,
            "split": config.split,
            "documents": len(config.task.corpus),
            "questions": len(config.questions),
            "repeats": config.repeats,
        },
        "protocol": {"name": config.protocol.name, **rollout.model_dump(mode="json")},
        "scoring": config.protocol.scoring.model_dump(mode="json"),
        "judge": {key: value for key, value in describe_judge(config.judge).items() if key != "rubric_text"},
        "agent": {key: value for key, value in describe_agent(config).items() if key != "row"},
        "retriever": config.retriever.name,
        "rollouts": {"selected": len(config.questions) * config.repeats, "to do": len(todo)},
        "at most": {
            "completions": completions,
            "tool calls": None if rollout.max_calls is None else len(todo) * rollout.max_calls,
            "completion tokens": None if rollout.max_tokens is None else len(todo) * rollout.max_tokens,
            "cost in USD": _cost(config, completions),
            "cost cap in USD": config.access.budget.limit_usd if config.access.budget.capped else None,
            "bytes on disk": completions * _BYTES_PER_TURN,
        },
    }


def _cost(config: RunConfig, completions: int) -> float | None:
    """Every completion at the size of the whole window; None where price or window is unknown. Judges not included."""
    agent = config.agent
    model = remote(agent.model) if isinstance(agent, Agent) else None
    if not isinstance(agent, Agent) or model is None or agent.context_tokens is None:
        return None
    written = agent.sampling_under(config.protocol.rollout, seed=None).max_tokens or 0
    each = model.price(max(agent.context_tokens - written, 0), written)
    return None if each is None else round(completions * each, 2)
