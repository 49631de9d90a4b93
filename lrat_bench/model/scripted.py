"""A model that plays a script: what tests and benchmarks use where the model itself is not the point.

    model = ScriptedModel([calls("search", query="bridge"), calls("get_document", docid="d1"), answers("Aldwin")])

It keeps no state. The place in the script is the number of assistant messages in the conversation, so one instance
serves any number of questions at once, and the same conversation always gets the same turn.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.model.seam import Request, ToolCall, Turn

__all__ = ["Entry", "Script", "ScriptedModel", "answers", "calls", "together"]

Entry = Turn | Exception | Callable[[Request], Turn]
"""One place of a script: a turn to give, an error to raise, or a function of the request."""

Script = Sequence[Entry] | Callable[[Request], Turn]
"""What is played on one question: entries in order, or one function for every turn."""


class ScriptedModel:
    """Plays given turns.

    Tool calls without an id get one (`call-TURN-POSITION`). An error is raised each time its place is reached:
    a conversation that does not grow meets it again. For one that passes, use a function.

    Args:
        script: one script for all questions, or scripts by marker: a question gets the first script whose marker
            occurs in the conversation's first user message (the empty marker occurs in all).
        then: the turn given when the script has run out; None makes that an error.
        name: as it stands in tables.

    Raises:
        UsageError: from `complete`, when the script has run out, or no marker occurs.
    """

    def __init__(
        self, script: Script | Mapping[str, Script], *, then: Turn | None = None, name: str = "scripted"
    ) -> None:
        self._scripts: dict[str, Script] = dict(script) if isinstance(script, Mapping) else {"": script}
        self._then = then
        self.name = name
        self.fingerprint = fingerprint(
            {
                "model": "scripted",
                "scripts": [[marker, _record(script)] for marker, script in self._scripts.items()],
                "then": None if then is None else _record(then),
            }
        )

    async def complete(self, request: Request) -> Turn:
        """The next entry of the script for this conversation."""
        place = sum(message.role == "assistant" for message in request.messages)
        entry = self._entry(request, place)
        if isinstance(entry, Exception):
            raise entry
        turn = entry if isinstance(entry, Turn) else entry(request)
        named = (replace(call, id=call.id or f"call-{place}-{position}") for position, call in enumerate(turn.calls))
        return replace(turn, calls=tuple(named))

    async def close(self) -> None:
        """Nothing is held."""

    def _entry(self, request: Request, place: int) -> Entry:
        prompt = next((message.content for message in request.messages if message.role == "user"), "")
        marker = next((marker for marker in self._scripts if marker in prompt), None)
        if marker is None:
            known = ", ".join(map(repr, self._scripts))
            raise UsageError(f"no script for the prompt ending in {prompt[-80:]!r}: none of the markers {known} occurs")
        script = self._scripts[marker]
        if callable(script):
            return script
        if place < len(script):
            return script[place]
        if self._then is not None:
            return self._then
        raise UsageError(
            f"the script {marker!r} has {len(script)} turns and turn {place + 1} was asked for: "
            "lengthen it, end it with an answer, or give then=…"
        )


def calls(name: str, /, *, reasoning: str | None = None, **arguments: Any) -> Turn:
    """A turn that makes one tool call."""
    call = ToolCall(id="", name=name, arguments=json.dumps(arguments, ensure_ascii=False))
    return Turn(reasoning=reasoning, calls=(call,), finish_reason="tool_calls")


def together(*turns: Turn) -> Turn:
    """One turn that makes the calls of several, with the first one's reasoning."""
    return replace(turns[0], calls=tuple(call for turn in turns for call in turn.calls))


def answers(text: str, *, reasoning: str | None = None) -> Turn:
    """A final turn."""
    return Turn(text=text, reasoning=reasoning)


def _record(script: Script | Entry) -> Any:
    """What of a script decides its turns, as plain data; of a function, its name."""
    if isinstance(script, Turn):
        return {
            "text": script.text,
            "reasoning": script.reasoning,
            "calls": [[call.id, call.name, call.arguments] for call in script.calls],
            "finish_reason": script.finish_reason,
            "usage": script.usage.model_dump(mode="json"),
            "extra": script.extra,
        }
    if isinstance(script, Exception):
        return [type(script).__name__, str(script)]
    if callable(script):
        return f"{script.__module__}:{script.__qualname__}"
    return [_record(entry) for entry in script]
