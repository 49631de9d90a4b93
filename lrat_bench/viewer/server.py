"""The viewer from a server on this machine: made in memory, for whoever knows the address, and kept nowhere."""

from __future__ import annotations

import hmac
import logging
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lrat_bench.errors import LratBenchError, UsageError
from lrat_bench.pages.render import POLICY
from lrat_bench.viewer.site import Site

__all__ = ["Server"]

_log = logging.getLogger("lrat_bench.viewer")

_HOST = "127.0.0.1"

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}

_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""With every answer: nothing is kept by the browser, told to others, framed or read by another site's page."""


class Server:
    """Serves one view until it is closed.

    It listens on the loopback address alone and answers what comes under a path that nobody can guess, asked of it by
    its own name: not another user's program, nor a page of another site that had its name lead here.

    Args:
        site: what to show.
        port: where; 0 takes a free one.

    Raises:
        UsageError: the port is taken or not allowed.

    Attributes:
        url: of the first page.
        missing: why there are ids alone; None where the task was at hand.
    """

    def __init__(self, site: Site, *, port: int = 0) -> None:
        token = secrets.token_urlsafe(24)
        self.missing = site.material.missing
        self._serving = False
        try:
            self._server = _Listener(site, token, port)
        except OSError as error:
            raise UsageError(f"cannot listen on port {port}: {error.strerror}; give another --port, or none") from None
        self.url = f"http://{_HOST}:{self._server.server_port}/{token}/index.html"

    def serve(self) -> None:
        """Answer until `close` is called from another thread, or the process is interrupted."""
        self._serving = True
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._serving = False

    def close(self) -> None:
        """Stop, and let go of the port."""
        # Waits for a loop that runs in another thread; where none runs there is nothing to wait for.
        if self._serving:
            self._server.shutdown()
        self._server.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site, token: str, port: int) -> None:
        super().__init__((_HOST, port), _Handler)
        self.site = site
        self.prefix = f"/{token}/"
        self.names = {f"{name}:{self.server_port}" for name in (_HOST, "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 -- a reader who went away
        _log.debug("a request failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    server_version = "lrat-bench"
    sys_version = ""
    timeout = 30.0

    def do_GET(self) -> None:
        status, kind, content = self._answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815

    def _answer(self) -> tuple[HTTPStatus, str, bytes]:
        plain = "text/plain; charset=utf-8"
        if self.headers.get_all("Host", []) not in [[name] for name in self.server.names]:
            return HTTPStatus.MISDIRECTED_REQUEST, plain, b"asked under another name\n"
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return HTTPStatus.FORBIDDEN, plain, b"asked by another site\n"
        path = self.path.partition("?")[0]
        prefix = self.server.prefix
        if not hmac.compare_digest(path[: len(prefix)].encode(), prefix.encode()):
            return HTTPStatus.NOT_FOUND, plain, b"not found\n"
        name = path[len(prefix) :] or "index.html"
        make = self.server.site.files.get(name)
        if make is None:
            return HTTPStatus.NOT_FOUND, plain, b"not found\n"
        try:
            return HTTPStatus.OK, _TYPES[name.rpartition(".")[2]], make()
        except LratBenchError as error:
            _log.warning("%s", error)
            return HTTPStatus.INTERNAL_SERVER_ERROR, plain, f"{error}\n".encode("utf-8", "replace")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- addresses hold the token
        pass
