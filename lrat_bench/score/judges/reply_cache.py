"""What a model has said once need not be paid for again, by whatever command: what the caches of judges share."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.files import write_atomic
from lrat_bench.score.judges.base import storable

__all__ = ["CachedReply", "ReplyCache"]

_log = logging.getLogger("lrat_bench.score")


class CachedReply(BaseModel):
    """The content of one file; `key` stands in it so that a misplaced one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    schema_: str = Field(alias="schema")
    key: str
    reported: str | None = Field(description="what the endpoint said that it serves; null where it said nothing")


E = TypeVar("E", bound=CachedReply)


class ReplyCache(Generic[E]):
    """Replies by what they depend on, one small file each, in a folder of the cache.

    Files rather than a database: home folders lie on network disks, where SQLite's locks do not hold. A file appears
    whole or not at all, two processes that write the same one write the same thing, and one that cannot be read counts
    as absent. A cache that cannot be written is said once and passed over. Nothing is touched before the first use.

    A key holds the model that was asked for. Which one answered is what its endpoint reports, and stands in the entry:
    a server that was started with the wrong weights must not have its replies taken for another's.

    Args:
        folder: the cache folder.
        name: of the folder within it.
        what: is kept, for messages.
        entry: the content of a file.
    """

    def __init__(self, folder: Path, *, name: str, what: str, entry: type[E]) -> None:
        self._folder = folder / name
        self._what = what
        self._entry = entry
        self._writable = True

    def find(self, key: str, *, reported: str | None = None) -> E | None:
        """What is kept under a key.

        Args:
            key: SHA-256 of all that the reply depends on.
            reported: the model that the endpoint reports now; an entry of another is passed over. None is not known.
        """
        try:
            entry = self._entry.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValueError):
            return None
        if entry.key != key or (reported is not None and entry.reported != storable(reported)):
            return None
        return entry

    def put(self, entry: E) -> None:
        """Keep an entry."""
        if not self._writable:
            return
        try:
            write_atomic(self._path(entry.key), entry.model_dump_json(by_alias=True))
        except OSError as error:
            self._writable = False
            _log.warning("%s are not cached: cannot write %s: %s", self._what, self._folder, error.strerror or error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
