"""The files that mining leaves: written beside the old ones, and put in their place when all are whole."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from lrat_bench.files import writing
from lrat_bench.lrat.pair import Pair
from lrat_bench.runs.store import PLAIN, Codec

__all__ = ["Drafts"]


class Drafts:
    """Files on their way.

    A draft is a hidden neighbour of the file that it becomes. A kill leaves drafts behind, which the next command in
    the folder removes; the files themselves are the old ones until `commit`.

    Args:
        folder: where they will lie; the caller holds it.
        names: of the files.
        codec: how their lines are kept.

    Raises:
        UsageError: from every method, where the disk refuses.
    """

    def __init__(self, folder: Path, *names: str, codec: Codec = PLAIN) -> None:
        self._folder = folder
        self._codec = codec
        self._names = names
        self._streams: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Drafts:
        with self._writing():
            for stale in self._folder.glob(".*.draft"):
                stale.unlink()
            for name in self._names:
                self._streams[name] = self.path(name).open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for name, stream in self._streams.items():
            # A full disk refuses what is left in the buffer, too, and has been said.
            with suppress(OSError):
                stream.close()
            self.path(name).unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Where the draft of a file lies."""
        return self._folder / f".{name}.draft"

    def append(self, name: str, record: Pair) -> None:
        """Add a record to a draft."""
        with self._writing():
            self._streams[name].write(self._codec.encode(record.to_json()).encode() + b"\n")

    def flush(self, name: str) -> None:
        """See that what was appended can be read from the draft."""
        with self._writing():
            self._streams[name].flush()

    def seal(self, *names: str) -> None:
        """See that drafts are on the disk, whole; nothing is added to them any more."""
        with self._writing():
            for name in names:
                stream = self._streams[name]
                stream.flush()
                os.fsync(stream.fileno())
                stream.close()

    def commit(self, *names: str) -> None:
        """Put sealed drafts in the place of their files, one after the other."""
        with self._writing():
            for name in names:
                self.path(name).replace(self._folder / name)

    def _writing(self) -> AbstractContextManager[None]:
        return writing(f"the pairs in {self._folder}")
