"""A model that is spoken to as over HTTP, without any: what formats write is read as the test server reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from endpoint_replies import Dialect, chat_reply, raw_reply
from endpoint_requests import read_request

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.episode import Episode
from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.loop import play
from lrat_bench.agent.presentation import CANONICAL, Presentation
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.model.seam import Message, Model, Request, ToolCall, Turn
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task

__all__ = ["Behind", "play_on", "two_hits"]


class Behind:
    """`model`, behind a server that writes as `dialect` says.

    Attributes:
        requests: as they reached the seam.
        bodies: as they would have gone out.
    """

    def __init__(self, model: Model, dialect: Dialect, names: Mapping[str, str] | None = None) -> None:
        self.name = model.name
        self.fingerprint = model.fingerprint
        self._model = model
        self._dialect = dialect
        self._names = names
        self.requests: list[Request] = []
        self.bodies: list[dict[str, Any]] = []

    async def complete(self, request: Request) -> Turn:
        self.requests.append(request)
        body = _body(request)
        self.bodies.append(body)
        turn = await self._model.complete(read_request(body, self._dialect, self._names))
        answer = raw_reply if request.raw else chat_reply
        reply = answer(turn, body, self._dialect, number=len(self.bodies), size=len(str(body)))
        return replace(_turn(reply["choices"][0]), usage=turn.usage)

    async def close(self) -> None:
        """Nothing is held."""


async def two_hits(query: str, k: int, context: SearchContext) -> list[Ranked]:
    return [Ranked("d1", 2.0), Ranked("d2", 1.0)][:k]


def play_on(
    task: Task,
    model: Model,
    wire_format: WireFormat,
    *,
    presentation: Presentation = CANONICAL,
    context_tokens: int | None = None,
    search: Any = two_hits,
    **rules: Any,
) -> Episode:
    """One question of a task, played."""
    protocol = Rollout(**rules)
    at = Session("q1", protocol, search, Reader(task.corpus, protocol))
    agent = Agent("test", model, wire_format, context_tokens=context_tokens, presentation=presentation)
    return asyncio.run(play("Which mason built it?", agent, at, seed=7))


def _body(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {"stop": list(request.sampling.stop)}
    if request.raw:
        return {**body, "prompt": request.messages[0].content}
    body["messages"] = list(map(_message, request.messages))
    if request.tools:
        functions = [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in request.tools
        ]
        body["tools"] = [{"type": "function", "function": function} for function in functions]
        body["tool_choice"] = request.tool_choice
    return body


def _message(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.reasoning is not None:
        said["reasoning_content"] = message.reasoning
    if message.call_id is not None:
        said["tool_call_id"] = message.call_id
    if message.calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    return said


def _turn(choice: dict[str, Any]) -> Turn:
    finish = choice["finish_reason"]
    if "text" in choice:
        return Turn(text=choice["text"], reasoning_source="none", finish_reason=finish)
    message = choice["message"]
    calls = tuple(
        ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    )
    reasoning = message.get("reasoning_content", message.get("reasoning"))
    source: Any = "none" if reasoning is None else "text"
    return Turn(message["content"] or "", reasoning, source, calls, finish)
