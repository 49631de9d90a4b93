"""The documents of a task, by id, on disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

__all__ = ["Corpus", "Document"]


class Document(NamedTuple):
    """One document; `title` may be empty."""

    docid: str
    title: str
    text: str

    @property
    def contents(self) -> str:
        """What is indexed and what is shown: the title, a line break and the text."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@runtime_checkable
class Corpus(Protocol):
    """Documents on disk; memory use does not depend on how many there are. Safe to read from several threads.

    Attributes:
        name: for messages and folder names.
        fingerprint: SHA-256 of the documents' bytes; the same wherever the corpus lies.
    """

    name: str
    fingerprint: str

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Document]:
        """All documents in file order, read as a stream."""
        ...

    def __contains__(self, docid: object) -> bool: ...

    def get(self, docid: str) -> Document | None:
        """The document, or None where there is none of that id."""
        ...
