"""What another process needs to know to do a part of the work: the words of the command, and where it was given."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder

__all__ = ["Place", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """A task and a retriever as a user names them, and what was set.

    Attributes:
        task: `--task`.
        retriever: `--retriever`.
        set: room → key → value.
        fingerprint: of the retriever, as whoever hands out the work has it.
        corpus: fingerprint of the corpus.
    """

    task: str
    retriever: str
    set: dict[str, dict[str, Any]]
    fingerprint: str | None
    corpus: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command was given.

    Attributes:
        folder: the working directory; relative paths are meant from there.
        cache: its cache of corpora, models' vectors and indexes.
        host: the machine.
        sign: a file in the cache, by which another machine sees whether it has the same one; None where it need not.
    """

    folder: str
    cache: str
    host: str
    sign: str | None = None

    @classmethod
    def here(cls) -> Place:
        """This process's own."""
        return cls(str(Path.cwd()), str(cache_folder().resolve()), socket.gethostname())

    @contextmanager
    def signed(self) -> Iterator[Place]:
        """The place, with a sign in its cache while the block runs."""
        sign = Path(self.cache) / f".here-{secrets.token_hex(8)}"
        sign.parent.mkdir(parents=True, exist_ok=True)
        sign.touch()
        try:
            yield Place(self.folder, self.cache, self.host, str(sign))
        finally:
            sign.unlink(missing_ok=True)

    def enter(self) -> None:
        """Work there, as far as this machine has it: a shared file system, or the same machine.

        Raises:
            UsageError: the cache must be shared, and is not.
        """
        if self.sign is not None and not Path(self.sign).exists():
            raise UsageError(
                f"machine {socket.gethostname()!r} does not see the cache {self.cache} of {self.host!r}: put "
                "LRAT_BENCH_CACHE on a file system that all of them share"
            )
        if Path(self.cache).is_dir():
            os.environ["LRAT_BENCH_CACHE"] = self.cache
        if Path(self.folder).is_dir():
            os.chdir(self.folder)
        # For module:object, as `lrat-bench` itself does it.
        if str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
