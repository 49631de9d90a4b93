"""Search over stored vectors: exact, and equal to the last bit however many ask at once.

A matrix product scores whole blocks of documents, in float32 and in whatever order its kernel sums. Which documents
may be among the best is decided with the bound of its error, and they alone are scored again, each by itself, in
float64: those scores, ordered by (-score, docid), are the ranking.
"""

from __future__ import annotations

import heapq
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrat_bench.errors import UsageError
from lrat_bench.retriever.base import Ranked

__all__ = ["ExactSearch", "StoredVectors", "rank"]

_OPEN = 512  # blocks held open at once: each takes a file handle
_AT_ONCE = 4096  # candidates in memory while they are scored again: a million documents may be equal

Rows = npt.NDArray[np.int64]


class StoredVectors:
    """Vectors in files, mapped into memory, and the ids of their documents.

    Args:
        files: one `.npy` a block, each of shape (documents, dimensions).
        docids: of each block, taken one block after the other.
        dimensions: length of a vector.
    """

    def __init__(self, files: Sequence[Path], docids: Iterable[Sequence[str]], dimensions: int) -> None:
        self.dimensions = dimensions
        self._files = list(files)
        # One text and its offsets, joined block by block: 17 MB for a million ids of 9 letters, where the strings in a
        # list take 66 MB.
        texts: list[bytes] = []
        lengths: list[Rows] = []
        for block in docids:
            encoded = [docid.encode("utf-8", "surrogatepass") for docid in block]
            texts.append(b"".join(encoded))
            lengths.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        self._starts = np.cumsum([0, *map(len, lengths)])
        self._ids = b"".join(texts)
        self._ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
        self._opened: OrderedDict[int, npt.NDArray[Any]] = OrderedDict()
        self._opening = threading.Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Row of the first document, and vectors, of each block in order."""
        for number in range(len(self._files)):
            yield int(self._starts[number]), self._block(number)

    def rows(self, wanted: Rows) -> npt.NDArray[np.float64]:
        """The vectors of some documents, in the order asked for, in float64."""
        found = np.empty((len(wanted), self.dimensions), np.float64)
        numbers = np.searchsorted(self._starts, wanted, side="right") - 1
        for number in np.unique(numbers):
            here = np.flatnonzero(numbers == number)
            found[here] = self._block(int(number))[wanted[here] - self._starts[number]]
        return found

    def docid(self, row: int) -> str:
        """The id of a document."""
        return self._ids[self._ends[row] : self._ends[row + 1]].decode("utf-8", "surrogatepass")

    def close(self) -> None:
        """Let go of the files."""
        with self._opening:
            self._opened.clear()

    def _block(self, number: int) -> npt.NDArray[Any]:
        with self._opening:
            block = self._opened.pop(number, None)
            if block is None:
                try:
                    # Copy on write, since torch warns of memory that it cannot write to; nobody does write.
                    block = np.load(self._files[number], mmap_mode="c")
                except (OSError, ValueError, EOFError) as error:
                    raise UsageError(
                        f"vectors in {self._files[number]} cannot be read ({error}): delete that folder to have it "
                        "made anew"
                    ) from error
            self._opened[number] = block
            if len(self._opened) > _OPEN:
                self._opened.popitem(last=False)
            return block


class ExactSearch:
    """Scores every document.

    Args:
        stored: what is searched.
        device: where the matrix product is computed, as torch names it; on a GPU, vectors stay there once they were
            used, as far as its memory goes.
    """

    def __init__(self, stored: StoredVectors, *, device: str = "cpu") -> None:
        self._stored = stored
        self._device = device
        self._placed: dict[int, Any] = {}
        self._full = False
        # |computed - true| <= n u |a||b| for a sum of n products in any order (Higham 2002, section 3.1); vectors that
        # were rounded when stored are a little longer than 1.
        unit = 2.0**-24
        self._error = 1.01 * (stored.dimensions + 8) * unit

    def search(self, queries: npt.NDArray[np.float32], k: int) -> list[list[Ranked]]:
        """The k nearest documents of each query.

        Args:
            queries: shape (queries, dimensions), each of length 1.
            k: documents at most.

        Returns:
            by falling cosine, equal ones by rising docid.
        """
        kept = [_Kept(k, 2 * self._error) for _ in queries]
        for start, scores in self._scores(queries):
            # One look over all queries; most blocks have nothing new for most of them.
            best = scores.max(axis=1)
            for number, one in enumerate(kept):
                if best[number] >= one.bound:
                    one.add(scores[number], start)
        return [rank(self._stored, query, one.rows(), k) for query, one in zip(queries, kept, strict=True)]

    def close(self) -> None:
        """Let go of vectors and files."""
        self._placed.clear()
        self._stored.close()

    def _scores(self, queries: npt.NDArray[np.float32]) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Row of its first document, and the scores of shape (queries, documents), of each block."""
        try:
            import torch
        except ImportError:
            for start, block in self._stored.blocks():
                yield start, queries @ block.astype(np.float32, copy=False).T
            return
        asked = torch.from_numpy(np.ascontiguousarray(queries)).to(self._device)
        for start, block in self._stored.blocks():
            scores = asked @ self._placed_block(start, block).float().T
            yield start, scores.cpu().numpy()

    def _placed_block(self, start: int, block: npt.NDArray[Any]) -> Any:
        import torch

        here = torch.from_numpy(block)
        if self._device == "cpu":
            return here
        if start not in self._placed:
            there = here.to(self._device)
            if self._full:
                return there
            self._placed[start] = there
            free, whole = torch.cuda.mem_get_info() if self._device.startswith("cuda") else (1, 1)
            # What is left is for the encoder.
            self._full = free < whole // 5
        return self._placed[start]


