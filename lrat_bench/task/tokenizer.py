"""Tokenizers, as the harness needs them: where in a text the tokens lie, read lazily from the front."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from lrat_bench.errors import UsageError

__all__ = ["RegexTokenizer", "Span", "Tokenizer", "load_tokenizer"]

Span = tuple[int, int]
"""Start and end (exclusive) of a token, in characters of the text."""


@runtime_checkable
class Tokenizer(Protocol):
    """Counts tokens. Safe to use from several threads.

    Attributes:
        name: as typed: `regex-v1`, a path, or `name@revision`.
        fingerprint: SHA-256 of what decides the spans; the same wherever the file lies.
    """

    name: str
    fingerprint: str

    def spans(self, text: str) -> Iterator[Span]:
        """The spans of the tokens of `text` in order, without special tokens.

        Lazy: the first n spans cost a share of the text that depends on n and not on its length.
        """
        ...

    def end(self, text: str, n: int) -> int | None:
        """Where the n-th token of `text` ends; None where it has fewer. Costs what the first n spans cost."""
        ...


class RegexTokenizer:
    r"""The built-in `regex-v1`: runs of word characters, and every other visible character by itself.

    The pattern is `\w+|[^\w\s]` of Python's `re` on `str`: a word character is a letter or number of any script
    (`str.isalnum`) or the underscore; whitespace (`str.isspace`) belongs to no token; all the rest, combining marks,
    joiners and emoji included, is one token per code point. No normalisation, no case folding. Scripts written
    without spaces give long tokens: use a model's tokenizer for them.
    """

    name = "regex-v1"
    fingerprint = hashlib.sha256(rb"regex-v1 \w+|[^\w\s]").hexdigest()
    _token = re.compile(r"\w+|[^\w\s]")

    def spans(self, text: str) -> Iterator[Span]:
        """The spans of the tokens of `text` in order."""
        return (match.span() for match in self._token.finditer(text))

    def end(self, text: str, n: int) -> int | None:
        """Where the n-th token of `text` ends; None where it has fewer."""
        found = _leading(n).match(text)
        return found.end() if found else None


@cache
def _leading(n: int) -> re.Pattern[str]:
    """The first n tokens in one match; possessive, since a token given up in part would be two."""
    return re.compile(rf"(?>\s*+(?:\w++|[^\w\s])){{{n}}}")


@cache
def load_tokenizer(spec: str) -> Tokenizer:
    """The tokenizer a protocol names.

    Args:
        spec: `regex-v1`; a `tokenizer.json` or a folder that holds one; or `name@revision` on the Hugging Face hub,
            fetched unless it is in the local cache.

    Raises:
        UsageError: there is no such tokenizer, it cannot be read, or it cannot be fetched.
        MissingLibrary: it needs `tokenizers`, which is not installed.
    """
    if spec == RegexTokenizer.name:
        return RegexTokenizer()
    from lrat_bench.task.hf_tokenizer import HfTokenizer, hub_file

    path = Path(spec).expanduser()
    if path.is_dir():
        path /= "tokenizer.json"
        if not path.is_file():
            raise UsageError(f"tokenizer {spec!r}: the folder holds no tokenizer.json")
    if path.is_file():
        return HfTokenizer(path, name=spec)
    name, at, revision = spec.rpartition("@")
    if not (at and name and revision):
        raise UsageError(
            f"unknown tokenizer {spec!r}: give 'regex-v1', a tokenizer.json, a folder that holds one, "
            "or NAME@REVISION of the Hugging Face hub (the revision is required)"
        )
    return HfTokenizer(hub_file(name, revision), name=spec)
