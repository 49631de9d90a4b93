"""Texts from files and models, as a terminal may get them."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: object) -> str:
    """A name or message without the control sequences that it may hold."""
    return "".join(character if character.isprintable() else "�" for character in str(text))
