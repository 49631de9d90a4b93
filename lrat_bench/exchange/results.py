"""What a tool answered, as its client put it into text: lists of hits, and documents.

Lists come as JSON (`[{"docid", "score", "snippet"}, …]`; one list for each query where several were carried out), or
as text: blocks that begin with `DocID:…`, or numbered titles, which name a document only where they link to it. A
text that answers several queries has a headline for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

from lrat_bench.files import encodable
from lrat_bench.trajectory import Hit

__all__ = ["NOT_FOUND", "Listed", "arguments_of", "document_errors", "lists_of", "text_in", "with_returned"]

NOT_FOUND = "not found"
"""`Browse.error` of a document that is not there."""

_HEADLINE = re.compile(r"^A (?:\w+ )?search for '", re.MULTILINE)
_BLOCK = re.compile(r"^DocID:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"^\d+\. \[.*$", re.MULTILINE)
_UNNAMED = re.compile(r"^(?:\d+\. \[|Doc \d+ ?\(Title:|\(\d+\) ?\S)", re.MULTILINE)
_MISSING = re.compile(
    r"\s*(?:\[[^\]\n]*not found|\{\s*\"error\"|error(?:\s*(?::|\Z)|\s+executing\s+tool\b|\s+\d{3}\b)"
    r"|document[^\n:]{0,80}\bnot found\W*(?:\n|\Z))",
    re.IGNORECASE,
)
"""A message in the place of a document; one that begins `Error-correcting codes` is a document."""


class Listed(NamedTuple):
    """One result list.

    Attributes:
        hits: (docid, score) in the order shown, each document once.
        unnamed: whether documents were shown that it does not name.
    """

    hits: list[tuple[str, float | None]]
    unnamed: bool = False


def arguments_of(given: Any) -> dict[str, Any]:
    """The arguments of a call: an object, or its JSON; of anything else there are none."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}


def text_in(value: Any) -> str:
    """A text, or all of those in a list of texts and of objects with a `text`, a line each; empty for anything else."""
    if isinstance(value, list):
        return "\n".join(text for part in value if (text := text_in(part)))
    if isinstance(value, dict):
        return text_in(value.get("text"))
    return encodable(value) if isinstance(value, str) else ""


def lists_of(output: Any, queries: int) -> list[Listed]:
    """The lists of a search call, one for each query that was carried out: for all of them, or for the first.

    Args:
        output: as recorded.
        queries: how many the call holds, at least 1.
    """
    listed = _parsed(output)
    if isinstance(listed, list):
        if texts := _texts_of(listed):
            if len(texts) == queries:
                return [lists_of(text, 1)[0] for text in texts]
            parts = [_parsed(text) for text in texts]
            if all(isinstance(part, list) for part in parts):
                return [_of_objects([hit for part in parts for hit in part])]
            return lists_of("\n\n".join(texts), queries)
        if len(listed) == queries and all(isinstance(one, list) for one in listed):
            return [lists_of(one, 1)[0] if _texts_of(one) else _of_objects(one) for one in listed]
        return [_of_objects(listed)]
    if not isinstance(output, str):
        return [Listed([])]
    starts = [found.start() for found in _HEADLINE.finditer(output)]
    if queries > 1 and len(starts) == queries:
        return [_of_text(output[start:end]) for start, end in zip(starts, [*starts[1:], len(output)], strict=True)]
    return [_of_text(output)]


