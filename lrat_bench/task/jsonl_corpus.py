"""A corpus in one JSON Lines file, read in place."""

from __future__ import annotations

import hashlib
import os
import re
import weakref
from collections.abc import Iterator
from pathlib import Path

from lrat_bench.errors import DataError
from lrat_bench.files import cache_folder
from lrat_bench.progress import Progress, no_progress
from lrat_bench.task import jsonl
from lrat_bench.task.corpus import Document
from lrat_bench.task.offset_index import OffsetIndex, Stamp, open_index

__all__ = ["JsonlCorpus"]


class JsonlCorpus:
    """The documents of a `corpus.jsonl`: one object a line with `docid`, `text` and an optional `title`.

    The texts stay in that file. The first opening reads it once, checks every line and writes an index of byte
    offsets into the cache; later ones use the index for as long as the file's size and time of modification stay
    the same. Blank lines and unknown keys are ignored; a `title` may be null. Safe to read from several threads.

    Args:
        file: the corpus.
        name: for messages and folder names; the file's stem unless given.
        cache: where indexes are kept; `files.cache_folder()` unless given.
        progress: told how reading it goes, in bytes.

    Raises:
        DataError: a line is not as it must be (the message names it), a docid occurs twice, or there is no document.
        UsageError: the index cannot be written.

    Attributes:
        file: the corpus.
        name: for messages and folder names.
        fingerprint: SHA-256 of the file's bytes.
    """

    def __init__(
        self, file: Path, *, name: str | None = None, cache: Path | None = None, progress: Progress = no_progress
    ) -> None:
        self.file = file
        self.name = name or file.stem
        path = (cache or cache_folder()) / "corpora" / _folder_name(self.name, file) / "offsets.sqlite"
        self._index: OffsetIndex = open_index(file, path, progress=progress)
        self._handle = os.open(file, os.O_RDONLY)
        self.fingerprint = self._index.sha256
        self._close = weakref.finalize(self, _close, self._index, self._handle)
        self._check(self._handle)

    def __len__(self) -> int:
        return self._index.documents

    def __contains__(self, docid: object) -> bool:
        return isinstance(docid, str) and self._index.find(docid) is not None

    def __iter__(self) -> Iterator[Document]:
        with jsonl.open_lines(self.file) as stream:
            self._check(stream.fileno())
            for number, raw in enumerate(stream, 1):
                document = self._document(raw, number)
                if document is not None:
                    yield document
            self._check(stream.fileno())

    def get(self, docid: str) -> Document | None:
        """The document, or None where there is none of that id.

        Raises:
            DataError: the file was written to since it was opened.
        """
        place = self._index.find(docid)
        if place is None:
            return None
        document = self._document(os.pread(self._handle, place.length, place.offset), place.line)
        self._check(self._handle)
        if document is None or document.docid != docid:
            raise self._changed()
        return document

    def close(self) -> None:
        """Let go of the file and its index; happens by itself when nobody holds the corpus any more."""
        self._close()

    def _document(self, raw: bytes, number: int) -> Document | None:
        try:
            line = jsonl.parse(raw, self.file, number)
            return line and Document(line.record["docid"], line.record.get("title") or "", line.record["text"])
        except (DataError, KeyError):  # every line was checked when the index was built
            raise self._changed() from None

    def _check(self, handle: int) -> None:
        if Stamp.of(os.fstat(handle)) != self._index.stamp:
            raise self._changed()

    def _changed(self) -> DataError:
        return DataError("changed since it was opened: run the command again to read it anew", file=self.file)


def _close(index: OffsetIndex, handle: int) -> None:
    index.close()
    os.close(handle)


def _folder_name(name: str, file: Path) -> str:
    slug = re.sub(r"[^\w.-]+", "-", name)[:64]
    return f"{slug}-{hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:12]}"
