"""What the conversation has shown so far, taken from its messages and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lrat_bench.model.heuristic.text import Page, read_page
from lrat_bench.model.seam import Message, ToolCall

__all__ = ["Notebook", "Seen"]

_MARKER = "\n\nQuestion: "


@dataclass(slots=True)
class Seen:
    """A document of which something was shown.

    Attributes:
        docid: its id.
        page: its text, or its snippet as long as only that was shown.
        read: whether it was opened.
        rank: best 0-based place in a result list.
        order: how many documents had been seen before it.
    """

    docid: str
    page: Page
    read: bool
    rank: int
    order: int


@dataclass(slots=True)
class Notebook:
    """A conversation as a record of searches and documents.

    Attributes:
        question: text after the prompt's question marker; the whole prompt where there is none.
        queries: asked so far, in order.
        opened: docids asked for, found or not.
        seen: documents by id, in the order first shown.
        last: the latest call, with what it brought: docids that were new (search), or the docid (get_document).
        barren: how many of the latest searches in a row showed no new document.
    """

    question: str
    queries: list[str] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    seen: dict[str, Seen] = field(default_factory=dict)
    last: tuple[str, str, tuple[str, ...]] | None = None
    barren: int = 0

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Notebook:
        """Read a conversation, leaving out whatever cannot be read."""
        prompt = next((message.content for message in messages if message.role == "user"), "")
        notes = cls(prompt.partition(_MARKER)[2] or prompt)
        asked: dict[str, ToolCall] = {}
        for message in messages:
            for call in message.calls:
                asked[call.id] = call
                notes._ask(call)
            if message.role == "tool" and (answered := asked.get(message.call_id or "")):
                notes._take(answered, _parse(message.content))
        return notes

    def _ask(self, call: ToolCall) -> None:
        argument = _argument(call)
        if call.name == "search":
            self.queries.append(argument)
        elif call.name == "get_document":
            self.opened.add(argument)

    def _take(self, call: ToolCall, value: Any) -> None:
        argument = _argument(call)
        records = [record for record in (value if isinstance(value, list) else [value]) if isinstance(record, dict)]
        if call.name == "search":
            new = tuple(docid for record in records for docid in self._take_hits(record))
            self.barren = 0 if new else self.barren + 1
            self.last = (call.name, argument, new)
        elif call.name == "get_document":
            for record in records:
                docid, text = record.get("docid", argument), record.get("text")
                if isinstance(docid, str) and isinstance(text, str):
                    before = self.seen.get(docid)
                    rank, order = (before.rank, before.order) if before else (0, len(self.seen))
                    self.seen[docid] = Seen(docid, read_page(text), True, rank, order)
            self.last = (call.name, argument, (argument,))

    def _take_hits(self, record: dict[str, Any]) -> Iterator[str]:
        """Note a result list and yield the docids that were not seen before."""
        hits = record.get("results")
        for rank, hit in enumerate(hits if isinstance(hits, list) else []):
            docid, snippet = (hit.get("docid"), hit.get("snippet")) if isinstance(hit, dict) else (None, None)
            if not isinstance(docid, str) or not isinstance(snippet, str):
                continue
            if known := self.seen.get(docid):
                known.rank = min(known.rank, rank)
            else:
                self.seen[docid] = Seen(docid, read_page(snippet), False, rank, len(self.seen))
                yield docid


def _argument(call: ToolCall) -> str:
    arguments = _parse(call.arguments)
    value = arguments.get("query" if call.name == "search" else "docid", "") if isinstance(arguments, dict) else ""
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def _parse(text: str) -> Any:
    """The JSON value of a text; None where it is not JSON. The value is shared: not to be changed."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
