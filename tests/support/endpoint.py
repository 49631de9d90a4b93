"""A model server on this machine that speaks the OpenAI protocol, for tests and benchmarks.

Whatever completes a conversation can stand behind it: a `Model` of the seam, or a function of the request's body.

    with Endpoint(Heuristic(), dialect=Dialect(calls="tags")) as endpoint:
        ...  # endpoint.url, endpoint.bodies, endpoint.calls

As a process of its own, which prints its address first:

    python tests/support/endpoint.py --brain heuristic --seconds 1
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from endpoint_echo import echo
from endpoint_faults import (
    Fault,
    content_filter,
    not_found,
    overflow,
    rate_limited,
    refused,
    send,
    server_error,
    unauthorized,
)
from endpoint_overflows import OVERFLOWS
from endpoint_replies import Dialect, chat_reply, raw_reply
from endpoint_requests import read_request

from lrat_bench.errors import ContextOverflow, FatalModelError, ModelRefusal, RolloutFailure
from lrat_bench.model.heuristic import Heuristic
from lrat_bench.model.seam import Model, ToolCall, Turn

if TYPE_CHECKING:
    from aiohttp import web

__all__ = [
    "OVERFLOWS",
    "Dialect",
    "Endpoint",
    "Fault",
    "content_filter",
    "not_found",
    "overflow",
    "rate_limited",
    "server_error",
    "unauthorized",
]


class Endpoint:
    """The server, in a thread with an event loop of its own; a context manager.

    Args:
        brain: a model, or a function from the request's body to a turn.
        dialect: how it writes what the brain says.
        seconds: how long each answer takes.
        faults: given the 0-based number of a completion request and its body: what to do instead of answering.
        context_tokens: size of the window that it reports.
        model: name that it reports.
        port: chosen by the system unless given.
        names: presented tool name → canonical one, where the brain knows only canonical tools.
        present: a canonical call as the presented one.
        keep_bodies: whether `bodies` and `headers` are kept.

    Attributes:
        url: address, with its /v1; the same after `stop` and `start`.
        bodies: of completion requests, in the order of arrival.
        headers: of the same requests.
        listings: headers of requests for the list of models.
        calls: completion requests so far.
        in_flight: those being answered now.
        peak: most of them at once so far.
    """

    def __init__(
        self,
        brain: Model | Callable[[dict[str, Any]], Turn],
        *,
        dialect: Dialect = Dialect(),  # noqa: B008 -- frozen
        seconds: float = 0.0,
        faults: Callable[[int, dict[str, Any]], Fault | None] | None = None,
        context_tokens: int = 32768,
        model: str = "local",
        port: int = 0,
        names: Mapping[str, str] | None = None,
        present: Callable[[ToolCall], ToolCall] | None = None,
        keep_bodies: bool = True,
    ) -> None:
        self._brain = brain
        self._dialect = dialect
        self._seconds = seconds
        self._faults = faults
        self._context_tokens = context_tokens
        self._model = model
        self._port = port
        self._names = names
        self._present = present
        self._keep = keep_bodies
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.listings: list[dict[str, str]] = []
        self.calls = 0
        self.in_flight = 0
        self.peak = 0

    @property
    def url(self) -> str:
        """Address, with its /v1."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Endpoint:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; after a `stop`, on the same port."""
        if self._thread is not None:
            return
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="endpoint", daemon=True)
        thread.start()
        try:
            _wait(loop, self._listen())
        except BaseException:
            _end(loop, thread)
            raise
        self._loop, self._thread = loop, thread

    def stop(self) -> None:
        """Stop listening and cut every open connection, as the end of the process would."""
        if self._loop is None or self._thread is None:
            return
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        try:
            _wait(loop, self._cut())
        finally:
            _end(loop, thread)

    async def _listen(self) -> None:
        from aiohttp import web

        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        loop = asyncio.get_running_loop()
        for trial in range(50):
            try:
                self._listener = await loop.create_server(self._server, "127.0.0.1", self._port, backlog=1024)
                break
            except OSError as error:
                # A client that connects may have been lent the port that this server had before.
                if error.errno != errno.EADDRINUSE or trial == 49:
                    raise
                await asyncio.sleep(0.1)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        self._listener.close()
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._server.shutdown(0.01)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        from aiohttp import web

        if request.path == "/v1/models":
            if self._keep:
                self.listings.append(dict(request.headers))
            listed = {"id": self._model, "object": "model", "max_model_len": self._context_tokens}
            return web.json_response({"object": "list", "data": [listed]})
        raw = {"/v1/chat/completions": False, "/v1/completions": True}.get(request.path)
        if raw is None or request.method != "POST":
            return web.json_response({"detail": "Not Found"}, status=404)
        arrived = time.perf_counter()
        data = await request.read()
        body = json.loads(data)
        number = self._arrive(request, body)
        try:
            fault = self._faults(number, body) if self._faults else None
            if fault is None or fault.of_answer:
                answer = await self._answer(body, raw=raw, number=number, size=len(data))
                fault = answer if isinstance(answer, Fault) else replace(fault or Fault(), body=answer)
                await asyncio.sleep(self._seconds - (time.perf_counter() - arrived))
            return await send(request, fault)
        finally:
            self.in_flight -= 1

    def _arrive(self, request: web.BaseRequest, body: dict[str, Any]) -> int:
        """Count a request and return its number."""
        number = self.calls
        self.calls += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        if self._keep:
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
        return number

    async def _answer(self, body: dict[str, Any], *, raw: bool, number: int, size: int) -> bytes | Fault:
        """What the brain says, as the body of a reply; what it raises, as the error that a server would send."""
        try:
            turn = await self._turn(body, raw=raw)
        except ContextOverflow:
            return overflow()
        except ModelRefusal:
            return content_filter()
        except FatalModelError:
            return unauthorized()
        except RolloutFailure:
            return server_error(500)
        except Exception as error:  # noqa: BLE001 -- a mistake in a script is refused, since an error 500 is tried again
            return refused(f"{type(error).__name__}: {error}")
        write = raw_reply if raw else chat_reply
        reply = write(turn, body, self._dialect, number=number, size=size)
        return json.dumps({**reply, "model": self._model}, ensure_ascii=False).encode()

    async def _turn(self, body: dict[str, Any], *, raw: bool) -> Turn:
        if not isinstance(self._brain, Model):
            return self._brain(body)
        if raw != (self._dialect.calls == "search_r1"):
            raise ValueError(f"the dialect {self._dialect.calls!r} has another route")
        turn = await self._brain.complete(read_request(body, self._dialect, self._names))
        return replace(turn, calls=tuple(map(self._present, turn.calls))) if self._present else turn


def _wait(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    asyncio.run_coroutine_threadsafe(work, loop).result(timeout=30)


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=30)
    loop.close()


def _main() -> None:
    parser = argparse.ArgumentParser(description="A model server on this machine.")
    parser.add_argument("--brain", choices=["heuristic", "echo"], default="echo")
    parser.add_argument("--steps", type=int, default=4, help="tool calls that echo makes before it answers")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long each answer takes")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    brain: Any = Heuristic() if arguments.brain == "heuristic" else echo(arguments.steps)
    with Endpoint(brain, seconds=arguments.seconds, port=arguments.port, keep_bodies=False) as endpoint:
        print(endpoint.url, flush=True)  # noqa: T201
        # The end of the standard input is the end of whoever started this process.
        sys.stdin.read()


if __name__ == "__main__":
    _main()
