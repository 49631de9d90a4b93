"""Vectors of a corpus on disk, made block by block, by as many processes as like.

    <cache>/embeddings/<corpus>-<model>-<key>/
      meta.json      what decides the vectors, and how they are laid out
      00000.npy      vectors of the first documents, in the order of the corpus
      00000.json     their ids, and a checksum: written last, so that a block is there when this is
      locks/         who works on which block

A block that a kill interrupted is not there; one that is damaged is made anew. Processes share nothing but these files.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lrat_bench.errors import UsageError
from lrat_bench.files import CACHE_MEND, locked, sha256_file, write_atomic, write_json, writing
from lrat_bench.progress import Progress
from lrat_bench.retriever.encoder import Vectors
from lrat_bench.retriever.shard import WHOLE, Shard
from lrat_bench.retriever.vectors import StoredVectors
from lrat_bench.task.corpus import Corpus

__all__ = ["BLOCK", "Embeddings", "Encode", "Filled"]

_log = logging.getLogger("lrat_bench.retriever")

BLOCK = 4096
"""Documents of a block: what a kill can cost, and what is in memory at once."""

_BUSY = "another process works on this block"

Encode = Callable[[Sequence[str], Callable[[int], None]], Vectors]
"""Called with texts, and whom to tell how many are encoded; returns their vectors."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How far the vectors of a corpus are.

    Attributes:
        blocks: that are there.
        of_blocks: that there will be.
        documents: in those that are there.
        of_documents: of the corpus.
        mended: blocks that were damaged, and were encoded anew by this call.
    """

    blocks: int
    of_blocks: int
    documents: int
    of_documents: int
    mended: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is owed."""
        return self.blocks == self.of_blocks