class _Kept:
    """The documents that may be among the k best of one query, by scores that are off by `slack` / 2 at most.

    The k-th best of what was seen has a true score of at least (its score - slack / 2); who is to beat that must be
    seen with (its score - slack).
    """

    def __init__(self, k: int, slack: float) -> None:
        self._k = k
        self._slack = slack
        self._scores = np.empty(0, np.float32)
        self._rows: Rows = np.empty(0, np.int64)
        self.bound = -np.inf

    def add(self, scores: npt.NDArray[np.float32], start: int) -> None:
        if len(self._rows) < self._k <= len(scores):
            # No bound yet: the block's own k best give one.
            self._raise(scores)
        new = np.flatnonzero(scores >= self.bound)
        self._scores = np.concatenate([self._scores, scores[new]])
        self._rows = np.concatenate([self._rows, new + start])
        if len(self._rows) >= self._k:
            self._raise(self._scores)
            still = self._scores >= self.bound
            self._scores, self._rows = self._scores[still], self._rows[still]

    def rows(self) -> Rows:
        return self._rows

    def _raise(self, scores: npt.NDArray[np.float32]) -> None:
        least = np.partition(scores, len(scores) - self._k)[len(scores) - self._k]
        self.bound = max(self.bound, float(least) - self._slack)


def rank(stored: StoredVectors, query: npt.NDArray[np.float32], candidates: Rows, k: int) -> list[Ranked]:
    """Score candidates again, each by itself, and order them.

    Args:
        stored: where their vectors are.
        query: shape (dimensions,).
        candidates: rows, in any order.
        k: documents at most.

    Returns:
        by falling cosine, equal ones by rising docid.
    """
    wide = query.astype(np.float64)
    scores = np.empty(len(candidates), np.float64)
    for start in range(0, len(candidates), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        # Products of float32 are exact in float64; numpy sums a row in an order that its length alone decides.
        scores[part] = (stored.rows(candidates[part]) * wide).sum(axis=1)
    if len(scores) > k:
        # Ids are looked up for those alone that can be on the list.
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates, scores = candidates[scores >= least], scores[scores >= least]
    hits = (Ranked(stored.docid(int(row)), float(score)) for row, score in zip(candidates, scores, strict=True))
    return heapq.nsmallest(k, hits, key=lambda hit: (-hit.score, hit.docid))
