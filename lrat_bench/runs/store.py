"""Records on disk: one a line, appended, the last one of a key wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from lrat_bench.errors import UsageError
from lrat_bench.files import append_line, mend_tail
from lrat_bench.guard import Guard, opened

__all__ = ["PLAIN", "Codec", "RecordStore", "codec_of"]


class Codec(Protocol):
    """How a record's line is kept on disk; that of a task whose text must not lie in the open is its `Guard`."""

    @property
    def name(self) -> str:
        """Of the way, for messages."""
        ...

    def encode(self, line: str) -> str:
        """The line as it is written; it holds no line break."""
        ...

    def decode(self, line: str) -> str:
        """A line as it was before it was written, open or guarded; raises ValueError on what is neither."""
        ...


class _Plain:
    name = "plain"

    def encode(self, line: str) -> str:
        return line

    def decode(self, line: str) -> str:
        return opened(line)


PLAIN: Codec = _Plain()
"""Records lie open."""


def codec_of(canary: str | None) -> Codec:
    """How records are kept that stem from the questions of a task with this canary; None is a task without."""
    return PLAIN if canary is None else Guard(canary)


R = TypeVar("R")


@dataclass
class RecordStore(Generic[R]):
    """One file of records.

    A record is on its way to the disk when `append` returns. A line torn by a kill is cut off when the store is
    opened for writing; any other line that cannot be read is passed over and counted, so its question is owed again
    and everything else is kept.

    Attributes:
        path: the file; it need not exist.
        parse: a JSON text → the record; raises ValueError on what is none.
        key: what identifies a record; a later one of the same key replaces an earlier one.
        codec: how lines are kept.
        unreadable: line numbers that the last `scan` passed over.
    """

    path: Path
    parse: Callable[[str], R]
    key: Callable[[R], Any]
    codec: Codec = PLAIN
    unreadable: list[int] = field(default_factory=list)

    def open_for_writing(self) -> None:
        """Make the file fit to be appended to.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            mend_tail(self.path)
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}") from error

    def append(self, line: str) -> None:
        """Add a record, given as its JSON text.

        Raises:
            OSError: it could not be written whole; the file is as it was.
        """
        append_line(self.path, self.codec.encode(line))

    def scan(self) -> Iterator[R]:
        """The valid records in file order, one per key: the last. Reads the file twice and keeps no record."""
        self.unreadable = []
        last = {self.key(record): number for number, record in self._lines(self.unreadable)}
        for number, record in self._lines([]):
            if last[self.key(record)] == number:
                yield record

    def _lines(self, unreadable: list[int]) -> Iterator[tuple[int, R]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                try:
                    record = self.parse(self.codec.decode(raw.decode().rstrip("\n")))
                except (ValueError, RecursionError):
                    unreadable.append(number)
                    continue
                yield number, record
