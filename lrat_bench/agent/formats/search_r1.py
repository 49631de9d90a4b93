"""`search_r1`: one text that the model continues and the harness writes search results into, as Search-R1 was trained.

There is no tool but search, and a turn makes one call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal, NamedTuple

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from lrat_bench.agent.formats.markup import defused
from lrat_bench.agent.formats.results import shrink_messages
from lrat_bench.agent.formats.thinking import part
from lrat_bench.agent.formats.written import keep_written, provider_extra, written
from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall, Turn

__all__ = ["SearchR1"]

_HOW = """\
You write one continuous text. Whenever you have learned something, reason about it between <think> and </think>. To \
search, write the query between <search> and </search>; what is found is put in behind it, between <information> and \
</information>, and you go on writing. You can search as often as you need to. When you are done, write your final \
answer between <answer> and </answer>, in the form that is asked for below."""

_STOP = ("</search>", "</answer>")
_KINDS = ("search", "answer")
_SPECIAL = re.compile(r"<(?=\|)")


@dataclass(frozen=True, config=ConfigDict(strict=True))
class SearchR1:
    """A raw completion per turn. The history keeps the pieces apart; a request joins them to the text so far.

    Args:
        system: system message; None is none.
        template: chatml = the prompt as a user's message of a Qwen chat, the text as the assistant's; plain = prompt
            and text without any template, for models that know none.
    """

    system: str | None = None
    template: Literal["chatml", "plain"] = "chatml"

    name: ClassVar[str] = "search_r1"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of version, words and options."""
        options = {"system": self.system, "template": self.template}
        return fingerprint({"format": "search_r1", "version": 1, "words": [_HOW, list(_STOP)], **options})

    def offer(self, tools: Sequence[Tool]) -> tuple[Tool, ...]:
        """Search alone."""
        kept = tuple(tool for tool in tools if tool.name == "search")
        if not kept:
            named = ", ".join(tool.name for tool in tools)
            raise UsageError(
                f"wire format 'search_r1' can only search, and the protocol offers {named}: add search to it"
            )
        return kept

    def start(self, prompt: str, tools: Sequence[Tool]) -> list[Message]:  # noqa: ARG002
        """How to write, and the prompt."""
        return [Message("user", f"{_HOW}\n\n{prompt}")]

    def request(
        self,
        history: Sequence[Message],
        tools: Sequence[Tool],  # noqa: ARG002
        *,
        may_call: bool,
        sampling: Sampling,
    ) -> Request:
        """The text so far."""
        prompt = _SPECIAL.sub(r"\\u003c", history[0].content)
        if self.template == "chatml":
            system = "" if self.system is None else f"<|im_start|>system\n{self.system}<|im_end|>\n"
            head = f"{system}<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
        else:
            head = "\n\n".join(filter(None, (self.system, prompt))) + "\n\n"
        text = head + "".join(map(_piece, history[1:]))
        stop = (*sampling.stop, *(word for word in _STOP if word not in sampling.stop))
        choice: Literal["auto", "none"] = "auto" if may_call else "none"
        return Request((Message("user", text),), (), choice, replace(sampling, stop=stop), raw=True)

    def decode(self, turn: Turn, *, number: int, may_call: bool = True) -> Turn:
        """The first search or answer of the continuation; what the model went on to write behind it does not count."""
        cut = turn.finish_reason == "length"
        apart = part(turn.text, turn.reasoning)
        act, reasoning = _first_act(apart.text, cut=cut), apart.reasoning
        if act is None and not apart.closed and (act := _first_act(reasoning or "", cut=cut)):
            reasoning = (reasoning or "")[: act.start]
        calls: tuple[ToolCall, ...] = ()
        text = ""
        if act is None:
            # Nothing comes after the last turn; so there, words without the tag are taken for the answer.
            text = "" if may_call else apart.text.strip()
        elif act.kind == "answer":
            text = act.content.strip()
        elif query := act.content.strip():
            calls = (ToolCall(f"c{number}_0", "search", json.dumps({"query": query}, ensure_ascii=False)),)
        read = replace(
            turn,
            text=text,
            reasoning=None if reasoning is None else reasoning.strip(),
            reasoning_source=turn.reasoning_source if reasoning is None else "text",
            calls=calls,
        )
        return keep_written(read, _as_far_as(turn.text, act))

    def append(self, history: list[Message], turn: Turn, results: Sequence[str]) -> None:
        """The continuation, then what was found."""
        history.append(_said(turn))
        history += [
            Message("tool", defused(result), call_id=call.id) for call, result in zip(turn.calls, results, strict=True)
        ]

    def nudge(self, history: list[Message], turn: Turn, text: str) -> None:
        """The harness has no other voice than the place where results stand."""
        history.append(_said(turn))
        history.append(Message("user", defused(text)))

    def remind(self, history: list[Message], text: str) -> None:
        """Behind the last result; behind the prompt where there is none yet."""
        history[-1] = replace(history[-1], content=f"{history[-1].content}\n{text}")

    def shrink(self, history: list[Message]) -> int:
        """The older half of the results, emptied."""
        return shrink_messages(history)


def _piece(message: Message) -> str:
    if message.role == "assistant":
        return message.content
    return f"\n\n<information>{message.content}</information>\n\n"


class _Act(NamedTuple):
    """A search or an answer: where it starts, what stands in it, and all of it as written."""

    start: int
    kind: str
    content: str
    written: str


def _first_act(text: str, *, cut: bool) -> _Act | None:
    """The first search or answer; one at the end may lack its closing tag, which is the server's stop string.

    A search that the output limit has cut off is none; of an answer, what there is counts.
    """
    if whole := [act for act in (_whole(text, kind) for kind in _KINDS) if act is not None]:
        return min(whole)
    start, kind = max((text.rfind(f"<{kind}>"), kind) for kind in _KINDS)
    if start < 0 or (kind == "search" and cut):
        return None
    return _Act(start, kind, text[start + len(f"<{kind}>") :], text[start:])


def _whole(text: str, kind: str) -> _Act | None:
    """The first act of a kind that is closed."""
    opened, closed = f"<{kind}>", f"</{kind}>"
    start = text.find(opened)
    end = -1 if start < 0 else text.find(closed, start)
    if end < 0:
        return None
    return _Act(start, kind, text[start + len(opened) : end], text[start : end + len(closed)])


def _as_far_as(text: str, act: _Act | None) -> str:
    """The continuation up to the end of its search or answer, closed."""
    start = -1 if act is None else text.find(act.written)
    if act is None or start < 0:
        return text
    close = f"</{act.kind}>"
    return text[: start + len(act.written)] + ("" if act.written.endswith(close) else close)


def _said(turn: Turn) -> Message:
    return Message("assistant", written(turn), extra=provider_extra(turn))