class Embeddings:
    """The vectors of one corpus by one encoder.

    Args:
        folder: named by what decides the vectors.
        corpus: whose documents they are of; read as a stream.
        dimensions: length of a vector.
        storage: in which numbers they are stored.
        meta: what decides the vectors, for people to read.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Corpus,
        *,
        dimensions: int,
        storage: str,
        meta: dict[str, Any],
    ) -> None:
        self.folder = folder
        self._corpus = corpus
        self._dimensions = dimensions
        self._storage = np.dtype(storage)
        self._meta = {**meta, "dimensions": dimensions, "block": BLOCK, "documents": len(corpus)}
        self._mended = 0

    def fill(self, encode: Encode, *, shard: Shard = WHOLE, trust: bool = False, progress: Progress) -> Filled:
        """Make the blocks of a shard that are not there; those that another process works on are waited for.

        A block that is damaged is made anew, and warned of.

        Args:
            encode: makes vectors of texts.
            shard: whose blocks.
            trust: a set that was found sound once is held to be so, if its files have the sizes they must have;
                else every block of the shard is read, and compared with its checksum.
            progress: told how many documents are done.

        Raises:
            UsageError: they cannot be written, or the corpus does not hold the documents it says.
        """
        if trust and self._mark.exists() and all(map(self._fits, range(self._blocks))):
            return self.filled()
        with self._writing():
            if not (self.folder / "meta.json").exists():
                write_json(self.folder / "meta.json", self._meta)
        mine = [number for number in range(self._blocks) if shard.takes(number)]
        documents = sum(map(self._size, mine))
        sound = _Shown(f"checking vectors of {self._corpus.name}", documents, progress)
        owed: set[int] = set()
        for number in mine:
            if self._sound(number):
                sound.add(self._size(number))
            else:
                owed.add(number)
        if owed:
            with self._writing():
                self._mark.unlink(missing_ok=True)
        self._mended = 0
        shown = _Shown(f"encoding {self._corpus.name}", documents, progress)
        for wait in (False, True):
            if owed:
                shown.add(0 if wait else sound.done)
                owed = self._pass(owed, encode, shown, wait=wait)
        filled = replace(self.filled(), mended=self._mended)
        if filled.mended:
            _log.warning(
                "vectors of %s: %d of %d blocks %s damaged and encoded anew",
                self._corpus.name,
                filled.mended,
                filled.of_blocks,
                "was" if filled.mended == 1 else "were",
            )
        if (
            filled.complete
            and not self._mark.exists()
            and (shard == WHOLE or all(map(self._sound, range(self._blocks))))
        ):
            # Every block was read and found sound: who trusts that looks at sizes alone from now on.
            with self._writing():
                write_atomic(self._mark, "")
        return filled

    def filled(self) -> Filled:
        """How far they are; blocks are counted, not read."""
        there = [number for number in range(self._blocks) if self._ids(number).exists()]
        return Filled(len(there), self._blocks, sum(map(self._size, there)), len(self._corpus))

    def open(self) -> StoredVectors:
        """The vectors, for search.

        Raises:
            UsageError: a block is missing or damaged.
        """
        numbers = range(self._blocks)
        return StoredVectors(list(map(self._vectors, numbers)), map(self._docids, numbers), self._dimensions)

    def _docids(self, number: int) -> list[str]:
        found = self._read_ids(number)
        if found is None or not self._fits(number):
            raise UsageError(
                f"block {number} of the vectors in {self.folder} is missing or damaged: delete {self.folder} to have "
                "it made anew"
            )
        docids: list[str] = found["docids"]
        return docids

    def _pass(self, owed: set[int], encode: Encode, shown: _Shown, *, wait: bool) -> set[int]:
        """Go over the corpus once; returns what others hold."""
        held: set[int] = set()
        for number, docids, texts in self._read_blocks(owed):
            with ExitStack() as stack:
                lock = self.folder / "locks" / f"{number:05d}"
                try:
                    with self._writing():
                        stack.enter_context(locked(lock, wait=wait, busy=_BUSY))
                except UsageError as error:
                    if str(error) != _BUSY:
                        raise
                    held.add(number)
                    continue
                # Whoever held it may have made it.
                if not self._sound(number):
                    damaged = self._ids(number).exists()
                    self._write(number, docids, encode(texts, shown.within))
                    self._mended += damaged
                shown.add(len(docids))
        return held

    def _read_blocks(self, wanted: set[int]) -> Iterator[tuple[int, list[str], list[str]]]:
        """Number, docids and texts of the wanted blocks; memory holds one of them."""
        docids: list[str] = []
        texts: list[str] = []
        last = max(wanted)
        read = 0
        for read, document in enumerate(self._corpus, start=1):
            number = (read - 1) // BLOCK
            if number > last:
                return
            if number not in wanted:
                continue
            docids.append(document.docid)
            texts.append(document.contents)
            if len(docids) == self._size(number):
                yield number, docids, texts
                docids, texts = [], []
        if read != len(self._corpus):
            raise UsageError(
                f"corpus {self._corpus.name!r} says it has {len(self._corpus)} documents and gives {read}: mend it"
            )

    def _write(self, number: int, docids: list[str], vectors: Vectors) -> None:
        assert vectors.shape == (len(docids), self._dimensions)
        stream = io.BytesIO()
        np.save(stream, np.ascontiguousarray(vectors.astype(self._storage)))
        content = stream.getvalue()
        record = {"sha256": hashlib.sha256(content).hexdigest(), "docids": docids}
        with self._writing():
            write_atomic(self._vectors(number), content)
            write_atomic(self._ids(number), json.dumps(record))

    def _sound(self, number: int) -> bool:
        """Whether a block is there, byte for byte as it was written."""
        found = self._read_ids(number)
        return found is not None and self._fits(number) and found["sha256"] == sha256_file(self._vectors(number))

    def _fits(self, number: int) -> bool:
        """Whether the file is of the shape, the type and the size that it must be; its content is not read."""
        wanted = (self._size(number), self._dimensions)
        try:
            with self._vectors(number).open("rb") as stream:
                if np.lib.format.read_magic(stream) != (1, 0):
                    return False
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
                length = os.fstat(stream.fileno()).st_size - stream.tell()
        except (OSError, ValueError):
            return False
        return bool(shape == wanted and dtype == self._storage and length == np.prod(wanted) * dtype.itemsize)

    def _read_ids(self, number: int) -> dict[str, Any] | None:
        try:
            found = json.loads(self._ids(number).read_text())
            return found if len(found["docids"]) == self._size(number) and found["sha256"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def _mark(self) -> Path:
        """Is there once every block was found sound."""
        return self.folder / "complete"

    def _writing(self) -> AbstractContextManager[None]:
        return writing(f"vectors to {self.folder}", mend=CACHE_MEND)

    def _vectors(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npy"

    def _ids(self, number: int) -> Path:
        return self.folder / f"{number:05d}.json"

    def _size(self, number: int) -> int:
        return min(BLOCK, len(self._corpus) - number * BLOCK)

    @property
    def _blocks(self) -> int:
        return -(-len(self._corpus) // BLOCK)


class _Shown:
    """Documents done, told to a `Progress` block by block and within a block."""

    def __init__(self, what: str, total: int, progress: Progress) -> None:
        self._what = what
        self._total = total
        self._progress = progress
        self.done = 0

    def add(self, documents: int) -> None:
        self.done += documents
        self._progress(self._what, self.done, self._total)

    def within(self, documents: int) -> None:
        self._progress(self._what, self.done + documents, self._total)