def with_returned(listed: Listed, returned: Any, hidden: Any) -> tuple[Hit, ...]:
    """The hits of a list, where the source also says what the retriever returned, and what was not shown of it.

    Args:
        listed: what was shown.
        returned: documents in the retriever's order: ids, or objects with a `docid`; None where nothing is said.
        hidden: those of them that the agent was not shown; None where nothing is said.
    """
    scores = dict(listed.hits)
    if not isinstance(returned, list) and not isinstance(hidden, list):
        return tuple(Hit(docid=docid, score=score, rank=rank) for rank, (docid, score) in enumerate(scores.items(), 1))
    kept_back = dict(_of_objects(hidden, ids=True).hits) if isinstance(hidden, list) else {}
    ranked = dict(_of_objects(returned, ids=True).hits) if isinstance(returned, list) else {}
    # Without `returned`, what was shown comes first; without `hidden`, what was not shown was hidden.
    ranked = {**ranked, **{docid: None for docid in (*scores, *kept_back) if docid not in ranked}}
    if not isinstance(hidden, list) and scores:
        kept_back = {docid: None for docid in ranked if docid not in scores}
    ranks = {docid: rank for rank, docid in enumerate(ranked, 1)}
    order = [*scores, *(docid for docid in ranked if docid not in scores)]
    return tuple(
        Hit(
            docid=docid,
            score=scores.get(docid) if scores.get(docid) is not None else ranked[docid],
            rank=ranks[docid],
            shown=docid not in kept_back,
        )
        for docid in order
    )


def document_errors(output: Any, documents: int) -> list[str | None]:
    """For each document of a browse call why it was not read; None where it was.

    Args:
        output: as recorded.
        documents: how many the call names.
    """
    parsed = _parsed(output)
    if isinstance(parsed, list) and (texts := _texts_of(parsed)):
        if len(texts) == documents:
            return [document_errors(text, 1)[0] for text in texts]
        return document_errors("\n".join(texts), documents)
    if isinstance(parsed, list) and len(parsed) == documents and all(isinstance(one, dict) for one in parsed):
        return [NOT_FOUND if "error" in one and "text" not in one else None for one in parsed]
    missing = output is None or (isinstance(output, str) and bool(_MISSING.match(output)))
    return [NOT_FOUND if missing else None] * documents


_WRAPPING = frozenset({"type", "text", "annotations", "meta", "_meta"})
"""Keys of an object that a protocol wraps a text into; one with others is a hit."""


def _texts_of(parts: Sequence[Any]) -> list[str]:
    """The texts that a client breaks or wraps its answer into; none where a part is something else."""
    found = [one.get("text") if isinstance(one, dict) and one.keys() <= _WRAPPING else one for one in parts]
    texts = [text for text in found if isinstance(text, str)]
    return texts if len(texts) == len(found) else []


def _parsed(output: Any) -> Any:
    """Lists as they are, and out of JSON."""
    if isinstance(output, str) and output.lstrip().startswith("["):
        try:
            return json.loads(output)
        except (ValueError, RecursionError):
            return None
    return output


def _of_objects(listed: Sequence[Any], *, ids: bool = False) -> Listed:
    """Objects with a `docid`, or plain ids too."""
    found: dict[str, float | None] = {}
    unnamed = False
    for hit in listed:
        docid = hit.get("docid") if isinstance(hit, dict) else hit if ids else None
        if isinstance(docid, str | int) and not isinstance(docid, bool) and str(docid).strip():
            found.setdefault(encodable(str(docid)), _score(hit.get("score")) if isinstance(hit, dict) else None)
        else:
            unnamed = unnamed or isinstance(hit, dict)
    return Listed(list(found.items()), unnamed)


def _of_text(text: str) -> Listed:
    named = [encodable(docid) for docid in (_BLOCK.findall(text) or _links(text))]
    return Listed([(docid, None) for docid in dict.fromkeys(named)], not named and bool(_UNNAMED.search(text)))


def _links(text: str) -> list[str]:
    """The targets of numbered titles that link to one: `1. [title](target)`."""
    ends = (line.rstrip().rpartition("](") for line in _TITLE.findall(text))
    targets = (target[:-1] for _, linked, target in ends if linked and target.endswith(")"))
    return [target for target in targets if target and not any(sign.isspace() for sign in target)]


def _score(given: Any) -> float | None:
    """A finite score; JSON may hold whole numbers that no float does."""
    try:
        score = float(given) if isinstance(given, int | float) else None
    except OverflowError:
        return None
    return score if score is not None and isfinite(score) else None
