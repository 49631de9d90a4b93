"""What a model server can do instead of answering: the failures that are met in practice, as data.

Wordings are those of the real servers, since clients tell errors apart by them.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from endpoint_overflows import OVERFLOWS, error_body

if TYPE_CHECKING:
    from aiohttp import web

__all__ = [
    "KEY",
    "Fault",
    "content_filter",
    "not_found",
    "overflow",
    "rate_limited",
    "refused",
    "send",
    "server_error",
    "unauthorized",
]

KEY = "{key}"
"""Stands in a body for the key that the request was sent with."""

_HTML = {"Content-Type": "text/html"}
_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to go on.</body></html>"


@dataclass(frozen=True)
class Fault:
    """One failure.

    Attributes:
        status: of the reply.
        body: of the reply; None is the answer itself where the status is 200, else an error that says the status.
        headers: added to those of the reply.
        kind: reply = as given; drop = the connection is closed without a reply; hang = no reply, ever; slow = the body
            comes piece by piece; garbage = a page of HTML with status 200; truncate = the body ends in the middle.
        seconds: how long a slow body takes.
    """

    status: int = 200
    body: dict[str, Any] | str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: Literal["reply", "drop", "hang", "slow", "garbage", "truncate"] = "reply"
    seconds: float = 0.5

    @property
    def of_answer(self) -> bool:
        """Whether what is sent is the answer, in a way that goes wrong."""
        return self.status == 200 and self.body is None and self.kind in ("reply", "slow", "truncate")


def rate_limited(retry_after: float | None = None) -> Fault:
    """429, with the seconds to wait where they are given."""
    body = error_body("Rate limit reached for requests", "rate_limit_error", "rate_limit_exceeded")
    return Fault(429, body, {} if retry_after is None else {"Retry-After": f"{retry_after:g}"})


def server_error(status: int = 500) -> Fault:
    """500 from the server itself; 502, 503 and 504 from what stands before it, as a page."""
    if status == 500:
        return Fault(
            500, error_body("EngineCore encountered an issue. See stack trace for details.", "InternalServerError")
        )
    words = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}[status]
    return Fault(
        status, f"<html><head><title>{status} {words}</title></head><body><h1>{words}</h1></body></html>", _HTML
    )


def unauthorized() -> Fault:
    """401, in words that repeat the key."""
    said = f"Incorrect API key provided: {KEY}. You can find your API key in your account settings."
    return Fault(401, error_body(said, "invalid_request_error", "invalid_api_key"))


def not_found(model: str = "local") -> Fault:
    """404: the server has no such model."""
    return Fault(404, error_body(f"The model `{model}` does not exist.", "NotFoundError", 404))


def content_filter(where: Literal["prompt", "reply"] = "prompt") -> Fault:
    """A filter has refused the prompt (400, as Azure does), or held back the reply (200, as OpenAI does)."""
    if where == "reply":
        choice = {"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}}
        return Fault(
            200,
            {
                "id": "chatcmpl-filtered",
                "object": "chat.completion",
                "created": 0,
                "model": "local",
                "choices": [choice],
            },
        )
    said = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry."
    )
    body = error_body(said, None, "content_filter", param="prompt")
    body["error"] |= {"status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}}
    return Fault(400, body)


def overflow(wording: str = "vllm") -> Fault:
    """The conversation does not fit, in one of the wordings of `OVERFLOWS`."""
    status, body = OVERFLOWS[wording]
    return Fault(status, body)


def refused(message: str) -> Fault:
    """400: the request is wrong, and is so again however often it is sent."""
    return Fault(400, error_body(message, "BadRequestError", 400))


async def send(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    """Reply to a request with a fault, or do what it says instead."""
    from aiohttp import web

    if fault.kind == "hang":
        await asyncio.Event().wait()
    if fault.kind == "drop":
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if fault.kind == "garbage":
        return web.Response(body=_PAGE, headers={**_HTML, **fault.headers})
    data = _data(fault, key=request.headers.get("Authorization", "").removeprefix("Bearer "))
    headers = {"Content-Type": "application/json", **fault.headers}
    if fault.kind == "slow":
        return await _trickle(request, data, headers, fault)
    if fault.kind == "truncate":
        data = data[: len(data) // 2]
    return web.Response(body=data, status=fault.status, headers=headers)


async def _trickle(
    request: web.BaseRequest, data: bytes, headers: dict[str, str], fault: Fault, pieces: int = 10
) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(status=fault.status, headers={**headers, "Content-Length": str(len(data))})
    await response.prepare(request)
    for n in range(pieces):
        await asyncio.sleep(fault.seconds / pieces)
        await response.write(data[n * len(data) // pieces : (n + 1) * len(data) // pieces])
    await response.write_eof()
    return response


def _data(fault: Fault, *, key: str) -> bytes:
    body = fault.body
    if isinstance(body, bytes):
        return body
    if body is None:
        body = error_body(f"status {fault.status}", None, fault.status)
    text = body if isinstance(body, str) else json.dumps(body)
    return text.replace(KEY, key).encode()
