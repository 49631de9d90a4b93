"""Results that are taken out of a conversation that has grown too long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lrat_bench.model.seam import Message

__all__ = ["emptied", "older_half", "shrink_messages"]

_NOTE = "This result was removed to save context."


def emptied(result: str) -> str | None:
    """A result without what it brought; None where nothing of that is left, or it is no result.

    What the harness said in it (`notice`, and words behind the JSON value) stays: the request to answer now may be
    among it.
    """
    try:
        value, end = json.JSONDecoder().raw_decode(result)
    except (ValueError, RecursionError):
        return None
    last = value[-1] if isinstance(value, list) and value else value
    if not isinstance(last, dict) or last.get("note") == _NOTE:
        return None
    left: dict[str, Any] = {"note": _NOTE, **({"notice": last["notice"]} if "notice" in last else {})}
    return json.dumps(left, ensure_ascii=False) + result[end:]


def older_half(count: int) -> int:
    """How many of the results that still hold text are emptied at a time."""
    return (count + 1) // 2


def shrink_messages(history: list[Message]) -> int:
    """Empty the older half of the tool messages; returns how many that were."""
    full = [
        (place, shorter)
        for place, message in enumerate(history)
        if message.role == "tool" and (shorter := emptied(message.content)) is not None
    ]
    older: Sequence[tuple[int, str]] = full[: older_half(len(full))]
    for place, shorter in older:
        history[place] = replace(history[place], content=shorter)
    return len(older)
