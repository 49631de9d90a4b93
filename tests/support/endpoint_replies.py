"""A turn of the seam as the JSON that a server sends, in each dialect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from lrat_bench.model.seam import ToolCall, Turn

__all__ = ["Dialect", "chat_reply", "raw_reply"]


@dataclass(frozen=True)
class Dialect:
    """How a server writes what its model says.

    Attributes:
        calls: parsed = in fields of their own; tags = as `<tool_call>` text, as Qwen models write them where no parser
            is configured; search_r1 = as `<search>` in raw text that is continued, the only tool there is.
        reasoning: a field of one of two names; inline = `<think>…</think>` before the content; unopened = the same
            without the opening tag, which the prompt holds; none = left out. Raw text has no fields: inline.
        usage: whether tokens are reported.
    """

    calls: Literal["parsed", "tags", "search_r1"] = "parsed"
    reasoning: Literal["reasoning_content", "reasoning", "inline", "unopened", "none"] = "reasoning_content"
    usage: bool = True


def chat_reply(turn: Turn, body: dict[str, Any], dialect: Dialect, *, number: int, size: int) -> dict[str, Any]:
    """The reply to `/v1/chat/completions`.

    Args:
        turn: what to say.
        body: the request.
        dialect: how to say it.
        number: of the request, for ids.
        size: bytes of the request, from which tokens are estimated where the turn counts none.
    """
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}
    finish = turn.finish_reason
    if dialect.calls == "tags":
        message["content"] = "\n".join(filter(None, (turn.text, *map(_tagged, turn.calls))))
        finish = "stop" if finish == "tool_calls" else finish
    elif turn.calls:
        message["content"] = turn.text or None
        message["tool_calls"] = [
            {
                "id": call.id or f"chatcmpl-tool-{number}-{place}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for place, call in enumerate(turn.calls)
        ]
        finish = "tool_calls" if finish == "stop" else finish
    if turn.reasoning is not None:
        if dialect.reasoning in ("reasoning_content", "reasoning"):
            message[dialect.reasoning] = turn.reasoning
        elif dialect.reasoning != "none":
            message["content"] = _thought(turn.reasoning, dialect) + (message["content"] or "")
    if message["content"]:
        message["content"] = _until_stop(message["content"], body)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return _reply("chat.completion", "chatcmpl", choice, turn, dialect, number, size)


def raw_reply(turn: Turn, body: dict[str, Any], dialect: Dialect, *, number: int, size: int) -> dict[str, Any]:
    """The reply to `/v1/completions`; arguments as for `chat_reply`."""
    text = "" if turn.reasoning is None or dialect.reasoning == "none" else _thought(turn.reasoning, dialect)
    searches = "\n".join(f"<search>{_query(call)}</search>" for call in turn.calls if call.name == "search")
    if searches:
        text += searches
    elif turn.text:
        # What the output limit has cut off does not get to its closing tag.
        text += f"<answer>{turn.text}" + ("" if turn.finish_reason == "length" else "</answer>")
    finish = "stop" if turn.finish_reason == "tool_calls" else turn.finish_reason
    choice = {"index": 0, "text": _until_stop(text, body), "logprobs": None, "finish_reason": finish}
    return _reply("text_completion", "cmpl", choice, turn, dialect, number, size)


def _reply(
    kind: str, prefix: str, choice: dict[str, Any], turn: Turn, dialect: Dialect, number: int, size: int
) -> dict[str, Any]:
    reply: dict[str, Any] = {"id": f"{prefix}-{number}", "object": kind, "created": 1_700_000_000, "choices": [choice]}
    if dialect.usage:
        used = turn.usage
        prompt = size // 4 if used.prompt_tokens is None else used.prompt_tokens
        written = len(turn.text) + len(turn.reasoning or "") + sum(len(call.arguments) for call in turn.calls)
        completion = written // 4 + 1 if used.completion_tokens is None else used.completion_tokens
        reply["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        if used.reasoning_tokens is not None:
            reply["usage"]["completion_tokens_details"] = {"reasoning_tokens": used.reasoning_tokens}
    return reply


def _thought(reasoning: str, dialect: Dialect) -> str:
    opened = "" if dialect.reasoning == "unopened" else "<think>\n"
    return f"{opened}{reasoning}\n</think>\n\n"


def _tagged(call: ToolCall) -> str:
    """The call as text; arguments that are no JSON stay so."""
    name = json.dumps(call.name, ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {call.arguments}}}\n</tool_call>'


def _query(call: ToolCall) -> str:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return call.arguments
    query = arguments.get("query", "") if isinstance(arguments, dict) else arguments
    return query if isinstance(query, str) else json.dumps(query, ensure_ascii=False)


def _until_stop(text: str, body: dict[str, Any]) -> str:
    """The text up to the first of the request's stop strings."""
    stop = body.get("stop") or ()
    stops = (stop,) if isinstance(stop, str) else stop
    found = [(place, word) for word in stops if (place := text.find(word)) >= 0]
    if not found:
        return text
    place, word = min(found)
    return text[: place + len(word)] if body.get("include_stop_str_in_output") else text[:place]
