"""What stands around an application: who is let in, how much is read of a request, and for how long it may take."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import re
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lrat_bench.serve.desk import Traffic

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["NO_TOKEN", "Fence", "carries", "hosts_of", "is_loopback", "may_administer", "problem", "read_object"]

_log = logging.getLogger("lrat_bench.serve")

_BODY = 1_000_000
"""Bytes of a request."""
_READING = 30.0
"""Seconds that a request may take to come in."""
_ANSWERING = 600.0
"""Seconds that a reply may take. A call that takes longer is finished and logged all the same."""

_FORWARDED = re.compile(r"forwarded|via|x-forwarded-.*|x-real-ip|(x|true)-client-ip|cf-.*")
"""Headers by which a server in between shows that a request is of somebody else."""

_OBJECT = 'the body is no JSON object: send one, as in {"query": "…"}'

NO_TOKEN = "this wants the token of the server: Authorization: Bearer TOKEN"  # noqa: S105 -- a sentence

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Fence:
    """An ASGI application around another one: checks hosts, bounds requests, and turns whatever fails into one line.

    Args:
        app: inside.
        hosts: names under which the server may be addressed; a page of another site, whose name was made to lead here,
            is turned away (DNS rebinding). None lets every name in.
        knows: whether the head of a request shows what its sender is let in by.
        traffic: counts replies by status.
        body: bytes that a request may have.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] | None,
        knows: Callable[[Scope], bool],
        traffic: Traffic,
        body: int = _BODY,
    ) -> None:
        self._app = app
        self.knows = knows
        self._hosts = None if hosts is None else frozenset(hosts)
        self._traffic = traffic
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        started = False

        async def counted(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._traffic.requests[message["status"]] += 1
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        try:
            async with asyncio.timeout(_ANSWERING):
                await self._pass(scope, receive, counted)
        except TimeoutError:
            failure = problem(504, f"no reply within {_ANSWERING:.0f} seconds: ask again with the same key")
        except Exception as error:  # noqa: BLE001 -- the last resort: a client is told nothing of what is inside
            _log.exception("a request failed: %s", type(error).__name__)
            failure = problem(500, "the server failed on this request")
        else:
            return
        if not started:
            await failure(scope, receive, counted)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if (refused := self._refuse(headers)) is not None:
            await refused(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_READING):
                body = await self._read(receive)
        except _Left:
            return
        except TimeoutError:
            await problem(408, f"the request did not come in within {_READING:.0f} seconds")(scope, receive, send)
            return
        if body is None:
            await problem(413, f"a request has at most {self._body} bytes")(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    def _refuse(self, headers: dict[bytes, str]) -> Response | None:
        if (declared := headers.get(b"content-length", "0")).isdigit() and int(declared) > self._body:
            return problem(413, f"a request has at most {self._body} bytes")
        if self._hosts is None:
            return None
        if _name(headers.get(b"host", "")) not in self._hosts:
            return problem(421, "this server is not known under that name: see --url of `lrat-bench serve`")
        origin = headers.get(b"origin")
        if origin is not None and _host(origin) not in self._hosts:
            return problem(403, "pages of other sites are not served")
        return None

    async def _read(self, receive: Receive) -> bytes | None:
        """The body; None where it is too long."""
        parts: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                # Half of a request is none.
                raise _Left
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > self._body:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)


class _Left(Exception):
    """The client has gone before its request was there."""


def problem(status: int, what: str) -> Response:
    """A refusal: one line of JSON."""
    from starlette.responses import Response

    body = json.dumps({"error": " ".join(what.split())}, ensure_ascii=False)
    return Response(body, status_code=status, media_type="application/json")


def is_loopback(host: str) -> bool:
    """Whether an address or name leads to this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def hosts_of(addresses: Iterable[str]) -> frozenset[str]:
    """The names under which a server is known: those of loopback, and these.

    Args:
        addresses: hosts, or URLs.
    """
    given = (urlsplit(one).netloc if "//" in one else one for one in addresses)
    return frozenset({"localhost", "127.0.0.1", "::1", *map(_name, given)})


def carries(request: Request, token: str) -> bool:
    """Whether a request carries a token."""
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {token}".encode())


def may_administer(request: Request, token: str | None, hosts: Collection[str] | None) -> bool:
    """Whether a request carries the token of whoever runs the server; without one, whether it comes from this machine.

    A server that is known elsewhere may stand behind another one, and then all requests come from where that is.

    Args:
        request: as it came.
        token: that is asked for.
        hosts: names under which the server is addressed; see `Fence`.
    """
    if token is not None:
        return carries(request, token)
    if hosts is None or not all(map(is_loopback, hosts)) or any(map(_FORWARDED.fullmatch, request.headers)):
        return False
    return request.client is not None and is_loopback(request.client.host)


def _host(url: str) -> str | None:
    """The host of an address; None where it is none."""
    try:
        return _name(urlsplit(url).netloc)
    except ValueError:
        return None


def _name(netloc: str) -> str:
    """The host of `host:port`, in lower case."""
    host = netloc.rpartition("@")[2].lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") <= 1 else host


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: it is none; the message says what to send.
    """
    try:
        found = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError(_OBJECT) from None
    if not isinstance(found, dict):
        raise ValueError(_OBJECT)  # noqa: TRY004 -- of what a client sent
    return found


def _no_number(name: str) -> float:
    raise ValueError(name)
