"""Cutting text by tokens: the snippet of a hit, the cap of a browsed document."""

from __future__ import annotations

from lrat_bench.task.tokenizer import Tokenizer

__all__ = ["cut", "snippet"]


def cut(text: str, tokens: int | None, tokenizer: Tokenizer) -> str:
    """The text up to the end of its n-th token; the whole text where it has fewer, or where `tokens` is None.

    The result is a piece of the text itself, never decoded from tokens; where a token covers a part of a character,
    as in byte-level vocabularies, the character is kept. Cost depends on `tokens`, not on the length of the text.

    Args:
        text: any text.
        tokens: n, at least 1.
        tokenizer: what counts.
    """
    if tokens is None:
        return text
    if tokens < 1:
        raise ValueError(f"tokens must be at least 1, got {tokens}")
    return text[: tokenizer.end(text, tokens)]


def snippet(text: str, tokens: int, tokenizer: Tokenizer) -> str:
    """What a result list shows of a document: its first `tokens` tokens (see `cut`)."""
    return cut(text, tokens, tokenizer)
