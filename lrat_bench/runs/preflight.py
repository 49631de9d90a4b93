"""Preflight: one canary call per model before a run spends anything; each failure says what to change."""

from __future__ import annotations

import logging

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.presentation import form
from lrat_bench.errors import (
    ContextOverflow,
    Halt,
    ModelRefusal,
    RunIncomplete,
    UsageError,
)
from lrat_bench.model.access import Remote, remote
from lrat_bench.model.lite.model import LiteLLMModel
from lrat_bench.model.seam import Model, Turn
from lrat_bench.runs.canary import Canary
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.manifest import Endpoint
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.question import Question

__all__ = ["preflight"]

_log = logging.getLogger("lrat_bench.runs")

_CALL_MARKUP = ("<tool_call", "<function=", "<function_call", "<|tool_call", "<minimax:tool_call", '{"name":')


async def preflight(config: RunConfig) -> tuple[Endpoint, ...]:
    """Try the agent's and the judge's model, where they are behind a network.

    Nothing is tried where a cassette answers.

    Returns:
        the endpoints, as they present themselves.

    Raises:
        UsageError: an endpoint refuses requests, or does not do what the agent or judge needs of it.
        RunIncomplete: one cannot be reached.
    """
    config.access.require_prices()
    if config.access.replays:
        return ()
    _require_budget(config)
    found = []
    if isinstance(config.agent, Agent) and (model := remote(config.agent.model)):
        found.append(await _try_agent(config, config.agent, model))
    if (judging := getattr(config.judge, "model", None)) is not None and (model := remote(judging)):
        found.append(await _try_judge(config, model))
    return tuple(found)


async def _try_agent(config: RunConfig, agent: Agent, model: Remote) -> Endpoint:
    canary = Canary("agent", model)
    context = await canary.context()
    if context is not None and agent.context_tokens is not None and context < agent.context_tokens:
        raise UsageError(
            f"agent {canary.name} has a window of {context:,} tokens and is run with {agent.context_tokens:,}: serve "
            f"it with a longer one (vLLM: --max-model-len), or give --set agent.context_tokens={context}"
        )
    if context is not None and agent.context_tokens is None:
        _log.warning(
            "agent %s has a window of %s tokens: with --set agent.context_tokens=%d the answer is asked for before it "
            "is full",
            *(canary.name, f"{context:,}", context),
        )
    async with canary.trial() as trial:
        try:
            turn = await _call(agent, config.access.budget.wrap(trial), config.protocol.rollout)
        except ContextOverflow as failure:
            raise UsageError(
                f"agent {canary.name} has no room for a single call: {failure}; give a smaller --set "
                "agent.max_tokens, or serve it with a longer window"
            ) from None
        except ModelRefusal as failure:
            raise UsageError(f"agent {canary.name} declines a harmless request: {failure}") from None
    if not turn.calls:
        _no_call(agent, canary, turn)
    return _endpoint(config, "agent", model, trial, context)


async def _call(agent: Agent, model: Model, rollout: Rollout) -> Turn:
    tools = agent.tools_under(rollout)
    wanted = form("search", agent.presentation)
    prompt = f"This is a test of the connection. Make exactly one tool call, with the query test: {wanted}"
    history = agent.format.start(prompt, tools)
    sampling = agent.sampling_under(rollout, seed=0)
    request = agent.format.request(history, tools, may_call=True, sampling=sampling)
    return agent.format.decode(await model.complete(request), number=0)


def _no_call(agent: Agent, canary: Canary, turn: Turn) -> None:
    said = " ".join(turn.text.split())[:120]
    if agent.format.name == "native" and any(mark in turn.text for mark in _CALL_MARKUP):
        raise UsageError(
            f"agent {canary.name} gives tool calls as text ({said!r}): its server does not parse them. Start it with a "
            "tool-call parser (vLLM: --enable-auto-tool-choice --tool-call-parser …; `lrat-bench agents show` prints "
            "the command of each row), or give --set agent.format=tags"
        )
    if turn.finish_reason == "length":
        raise UsageError(
            f"agent {canary.name} was cut off before it could call a tool: give a larger --set agent.max_tokens"
        )
    _log.warning("agent %s was asked to call a tool and answered %r: check that it can", canary.name, said)


async def _try_judge(config: RunConfig, model: Remote) -> Endpoint:
    from lrat_bench.score.judges.llm import LlmJudge

    canary = Canary("judge", model)
    context = await canary.context()
    question = Question(qid="preflight", text="How much is two and two?", answers=("4",), split="preflight")
    async with canary.trial() as trial:
        judge = LlmJudge(config.protocol.scoring, config.access.budget.wrap(trial))
        said = await judge.judge(question, "Explanation: two and two make four.\nExact Answer: 4\nConfidence: 100%")
    if said.outcome == "ungraded":
        raise UsageError(
            f"judge {canary.name} gives no verdict on a plain case ({said.error}): check its rubric, its output limit "
            "(--set judge.max_tokens=…), and that its reasoning is separated from its reply"
        )
    if said.outcome == "incorrect":
        _log.warning("judge %s calls 4 a wrong answer to two and two: check it before you trust it", canary.name)
    return _endpoint(config, "judge", model, trial, context)


def _require_budget(config: RunConfig) -> None:
    try:
        config.access.budget.check()
    except Halt as halt:
        raise RunIncomplete(f"nothing was started: {halt}") from None


def _endpoint(config: RunConfig, role: str, model: Remote, trial: LiteLLMModel, context: int | None) -> Endpoint:
    """What the trial has found; the model itself knows it from now on."""
    _require_budget(config)
    model.reported = trial.reported
    return Endpoint.model_validate(
        {
            "role": role,
            "model": model.spec.model,
            "address": model.connection.public_api_base,
            "reported": trial.reported,
            "context_tokens": context,
        }
    )
