"""`native`: tools and calls as fields of their own, as chat-completions servers take and give them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from lrat_bench.agent.formats.results import shrink_messages
from lrat_bench.agent.formats.thinking import parted
from lrat_bench.files import fingerprint
from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall, Turn

__all__ = ["Native"]


class Native:
    """The server parses calls; results go back as tool messages.

    Call ids are rewritten to `c{turn}_{position}`, since a server's random ones would make equal conversations
    unequal. Arguments that are not JSON stand in the history as `{}`: some servers parse them again and would refuse
    every later turn; the result says what was wrong with them.

    A call that stands in the text is text: a server that does not parse calls is for the preflight to find.
    """

    name = "native"
    fingerprint = fingerprint({"format": "native", "version": 1})

    def offer(self, tools: Sequence[Tool]) -> tuple[Tool, ...]:
        """All of them."""
        return tuple(tools)

    def start(self, prompt: str, tools: Sequence[Tool]) -> list[Message]:  # noqa: ARG002
        """One user message."""
        return [Message("user", prompt)]

    def request(
        self, history: Sequence[Message], tools: Sequence[Tool], *, may_call: bool, sampling: Sampling
    ) -> Request:
        """The history as it is, with the tools beside it."""
        return Request(tuple(history), tuple(tools), "auto" if may_call else "none", sampling)

    def decode(self, turn: Turn, *, number: int, may_call: bool = True) -> Turn:  # noqa: ARG002
        """The calls under replayable ids; reasoning that the server left in the text, as reasoning."""
        calls = tuple(replace(call, id=f"c{number}_{place}") for place, call in enumerate(turn.calls))
        return replace(parted(turn), calls=calls)

    def append(self, history: list[Message], turn: Turn, results: Sequence[str]) -> None:
        """The assistant's message, then one tool message per call."""
        calls = tuple(_sendable(call) for call in turn.calls)
        history.append(Message("assistant", turn.text, turn.reasoning, calls, extra=turn.extra))
        history += [Message("tool", result, call_id=call.id) for call, result in zip(turn.calls, results, strict=True)]

    def nudge(self, history: list[Message], turn: Turn, text: str) -> None:
        """With no call to answer, a user message cannot be avoided here."""
        history.append(Message("assistant", turn.text, turn.reasoning, extra=turn.extra))
        history.append(Message("user", text))

    def remind(self, history: list[Message], text: str) -> None:
        """Behind the last tool result, or the last user message."""
        history[-1] = replace(history[-1], content=f"{history[-1].content}\n{text}")

    def shrink(self, history: list[Message]) -> int:
        """The older half of the tool messages, emptied."""
        return shrink_messages(history)


def _sendable(call: ToolCall) -> ToolCall:
    # A server that has let a special token slip into the name fails on it when it comes back.
    call = replace(call, name=call.name.partition("<|")[0].strip() or "unknown")
    try:
        json.loads(call.arguments)
    except (ValueError, RecursionError):
        return replace(call, arguments="{}")
    return call
