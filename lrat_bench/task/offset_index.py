"""Where each document of a JSON Lines corpus lies: docid → byte offset, in one SQLite file."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import CACHE_MEND, locked, writing
from lrat_bench.progress import Progress
from lrat_bench.task import jsonl

__all__ = ["OffsetIndex", "Place", "Stamp", "open_index"]

_FORMAT = 1
_BATCH = 10_000

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -16384;
CREATE TABLE place (line INTEGER PRIMARY KEY, docid TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL);
CREATE TABLE corpus (size INTEGER, mtime_ns INTEGER, sha256 TEXT, documents INTEGER);
"""


class Stamp(NamedTuple):
    """What tells one state of a file from another without reading it."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp in a stat result."""
        return cls(status.st_size, status.st_mtime_ns)


class Place(NamedTuple):
    """The line of one document: its 1-based number, and its bytes in the file."""

    line: int
    offset: int
    length: int


class OffsetIndex:
    """A finished index, opened for reading. Safe to use from several threads.

    Attributes:
        stamp: of the corpus file that was indexed.
        sha256: of its bytes, 64 hex digits.
        documents: how many it holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # An index is replaced, never modified: `immutable` spares SQLite all locking and works on a read-only disk.
        # One connection under a lock: a look-up takes microseconds, and holds the interpreter's lock for most of them.
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._lock = threading.Lock()
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version != _FORMAT:
                raise sqlite3.DatabaseError(f"format {version}")
            row = self._connection.execute("SELECT size, mtime_ns, sha256, documents FROM corpus").fetchone()
        except sqlite3.Error:
            self._connection.close()
            raise
        self.stamp = Stamp(*row[:2])
        self.sha256: str = row[2]
        self.documents: int = row[3]

    def find(self, docid: str) -> Place | None:
        """Where the document lies, or None where there is none of that id."""
        try:
            with self._lock:
                row = self._connection.execute(
                    "SELECT line, offset, length FROM place WHERE docid = ?", (docid,)
                ).fetchone()
        except UnicodeEncodeError:  # an agent may ask for anything; no document has half a surrogate pair in its id
            return None
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{self._path} is damaged ({error}): delete it and give the same command again") from error
        return None if row is None else Place(*row)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def open_index(file: Path, path: Path, *, progress: Progress) -> OffsetIndex:
    """The index at `path` of the corpus `file`, built first where it is missing or of another state of the file.

    Processes that want the same index wait for the first one's.

    Raises:
        DataError: the corpus is not as it must be; nothing is kept.
        UsageError: the index cannot be written.
    """
    stamp = _stamp(file)
    if found := _current(path, stamp):
        return found
    with writing(f"the index of {file} to {path.parent}", errors=(OSError, sqlite3.Error), mend=CACHE_MEND):
        with locked(path.with_name(f".{path.name}.lock"), wait=True):
            if found := _current(path, stamp):
                return found
            temporary = path.with_name(f".{path.name}.tmp")
            try:
                _build(file, temporary, progress)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        return OffsetIndex(path)


def _stamp(file: Path) -> Stamp:
    with jsonl.open_lines(file) as stream:
        return Stamp.of(os.fstat(stream.fileno()))


def _current(path: Path, stamp: Stamp) -> OffsetIndex | None:
    try:
        index = OffsetIndex(path)
    except (sqlite3.Error, TypeError):  # missing, torn, or of another format
        return None
    if index.stamp == stamp:
        return index
    index.close()
    return None


def _build(file: Path, path: Path, progress: Progress) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, jsonl.open_lines(file) as stream:
        connection.executescript(_TABLES)
        before = Stamp.of(os.fstat(stream.fileno()))
        digest: Any = hashlib.sha256()
        connection.executemany("INSERT INTO place VALUES (?, ?, ?, ?)", _places(file, stream, digest, before, progress))
        (documents,) = connection.execute("SELECT count(*) FROM place").fetchone()
        if not documents:
            raise DataError("holds no documents; every line is an object with 'docid' and 'text'", file=file)
        if Stamp.of(os.fstat(stream.fileno())) != before:
            raise DataError("changed while it was being read; try again when it is complete", file=file)
        try:
            # Sorting once at the end is what keeps random ids as fast as ordered ones.
            connection.execute("CREATE UNIQUE INDEX by_docid ON place (docid)")
        except sqlite3.IntegrityError:
            raise _duplicate(connection, file) from None
        connection.execute("INSERT INTO corpus VALUES (?, ?, ?, ?)", (*before, digest.hexdigest(), documents))
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.commit()
    _sync(path)


def _places(
    file: Path, stream: BinaryIO, digest: Any, stamp: Stamp, progress: Progress
) -> Iterator[tuple[int, str, int, int]]:
    what = f"indexing {file.name} (bytes)"
    offset = 0
    for number, raw in enumerate(stream, 1):
        digest.update(raw)
        line = jsonl.parse(raw, file, number)
        if line is not None:
            docid = line.identifier("docid")
            line.text("text")
            line.text("title", default="")
            yield number, docid, offset, len(raw)
        offset += len(raw)
        if number % _BATCH == 0:
            progress(what, offset, stamp.size)
    progress(what, offset, stamp.size)


def _duplicate(connection: sqlite3.Connection, file: Path) -> DataError:
    docid, first, second = connection.execute(
        "SELECT docid, min(line), (SELECT line FROM place p WHERE p.docid = place.docid ORDER BY line LIMIT 1 OFFSET 1)"
        " AS again FROM place GROUP BY docid HAVING count(*) > 1 ORDER BY again LIMIT 1"
    ).fetchone()
    return DataError(f"docid {docid!r} is already on line {first}: every docid occurs once", file=file, line=second)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
