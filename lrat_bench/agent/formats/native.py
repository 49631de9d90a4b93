"""`native`: tools and calls as fields of their own, as chat-completions servers take and give them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall, Turn

__all__ = ["Native"]

_REMOVED = '{"note": "This result was removed to save context."}'


class Native:
    """The server parses calls; results go back as tool messages.

    Call ids are rewritten to `c{turn}_{position}`, since a server's random ones would make equal conversations
    unequal. Arguments that are not JSON stand in the history as `{}`: some servers parse them again and would refuse
    every later turn; the result says what was wrong with them.
    """

    name = "native"

    def start(self, prompt: str, tools: Sequence[Tool]) -> list[Message]:  # noqa: ARG002
        """One user message."""
        return [Message("user", prompt)]

    def request(
        self, history: Sequence[Message], tools: Sequence[Tool], *, may_call: bool, sampling: Sampling
    ) -> Request:
        """The history as it is, with the tools beside it."""
        return Request(tuple(history), tuple(tools), "auto" if may_call else "none", sampling)

    def decode(self, turn: Turn, *, number: int) -> Turn:
        """The calls under replayable ids."""
        calls = tuple(replace(call, id=f"c{number}_{place}") for place, call in enumerate(turn.calls))
        return replace(turn, calls=calls)

    def append(self, history: list[Message], turn: Turn, results: Sequence[str]) -> None:
        """The assistant's message, then one tool message per call."""
        calls = tuple(_sendable(call) for call in turn.calls)
        history.append(Message("assistant", turn.text, turn.reasoning, calls))
        history += [Message("tool", result, call_id=call.id) for call, result in zip(turn.calls, results, strict=True)]

    def nudge(self, history: list[Message], turn: Turn, text: str) -> None:
        """With no call to answer, a user message cannot be avoided here."""
        history.append(Message("assistant", turn.text, turn.reasoning))
        history.append(Message("user", text))

    def remind(self, history: list[Message], text: str) -> None:
        """Behind the last tool result, or the last user message."""
        history[-1] = replace(history[-1], content=f"{history[-1].content}\n{text}")

    def shrink(self, history: list[Message]) -> int:
        """The older half of the tool messages, emptied."""
        full = [n for n, message in enumerate(history) if message.role == "tool" and message.content != _REMOVED]
        older = full[: (len(full) + 1) // 2]
        for place in older:
            history[place] = replace(history[place], content=_REMOVED)
        return len(older)


def _sendable(call: ToolCall) -> ToolCall:
    try:
        json.loads(call.arguments)
    except (ValueError, RecursionError):
        return replace(call, arguments="{}")
    return call
