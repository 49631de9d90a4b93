"""Runs whose outputs are encrypted, as those that BrowseComp-Plus publishes (`Tevatron/browsecomp-plus-runs`) are.

Nothing in a file says so. An output is encrypted if it is base64 that becomes text under the canary: of as many letters
as `_SURE`, that is no accident. A shorter one may be a word ("Tarn" is base64 as well), so it takes the company of the
other outputs to tell.
"""

from __future__ import annotations

import re
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Decrypt

__all__ = ["decrypted"]

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|[A-Za-z0-9+/]{2,3}={1,2}")
_WORD = re.compile(r"[A-Z]?[a-z]*\d*|[A-Z]+\d*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_SURE = 16
"""Letters from which on an accident is out of the question: 12 bytes, each of which is no sign of a text in 3 of 5."""
_LONG = 40
"""Letters that no word has; and of which control characters, as texts out of web pages hold them, are no matter."""


def decrypted(result: list[Any], decrypt: Decrypt | None, place: str) -> list[Any]:
    """The steps of a run with their outputs in plain text; those that are not encrypted as they are.

    Args:
        result: the steps.
        decrypt: an encrypted text → the text.
        place: of the run, for messages.

    Raises:
        UsageError: outputs are encrypted, and nothing decrypts them.
    """
    outputs = {text for step in result if isinstance(step, dict) for text in _texts(step.get("output"))}
    plain = {} if decrypt is None else _plain(outputs, decrypt)
    closed = [text for text in outputs - plain.keys() if len(text) >= _LONG and _BASE64.fullmatch(text)]
    if closed and (plain or 2 * sum(map(len, closed)) > sum(map(len, outputs))):
        if decrypt is None:
            raise UsageError(
                f"{place}: its outputs are encrypted: give the task whose canary they were encrypted under"
            )
        raise UsageError(f"{place}: its outputs were not encrypted under the canary of this task")
    return [
        {**step, "output": _replaced(step["output"], plain)} if isinstance(step, dict) and "output" in step else step
        for step in result
    ]


def _plain(outputs: set[str], decrypt: Decrypt) -> dict[str, str]:
    """Encrypted text → the text, of those of a run that are encrypted."""
    found = {text: plain for text in outputs if (plain := _opened(text, decrypt)) is not None}
    whole = len(found) == len(outputs)
    telling = {text for text in found if len(text) >= _SURE or not _WORD.fullmatch(text)}
    if not any(len(text) >= _SURE for text in found) and not (whole and telling):
        return {}
    return found if whole else {text: found[text] for text in telling}


def _opened(text: str, decrypt: Decrypt) -> str | None:
    if not _BASE64.fullmatch(text):
        return None
    try:
        plain = decrypt(text)
    except ValueError:
        return None
    return None if len(text) < _LONG and _CONTROL.search(plain) else plain


def _texts(output: Any) -> list[str]:
    if isinstance(output, list):
        return [text for part in output for text in _texts(part)]
    if isinstance(output, dict):
        return _texts(output.get("text"))
    return [output] if isinstance(output, str) and output else []


def _replaced(output: Any, plain: dict[str, str]) -> Any:
    if isinstance(output, list):
        return [_replaced(part, plain) for part in output]
    if isinstance(output, dict) and "text" in output:
        return {**output, "text": _replaced(output["text"], plain)}
    return plain.get(output, output) if isinstance(output, str) else output
