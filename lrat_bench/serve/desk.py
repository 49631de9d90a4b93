"""Who sits where: tokens and their seats, and counts of what came in."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from lrat_bench.agent.function_tools import Tools
from lrat_bench.agent.session import Session
from lrat_bench.serve.reply import Gone
from lrat_bench.serve.seat import AnswerBy, Seat

__all__ = ["STOPPING", "Desk", "Traffic"]

STOPPING = "the server is stopping"

_TOKEN_BYTES = 24
"""192 bits."""
_GONE = 10_000
"""Closed seats whose visitors are still told why; those of others find nothing."""


@dataclass(slots=True)
class Traffic:
    """Counts since the start, without any text.

    Attributes:
        opened: seats.
        closed: seats, by why.
        calls: by tool and by what became of them: done, refused, failed, repeated.
        seconds: that calls took, all together.
        requests: by HTTP status.
    """

    opened: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    requests: Counter[int] = field(default_factory=Counter)


class Desk:
    """The seats of one server."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.stopping = False
        self._open: dict[bytes, Seat] = {}
        self._gone: OrderedDict[bytes, Gone] = OrderedDict()

    @property
    def open_seats(self) -> int:
        """How many questions are open."""
        return len(self._open)

    def open(self, *, question: str, session: Session, tools: Tools, answer_by: AnswerBy = "endpoint") -> Seat:
        """A seat for a question, under a new token."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        seat = Seat(token=token, question=question, session=session, tools=tools, answer_by=answer_by)
        self._open[_place(token)] = seat
        self.traffic.opened += 1
        return seat

    def find(self, token: str) -> Seat | Gone | None:
        """The seat of a token, or what is left of it; a token that is nearly right takes no longer than any other."""
        place = _place(token)
        return self._open.get(place) or self._gone.get(place)

    def close(self, seat: Seat, reason: str) -> None:
        """The question of a seat is over."""
        seat.close(reason)
        place = _place(seat.token)
        if self._open.pop(place, None) is None:
            return
        self._gone[place] = gone = seat.gone()
        self.traffic.closed[gone.reason] += 1
        while len(self._gone) > _GONE:
            self._gone.popitem(last=False)

    async def drain(self, *, patience: float) -> None:
        """Take no more calls, and wait for those that are being carried out.

        Args:
            patience: seconds.
        """
        self.stopping = True
        finishing = [asyncio.ensure_future(seat.finish()) for seat in self._open.values() if seat.busy]
        if finishing:
            await asyncio.wait(finishing, timeout=patience)


def _place(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
