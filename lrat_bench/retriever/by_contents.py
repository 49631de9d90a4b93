"""Finding the id of a document by its text, for servers that give texts alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from lrat_bench.progress import Progress
from lrat_bench.task.corpus import Corpus

__all__ = ["ByContents", "same_text"]


def same_text(contents: str) -> str:
    """A document's text in the form in which two are compared: one space for any run of them, no quotes around a title.

    Corpora of Search-R1 write a document as `"TITLE"`, a line break, and the text.
    """
    first, line, rest = contents.strip().partition("\n")
    title = first.strip()
    if line and len(title) > 1 and title[0] == title[-1] == '"':
        title = title[1:-1]
    return " ".join(f"{title} {rest}".split())


class ByContents:
    """Text → the documents that have it. Holds a hash and an id for each document, and no text.

    Args:
        corpus: read once, as a stream.
        progress: told how that goes.
    """

    def __init__(self, corpus: Corpus, progress: Progress) -> None:
        self._corpus = corpus
        what, every = f"reading the texts of {corpus.name}", max(1, len(corpus) // 100)
        hashes = np.zeros(len(corpus), np.uint64)
        docids = bytearray()
        ends = np.zeros(len(corpus) + 1, np.int64)
        for row, document in enumerate(corpus):
            hashes[row] = _hash(same_text(document.contents))
            docids += document.docid.encode("utf-8", "surrogatepass")
            ends[row + 1] = len(docids)
            if row % every == 0:
                progress(what, row, len(corpus))
        self._rows = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._rows]
        self._docids = bytes(docids)
        self._ends = ends

    def docids(self, texts: Sequence[str]) -> list[str | None]:
        """The document of each text of one ranking; None where the corpus has none, or no other one.

        Documents of one text take turns, by rising docid: the second time that it comes, it is the second one.
        """
        taken: Counter[str] = Counter()
        found: list[str | None] = []
        for text in map(same_text, texts):
            same = self._all(text)
            found.append(same[taken[text]] if taken[text] < len(same) else None)
            taken[text] += 1
        return found

    def _all(self, text: str) -> list[str]:
        wanted = np.uint64(_hash(text))
        first, last = (int(np.searchsorted(self._hashes, wanted, side=side)) for side in ("left", "right"))
        alike = sorted(self._docid(row) for row in self._rows[first:last])
        # Two texts may share a hash of 64 bits.
        return [docid for docid in alike if (there := self._corpus.get(docid)) and same_text(there.contents) == text]

    def _docid(self, row: int) -> str:
        return self._docids[self._ends[row] : self._ends[row + 1]].decode("utf-8", "surrogatepass")


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
