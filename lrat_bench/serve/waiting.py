"""An agent that comes to us: its questions are opened, and whoever has their addresses works on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lrat_bench.agent.episode import Episode
from lrat_bench.agent.function import FunctionAgent
from lrat_bench.agent.function_tools import Tools
from lrat_bench.agent.session import Session
from lrat_bench.errors import RolloutFailure
from lrat_bench.files import fingerprint
from lrat_bench.model.clock import stopped
from lrat_bench.serve.reception import Reception
from lrat_bench.serve.seat import CALL_LIMIT, Seat
from lrat_bench.serve.unread import Unread

__all__ = ["Invitation", "WaitingAgent"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """The addresses of one question: one line of the file of seats.

    Attributes:
        question_id: of the task.
        repeat: which time it is asked, from 0.
        url: over plain HTTP.
        mcp_url: over MCP.
    """

    question_id: str
    repeat: int
    url: str
    mcp_url: str

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return asdict(self)


class WaitingAgent:
    """A `Player` that opens a seat for each question and waits for the answer.

    Args:
        reception: where questions are opened; it is open from the first one to `close`.
        invite: is given the addresses of each question that is opened.
        repeats: (question id, seed) → repeat, since a player is told the seed alone.
        name: of the agent that is expected.
        version: of it, where anybody knows; without one, a run is not rankable.
        patience: seconds without a request, after the first, that end a question as `error`; None waits.
    """

    def __init__(
        self,
        *,
        reception: Reception,
        invite: Callable[[Invitation], None],
        repeats: Mapping[tuple[str, int], int],
        name: str = "external",
        version: str | None = None,
        patience: float | None = None,
    ) -> None:
        self.name = name
        self.fingerprint = None if version is None else fingerprint({"agent": name, "version": version})
        self._version = version
        self._reception = reception
        self._invite = invite
        self._repeats = repeats
        self._patience = patience
        self._opening = asyncio.Lock()
        self._unread = Unread()

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it: nothing is known of what it does beside its calls."""
        return {
            "kind": "served",
            "name": self.name,
            "version": self._version,
            "fingerprint": self.fingerprint,
            "scaffold": "custom",
            "call_limit": CALL_LIMIT,
            "confinement": {"mode": "none", "network": "not known", "files": "not known"},
        }

    async def play(self, question: str, session: Session, *, seed: int | None = None) -> Episode:
        """Open a question and wait for its answer; the protocol's seconds, and its own, begin with the first request.

        Raises:
            UsageError: the parts do not fit together.
        """
        async with self._opening:
            if not self._reception.running:
                await self._reception.open()
        reception = self._reception
        repeat = self._repeats[session.question_id, seed or 0]
        began: float | None = None

        async def work(_: str, tools: Tools) -> str | None:
            nonlocal began
            with reception.seat(question, session, tools, "endpoint") as seat:
                url = f"{reception.url}/s/{seat.token}"
                self._invite(Invitation(session.question_id, repeat, url, f"{url}/mcp"))
                with stopped():
                    await seat.touched()
                began = time.perf_counter()
                answer = await self._answer(seat)
            self._unread.look_at(answer, session)
            return answer

        episode = await FunctionAgent(self.name, work, self.fingerprint).play(question, session, seed=seed)
        return episode if began is None else replace(episode, seconds=time.perf_counter() - began)

    async def close(self) -> None:
        """End the server."""
        self._unread.report()
        await self._reception.close()

    async def _answer(self, seat: Seat) -> str | None:
        answering = asyncio.create_task(seat.answer())
        try:
            while not answering.done():
                await asyncio.wait({answering}, timeout=self._left(seat))
                if not answering.done() and not seat.busy and self._left(seat) == 0:
                    raise RolloutFailure(f"agent: no request for {self._patience:g} seconds, and no answer (--timeout)")
            return answering.result()
        finally:
            answering.cancel()

    def _left(self, seat: Seat) -> float | None:
        """Seconds until its patience is at an end; a second at least while a call is carried out."""
        if self._patience is None:
            return None
        left = max(self._patience - (time.monotonic() - (seat.seen or 0)), 0.0)
        return max(left, 1.0) if seat.busy else left
