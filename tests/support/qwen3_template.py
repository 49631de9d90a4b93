"""Which earlier reasoning Qwen3's chat template keeps: its rule, in code of our own.

The last user message that is not made of tool results alone is the question; an assistant's reasoning is rendered when
it comes after that, and dropped when it comes before. Such a message begins with `<tool_response>` and ends with
`</tool_response>`, to the letter. Tool messages are rendered as user messages of that kind. Reasoning is the field
`reasoning_content`, or else what stands before `</think>` in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from lrat_bench.model.seam import Message

__all__ = ["render_qwen3"]


def render_qwen3(messages: Sequence[Message]) -> str:
    """The prompt for the next assistant message."""
    question = max((place for place, message in enumerate(messages) if _is_question(message)), default=-1)
    pieces = []
    for is_tool, group in groupby(enumerate(messages), key=lambda item: item[1].role == "tool"):
        if is_tool:
            results = "\n".join(f"<tool_response>\n{message.content}\n</tool_response>" for _, message in group)
            pieces.append(_turn("user", results))
        else:
            pieces += [_message(message, keep=place > question) for place, message in group]
    return "".join(pieces) + "<|im_start|>assistant\n"


def _is_question(message: Message) -> bool:
    content = message.content
    shown = content.startswith("<tool_response>") and content.endswith("</tool_response>")
    return message.role == "user" and not shown


def _message(message: Message, *, keep: bool) -> str:
    if message.role != "assistant":
        return _turn(message.role, message.content)
    reasoning, content = message.reasoning, message.content
    if reasoning is None and "</think>" in content:
        pieces = content.split("</think>")
        reasoning, content = pieces[0].split("<think>")[-1], pieces[-1].lstrip("\n")
    thought = f"<think>\n{reasoning.strip(chr(10))}\n</think>\n\n" if reasoning and keep else ""
    calls = "".join(
        f'\n<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'
        for call in message.calls
    )
    return _turn("assistant", thought + content + calls)


def _turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"
