"""The texts of documents that agents were shown: each written once, in shards by the hash of its id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from lrat_bench.task.corpus import Document
from lrat_bench.viewer.material import LONGEST_TEXT, Material
from lrat_bench.viewer.opened import OpenedRun

__all__ = ["Shelves"]

_PER_SHARD = 64


class Shelves:
    """Which document lies in which shard, and what a shard holds.

    Of a document that some agent read, as much of the text is kept as any of the protocols shows; of one that was only
    in a result list, the snippet.

    Args:
        runs: of the view.
        material: the task; where it is not at hand there are no shards.
    """

    def __init__(self, runs: Sequence[OpenedRun], material: Material) -> None:
        self._runs = runs
        self._material = material
        self._read = frozenset().union(*(run.read for run in runs))
        docids = [] if material.task is None else sorted(frozenset().union(*(run.docids for run in runs)))
        count = -(-len(docids) // _PER_SHARD)
        self.shelf = {docid: _bucket(docid, count) for docid in docids}
        self._shards: list[list[str]] = [[] for _ in range(count)]
        for docid, number in self.shelf.items():
            self._shards[number].append(docid)

    def __len__(self) -> int:
        """How many shards there are."""
        return len(self._shards)

    def shard(self, number: int) -> list[dict[str, Any]]:
        """The documents of one shard, as `assets/documents.js` reads them."""
        found = ((docid, self._material.document(docid)) for docid in self._shards[number])
        return [self._kept(docid, document) for docid, document in found if document is not None]

    def _kept(self, docid: str, document: Document) -> dict[str, Any]:
        shown = [run.cuts.shown(document) for run in self._runs]
        read = docid in self._read
        ends = [None if one is None else one.document if read else one.snippet for one in shown]
        longest = LONGEST_TEXT if None in ends else min(LONGEST_TEXT, max(end for end in ends if end is not None))
        text = document.text[:longest]
        return {
            "id": docid,
            "text": text,
            # Per run: characters of the snippet, and of what is shown when it is read; null where nobody can say.
            "shown": [
                None if one is None else [_within(one.snippet, text), _within(one.document, text)] for one in shown
            ],
            "length": len(document.text),
        }


def _within(end: int | None, text: str) -> int:
    return len(text) if end is None else min(end, len(text))


def _bucket(docid: str, count: int) -> int:
    return int.from_bytes(hashlib.sha256(docid.encode("utf-8", "surrogatepass")).digest()[:8]) % count
