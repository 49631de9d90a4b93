"""Tokenizers of the Hugging Face `tokenizers` library, read lazily.

The library tokenizes whole texts. To give the first tokens of a long document without its rest, a growing prefix
is tokenized, and a token of the prefix is taken once no text behind the prefix can change it. That rests on how these
tokenizers work: text is normalised, split into words (pre-tokens) by patterns that look no further than a run of
characters of one class and its neighbours, and each word is tokenized by itself. Where a tokenizer does not split,
every token depends on the whole text, and the whole text is tokenized.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError, MissingLibrary, UsageError
from lrat_bench.task.tokenizer import Span

__all__ = ["HfTokenizer", "hub_file"]

_FIRST = 1024  # characters: a snippet of 64 tokens fits in the first prefix, one of 512 in the second
_GROWTH = 4
_MARGIN = 2  # words


class HfTokenizer:
    """A tokenizer file, without its special tokens, truncation and padding.

    Args:
        file: a `tokenizer.json`.
        name: as typed.

    Raises:
        DataError: the library cannot read the file.
        MissingLibrary: `tokenizers` is not installed.

    Attributes:
        name: as typed.
        fingerprint: SHA-256 of the file's bytes.
    """

    def __init__(self, file: Path, *, name: str) -> None:
        library = _library()
        content = file.read_bytes()
        self.name = name
        self.fingerprint = hashlib.sha256(content).hexdigest()
        try:
            self._tokenizer: Any = library.Tokenizer.from_buffer(content)
        except Exception as error:  # the library raises nothing more specific
            raise DataError(f"not a tokenizer.json that `tokenizers` can read: {error}", file=file) from error
        # Files carry the limits of the model they were saved with, often 128 or 512 tokens.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        added = self._tokenizer.get_added_tokens_decoder().values()
        self._longest_added = max((len(token.content) for token in added), default=0)

    def spans(self, text: str) -> Iterator[Span]:
        """The spans of the tokens of `text` in order, without special tokens."""
        given = 0
        size = _FIRST if self._tokenizer.pre_tokenizer is not None else len(text)
        while size < len(text):
            spans, words = self._encode(text[:size])
            settled = _settled(spans, words, _stable_end(text, size - self._longest_added))
            yield from spans[given:settled]
            given = max(given, settled)
            size *= _GROWTH
        yield from self._encode(text)[0][given:]

    def end(self, text: str, n: int) -> int | None:
        """Where the n-th token of `text` ends; None where it has fewer."""
        last = next(islice(self.spans(text), n - 1, None), None)
        return None if last is None else last[1]

    def _encode(self, text: str) -> tuple[list[Span], list[int]]:
        try:
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
        except Exception as error:  # the library raises nothing more specific
            raise UsageError(f"tokenizer {self.name!r} cannot read a text: {error}; take another tokenizer") from error
        return encoding.offsets, encoding.word_ids


def hub_file(name: str, revision: str) -> Path:
    """The `tokenizer.json` of a model on the Hugging Face hub, fetched unless it is in the local cache.

    Raises:
        UsageError: it is neither cached nor to be had: no network, no such model, revision or file.
        MissingLibrary: `tokenizers` is not installed.
    """
    _library()
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(name, "tokenizer.json", revision=revision))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"tokenizer '{name}@{revision}' is not in the local cache and cannot be fetched "
            f"({type(error).__name__}: {reason}); fetch it while online, or give the path of a tokenizer.json"
        ) from error


def _library() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise MissingLibrary("the library `tokenizers`", install="'lrat-bench[tokenizers]'") from None
    return tokenizers


def _settled(spans: list[Span], words: list[int], stable: int) -> int:
    r"""How many leading tokens of a prefix stay as they are, whatever text follows it.

    Args:
        spans: of all tokens of the prefix.
        words: index of the word each belongs to; never falls.
        stable: where the part begins that following text can reach (see `_stable_end`).

    Returns:
        the number of tokens at least two whole words ahead of `stable`: a word that straddles it may grow, and the
        word ahead of that one may take in its first character, as patterns like ` ?\w+` do.
    """
    ahead = bisect_right(spans, stable, key=lambda span: span[1])
    return bisect_right(words, words[ahead - 1] - _MARGIN) if ahead else 0


def _stable_end(text: str, end: int) -> int:
    r"""Where the run of characters of one class that `text[:end]` ends in begins.

    Lookaheads reach over such a run: `\s+(?!\S)` over whitespace, digits grouped from the right over digits; and
    normalisation over combining marks, which count as part of what they combine with.
    """
    position = end
    current = ""
    while position > 0:
        found = _class_of(text[position - 1])
        if found != "mark":
            if current and found != current:
                break
            current = found
        position -= 1
    return max(position, 0)


def _class_of(character: str) -> str:
    if character.isspace():
        return "space"
    category = unicodedata.category(character)[0]
    return {"L": "letter", "N": "digit", "M": "mark"}.get(category, "other")
