"""How results are put into the text that the agent reads. One scheme a name; the protocol says which.

`json-v1` is one JSON value per tool call, so that no document can pass for a result of its own making:

    search        {"query": …, "results": [{"docid": …, "score": …, "snippet": …}, …], "note": …}
    get_document  {"docid": …, "text": …, "note": …}
    failure       {"error": …}, beside the query or docid it concerns

An array of these for a list-valued call. `note` says that the call repeats an earlier one; `notice` (in the last
object) is the harness speaking: a budget that runs out, the request to answer now.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Block", "DocumentBlock", "ErrorBlock", "SearchBlock", "render"]


@dataclass(frozen=True, slots=True)
class SearchBlock:
    """The hits of one query: (docid, score, snippet) each, as shown; no score where it would give the ranking away."""

    query: str
    hits: tuple[tuple[str, float | None, str], ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentBlock:
    """A document's text, cut as the protocol says."""

    docid: str
    text: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorBlock:
    """What went wrong, for one query, one docid, or the whole call (`about` empty)."""

    problem: str
    about: tuple[str, str] | None = None


Block = SearchBlock | DocumentBlock | ErrorBlock


def render(blocks: Sequence[Block], notice: str | None = None) -> str:
    """The text of one tool result, in `json-v1`."""
    objects = [_object(block) for block in blocks]
    if notice:
        objects[-1]["notice"] = notice
    return json.dumps(objects if len(objects) > 1 else objects[0], ensure_ascii=False)


def _object(block: Block) -> dict[str, object]:
    if isinstance(block, ErrorBlock):
        return {**dict([block.about] if block.about else []), "error": block.problem}
    if isinstance(block, SearchBlock):
        body: dict[str, object] = {"query": block.query, "results": [_hit(*hit) for hit in block.hits]}
    else:
        body = {"docid": block.docid, "text": block.text}
    return {**body, "note": block.note} if block.note else body


def _hit(docid: str, score: float | None, snippet: str) -> dict[str, object]:
    return {"docid": docid, **({} if score is None else {"score": round(score, 4)}), "snippet": snippet}
