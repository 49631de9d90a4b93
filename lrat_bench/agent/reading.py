"""Reads a model's tool call: any name and argument shape that backbones are known to use, and nothing invented.

Backbones were trained on tools of other names and shapes (`visit(url=[…])`, `search(query=[…])`,
`browse(url=…, query=…)`). What was meant is clear, so it is carried out; what is not clear is answered with what was
wrong and how the call should look. The conversation keeps what the model wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lrat_bench.files import encodable
from lrat_bench.model.seam import ToolCall

__all__ = ["ReadCall", "Unreadable", "read_call"]

_NAMES: Mapping[str, Literal["search", "get_document"]] = {
    "search": "search",
    "web_search": "search",
    "local_knowledge_base_retrieval": "search",
    "browser.search": "search",
    "get_document": "get_document",
    "visit": "get_document",
    "browse": "get_document",
    "open": "get_document",
    "fetch_url": "get_document",
    "open_url": "get_document",
    "browser.open": "get_document",
}
_ARGUMENTS = {
    "search": ("query", "queries", "user_query", "q"),
    "get_document": ("docid", "docids", "doc_id", "document_id", "id", "url", "urls"),
}
_FORM = {"search": 'search({"query": "…"})', "get_document": 'get_document({"docid": "…"})'}


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call understood: which tool, on which queries or docids; `repaired` where the JSON had to be mended."""

    tool: Literal["search", "get_document"]
    entries: tuple[str, ...]
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A call that cannot be carried out, and the sentence that tells the model why."""

    problem: str


def read_call(call: ToolCall, tools: tuple[str, ...]) -> ReadCall | Unreadable:
    """What a call asks for.

    Args:
        call: as the model wrote it.
        tools: canonical names of the tools on offer.
    """
    tool = _NAMES.get(call.name.strip().removeprefix("functions.").lower())
    if tool is None or tool not in tools:
        forms = " or ".join(_FORM[name] for name in tools)
        return Unreadable(f"There is no tool {call.name!r}; call {forms}.")
    arguments, repaired = _parse(call.arguments)
    if not isinstance(arguments, dict):
        return Unreadable(f"The arguments are not a JSON object; write {_FORM[tool]}.")
    given = next((arguments[key] for key in _ARGUMENTS[tool] if arguments.get(key) is not None), None)
    if given is None:
        named = ", ".join(map(repr, arguments)) or "none"
        return Unreadable(f"The argument {_ARGUMENTS[tool][0]!r} is missing (given: {named}); write {_FORM[tool]}.")
    entries = _entries(given)
    if not entries:
        return Unreadable(f"The argument {_ARGUMENTS[tool][0]!r} is empty or no text; write {_FORM[tool]}.")
    return ReadCall(tool, entries, repaired)


def _parse(text: str) -> tuple[Any, bool]:
    try:
        return json.loads(text), False
    except (ValueError, RecursionError):
        pass
    from json_repair import repair_json

    try:
        return repair_json(text, return_objects=True, skip_json_loads=True), True
    except (ValueError, RecursionError):
        return None, True


def _entries(value: Any) -> tuple[str, ...]:
    """The texts of one argument: a text, a number, a list of them, or a list that was written as text."""
    if isinstance(value, str) and value.strip().startswith("[") and value.strip().endswith("]"):
        listed, _ = _parse(value)
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            value = listed
    items = [item for item in value if item is not None] if isinstance(value, list) else [value]
    items = [int(item) if isinstance(item, float) and item.is_integer() else item for item in items]
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in items):
        return ()
    return tuple(text for item in items if (text := encodable(str(item)).strip()))
