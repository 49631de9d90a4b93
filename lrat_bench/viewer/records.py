"""Records of a run, found one by one: where each lies in its file, so that any is read without the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lrat_bench.errors import DataError
from lrat_bench.guard import guard_of
from lrat_bench.runs.store import RecordStore

__all__ = ["Place", "Records"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies.

    Attributes:
        offset: its first byte.
        length: of its line, in bytes.
    """

    offset: int
    length: int


@dataclass(frozen=True)
class Records(Generic[R]):
    """The valid records of a store, the last one of each key.

    Attributes:
        store: the file.
        places: key → where it lies, in the order in which keys first appeared.
        guarded: whether a line is kept under a canary.
    """

    store: RecordStore[R]
    places: dict[Any, Place]
    guarded: bool

    @classmethod
    def of(cls, store: RecordStore[R], *, keep: Callable[[R], bool]) -> Records[R]:
        """Read a file once; lines that hold no record are passed over, as everywhere.

        Args:
            store: the file; it need not exist.
            keep: told each record as it goes by; says whether it is one to be found again.

        Raises:
            DataError: the file cannot be read.
        """
        places: dict[Any, Place] = {}
        guarded = False
        offset = 0
        try:
            with store.path.open("rb") as stream:
                for raw in stream:
                    place, offset = Place(offset, len(raw)), offset + len(raw)
                    try:
                        line = raw.decode().rstrip("\n")
                        guarded = guarded or guard_of(line) is not None
                        record = store.parse(store.codec.decode(line))
                    except (ValueError, RecursionError):
                        continue
                    if keep(record):
                        places[store.key(record)] = place
        except FileNotFoundError:
            pass
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", file=store.path) from None
        return cls(store, places, guarded)

    def read(self, key: Any) -> R:
        """The record of a key in `places`.

        Raises:
            DataError: the file was written anew since.
        """
        place = self.places[key]
        try:
            with self.store.path.open("rb") as stream:
                stream.seek(place.offset)
                record = self.store.parse(self.store.codec.decode(stream.read(place.length).decode().rstrip("\n")))
        except (OSError, ValueError, RecursionError):
            raise DataError("was written anew while it was shown: view the run again", file=self.store.path) from None
        if self.store.key(record) != key:
            raise DataError("was written anew while it was shown: view the run again", file=self.store.path)
        return record
