"""Reads a model's tool call: any name and argument shape that backbones are known to use, and nothing invented.

Backbones were trained on tools of other names and shapes (`visit(url=[…])`, `search(query=[…])`,
`browse(url=…, query=…)`). What was meant is clear, so it is carried out; what is not clear is answered with what was
wrong and how the call should look. The conversation keeps what the model wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from lrat_bench.agent.presentation import CANONICAL, Presentation, form, form_of
from lrat_bench.files import encodable
from lrat_bench.model.seam import ToolCall

__all__ = ["ReadCall", "Unreadable", "read_call"]

_Tool = Literal["search", "get_document"]

_NAMES: Mapping[str, _Tool] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "search",
                "web_search",
                "local_knowledge_base_retrieval",
                "retrieve",
                "browser.search",
            ),
            "search",
        ),
        **dict.fromkeys(
            (
                "get_document",
                "visit",
                "browse",
                "open",
                "fetch_url",
                "open_url",
                "browser.open",
            ),
            "get_document",
        ),
    }
)
"""Name in lower case → tool: what the tools of known backbones are called."""
_ARGUMENTS: Mapping[_Tool, tuple[str, ...]] = MappingProxyType(
    {
        "search": ("query", "queries", "user_query", "q"),
        "get_document": ("docid", "docids", "doc_id", "document_id", "id", "url", "urls"),
    }
)
_JUNK = " \t\r\n\"'`<>()"
_NAMESPACES = re.compile(r"^(?:to=)?(?:(?:functions|tools|default_api)[.:])?")
_SHOWN = 80
"""Characters of an unknown name that a message repeats."""
_MENDABLE = 5_000
"""Characters of the longest text that is mended: the time it takes grows with the square of that."""


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A call understood: which tool, on which queries or docids; `repaired` where the JSON had to be mended."""

    tool: _Tool
    entries: tuple[str, ...]
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A call that cannot be carried out, and the sentence that tells the model why."""

    problem: str


def read_call(call: ToolCall, tools: tuple[str, ...], presentation: Presentation = CANONICAL) -> ReadCall | Unreadable:
    """What a call asks for.

    Args:
        call: as the model wrote it.
        tools: canonical names of the tools on offer.
        presentation: the names and arguments under which the model knows them; others that are known count, too.
    """
    tool = _tool(call.name, tools, presentation)
    if tool is None:
        forms = " or ".join(form(name, presentation) for name in tools)
        if not call.name.strip():
            return Unreadable(f"The call names no tool; call {forms}.")
        return Unreadable(f"There is no tool {call.name[:_SHOWN]!r}; call {forms}.")
    right, main = form(tool, presentation), form_of(tool, presentation).argument
    arguments, repaired = _parse(call.arguments)
    if arguments is None and len(call.arguments) > _MENDABLE:
        return Unreadable(f"The arguments are not a JSON object, and too long to be mended; write {right}.")
    if not isinstance(arguments, dict):
        return Unreadable(f"The arguments are not a JSON object; write {right}.")
    given = next((arguments[key] for key in (main, *_ARGUMENTS[tool]) if arguments.get(key) is not None), None)
    if given is None:
        named = ", ".join(map(repr, (key for key, value in arguments.items() if value is not None))) or "none"
        return Unreadable(f"The argument {main!r} is missing (given: {named}); write {right}.")
    entries = _entries(given)
    if not entries:
        return Unreadable(f"The argument {main!r} is empty or no text; write {right}.")
    return ReadCall(tool, entries, repaired)


def _tool(name: str, tools: tuple[str, ...], presentation: Presentation) -> _Tool | None:
    """The tool on offer that a name stands for; names of the presentation come first."""
    # A token of the server's own may have leaked in behind the name: search<|channel|>commentary.
    bare = _NAMESPACES.sub("", name.strip(_JUNK).partition("<|")[0].strip(_JUNK).lower())
    presented: dict[str, _Tool] = {
        form_of(tool, presentation).name.lower(): tool for tool in _ARGUMENTS if tool in tools
    }
    found = presented.get(bare) or _NAMES.get(bare)
    return found if found in tools else None


def _parse(text: str) -> tuple[Any, bool]:
    try:
        return json.loads(text), False
    except (ValueError, RecursionError):
        pass
    if len(text) > _MENDABLE:
        return None, True
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
