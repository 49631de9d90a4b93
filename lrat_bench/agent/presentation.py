"""Under which names and arguments a model is offered the tools.

The tools are always the two of `agent.tools`; a model that was trained on others by name and shape (`visit(url=[…])`,
`browse(url=…, query=…)`) is offered them in its own terms, and hears of its mistakes in the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import UsageError
from lrat_bench.model.seam import Tool

__all__ = ["CANONICAL", "Presentation", "ToolForm", "form", "form_of", "present"]


class ToolForm(BaseModel):
    """How one tool is presented."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="of the tool")
    argument: str = Field(min_length=1, description="the one that holds the query or the docid")
    many: bool = Field(default=False, description="whether that argument is an array of strings")
    extra: dict[str, str] = Field(
        default_factory=dict,
        description="further arguments that the model was trained to write, with a description each; read by nobody",
    )
    description: str | None = Field(default=None, description="of the tool; null is the canonical one")


Presentation = Mapping[str, ToolForm]
"""Canonical tool name → form; a tool that is missing has its canonical form."""

CANONICAL: Presentation = MappingProxyType(
    {
        "search": ToolForm(name="search", argument="query"),
        "get_document": ToolForm(name="get_document", argument="docid"),
    }
)
"""Every tool as it is."""


def form_of(tool: str, presentation: Presentation) -> ToolForm:
    """The form of a tool, by its canonical name."""
    return presentation.get(tool) or CANONICAL[tool]


def present(tools: Sequence[Tool], presentation: Presentation) -> tuple[Tool, ...]:
    """The canonical tools under the names and arguments of a presentation.

    Raises:
        UsageError: two of them have one name, so that nobody could tell which is called.
    """
    named: dict[str, str] = {}
    for tool in tools:
        name = form_of(tool.name, presentation).name
        # Calls are read without regard to case.
        other = named.setdefault(name.lower(), tool.name)
        if other != tool.name:
            raise UsageError(
                f"tools {other!r} and {tool.name!r} are both presented as {name!r}: give one of them another name"
            )
    return tuple(_presented(tool, form_of(tool.name, presentation)) for tool in tools)


def form(tool: str, presentation: Presentation) -> str:
    """A correct call on one line, as messages show it: `visit({"url": ["…"], "goal": "…"})`.

    Args:
        tool: canonical name.
        presentation: names and arguments.
    """
    shown = form_of(tool, presentation)
    arguments = {shown.argument: ["…"] if shown.many else "…", **dict.fromkeys(shown.extra, "…")}
    return f"{shown.name}({json.dumps(arguments, ensure_ascii=False)})"


def _presented(tool: Tool, shown: ToolForm) -> Tool:
    (canonical,) = tool.parameters["properties"].values()
    main: dict[str, Any] = canonical
    if shown.many:
        main = {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": f"one or several, each: {canonical['description']}",
        }
    extra = {name: {"type": "string", "description": text} for name, text in shown.extra.items()}
    parameters = {
        **tool.parameters,
        "properties": {shown.argument: main, **extra},
        "required": [shown.argument, *extra],
    }
    return replace(tool, name=shown.name, description=shown.description or tool.description, parameters=parameters)
