"""Tags of the wire formats in text that is not the model's, or not meant as tags."""

from __future__ import annotations

import re

__all__ = ["defused", "without_thought_tags"]

_TAGS = "tool_call|tool_response|tools|think|thinking|search|information|answer"
_MARKUP = re.compile(rf"<(?=\s*(?:/\s*)?(?:{_TAGS})\b|\|)", re.IGNORECASE)
_THOUGHT = re.compile(r"<(?=/?think>)")

_ESCAPE = "\\u003c"
"""`<` as JSON may write it in a string: a result keeps its value. In other text it is harmless, if odd."""


def defused(text: str) -> str:
    """Text in which no tag of a format and no special token of a model is left: JSON keeps its value.

    What stands in a document must not close the block that shows it, feign a call, or end the message.
    """
    return _MARKUP.sub(lambda _: _ESCAPE, text) if "<" in text else text


def without_thought_tags(text: str) -> str:
    """Text in which no `<think>` or `</think>` is left: templates take a message apart at them."""
    return _THOUGHT.sub(lambda _: _ESCAPE, text) if "think>" in text else text
