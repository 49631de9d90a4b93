"""What the model wrote, kept beside what was read in it, so that it is shown to it again as it was.

It travels in `Turn.extra` from `decode` to the history; what else is in there is the provider's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lrat_bench.model.seam import Turn

__all__ = ["keep_written", "provider_extra", "written"]

_KEY = "written"


def keep_written(turn: Turn, text: str) -> Turn:
    """The turn with the text that its history will hold."""
    return replace(turn, extra={**turn.extra, _KEY: text})


def written(turn: Turn) -> str:
    """That text; of a turn that was not decoded, its visible text."""
    text: str = turn.extra.get(_KEY, turn.text)
    return text


def provider_extra(turn: Turn) -> dict[str, Any]:
    """What the provider needs back."""
    return {key: value for key, value in turn.extra.items() if key != _KEY}
