"""Runs whose outputs are encrypted, as those that BrowseComp-Plus publishes (`Tevatron/browsecomp-plus-runs`) are."""

from __future__ import annotations

import re
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Decrypt

__all__ = ["decrypted"]

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LONG = 40
"""Letters that no word has: one text at least is longer than that."""


def decrypted(result: list[Any], decrypt: Decrypt | None, place: str) -> list[Any]:
    """The steps of a run with their outputs in plain text; as they are where they are not encrypted.

    Args:
        result: the steps.
        decrypt: an encrypted text → the text.
        place: of the run, for messages.

    Raises:
        UsageError: they are encrypted, and nothing decrypts them.
    """
    outputs = [text for step in result if isinstance(step, dict) for text in _texts(step.get("output"))]
    if not all(_BASE64.fullmatch(text) for text in outputs) or max(map(len, outputs), default=0) < _LONG:
        return result
    if decrypt is None:
        raise UsageError(f"{place}: its outputs are encrypted: give the task whose canary they were encrypted under")
    try:
        return [{**step, "output": _plain(step.get("output"), decrypt)} for step in result if isinstance(step, dict)]
    except ValueError:
        raise UsageError(f"{place}: its outputs were not encrypted under the canary of this task") from None


def _texts(output: Any) -> list[str]:
    if isinstance(output, list):
        return [text for part in output for text in _texts(part.get("text") if isinstance(part, dict) else part)]
    return [output] if isinstance(output, str) and output else []


def _plain(output: Any, decrypt: Decrypt) -> Any:
    if isinstance(output, list):
        return [_plain(part, decrypt) for part in output]
    if isinstance(output, dict) and isinstance(output.get("text"), str):
        return {**output, "text": _plain(output["text"], decrypt)}
    return decrypt(output) if isinstance(output, str) and output else output
