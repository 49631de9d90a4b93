"""An HTTP server within an event loop that others use, too: it starts, tells its address, and ends without haste."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrat_bench.errors import UsageError
from lrat_bench.serve.crowd import Crowd, Doing, room

if TYPE_CHECKING:
    import uvicorn

    from lrat_bench.serve.fence import Fence

__all__ = ["Host"]

_PATIENCE = 5
"""Seconds that replies under way may take when the server ends."""
_WHOLE = 10.0
"""Seconds until a connection is closed that has not sent all of the head of its first request, or of a next one."""
_AT_ONCE = 32
"""One of so many connections is taken in one go: asyncio takes them before anybody can look at one, and those of a few
goes must fit among strangers, or who comes with a request is displaced before it is read."""
_QUEUE = 1024
"""Connections that the kernel keeps until they are taken."""
_LOUD = ("uvicorn.error", "mcp")
"""Loggers of libraries that repeat what clients send."""


class Host:
    """A server for one application.

    Args:
        host: address that is listened on.
        port: 0 takes any that is free.
        socket_file: a UNIX socket that is listened on beside it.

    Attributes:
        crowd: who is connected.

    Raises:
        UsageError: the address cannot be listened on.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, socket_file: Path | None = None) -> None:
        self.crowd = Crowd(room())
        self._sockets = [_listen(host, port)]
        self.port: int = self._sockets[0].getsockname()[1]
        self.host = host
        self.socket_file = socket_file
        if socket_file is not None:
            self._sockets.append(_listen_on_file(socket_file))
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Its address, as seen from this machine."""
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 -- what the user asked for
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it serves in the loop of the caller."""
        return self._task is not None and not self._task.done() and self._loop is asyncio.get_running_loop()

    async def start(self, app: Fence) -> None:
        """Serve from now on.

        Args:
            app: what answers, and knows whom; for others there is less room.
        """
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

        crowd = self.crowd

        class Impatient(H11Protocol):
            """Closes connections whose requests do not come: each one takes the place of another."""

            _waiting: asyncio.TimerHandle | None = None
            _asked: Any = None

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                self._look()
                crowd.come(self, self.client[0] if self.client else None)

            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                if self.scope is not self._asked:
                    self._asked = self.scope
                    crowd.ask(self, known=app.knows(self._asked))
                self._look()

            def connection_lost(self, exc: Exception | None) -> None:
                crowd.leave(self)
                self._look(gone=True)
                super().connection_lost(exc)

            def doing(self) -> Doing:
                cycle: RequestResponseCycle | None = self.cycle
                if cycle is None or cycle.response_complete:
                    return Doing.NOTHING
                return Doing.SENDING if cycle.more_body else Doing.WAITING

            def dismiss(self) -> None:
                self.transport.abort()

            def _look(self, *, gone: bool = False) -> None:
                """Half a request winds no clock up, a request does: its body is the application's to wait for."""
                cycle: RequestResponseCycle | None = self.cycle
                if gone or (cycle is not None and not cycle.response_complete):
                    if self._waiting is not None:
                        self._waiting.cancel()
                        self._waiting = None
                elif self._waiting is None:
                    self._waiting = self.loop.call_later(_WHOLE, self.transport.close)

        class Server(uvicorn.Server):
            """Leaves signals to whoever runs the loop."""

            def capture_signals(self) -> Any:
                return nullcontext()

        config = uvicorn.Config(
            app,
            http=Impatient,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=crowd.most,
            backlog=max(1, crowd.most // _AT_ONCE),
            timeout_graceful_shutdown=_PATIENCE,
            timeout_keep_alive=60,
        )
        self._server = server = Server(config)
        self._loop = asyncio.get_running_loop()
        # Of no rollout: whoever asks first must not lend its clock to all who come after.
        self._task = asyncio.create_task(self._serve(server), context=contextvars.Context())
        while not server.started:
            if self._task.done():
                self._task.result()
                raise UsageError(f"the server at {self.url} ended before it began")
            await asyncio.sleep(0.005)
        for one in self._sockets:
            one.listen(_QUEUE)

    async def stop(self) -> None:
        """Finish the replies under way, and listen no more."""
        if self._server is not None and self._task is not None and self.running:
            self._server.should_exit = True
            with suppress(asyncio.CancelledError):
                await self._task
        self.close()

    def close(self) -> None:
        """Listen no more."""
        for one in self._sockets:
            one.close()
        if self.socket_file is not None:
            self.socket_file.unlink(missing_ok=True)

    async def _serve(self, server: uvicorn.Server) -> None:
        with _hushed():
            try:
                await server.serve(sockets=self._sockets)
            finally:
                # Cancelled with the loop, it leaves them open.
                for one in getattr(server, "servers", ()):
                    one.close()
                self.close()


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep libraries from printing what clients send; what goes wrong is counted, and logged by us."""
    levels = {name: logging.getLogger(name).level for name in _LOUD}
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise UsageError(f"--port is a number from 0 to 65535, got {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Without its protocol, asyncio does not know it for TCP, and leaves on what delays each reply by 40 ms.
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(_QUEUE)
        except BaseException:
            found.close()
            raise
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host}:{port}: {reason}; give another --host or --port") from None
    found.setblocking(False)
    return found


def _listen_on_file(path: Path) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.bind(os.fspath(path))
        path.chmod(0o600)
        found.listen(_QUEUE)
    except OSError as error:
        found.close()
        raise UsageError(f"cannot listen on {path}: {error.strerror or error}; set TMPDIR to a shorter path") from None
    found.setblocking(False)
    return found
