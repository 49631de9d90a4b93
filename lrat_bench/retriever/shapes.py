"""How a search is asked for and answered over HTTP: our own server's way, and that of Search-R1.

lrat-bench   POST /search    {"queries": [...], "k": 10}
             → {"fingerprint": "…", "rankings": [[["docid", 1.5], …], …]}
search-r1    POST /retrieve  {"queries": [...], "topk": 10, "return_scores": true}
             → {"result": [[{"document": {"id": "docid", "contents": "…"}, "score": 1.5}, …], …]}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lrat_bench.errors import RolloutFailure

__all__ = ["MOST_QUERIES", "SHAPES", "Found", "Reply", "Shape"]

MOST_QUERIES = 1024
"""Of one request: what our own server takes."""

_IDS = ("docid", "id", "_id")
_SHOWN = 80


class _WrongShape(Exception):
    """What is wrong with a reply, as the end of a sentence."""


class Found(NamedTuple):
    """A document as a server names it: by id, by its text, or by both."""

    docid: str | None
    contents: str | None
    score: float


class Reply(NamedTuple):
    """What a server found, and the fingerprint that it gave with it."""

    rankings: list[list[Found]]
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to ask.

    Attributes:
        path: where, below the address of a server.
        body: (queries, k) → what is sent.
        read: what came back → a reply; raises `_WrongShape` with what is wrong with it.
    """

    path: str
    body: Callable[[Sequence[str], int], dict[str, Any]]
    read: Callable[[Any], Reply]

    def reply(self, said: Any, *, server: str) -> Reply:
        """What came back, read.

        Raises:
            RolloutFailure: it is of another shape.
        """
        try:
            return self.read(said)
        except _WrongShape as error:
            raise RolloutFailure(f"{server} does not answer as it must: {error}") from None


def _read_own(said: Any) -> Reply:
    given = _mapping(said, "the reply").get("fingerprint")
    if not isinstance(given, str | None):
        raise _WrongShape(f"its fingerprint is {_short(given)}, and must be a text or null")
    rankings = _lists(said, "rankings")
    return Reply([[_own_hit(hit) for hit in ranking] for ranking in rankings], given)


def _own_hit(hit: Any) -> Found:
    if not (isinstance(hit, list) and len(hit) == 2 and isinstance(hit[0], str)):
        raise _WrongShape(f'an entry is {_short(hit)}, and must be ["docid", score]')
    return Found(hit[0], None, _score(hit[1]))


def _read_search_r1(said: Any) -> Reply:
    rankings = _lists(said, "result")
    return Reply([[_search_r1_hit(hit) for hit in ranking] for ranking in rankings])


def _search_r1_hit(hit: Any) -> Found:
    if not isinstance(hit, Mapping) or "document" not in hit or "score" not in hit:
        raise _WrongShape(
            f'an entry is {_short(hit)}, and must be {{"document": …, "score": …}}, as return_scores asks for'
        )
    document = _mapping(hit["document"], "a document")
    named = next((document[name] for name in _IDS if document.get(name) not in (None, "")), None)
    contents = document.get("contents")
    # Corpora number their documents now and then.
    docid = str(named) if isinstance(named, int) and not isinstance(named, bool) else named
    if not isinstance(docid, str | None):
        raise _WrongShape(f"the id of a document is {_short(named)}, and must be a text")
    if not isinstance(contents, str | None):
        raise _WrongShape(f"the contents of a document are {_short(contents)}, and must be a text")
    if docid is None and contents is None:
        raise _WrongShape(f"a document has neither id nor contents: {_short(document)}")
    return Found(docid, contents, _score(hit["score"]))


def _score(given: Any) -> float:
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
    except OverflowError:  # a whole number of 400 digits
        pass
    raise _WrongShape(f"a score is {_short(given)}, and must be a number")


def _lists(said: Any, key: str) -> list[list[Any]]:
    found = _mapping(said, "the reply").get(key)
    if not isinstance(found, list) or not all(isinstance(one, list) for one in found):
        raise _WrongShape(f"{key!r} is {_short(found)}, and must be a list of lists")
    return found


def _mapping(said: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise _WrongShape(f"{what} is {_short(said)}, and must be an object")
    return said


def _short(value: Any) -> str:
    """A value as a server gave it: quoted, so that nothing in it is obeyed, and not endless."""
    text = ascii(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


SHAPES: Mapping[str, Shape] = {
    "lrat-bench": Shape("/search", lambda queries, k: {"queries": list(queries), "k": k}, _read_own),
    "search-r1": Shape(
        "/retrieve",
        lambda queries, k: {"queries": list(queries), "topk": k, "return_scores": True},
        _read_search_r1,
    ),
}
"""`retriever.shape` → how it is asked."""
