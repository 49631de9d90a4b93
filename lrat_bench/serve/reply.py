"""What is said to a call that came in over the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrat_bench.files import fingerprint

__all__ = [
    "KEY",
    "LONG_KEY",
    "Busy",
    "Delivered",
    "Gone",
    "KeyReused",
    "SeatClosed",
    "ToolFailed",
    "call_digest",
    "refusal",
]

KEY = 256
"""Characters of an `Idempotency-Key`."""

LONG_KEY = f"an Idempotency-Key has at most {KEY} characters"


class SeatClosed(Exception):
    """The question is over; the message says why."""


class Busy(Exception):
    """The seat takes no more calls now, or at all; the message says why."""


class KeyReused(Exception):
    """A key came again, with another call."""


class ToolFailed(Exception):
    """The retriever or the corpus failed, and the question with it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The reply to one call.

    Attributes:
        text: JSON; of a tool, what a model in our loop would read.
        refused: whether the call was not carried out; the text says why.
        spent: whether that is so because no more calls are granted.
    """

    text: str
    refused: bool = False
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """A question that is over: who comes late is told why, and an answer that comes again that it was taken.

    Attributes:
        reason: why it is over.
        accepted: the answer that was taken, and what was said to it.
    """

    reason: str
    accepted: tuple[str, Delivered] | None = None

    def repeated(self, name: str, arguments: Mapping[str, Any]) -> Delivered | None:
        """What was said to the same answer before; None of any other call."""
        if self.accepted is not None and self.accepted[0] == call_digest(name, arguments):
            return self.accepted[1]
        return None


def call_digest(name: str, arguments: Mapping[str, Any]) -> str:
    """What tells one call from another."""
    try:
        return fingerprint([name, dict(arguments)])
    except ValueError:
        # Numbers that are none, which some readers of JSON let through.
        return repr((name, arguments))


def refusal(problem: str) -> Delivered:
    """A call that is not carried out, and why."""
    return Delivered(json.dumps({"error": problem}), refused=True)
