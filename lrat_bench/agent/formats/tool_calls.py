"""Calls that stand in the text as `<tool_call>{"name": …, "arguments": …}</tool_call>`.

Models bend this form in many ways: no closing tag, two objects in one block, arguments written as text, a brace too
few, `name({…})`. What can be told apart is taken as a call; its arguments stay as they were written where they are
broken, so that mending them is left to the one place that does and counts it (`agent.reading`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lrat_bench.agent.formats.markup import without_thought_tags
from lrat_bench.model.seam import ToolCall

__all__ = ["CallText", "call_text", "find_calls", "hides_thought_tags"]

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_DECODER = json.JSONDecoder()
_MOST = 200
"""Calls of one text that are read: more than any model means to make, and finding each costs a pass over the rest."""

_NAME = re.compile(r"""["']?name["']?\s*:\s*["']([^"'\n]*)["']""")
_ARGUMENTS = re.compile(r"""["']?(?:arguments|parameters)["']?\s*:\s*""")
_AS_FUNCTION = re.compile(r"\s*([\w.\-]+)\s*\(\s*(\{.*)", re.DOTALL)
_SPACE = re.compile(r"\s*")
_SEPARATORS = re.compile(r"[ \t\r\n,]*")


@dataclass(frozen=True, slots=True)
class CallText:
    """A text, read.

    Attributes:
        calls: in the order written; ids are empty.
        text: what stands around them.
        written: the whole text, every block that was taken as a call closed.
    """

    calls: tuple[ToolCall, ...]
    text: str
    written: str


def find_calls(text: str, *, cut: bool = False) -> CallText:
    """Read the calls of a text.

    Args:
        text: without reasoning.
        cut: whether the output limit ended it; then a block that is not closed is no call.
    """
    calls: list[ToolCall] = []
    around: list[str] = []
    written: list[str] = []
    while True:
        before, opened, after = text.partition(_OPEN) if len(calls) < _MOST else (text, "", "")
        around.append(before)
        written.append(before)
        if not opened:
            break
        block, closed, text = _block(after)
        if cut and not closed and not text:
            around.append(opened + block)
            written.append(opened + block)
            break
        calls += _read(block)
        written.append(f"{opened}{block}{_CLOSE}" if closed else f"{opened}{block.rstrip()}\n{_CLOSE}")
        if not closed and text:
            written.append("\n")
    return CallText(tuple(calls), "".join(around), "".join(written))


def call_text(call: ToolCall) -> str:
    """A call as such a block; arguments that are no JSON stay so."""
    return f'{_OPEN}\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n{_CLOSE}'


def hides_thought_tags(text: str) -> str:
    """The text with `<think>` and `</think>` escaped where they stand inside a call's JSON, and only there."""
    if "think>" not in text or _OPEN not in text:
        return text
    pieces = []
    for _ in range(_MOST):
        before, opened, text = text.partition(_OPEN)
        pieces.append(before + opened)
        end = _json_end(text)
        pieces.append(without_thought_tags(text[:end]))
        text = text[end:]
    return "".join((*pieces, text))


def _json_end(text: str) -> int:
    """Where the JSON objects end with which a text begins; 0 where it begins with none."""
    end = 0
    while text.startswith("{", start := _behind(_SPACE, text, end)):
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            break
    return end


def _block(text: str) -> tuple[str, bool, str]:
    """What stands in a block, whether it is closed, and what follows it; `text` begins behind the opening tag."""
    end = _json_end(text)
    close, again = text.find(_CLOSE, end), text.find(_OPEN, end)
    # The next call may begin before this one was closed.
    if close < 0 or 0 <= again < close:
        return (text, False, "") if again < 0 else (text[:again], False, text[again:])
    return text[:close], True, text[close + len(_CLOSE) :]


def _read(block: str) -> Iterator[ToolCall]:
    """The calls of one block: at least one, if only to be answered with what is wrong."""
    objects = list(_objects(block))
    if objects and all(_named(item) is not None for item in objects):
        for item in objects:
            yield _call(item)
        return
    if written := _AS_FUNCTION.fullmatch(block.strip()):
        yield ToolCall("", written[1], written[2].rstrip().removesuffix(";").rstrip().removesuffix(")"))
        return
    named = _NAME.search(block)
    given = _ARGUMENTS.search(block)
    yield ToolCall("", named[1] if named else "", _arguments(block[given.end() :]) if given else block.strip())


def _objects(block: str) -> Iterator[Any]:
    """The JSON objects of a block, those of an array one by one; nothing where it is not made of such."""
    found: list[Any] = []
    text, place = block.strip(), 0
    while place < len(text):
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        found += value if isinstance(value, list) else [value]
        if len(found) > _MOST:
            return
        place = _behind(_SEPARATORS, text, end)
    yield from found


def _behind(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Where what matches at a place ends."""
    found = pattern.match(text, place)
    return place if found is None else found.end()


def _named(item: Any) -> str | None:
    inner = _inner(item)
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) else None


def _inner(item: Any) -> Any:
    """`{"type": "function", "function": {…}}` is what stands in it."""
    return item["function"] if isinstance(item, dict) and isinstance(item.get("function"), dict) else item


def _call(item: Any) -> ToolCall:
    inner = dict(_inner(item))
    name = inner.pop("name")
    given = next((inner[key] for key in ("arguments", "parameters") if inner.get(key) is not None), None)
    if given is None:
        # Some write the arguments beside the name.
        given = {key: value for key, value in inner.items() if key not in ("arguments", "parameters", "id", "type")}
    return ToolCall("", name, given if isinstance(given, str) else json.dumps(given))


def _arguments(text: str) -> str:
    """The arguments at the end of an object that is no JSON: `text` may hold that object's closing brace, too."""
    text = text.strip()
    for candidate in (text, text.removesuffix("}").rstrip()):
        try:
            json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return candidate
    return text.removesuffix("}").rstrip()
