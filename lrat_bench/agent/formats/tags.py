"""`tags`: tools in the system message, calls and results as tagged text, as models of the Qwen family were trained."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from lrat_bench.agent.formats.markup import defused, without_thought_tags
from lrat_bench.agent.formats.results import emptied, older_half
from lrat_bench.agent.formats.thinking import part
from lrat_bench.agent.formats.tool_calls import CallText, call_text, find_calls, hides_thought_tags
from lrat_bench.agent.formats.written import keep_written, provider_extra, written
from lrat_bench.files import fingerprint
from lrat_bench.model.seam import Message, Request, Sampling, Tool, Turn

__all__ = ["Tags"]

_ROLE = "You work on a task, and can call functions for it."
_SYSTEM = """\
{role}

# Tools

These functions can be called, each given as one line of JSON with the schema of its arguments:
<tools>
{tools}
</tools>

A call is a JSON object with the function's name and its arguments, written between tags:
<tool_call>
{{"name": <the name>, "arguments": <an object with the arguments>}}
</tool_call>
What it brings is shown to you between <tool_response> tags. Whatever you write without a call is your final reply."""

_STOP = ("<tool_response>", "\n<tool_response>")
_OPEN, _CLOSE = "<tool_response>\n", "\n</tool_response>"
_BLOCK = re.compile(f"{_OPEN}(.*?){_CLOSE}", re.DOTALL)
_CALL_IN_THOUGHT = re.compile(r"<tool_call>\s*\{")
_ANSWER = re.compile(r"</?answer>")


@dataclass(frozen=True, config=ConfigDict(strict=True))
class Tags:
    """Calls are read from the text; the results of one turn go back in one user message.

    Nothing stands in that message beside its `<tool_response>` blocks: chat templates take any other user message for
    a new question, and drop all reasoning before it. So the harness speaks inside a block, too. Reasoning goes back
    inside the text, where every template and server keeps it.

    Args:
        system: first words of the system message.
        opened: the chat template has written `<think>` already; so a text without tags is reasoning that was cut off.
    """

    system: str | None = None
    opened: bool = False

    name: ClassVar[str] = "tags"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of version, words and options."""
        words = [_ROLE, _SYSTEM, list(_STOP)]
        return fingerprint(
            {"format": "tags", "version": 1, "words": words, "system": self.system, "opened": self.opened}
        )

    def offer(self, tools: Sequence[Tool]) -> tuple[Tool, ...]:
        """All of them."""
        return tuple(tools)

    def start(self, prompt: str, tools: Sequence[Tool]) -> list[Message]:
        """A system message with the tools, and the prompt."""
        lines = "\n".join(map(_schema, tools))
        return [
            Message("system", _SYSTEM.format(role=_ROLE if self.system is None else self.system, tools=lines)),
            Message("user", prompt),
        ]

    def request(
        self,
        history: Sequence[Message],
        tools: Sequence[Tool],  # noqa: ARG002
        *,
        may_call: bool,
        sampling: Sampling,
    ) -> Request:
        """The history as it is; the tools are in it."""
        stop = (*sampling.stop, *(word for word in _STOP if word not in sampling.stop))
        return Request(tuple(history), (), "auto" if may_call else "none", replace(sampling, stop=stop))

    def decode(self, turn: Turn, *, number: int, may_call: bool = True) -> Turn:  # noqa: ARG002
        """Calls and reasoning, found in the text."""
        # A server that has a parser after all has taken the calls out.
        text = hides_thought_tags("\n".join(filter(None, (turn.text, *map(call_text, turn.calls)))))
        if self.opened and turn.reasoning is None and "think>" not in text:
            text = f"<think>{text}"
        apart = part(text, turn.reasoning)
        reasoning, cut = apart.reasoning, turn.finish_reason == "length"
        # What follows a result that the model has imagined is imagined, too.
        found = find_calls(apart.text.partition("<tool_response>")[0], cut=cut)
        if not cut and reasoning is not None and not found.written.strip():
            reasoning, found = _out_of_thought(reasoning, found)
        calls = tuple(replace(call, id=f"c{number}_{place}") for place, call in enumerate(found.calls))
        read = replace(
            turn,
            text=_ANSWER.sub("", found.text).strip(),
            reasoning=reasoning,
            reasoning_source="text" if turn.reasoning is None and reasoning is not None else turn.reasoning_source,
            calls=calls,
        )
        return keep_written(read, found.written.strip("\n"))

    def append(self, history: list[Message], turn: Turn, results: Sequence[str]) -> None:
        """What the model wrote, then one user message with a block per call."""
        assert len(results) == len(turn.calls)
        history.append(_said(turn))
        history.append(Message("user", "\n".join(map(_block, results))))

    def nudge(self, history: list[Message], turn: Turn, text: str) -> None:
        """As a result, though there was no call: another user message would cost all earlier reasoning."""
        history.append(_said(turn))
        history.append(Message("user", _block(text)))

    def remind(self, history: list[Message], text: str) -> None:
        """Inside the last block; behind the prompt where there is none yet."""
        content = history[-1].content
        inside = content.removesuffix(_CLOSE)
        end = _CLOSE if inside != content else ""
        history[-1] = replace(history[-1], content=f"{inside}\n{defused(text)}{end}")

    def shrink(self, history: list[Message]) -> int:
        """The older half of the blocks that hold results, emptied."""
        shown = range(2, len(history))
        full = [
            block.start()
            for place in shown
            if history[place].role == "user"
            for block in _BLOCK.finditer(history[place].content)
            if emptied(block[1]) is not None
        ]
        left = count = older_half(len(full))

        def shorter(block: re.Match[str]) -> str:
            nonlocal left
            short = emptied(block[1]) if left else None
            if short is None:
                return block[0]
            left -= 1
            return f"{_OPEN}{short}{_CLOSE}"

        for place in shown:
            if left and history[place].role == "user":
                history[place] = replace(history[place], content=_BLOCK.sub(shorter, history[place].content))
        return count


def _schema(tool: Tool) -> str:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return json.dumps({"type": "function", "function": function}, ensure_ascii=False)


def _block(text: str) -> str:
    return f"{_OPEN}{defused(text)}{_CLOSE}"


def _said(turn: Turn) -> Message:
    content = without_thought_tags(written(turn))
    if turn.reasoning is not None:
        content = f"<think>\n{without_thought_tags(turn.reasoning)}\n</think>\n\n{content}"
    return Message("assistant", content, extra=provider_extra(turn))


def _out_of_thought(reasoning: str, found: CallText) -> tuple[str, CallText]:
    """Calls that a model has made without ending its reasoning first."""
    begins = _CALL_IN_THOUGHT.search(reasoning)
    if begins is None:
        return reasoning, found
    return reasoning[: begins.start()].strip("\n"), find_calls(reasoning[begins.start() :])
