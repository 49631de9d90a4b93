"""A search server on this machine, over HTTP: what it answers, and how badly, is a function of the request.

with SearchServer(own(rank)) as server:
    ...  # server.address, server.requests
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Asked", "Rank", "Said", "SearchServer", "own", "search_r1"]

Rank = Callable[[str, int], Sequence[tuple[Any, Any]]]
"""(query, k) → (docid, score) …"""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Said:
    """One reply; `content` is sent as it is, and `pieces` one after the other, `pause` seconds apart."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    cut: bool = False
    pieces: int = 1
    pause: float = 0.0


Answer = Callable[[Asked], Said | None]
"""None hangs up without a word."""


class SearchServer:
    """Listens in threads; a context manager. `stop` and `start` are those of a server that is down for a while."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Asked] = []
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def searches(self) -> list[Any]:
        """Bodies of the searches."""
        return [one.body for one in self.requests if one.method == "POST"]

    def __enter__(self) -> SearchServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        here = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply()

            def do_POST(self) -> None:
                self._reply()

            def _reply(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                content = self.rfile.read(length)
                if here._server is not self.server:  # stopped: what is still connected is let go of
                    self.close_connection = True
                    return
                asked = Asked(self.command, self.path, dict(self.headers), json.loads(content) if content else None)
                here.requests.append(asked)
                said = here.answer(asked)
                if said is None:
                    self.close_connection = True
                    return
                try:
                    self._send(said)
                except OSError:  # who asked has hung up
                    self.close_connection = True

            def _send(self, said: Said) -> None:
                body = json.dumps(said.value).encode() if said.content is None else said.content
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if said.cut:
                    body = body[: len(body) // 2]
                    self.close_connection = True
                step = max(1, -(-len(body) // said.pieces))
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    self.wfile.flush()
                    time.sleep(said.pause)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def own(rank: Rank, *, health: Mapping[str, Any] | None = None, word: str | None = "f00d") -> Answer:
    """Our own server: /health and /search."""

    def answer(asked: Asked) -> Said:
        if asked.path == "/health":
            return Said({"status": "ok", "retriever": "bm25", "fingerprint": word, **(health or {})})
        if asked.path != "/search":
            return Said({"detail": "Not Found"}, 404)
        rankings = [list(map(list, rank(query, asked.body["k"]))) for query in asked.body["queries"]]
        return Said({"fingerprint": word, "rankings": rankings})

    return answer


def search_r1(rank: Rank, document: Callable[[str], Mapping[str, Any]]) -> Answer:
    """The server of Search-R1, which has /retrieve and nothing else."""

    def answer(asked: Asked) -> Said:
        if asked.path != "/retrieve":
            return Said({"detail": "Not Found"}, 404)
        assert asked.body["return_scores"] is True
        found = [
            [{"document": document(docid), "score": score} for docid, score in rank(query, asked.body["topk"])]
            for query in asked.body["queries"]
        ]
        return Said({"result": found})

    return answer
