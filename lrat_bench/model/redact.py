"""Takes secrets out of texts before they are written anywhere: logs, records, messages to the user.

Servers echo keys in their errors, and libraries put whole requests into theirs. What is masked: the value of every
environment variable whose name speaks of a secret, values that were told to be one (`remember`), and what looks like
a key wherever it stands.
"""

from __future__ import annotations

import logging
import os
import re

__all__ = ["MASK", "RedactingFilter", "is_secret_name", "redact", "remember"]

MASK = "[secret]"

_NAME = re.compile(
    r"(?:^|[._-])(?:(?:api|access|private)_?key|secret|password|passwd|credentials?|authorization|auth|bearer)(?:$|[._-])|"
    # At the end: token_budget is a number, prompt_cache_key a name.
    r"(?:^|[._-])(?<!cache_)(?:key|token)$",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(r"_ENV$", re.IGNORECASE)
_SHORTEST = 8
"""Characters of the shortest value that is taken for a secret: masking a shorter one would maim ordinary text."""

_LOOKS_LIKE_ONE = (
    # Provider keys: sk-…, sk-ant-…, AIza…, hf_…, gsk_…, xai-….
    re.compile(r"\b(?:sk|pk|rk|gsk|hf|xai|r8|nvapi)[-_][A-Za-z0-9_*-]{8,}"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/*-]{6,}=*"),
    re.compile(r"(?i)(?<=[?&])[\w-]*(?:key|token|secret|sig|signature)=[^&\s\"']+"),
    # User and password of an address.
    re.compile(r"(?<=://)[^/\s@\"']+(?=@)"),
)

_told: set[str] = set()


def is_secret_name(name: str) -> bool:
    """Whether the name of a setting or variable says that its value is a secret."""
    return bool(_NAME.search(name)) and not _NOT_SECRET.search(name)


def remember(secret: str | None) -> None:
    """Mask this value from now on."""
    if secret and len(secret) >= _SHORTEST:
        _told.add(secret)


def redact(text: str, *, guess: bool = True) -> str:
    """The text with every known secret replaced by `MASK`.

    Args:
        text: anything.
        guess: replace what only looks like a secret, too; not where the text is data that must stay what it is.
    """
    environment = {value for name, value in os.environ.items() if len(value) >= _SHORTEST and is_secret_name(name)}
    # Longest first: a key may begin with another.
    for secret in sorted(environment | _told, key=len, reverse=True):
        text = text.replace(secret, MASK)
    for pattern in _LOOKS_LIKE_ONE if guess else ():
        text = pattern.sub(MASK, text)
    return text


class RedactingFilter(logging.Filter):
    """Masks secrets in log records, in the traceback as well as in the message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
