"""The ASGI application of a desk: every seat over plain HTTP and over MCP.

What is there, below the address of the server:

GET  /s/TOKEN/               the question, its tools, its budget, how to answer
POST /s/TOKEN/search         {"query": TEXT or list}
GET  /s/TOKEN/document/ID    POST /s/TOKEN/document {"docid": TEXT or list}
POST /s/TOKEN/answer         {"answer": TEXT}; null gives up
GET  /s/TOKEN/openapi.json   the same, for machines
     /s/TOKEN/mcp            MCP, streamable HTTP
GET  /health   /metrics      of the server; without any text
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from lrat_bench.serve.desk import STOPPING, Desk
from lrat_bench.serve.fence import NO_TOKEN, Fence, may_administer, problem, read_object
from lrat_bench.serve.mcp_tools import McpTools
from lrat_bench.serve.metrics import metrics_text
from lrat_bench.serve.openapi import seat_openapi
from lrat_bench.serve.reply import KEY, LONG_KEY, Gone
from lrat_bench.serve.seat import Seat
from lrat_bench.serve.visit import visit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

__all__ = ["desk_app", "refusals"]


def desk_app(desk: Desk, mcp: McpTools, *, hosts: Collection[str] | None, token: str | None = None) -> Fence:
    """The application.

    Args:
        desk: the seats.
        mcp: the same seats over MCP.
        hosts: names under which it is addressed; see `Fence`.
        token: that `/metrics` asks for; without one it is shown on this machine only, where it is known there alone.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    pages = _Pages(desk, token, hosts)
    seat = "/s/{token}"
    routes = [
        Route("/health", pages.health, methods=["GET"]),
        Route("/metrics", pages.metrics, methods=["GET"]),
        Route(seat, pages.about, methods=["GET"]),
        Route(f"{seat}/", pages.about, methods=["GET"]),
        Route(f"{seat}/openapi.json", pages.openapi, methods=["GET"]),
        Route(f"{seat}/search", pages.search, methods=["POST"]),
        Route(f"{seat}/document", pages.documents, methods=["POST"]),
        Route(f"{seat}/document/{{docid:path}}", pages.document, methods=["GET"]),
        Route(f"{seat}/answer", pages.answer, methods=["POST"]),
        # No stream for what the server has to say, which is nothing: one would stay open as long as its client does.
        Route(f"{seat}/mcp", _Mcp(desk, mcp), methods=["POST"]),
    ]
    inside = Starlette(routes=routes, exception_handlers=refusals())
    inside.router.redirect_slashes = False

    def knows(scope: Scope) -> bool:
        """Who asks for a question that is open was given its address."""
        path: list[str] = scope["path"].split("/", 3)
        return len(path) > 2 and path[1] == "s" and isinstance(desk.find(path[2]), Seat)

    return Fence(inside, hosts=hosts, knows=knows, traffic=desk.traffic)


def refusals() -> dict[Any, Any]:
    """Pages that are not there, as JSON."""
    from starlette.exceptions import HTTPException

    async def refuse(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, f"{error.detail}: there is nothing of that kind here")

    return {HTTPException: refuse}


class _Pages:
    """The routes over plain HTTP."""

    def __init__(self, desk: Desk, token: str | None, hosts: Collection[str] | None) -> None:
        self._desk = desk
        self._token = token
        self._hosts = hosts

    async def health(self, _: Request) -> Response:
        from starlette.responses import JSONResponse

        status = STOPPING if self._desk.stopping else "ok"
        return JSONResponse({"status": status}, status_code=503 if self._desk.stopping else 200)

    async def metrics(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse

        if not may_administer(request, self._token, self._hosts):
            return problem(401, NO_TOKEN)
        return PlainTextResponse(metrics_text(self._desk.traffic, open_seats=self._desk.open_seats))

    async def about(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        seat = self._seat(request)
        if not isinstance(seat, Seat):
            return _absent(seat)
        base = _base(request)
        links = {"search": f"{base}/search", "document": f"{base}/document/{{docid}}", "mcp": f"{base}/mcp"}
        if seat.takes_answer:
            links["answer"] = f"{base}/answer"
        return JSONResponse({**seat.about(), "links": {**links, "openapi": f"{base}/openapi.json"}})

    async def openapi(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        seat = self._seat(request)
        return JSONResponse(seat_openapi(seat.tools, _base(request))) if isinstance(seat, Seat) else _absent(seat)

    async def search(self, request: Request) -> Response:
        return await self._visit(request, "search")

    async def documents(self, request: Request) -> Response:
        return await self._visit(request, "get_document")

    async def document(self, request: Request) -> Response:
        return await self._visit(request, "get_document", {"docid": request.path_params["docid"]})

    async def answer(self, request: Request) -> Response:
        return await self._visit(request, "answer")

    async def _visit(self, request: Request, name: str, arguments: dict[str, Any] | None = None) -> Response:
        from starlette.responses import Response

        seat = self._seat(request)
        if seat is None:
            return _absent(seat)
        key = request.headers.get("idempotency-key")
        if key is not None and len(key) > KEY:
            return problem(400, LONG_KEY)
        if arguments is None:
            try:
                arguments = read_object(await request.body())
            except ValueError as wrong:
                return problem(400, str(wrong))
        outcome = await visit(self._desk, seat, name, arguments, key=None if key is None else f"key:{key}")
        if not outcome.replied:
            return problem(outcome.status, outcome.text)
        return Response(outcome.text, status_code=outcome.status, media_type="application/json")

    def _seat(self, request: Request) -> Seat | Gone | None:
        seat = self._desk.find(request.path_params["token"])
        if isinstance(seat, Seat):
            seat.touch()
        return seat


class _Mcp:
    """The route to MCP: an ASGI application, since the SDK writes the replies itself."""

    def __init__(self, desk: Desk, mcp: McpTools) -> None:
        self._desk = desk
        self._mcp = mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seat = self._desk.find(scope["path_params"]["token"])
        if seat is None:
            await _absent(None)(scope, receive, send)
            return
        if isinstance(seat, Seat):
            seat.touch()
        await self._mcp.handle(scope, receive, send)


def _absent(seat: Gone | None) -> Response:
    if seat is None:
        return problem(404, "there is no question under this address")
    return problem(410, f"this question is over: {seat.reason}")


def _base(request: Request) -> str:
    """The address of the seat, as the client knows the server."""
    return f"{request.url.scheme}://{request.url.netloc}/s/{request.path_params['token']}"
