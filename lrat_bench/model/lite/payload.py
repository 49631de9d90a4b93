"""A request of the seam as the arguments of LiteLLM's call: what is sent, and nothing that is not said here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lrat_bench.model.seam import Message, Request, Sampling, Tool
from lrat_bench.model.spec import ModelSpec

__all__ = ["payload", "sent"]

_NATIVE_TOP_K = ("anthropic", "gemini", "vertex_ai", "bedrock", "cohere", "ollama", "ollama_chat")
"""Providers whose own parameter `top_k` is; the others, OpenAI-compatible servers, take it in the body."""


def sent(spec: ModelSpec, sampling: Sampling) -> dict[str, Any]:
    """Every value beside the conversation that a call is sent with, as LiteLLM is given it.

    Args:
        spec: the model; what it omits is left out.
        sampling: the values asked for.
    """
    values = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
    }
    body = dict(spec.extra_body)
    if sampling.top_k is not None and "top_k" not in spec.omit:
        if spec.model.partition("/")[0] in _NATIVE_TOP_K:
            values["top_k"] = sampling.top_k
        else:
            body["top_k"] = sampling.top_k
    kept = {name: value for name, value in values.items() if value is not None and name not in spec.omit}
    return {**kept, **spec.parameters, **({"extra_body": body} if body else {})}


def payload(spec: ModelSpec, request: Request) -> dict[str, Any]:
    """The keyword arguments of `litellm.acompletion`, or of `litellm.atext_completion` for a raw request.

    Address, key and patience are added by who makes the call.
    """
    arguments: dict[str, Any] = {"model": spec.model, **sent(spec, request.sampling)}
    if request.raw:
        return {**arguments, "prompt": request.messages[0].content}
    arguments["messages"] = _messages(request.messages, spec)
    if request.tools:
        arguments["tools"] = [_tool(tool) for tool in request.tools]
        arguments["tool_choice"] = request.tool_choice
    return arguments


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _messages(messages: Sequence[Message], spec: ModelSpec) -> list[dict[str, Any]]:
    # A provider that signs its calls by their ids must see them again; everybody else sees ours.
    ids: dict[str, str] = {}
    return [
        _assistant(message, spec, ids) if message.role == "assistant" else _other(message, ids) for message in messages
    ]


def _other(message: Message, ids: dict[str, str]) -> dict[str, Any]:
    if message.role == "tool":
        call_id = message.call_id or ""
        return {"role": "tool", "tool_call_id": ids.get(call_id, call_id), "content": message.content}
    return {"role": message.role, "content": message.content}


def _assistant(message: Message, spec: ModelSpec, ids: dict[str, str]) -> dict[str, Any]:
    if spec.passback == "message" and "message" in message.extra:
        return _own(message, ids)
    said: dict[str, Any] = {"role": "assistant", "content": message.content}
    reasoning = message.reasoning
    if spec.passback == "inline" and reasoning:
        said["content"] = f"<think>\n{reasoning}\n</think>\n\n{message.content}"
    elif (spec.passback == "fields" and reasoning) or (spec.passback == "always" and (reasoning or message.calls)):
        # Servers read one of the two and pass over the other.
        said["reasoning_content"] = said["reasoning"] = reasoning or ""
    if message.calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    return said


def _own(message: Message, ids: dict[str, str]) -> dict[str, Any]:
    """The provider's own message, signatures and ids included; only arguments that were no JSON are replaced."""
    said: dict[str, Any] = json.loads(json.dumps(message.extra["message"]))
    for call, theirs in zip(message.calls, said.get("tool_calls") or (), strict=False):
        ids[call.id] = theirs["id"]
        theirs["function"]["arguments"] = call.arguments
    return said
