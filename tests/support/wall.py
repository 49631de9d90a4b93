"""A server that answers nothing and keeps what it was asked: what LiteLLM makes of a request on the wire."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lrat_bench.errors import RolloutError
from lrat_bench.model.lite.model import LiteLLMModel
from lrat_bench.model.seam import Request
from lrat_bench.model.spec import Connection, ModelSpec

__all__ = ["Wall", "standing"]

_KEY = "KEY_TO_THE_WALL"
_NO = b'{"error": {"message": "no", "type": "invalid_request_error", "code": 400}}'
_OWN_PATH = ("anthropic", "gemini")
"""Providers whose address ends without /v1."""


class Wall(ThreadingHTTPServer):
    """Keeps what it is sent, and refuses it."""

    bodies: list[dict[str, Any]]

    def body(self, spec: ModelSpec, request: Request) -> dict[str, Any]:
        """The body of one call, with the path that it went to, and Anthropic's header of features."""
        version = "" if spec.model.partition("/")[0] in _OWN_PATH else "/v1"
        address = f"http://127.0.0.1:{self.server_port}{version}"

        async def ask() -> None:
            model = LiteLLMModel(spec, Connection(api_base=address, api_key_env=_KEY, outage_seconds=0))
            try:
                await model.complete(request)
            except RolloutError:
                return
            finally:
                await model.close()
            raise AssertionError("the wall has answered")

        self.bodies.clear()
        asyncio.run(ask())
        (body,) = self.bodies
        return body


@contextmanager
def standing() -> Iterator[Wall]:
    """A wall on a port of its own."""

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.bodies.append({"path": self.path, "beta": self.headers.get("anthropic-beta"), **body})
            self.send_response(400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(_NO)))
            self.end_headers()
            self.wfile.write(_NO)

        def log_message(self, *_: Any) -> None:
            pass

    found = Wall(("127.0.0.1", 0), Keep)
    found.bodies = []
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    os.environ[_KEY] = "sk-wall"
    try:
        yield found
    finally:
        del os.environ[_KEY]
        found.shutdown()
        found.server_close()
        thread.join()
