"""The two tools of the field, under their canonical names: `search(query)` and `get_document(docid)`."""

from __future__ import annotations

from lrat_bench.model.seam import Tool
from lrat_bench.task.protocol import Rollout

__all__ = ["describe", "offered"]


def offered(rollout: Rollout) -> tuple[Tool, ...]:
    """The tools that a protocol offers, in its order."""
    return tuple(_search(rollout) if name == "search" else _get_document(rollout) for name in rollout.tools)


def describe(tools: tuple[Tool, ...]) -> str:
    """One line per tool, for the prompt."""
    return "\n".join(f"- {tool.name}: {tool.description}" for tool in tools)


def _search(rollout: Rollout) -> Tool:
    return Tool(
        name="search",
        description=(
            f"finds the {rollout.k} documents that fit a query best, each with its docid, a score, and its first "
            f"{rollout.snippet_tokens} tokens as a snippet."
        ),
        parameters={
            "type": "object",
            "properties": {"query": {"type": "string", "description": "what to look for, in words"}},
            "required": ["query"],
            "additionalProperties": False,
        },
    )


def _get_document(rollout: Rollout) -> Tool:
    extent = "in full" if rollout.document_tokens is None else f"up to {rollout.document_tokens} tokens"
    return Tool(
        name="get_document",
        description=f"shows a document {extent}, by the docid that a search gave.",
        parameters={
            "type": "object",
            "properties": {"docid": {"type": "string", "description": "id of the document"}},
            "required": ["docid"],
            "additionalProperties": False,
        },
    )
