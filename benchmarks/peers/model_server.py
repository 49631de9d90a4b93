"""A model server on this machine that speaks the OpenAI API and says what a script says, the same to every harness.

    python benchmarks/peers/model_server.py --questions queries.tsv --steps 8 --seconds 1

prints its address and serves until its standard input ends. With `--faults 0.05` the first try of one call in twenty
fails, by turns with 429, 500 and a connection that is cut: the same calls for every harness. `GET /stats` tells what
was asked so far, `POST /reset` forgets it and may set `seconds` and `faults` anew. Only the standard library is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from script import Script, read_questions

__all__ = ["KINDS", "ModelServer", "Stats"]

KINDS = ("429", "500", "cut")
"""How a call fails."""


_SETTLING = 2.0
"""Seconds that the statistics wait for calls under way."""


@dataclass
class Stats:
    """What was asked since the last reset.

    Attributes:
        requests: calls that came.
        answered: calls that got a reply; of a question, by its id.
        faults: calls that were made to fail, by kind.
        refused: calls that were of no API that is spoken here.
        peak: most calls at once.
        first, last: seconds since the epoch of the first call, and of the last reply.
    """

    requests: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    in_flight: int = 0
    peak: int = 0
    first: float | None = None
    last: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        total = sum(self.answered.values())
        return {**vars(self), "answered": total, "questions": dict(self.answered), "faults": dict(self.faults)}


class ModelServer(ThreadingHTTPServer):
    """The server.

    Args:
        script: what it says.
        seconds: how long each reply takes.
        faults: share of calls whose first try fails.
        port: chosen by the system unless given.
    """

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, script: Script, *, seconds: float = 0.0, faults: float = 0.0, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script = script
        self.lock = threading.Lock()
        self.seconds = seconds
        self.faults = faults
        self.stats = Stats()
        self._tried: Counter[tuple[str | None, int]] = Counter()

    @property
    def url(self) -> str:
        """Address, with its /v1."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def reset(self, *, seconds: float | None = None, faults: float | None = None) -> None:
        """Forget what was asked; what is given is set anew."""
        with self.lock:
            self.stats = Stats()
            self._tried.clear()
            self.seconds = self.seconds if seconds is None else float(seconds)
            self.faults = self.faults if faults is None else float(faults)

    def counted(self) -> dict[str, Any]:
        """The statistics, once calls under way are counted: who has a reply may ask before its own call is."""
        until = time.monotonic() + _SETTLING
        while True:
            with self.lock:
                if self.stats.in_flight == 0 or time.monotonic() > until:
                    return self.stats.to_dict()
            time.sleep(0.005)

    def fault(self, question_id: str | None, step: int) -> str | None:
        """How the next try of that call fails, if it does."""
        with self.lock:
            self._tried[question_id, step] += 1
            if self._tried[question_id, step] > 1:
                return None
        digest = hashlib.sha256(f"{question_id} {step}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return KINDS[digest[8] % len(KINDS)] if share < self.faults else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet, at once: otherwise a client waits 40 ms for what is in neither harness.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: ModelServer

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            listed = {"id": "scripted", "object": "model", "max_model_len": 131072}
            self._send(200, {"object": "list", "data": [listed]})
        elif self.path == "/stats":
            self._send(200, self.server.counted())
        else:
            self._send(404, {"error": {"message": "not found"}})

    def do_POST(self) -> None:
        arrived = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/reset":
            self.server.reset(**json.loads(body or "{}"))
            self._send(200, {})
            return
        stats = self.server.stats
        with self.server.lock:
            stats.requests += 1
            stats.in_flight += 1
            stats.peak = max(stats.peak, stats.in_flight)
            stats.first = stats.first or arrived
        try:
            self._answer(stats, body, arrived)
        finally:
            with self.server.lock:
                stats.in_flight -= 1

    def _answer(self, stats: Stats, body: bytes, arrived: float) -> None:
        try:
            said = self.server.script.reply(self.path, json.loads(body))
        except (AttributeError, LookupError, StopIteration, TypeError, ValueError) as error:
            with self.server.lock:
                stats.refused += 1
            self._send(400, {"error": {"message": f"{type(error).__name__}: {error}"}})
            return
        fault = self.server.fault(said.question_id, said.step)
        if fault is not None:
            with self.server.lock:
                stats.faults[fault] += 1
            self._fail(fault)
            return
        time.sleep(max(0.0, self.server.seconds - (time.time() - arrived)))
        if self._send(200, said.body):
            with self.server.lock:
                stats.answered[said.question_id or ""] += 1
                stats.last = time.time()

    def _fail(self, kind: str) -> None:
        if kind == "cut":
            self.close_connection = True
            return
        message = {"error": {"message": f"made to fail with {kind}", "type": "server_error"}}
        self._send(int(kind), message, {"Retry-After": "1"} if kind == "429" else {})

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> bool:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
            return False
        return True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted model server on this machine.")
    parser.add_argument("--questions", type=Path, required=True, help="queries.tsv: id, tab, question")
    parser.add_argument("--steps", type=int, default=8, help="searches before the answer")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each reply takes")
    parser.add_argument("--faults", type=float, default=0.0, help="share of calls whose first try fails")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    script = Script(read_questions(given.questions), given.steps)
    with ModelServer(script, seconds=given.seconds, faults=given.faults, port=given.port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.url, flush=True)
        # The end of the standard input is the end of whoever started this process.
        sys.stdin.read()


if __name__ == "__main__":
    main()
