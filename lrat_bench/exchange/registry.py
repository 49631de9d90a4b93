"""The formats that are read, by name; and which one a record is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Decrypt, Imported, brief
from lrat_bench.registry import Entry, Registry

__all__ = ["FORMATS", "TREC", "Reader", "reader_of"]

TREC = "trec"
"""The one format whose records are not JSON objects."""


class Reader(Protocol):
    """Reads one record of a format, a JSON object."""

    def recognises(self, record: Mapping[str, Any]) -> bool:
        """Whether a record looks like one of this format."""
        ...

    def read(self, record: Mapping[str, Any], place: str, *, origin: str | None, decrypt: Decrypt | None) -> Imported:
        """The record.

        Args:
            record: the JSON object.
            place: of the object, for messages.
            origin: name of the format, where it was given; else the reader tells by what it sees.
            decrypt: for what is encrypted in it; None where there is no key.

        Raises:
            UsageError: it is not what this format writes.
        """
        ...


FORMATS = Registry(
    "format",
    {
        "lrat": Entry("lrat_bench.exchange.run_json:RunJson", "run files of LRAT's clients"),
        "browsecomp-plus": Entry("lrat_bench.exchange.run_json:RunJson", "run files of BrowseComp-Plus's clients"),
        "chat-log": Entry("lrat_bench.exchange.chat_log:ChatLog", "messages, as Tongyi DeepResearch and WebDancer log"),
        "search-r1": Entry("lrat_bench.exchange.transcript:Transcript", "texts with <search> and <information>"),
        "r1-searcher": Entry("lrat_bench.exchange.transcript:Transcript", "texts with <|begin_of_query|>"),
        TREC: Entry("lrat_bench.exchange.trec:read_trec", "rankings, one a question"),
    },
    group="lrat_bench.import_formats",
)
"""Names to classes of `Reader`; TREC runs are read as lines."""

_ORDER = ("browsecomp-plus", "chat-log", "search-r1")
"""One name for each reader of ours, the pickiest first."""


def reader_of(record: Mapping[str, Any], name: str | None) -> Reader:
    """The reader of a record.

    Args:
        record: the JSON object.
        name: of the format; by what the record looks like unless given.

    Raises:
        UsageError: it looks like none.
        UnknownName: there is no such format.
    """
    if name is not None:
        reader: Reader = FORMATS.load(name)()
        return reader
    others = [other for other in FORMATS if FORMATS.entry(other).origin != "lrat-bench"]
    for known in (*_ORDER, *others):
        candidate: Reader = FORMATS.load(known)()
        if candidate.recognises(record):
            return candidate
    keys = ", ".join(repr(brief(key)) for key in list(record)[:5]) or "none"
    raise UsageError(f"of no known format (its keys: {keys}): name it with --format, or leave it out")
