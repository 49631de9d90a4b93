"""Milvus, by its place: a folder that ends in .db, embedded in this process, or the address of a cluster."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrat_bench.errors import LratBenchError, MissingLibrary, UnknownName, UsageError
from lrat_bench.files import fingerprint, locked
from lrat_bench.model.redact import redact, remember

__all__ = [
    "EXACT_KIND",
    "MILVUS",
    "PATIENCE",
    "SEARCH_NAMES",
    "MilvusIndex",
    "connected",
    "line_of",
    "refuse_busy",
    "said",
]

MILVUS = "milvus:"
"""What `retriever.index` begins with, before the place."""

EXACT_KIND = "FLAT"
"""The index type that scores every vector."""

_KINDS = (
    *("AUTOINDEX", "DISKANN", EXACT_KIND, "GPU_CAGRA", "HNSW", "HNSW_PQ", "HNSW_SQ", "IVF_FLAT", "IVF_PQ"),
    *("IVF_RABITQ", "IVF_SQ8", "SCANN"),
)
_EMBEDDED_KINDS = ("AUTOINDEX", EXACT_KIND, "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8")
"""Index types of Milvus, and those of them that milvus-lite has: it takes any word, and fails when it is to search."""

SEARCH_NAMES = {"nprobe": "nprobe", "efSearch": "ef"}
"""Search parameter → Milvus's name of it."""

PATIENCE = 120.0
"""Seconds of one call; without any, the client tries for hours."""

_INSTALL = '"lrat-bench[milvus]"'


@dataclass(frozen=True, slots=True)
class MilvusIndex:
    """Where vectors are indexed, and how.

    Attributes:
        place: a folder that ends in .db, or the address of a cluster.
        kind: Milvus's index type; FLAT scores every vector.
        params: what the index is built with (`M`, `efConstruction`, `nlist`, …).
        search: `nprobe`, `efSearch` and `rescore`.
        token_env: environment variable that holds the cluster's token.

    Raises:
        UsageError: no such place, or a value that cannot be.
    """

    place: str
    kind: str = EXACT_KIND
    params: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, float] = field(default_factory=dict)
    token_env: str | None = None

    def __post_init__(self) -> None:
        if not (self.embedded or re.match(r"https?://[^/@?#\s]+/?$", self.place)):
            raise UsageError(
                f"retriever.index={redact(f'{MILVUS}{self.place}')!r} is no place of Milvus: give a folder that ends "
                f"in .db, as in {MILVUS}vectors.db, or a cluster, as in {MILVUS}http://127.0.0.1:19530 (its token goes "
                "through retriever.milvus_token_env)"
            )
        if self.kind not in _KINDS:
            raise UnknownName("index type of Milvus (retriever.milvus_index)", self.kind, _KINDS)
        if self.embedded and self.kind not in _EMBEDDED_KINDS:
            raise UsageError(
                f"milvus-lite has no index {self.kind!r} (retriever.milvus_index): give one of "
                f"{', '.join(_EMBEDDED_KINDS)}, or a cluster"
            )
        for name in self.search:
            if name not in ("rescore", *SEARCH_NAMES):
                raise UnknownName("search parameter of Milvus", name, ["rescore", *SEARCH_NAMES])

    @property
    def embedded(self) -> bool:
        """Whether it runs within this process."""
        return self.place.endswith(".db") and "://" not in self.place

    @property
    def path(self) -> str:
        """The folder of an embedded one."""
        return os.path.abspath(Path(self.place).expanduser())  # noqa: PTH100 -- a link stays what it is, as in milvus-lite

    def identity(self) -> dict[str, Any]:
        """All that decides what is found; not where."""
        return {"index": "milvus", "kind": self.kind, "params": dict(self.params), "search": dict(self.search)}

    def collection(self, vectors: str) -> str:
        """The name of the collection of some vectors.

        Args:
            vectors: names them, and so holds all that decides them.
        """
        return f"lrat_bench_{fingerprint([vectors, self.kind, dict(self.params)])[:24]}"


_open: Counter[str] = Counter()
_opening = threading.Lock()
"""Embedded folders that this process has open, and how often."""


@contextmanager
def connected(index: MilvusIndex) -> Iterator[Any]:
    """A client; an embedded folder is let go of when its last one is closed."""
    pymilvus = _pymilvus()
    given: dict[str, Any] = {"uri": index.path if index.embedded else index.place, "timeout": PATIENCE}
    if index.token_env is not None:
        token = os.environ.get(index.token_env, "")
        if not token:
            raise UsageError(
                f"variable {index.token_env!r}, which retriever.milvus_token_env names, is not set: export it first"
            )
        remember(token)
        given["token"] = token
    with _opening:
        if index.embedded:
            refuse_busy(index)
        with said(index, "open"):
            client = pymilvus.MilvusClient(**given)
        if index.embedded:
            _open[index.path] += 1
    try:
        yield client
    finally:
        with _opening:
            with suppress(Exception):
                client.close()
            if index.embedded:
                _open[index.path] -= 1
                if not _open[index.path]:
                    _release(index.path)


def _release(path: str) -> None:
    """End the embedded server of a folder, which pymilvus would leave running, and locked, until the process ends."""
    from milvus_lite.server_manager import server_manager_instance

    with suppress(Exception):
        server_manager_instance.release_server(path)


def refuse_busy(index: MilvusIndex) -> None:
    """See that no other process is in the way, which milvus-lite would say with a traceback.

    Raises:
        MissingLibrary: milvus-lite is not installed.
        UsageError: another process has the folder open.
    """
    try:
        import milvus_lite  # noqa: F401
    except ImportError:
        raise MissingLibrary("milvus-lite, which embeds Milvus,", install=_INSTALL) from None
    lock = Path(index.path) / "LOCK"
    if _open[index.path] or not lock.exists():
        return
    busy = (
        f"another process has {index.place} open, and milvus-lite lets one in at a time: wait for it, or serve the "
        f"folder (milvus-lite server --host 127.0.0.1 --data-dir {index.place}) and give {MILVUS}http://127.0.0.1:19530"
    )
    with said(index, "open"), locked(lock, busy=busy):
        pass


@contextmanager
def said(index: MilvusIndex, deed: str) -> Iterator[None]:
    """Around calls of Milvus: what it raises becomes one line."""
    try:
        yield
    except LratBenchError:
        raise
    except Exception as error:
        raise UsageError(f"cannot {deed} Milvus at {index.place!r}: {line_of(error)}") from error


def line_of(error: Exception) -> str:
    """What a library has to say, on one line."""
    told = getattr(error, "message", None) or str(error) or type(error).__name__
    return redact("".join(sign if sign.isprintable() else "�" for sign in " ".join(str(told).split())))[:300]


def _pymilvus() -> Any:
    try:
        import pymilvus
    except ImportError:
        raise MissingLibrary("pymilvus, which reaches Milvus,", install=_INSTALL) from None
    # What they log, with tracebacks, is what they raise, too; or a call that milvus-lite lacks and nobody misses.
    for name in ("pymilvus", "milvus_lite", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return pymilvus
