"""A desk that can be reached: the seats of a run, and the server that leads to them."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrat_bench.agent.function_tools import Tools
from lrat_bench.agent.session import Session
from lrat_bench.serve.app import desk_app
from lrat_bench.serve.desk import STOPPING, Desk
from lrat_bench.serve.fence import hosts_of
from lrat_bench.serve.host import Host
from lrat_bench.serve.mcp_tools import McpTools
from lrat_bench.serve.seat import AnswerBy, Seat
from lrat_bench.serve.signals import Signals

__all__ = ["Reception"]

_PATIENCE = 10.0
"""Seconds that calls under way may take when the server is told to end."""
_SENDING = 0.2
"""Seconds for their replies."""


class Reception:
    """The seats of one run, open to the network.

    Args:
        host: address that is listened on.
        port: 0 takes any that is free.
        base: address under which others know the server, where it is another one.
        token: that `/metrics` asks for.
        on_file: listen on a UNIX socket, too.
        drains: whether Ctrl-C lets calls under way be finished first; SIGTERM does what Ctrl-C does.

    Attributes:
        desk: the seats.

    Raises:
        UsageError: the address cannot be listened on.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        base: str | None = None,
        token: str | None = None,
        on_file: bool = False,
        drains: bool = False,
    ) -> None:
        self.desk = Desk()
        self._seats = 0
        self._signals = (
            Signals((signal.SIGTERM, signal.SIGINT), first=self._drain) if drains else Signals((signal.SIGTERM,))
        )
        self._base = base
        self._token = token
        self._folder = Path(tempfile.mkdtemp(prefix="lrat-bench-socket-")) if on_file else None
        self.socket_file = self._folder / "server" if self._folder else None
        try:
            self._host = Host(host=host, port=port, socket_file=self.socket_file)
        except BaseException:
            self._tidy()
            raise

    @property
    def url(self) -> str:
        """Its address, as others know it."""
        return (self._base or self._host.url).rstrip("/")

    @property
    def running(self) -> bool:
        """Whether it serves in the loop of the caller."""
        return self._host.running

    async def open(self) -> None:
        """Serve from now on."""
        mcp = McpTools(self.desk)
        hosts = hosts_of([self._host.host, self.url])
        await self._host.start(desk_app(self.desk, mcp, hosts=hosts, token=self._token))

    async def close(self) -> None:
        """Finish the replies under way, and end the server."""
        try:
            await self._host.stop()
        finally:
            self._tidy()

    def abandon(self) -> None:
        """Listen no more, where nothing was served."""
        self._host.close()
        self._tidy()

    @contextmanager
    def seat(self, question: str, session: Session, tools: Tools, answer_by: AnswerBy) -> Iterator[Seat]:
        """A seat for one question, while the block runs."""
        if self._seats == 0:
            self._signals.listen()
        self._seats += 1
        seat = self.desk.open(question=question, session=session, tools=tools, answer_by=answer_by)
        reason = "the agent has ended"
        try:
            yield seat
        except asyncio.CancelledError:
            reason = STOPPING if self.desk.stopping else "its time is over"
            raise
        finally:
            self.desk.close(seat, reason)
            self._seats -= 1
            if self._seats == 0:
                self._signals.stop()

    async def _drain(self) -> None:
        await self.desk.drain(patience=_PATIENCE)
        # What has just been carried out is still to be sent.
        await asyncio.sleep(_SENDING)

    def _tidy(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
