"""The body of a request as the seam's request, in the form that the `native` format would have given it.

Whatever the dialect on the wire: so the same model can play behind each of them, and does the same in all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from endpoint_replies import Dialect

from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall

__all__ = ["read_request"]

_ANSWER_NOW = "Give your final answer now"
"""What the harness says when no tool may be called; formats in text have no other way to say it."""

_BLOCK = re.compile(r"<tool_response>\n(.*?)\n</tool_response>", re.DOTALL)
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')
_CHATML = re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>\n<\|im_start\|>assistant\n(.*)", re.DOTALL)
_INFORMATION = re.compile(r"<information>(.*?)</information>", re.DOTALL)
_SEARCH = re.compile(r"<search>(.*?)</search>", re.DOTALL)
_ESCAPED = ("<\\/", "\\u003c")

_ONLY_SEARCH = Tool("search", "", {"type": "object", "properties": {"query": {"type": "string"}}})


def read_request(body: dict[str, Any], dialect: Dialect, names: Mapping[str, str] | None = None) -> Request:
    """Rebuild the seam's request.

    Args:
        body: as it arrived.
        dialect: as it is written.
        names: presented tool name → canonical one; arguments are then brought to the canonical form, too.

    Raises:
        ValueError: the body is not written in that dialect.
    """
    if dialect.calls == "search_r1":
        messages, may_call = _raw_messages(body["prompt"])
        tools: tuple[Tool, ...] = (_ONLY_SEARCH,)
    elif dialect.calls == "tags":
        messages, tools = _tags_messages(body["messages"]), _tags_tools(body["messages"])
        may_call = _ANSWER_NOW not in (messages[-1].content if messages else "")
    else:
        messages = [_message(message) for message in body["messages"]]
        tools = tuple(_tool(tool["function"]) for tool in body.get("tools") or ())
        may_call = body.get("tool_choice") != "none"
    if names is not None:
        messages = [_canonical_message(message, names) if message.calls else message for message in messages]
        tools = tuple(replace(tool, name=names.get(tool.name, tool.name)) for tool in tools)
    return Request(tuple(messages), tools, "auto" if may_call else "none", _sampling(body))


def _sampling(body: dict[str, Any]) -> Sampling:
    stop = body.get("stop") or ()
    return Sampling(
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        top_k=body.get("top_k"),
        presence_penalty=body.get("presence_penalty"),
        max_tokens=body.get("max_tokens", body.get("max_completion_tokens")),
        seed=body.get("seed"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
    )


def _tool(function: dict[str, Any]) -> Tool:
    return Tool(function["name"], function.get("description", ""), function.get("parameters", {}))


def _text(content: Any) -> str:
    """The text of a message's content, which may be missing or a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def _reasoning(message: dict[str, Any]) -> str | None:
    found = message.get("reasoning_content")
    return message.get("reasoning") if found is None else found


def _message(message: dict[str, Any]) -> Message:
    calls = tuple(
        ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    )
    text = _text(message.get("content"))
    return Message(message["role"], text, _reasoning(message), calls, message.get("tool_call_id"))


def _tags_tools(messages: list[dict[str, Any]]) -> tuple[Tool, ...]:
    """From the system text: every line that is the JSON of a function."""
    system = "\n".join(_text(message.get("content")) for message in messages if message["role"] == "system")
    lines = (_parse(line) for line in system.splitlines() if line.startswith("{"))
    return tuple(_tool(line["function"]) for line in lines if isinstance(line, dict) and "function" in line)


def _tags_messages(messages: list[dict[str, Any]]) -> list[Message]:
    found: list[Message] = []
    pending: tuple[ToolCall, ...] = ()
    turn = 0
    for message in messages:
        text = _text(message.get("content"))
        if message["role"] == "assistant":
            thought, rest = _split(text)
            pending = tuple(_tags_call(block, f"c{turn}_{n}") for n, block in enumerate(_CALL.findall(rest)))
            said = _CALL.sub("", rest).strip()
            found.append(Message("assistant", said, _reasoning(message) if thought is None else thought, pending))
            turn += 1
        elif message["role"] == "user" and (blocks := _BLOCK.findall(text)) and found:
            if pending:
                shown = zip(pending, blocks, strict=True)
                found += [Message("tool", _unescaped(block), call_id=call.id) for call, block in shown]
                pending = ()
            else:
                found.append(Message("user", "\n".join(map(_unescaped, blocks))))
        elif message["role"] == "user":
            found.append(Message("user", text))
    return found


def _tags_call(block: str, call_id: str) -> ToolCall:
    call = _parse(block)
    if not isinstance(call, dict):
        named = _NAME.search(block)
        return ToolCall(call_id, named[1] if named else "", "{}")
    arguments = call.get("arguments", {})
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(call_id, str(call.get("name", "")), written)


def _split(text: str) -> tuple[str | None, str]:
    """Reasoning, and what follows it."""
    before, closed, after = text.partition("</think>")
    if not closed:
        return None, text
    return before.strip().removeprefix("<think>").strip("\n"), after.strip("\n")


def _raw_messages(prompt: str) -> tuple[list[Message], bool]:
    """The messages of a text that is to be continued, and whether it lets the model call."""
    read = _CHATML.search(prompt)
    if read is None:
        raise ValueError("the prompt is not a ChatML conversation that ends in an assistant's turn")
    messages = [Message("user", read[1])]
    messages += _raw_turns(read[2])
    tail = _INFORMATION.split(read[2])[-1]
    last = messages[-1].content if len(messages) > 1 else ""
    return messages, _ANSWER_NOW not in last + tail


def _raw_turns(text: str) -> Iterator[Message]:
    parts = _INFORMATION.split(text)
    for turn, (said, shown) in enumerate(zip(parts[:-1:2], parts[1::2], strict=True)):
        thought, rest = _split(said)
        asked = _SEARCH.findall(rest)
        if asked:
            arguments = json.dumps({"query": asked[-1].strip()}, ensure_ascii=False)
            call = ToolCall(f"c{turn}_0", "search", arguments)
            yield Message("assistant", "", thought, (call,))
            yield Message("tool", _unescaped(shown.strip("\n")), call_id=call.id)
        else:
            yield Message("assistant", rest.strip(), thought)
            yield Message("user", _unescaped(shown.strip("\n")))


@lru_cache(maxsize=1024)
def _unescaped(result: str) -> str:
    """A result as it was before tags in it were taken apart: the same JSON value, and words that may follow it."""
    if not any(mark in result for mark in _ESCAPED):
        return result
    try:
        value, end = json.JSONDecoder().raw_decode(result)
    except ValueError:
        return result
    return json.dumps(value, ensure_ascii=False) + result[end:]


def _canonical_message(message: Message, names: Mapping[str, str]) -> Message:
    return (
        replace(message, calls=tuple(_canonical(call, names) for call in message.calls)) if message.calls else message
    )


def _canonical(call: ToolCall, names: Mapping[str, str]) -> ToolCall:
    """A presented call as the canonical one; one that cannot be read keeps its arguments."""
    from lrat_bench.agent.reading import ReadCall, read_call

    name = names.get(call.name, call.name)
    read = read_call(replace(call, name=name), ("search", "get_document"))
    if not isinstance(read, ReadCall):
        return replace(call, name=name)
    value = read.entries[0] if len(read.entries) == 1 else list(read.entries)
    argument = "query" if read.tool == "search" else "docid"
    return replace(call, name=read.tool, arguments=json.dumps({argument: value}, ensure_ascii=False))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
