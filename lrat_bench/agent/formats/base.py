"""What a wire format is: how a tool-using conversation is written as messages, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lrat_bench.model.seam import Message, Request, Sampling, Tool, Turn

__all__ = ["WireFormat"]


class WireFormat(Protocol):
    """Turns the loop's conversation into requests, and completions into turns.

    The history is a plain list of messages that only grows, and it *is* the conversation: the loop hands it back on
    every call and looks at nothing in it.

    Attributes:
        name: as registered.
        fingerprint: of all that changes what is written: name, version, options.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 -- described above

    @property
    def fingerprint(self) -> str: ...  # noqa: D102 -- described above

    def offer(self, tools: Sequence[Tool]) -> tuple[Tool, ...]:
        """Those of a protocol's tools, in their canonical form, that can be called in this format.

        Raises:
            UsageError: none of them can.
        """
        ...

    def start(self, prompt: str, tools: Sequence[Tool]) -> list[Message]:
        """The history before the first completion."""
        ...

    def request(
        self, history: Sequence[Message], tools: Sequence[Tool], *, may_call: bool, sampling: Sampling
    ) -> Request:
        """The next request.

        Args:
            history: the conversation so far.
            tools: tools on offer; they stay in the request even when they may not be called.
            may_call: false for the forced answer.
            sampling: values to send.
        """
        ...

    def decode(self, turn: Turn, *, number: int, may_call: bool = True) -> Turn:
        """The completion, with its calls and reasoning found wherever the model wrote them.

        Args:
            turn: as the model gave it.
            number: of the turn, for call ids that are the same whenever it is replayed.
            may_call: as in the request; false for the forced answer.
        """
        ...

    def append(self, history: list[Message], turn: Turn, results: Sequence[str]) -> None:
        """Add a decoded turn and the results of its calls, one text per call, in order."""
        ...

    def nudge(self, history: list[Message], turn: Turn, text: str) -> None:
        """Add a turn that made no call, and what the harness has to say to it."""
        ...

    def remind(self, history: list[Message], text: str) -> None:
        """Add words of the harness to the last message that the agent reads."""
        ...

    def shrink(self, history: list[Message]) -> int:
        """Empty the older half of the results that still hold text, and return how many that were.

        A call keeps its (emptied) result: servers refuse a history in which one is missing.
        """
        ...
