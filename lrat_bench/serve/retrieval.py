"""A retriever alone, over HTTP: in our own shape, and in the one that Search-R1 asks for.

What is there:

    POST /search    {"queries": [TEXT, …], "k": 10} → {"fingerprint": …, "rankings": [[[docid, score], …], …]}
    POST /retrieve  {"queries": [TEXT, …], "topk": 3, "return_scores": true}
                    → {"result": [[{"document": {"id": …, "contents": …}, "score": …}, …], …]}
    GET  /health    what is served    GET /metrics   GET /openapi.json

`/retrieve` is the shape of PeterGriffinJin/Search-R1, `search_r1/search/retrieval_server.py`: without scores, a list
holds the documents themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrat_bench.errors import LratBenchError, RolloutError
from lrat_bench.model.redact import redact
from lrat_bench.retriever.base import Ranked, Retriever
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.retriever.shapes import MOST_QUERIES
from lrat_bench.serve.app import refusals
from lrat_bench.serve.desk import Traffic
from lrat_bench.serve.fence import NO_TOKEN, Fence, carries, may_administer, problem, read_object
from lrat_bench.serve.metrics import metrics_text
from lrat_bench.serve.openapi import retriever_openapi
from lrat_bench.task.corpus import Corpus

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

__all__ = ["ServedRetriever", "retriever_app"]

_BODY = 8_000_000
"""Bytes of a request: queries come in batches."""
_K = 10_000
_SEARCH_R1_K = 3
"""What the server of Search-R1 gives where it is not told."""


@dataclass(frozen=True)
class ServedRetriever:
    """A retriever, prepared, and what it searches.

    Attributes:
        retriever: that searches.
        corpus: the documents.
        token: that clients must carry; None lets all in.
    """

    retriever: Retriever
    corpus: Corpus
    token: str | None

    def about(self) -> dict[str, Any]:
        """What `/health` says."""
        return {
            "status": "ok",
            "retriever": self.retriever.name,
            "fingerprint": self.retriever.fingerprint,
            "corpus": self.corpus.fingerprint,
            "documents": len(self.corpus),
        }


def retriever_app(
    served: ServedRetriever, batcher: MicroBatcher, *, hosts: Collection[str] | None, traffic: Traffic
) -> Fence:
    """The application.

    Args:
        served: what is asked.
        batcher: asks its retriever, for all who ask at the same time.
        hosts: names under which it is addressed; see `Fence`.
        traffic: counts.
    """
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    pages = _Pages(served, batcher, traffic, hosts)
    routes = [
        Route("/health", pages.health, methods=["GET"]),
        Route("/metrics", pages.metrics, methods=["GET"]),
        Route("/openapi.json", pages.openapi, methods=["GET"]),
        Route("/search", pages.search, methods=["POST"]),
        Route("/retrieve", pages.retrieve, methods=["POST"]),
    ]

    def knows(scope: Scope) -> bool:
        """Without a token, nobody is known."""
        return served.token is not None and carries(Request(scope), served.token)

    inside = Starlette(routes=routes, exception_handlers=refusals())
    return Fence(inside, hosts=hosts, knows=knows, traffic=traffic, body=_BODY)


class _Refused(Exception):
    """A request that is not carried out; the message says why."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status


class _Pages:
    def __init__(
        self, served: ServedRetriever, batcher: MicroBatcher, traffic: Traffic, hosts: Collection[str] | None
    ) -> None:
        self._served = served
        self._batcher = batcher
        self._traffic = traffic
        self._hosts = hosts

    async def health(self, _: Request) -> Response:
        from starlette.responses import JSONResponse

        return JSONResponse(self._served.about())

    async def metrics(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse

        if not may_administer(request, self._served.token, self._hosts):
            return problem(401, NO_TOKEN)
        return PlainTextResponse(metrics_text(self._traffic, open_seats=0))

    async def openapi(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        return JSONResponse(retriever_openapi(f"{request.url.scheme}://{request.url.netloc}"))

    async def search(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        try:
            body, queries = await self._read(request, {"queries", "k"})
            rankings = await self._rankings(queries, _whole(body, "k", 10))
        except _Refused as refused:
            return problem(refused.status, str(refused))
        found = [[[docid, score] for docid, score in ranking] for ranking in rankings]
        return JSONResponse({"fingerprint": self._served.retriever.fingerprint, "rankings": found})

    async def retrieve(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        try:
            body, queries = await self._read(request, {"queries", "topk", "return_scores"})
            rankings = await self._rankings(queries, _whole(body, "topk", _SEARCH_R1_K))
            scored = body.get("return_scores") is True
            # Documents are read from disk.
            result = await asyncio.to_thread(self._documents, rankings, scored)
        except _Refused as refused:
            return problem(refused.status, str(refused))
        return JSONResponse({"result": result})

    def _documents(self, rankings: Sequence[Sequence[Ranked]], scored: bool) -> list[list[dict[str, Any]]]:
        def shown(docid: str, score: float) -> dict[str, Any]:
            try:
                found = self._served.corpus.get(docid)
            except (OSError, LratBenchError) as error:
                raise _Refused(502, f"document {docid!r} cannot be read: {redact(str(error))}") from None
            if found is None:
                raise _Refused(
                    502, f"the retriever found document {docid!r}, which the corpus lacks: build its index anew"
                )
            document = {"id": docid, "contents": found.contents}
            return {"document": document, "score": score} if scored else document

        return [[shown(docid, score) for docid, score in ranking] for ranking in rankings]

    async def _read(self, request: Request, known: set[str]) -> tuple[Mapping[str, Any], list[str]]:
        if self._served.token is not None and not carries(request, self._served.token):
            raise _Refused(401, NO_TOKEN)
        try:
            body = read_object(await request.body())
        except ValueError as wrong:
            raise _Refused(400, str(wrong)) from None
        if unknown := body.keys() - known:
            raise _Refused(400, f"there is no field {sorted(unknown)[0]!r}: there are {', '.join(sorted(known))}")
        queries = body.get("queries")
        if not isinstance(queries, list) or not all(isinstance(query, str) for query in queries):
            raise _Refused(400, 'queries is a list of texts, as in {"queries": ["…"]}')
        if len(queries) > MOST_QUERIES:
            raise _Refused(400, f"{len(queries)} queries in one request are too many: send at most {MOST_QUERIES}")
        return body, queries

    async def _rankings(self, queries: Sequence[str], k: int) -> list[list[Ranked]]:
        began = time.perf_counter()
        result = "failed"
        try:
            rankings = list(await asyncio.gather(*(self._batcher.search(query, k) for query in queries)))
            result = "done"
        except (RolloutError, LratBenchError) as failure:
            raise _Refused(502, redact(str(failure))) from None
        finally:
            self._traffic.calls["search", result] += len(queries)
            self._traffic.seconds += time.perf_counter() - began
        return rankings


def _whole(body: Mapping[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _K:
        raise _Refused(400, f"{name} is a whole number from 1 to {_K}, got {str(value)[:40]!r}")
    return value
