"""One call that came in over the network, whichever way: carried out at its seat, counted, and answered in words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrat_bench.serve.desk import STOPPING, Desk
from lrat_bench.serve.reply import Busy, Delivered, Gone, KeyReused, SeatClosed, ToolFailed
from lrat_bench.serve.seat import ANSWER, Seat

__all__ = ["Outcome", "visit"]

_TOOLS = frozenset({"search", "get_document", "answer"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a caller is told.

    Attributes:
        status: of HTTP.
        text: the reply; where there is none, why, in one line.
        replied: whether the text is a reply of the tool.
    """

    status: int
    text: str
    replied: bool = False


async def visit(
    desk: Desk, seat: Seat | Gone, name: str, arguments: Mapping[str, Any], *, key: str | None = None
) -> Outcome:
    """Carry out a call.

    Args:
        desk: counts it.
        seat: where it came in.
        name: of the tool, as called.
        arguments: as sent.
        key: what tells a delivery that comes again.
    """
    began = time.perf_counter()
    outcome, result = await _carry_out(desk, seat, name, arguments, key)
    desk.traffic.calls[name if name in _TOOLS else "other", result] += 1
    desk.traffic.seconds += time.perf_counter() - began
    return outcome


async def _carry_out(
    desk: Desk, seat: Seat | Gone, name: str, arguments: Mapping[str, Any], key: str | None
) -> tuple[Outcome, str]:
    if isinstance(seat, Gone):
        said = seat.repeated(name, arguments)
        return (_told(said), "done") if said is not None else (_over(seat.reason), "late")
    # The last word of a question costs nothing, and all that was done for it would be lost.
    if desk.stopping and name != ANSWER.name:
        return Outcome(503, f"{STOPPING}: come back to the next one with a new address"), "late"
    try:
        said = await seat.call(name, arguments, key=key)
    except SeatClosed as closed:
        return _over(str(closed)), "late"
    except Busy as busy:
        return Outcome(429, str(busy)), "refused"
    except KeyReused as reused:
        return Outcome(422, str(reused)), "refused"
    except ToolFailed as failed:
        return Outcome(502, str(failed)), "failed"
    return _told(said), "refused" if said.refused else "done"


def _told(said: Delivered) -> Outcome:
    if not said.refused:
        return Outcome(200, said.text, replied=True)
    return Outcome(403 if said.spent else 400, said.text, replied=True)


def _over(reason: str) -> Outcome:
    return Outcome(410, f"this question is over: {reason}")
