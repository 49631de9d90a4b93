"""Reasoning that stands in the text: the one place that tells the two apart.

Servers put reasoning into a field, leave it in the text as `<think>…</think>`, or leave it there without the opening
tag, which the chat template has written already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lrat_bench.model.seam import Turn

__all__ = ["Parted", "part", "parted"]

_OPEN, _CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Parted:
    """A completion, taken apart.

    Attributes:
        reasoning: all of it, without blank lines around it; None where there is none.
        text: the rest, as it was written but for blank lines around it.
        closed: false where the text ends in the middle of reasoning.
    """

    reasoning: str | None
    text: str
    closed: bool = True


def part(text: str, reasoning: str | None = None) -> Parted:
    """Take a text apart.

    Args:
        text: of the completion.
        reasoning: what the server has found of it already; then a closing tag without an opening one is no mark.
    """
    thoughts = [] if reasoning is None else [reasoning]
    head, lone, tail = text.partition(_CLOSE)
    if lone and reasoning is None and _OPEN not in head:
        thoughts.append(head)
        text = tail
    around: list[str] = []
    place, closed = 0, True
    while (opens := text.find(_OPEN, place)) >= 0:
        ends = text.find(_CLOSE, opens)
        around.append(text[place:opens])
        if ends < 0 and "".join(around).strip():
            # Words about the tag, and not reasoning that was cut off: the answer may be among them.
            place = opens
            break
        closed = ends >= 0
        thoughts.append(text[opens + len(_OPEN) : ends if closed else None])
        place = ends + len(_CLOSE) if closed else len(text)
    said = "".join((*around, text[place:]))
    if not thoughts:
        return Parted(None, said)
    if len(thoughts) > 1 or reasoning is None:
        # A closing tag that is left over would take the message apart anew when a template reads it.
        said = said.replace(_CLOSE, "")
    return Parted("\n\n".join(filter(None, (thought.strip("\n") for thought in thoughts))), said.strip("\n"), closed)


def parted(turn: Turn) -> Turn:
    """The turn with reasoning that stands in its text moved to where it belongs."""
    found = part(turn.text, turn.reasoning)
    source = turn.reasoning_source if found.reasoning is None or turn.reasoning is not None else "text"
    return replace(turn, text=found.text, reasoning=found.reasoning, reasoning_source=source)
