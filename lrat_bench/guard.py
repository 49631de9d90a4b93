"""Guarded text: what must not lie in the open where crawlers find it, kept under the canary of its benchmark.

The scheme is BrowseComp-Plus's own (texttron/BrowseComp-Plus, `decrypt_dataset.py`): the UTF-8 text is combined by
exclusive or with the SHA-256 of the canary, repeated, and written as base64. It is a fence against contamination, not
a secret: the canary stands beside what it guards, so that filters on training data find it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import UsageError

__all__ = ["GUARDED_CACHE_MEND", "Guard", "guard_of", "opened", "refuse_plain", "work_tree"]

GUARDED_CACHE_MEND = "set LRAT_BENCH_CACHE to a folder outside of it"
"""For `refuse_plain`, where it is the cache that would publish what is guarded."""

_MARK = '{"canary":'


@dataclass(frozen=True, slots=True)
class Guard:
    """A canary, and the key that it makes.

    Attributes:
        canary: the benchmark's text, as published.
    """

    canary: str

    @property
    def name(self) -> str:
        """The scheme, as it stands in messages."""
        return "canary-v1"

    def encrypt(self, text: str) -> str:
        """A text as base64."""
        return base64.b64encode(self._combined(text.encode())).decode()

    def decrypt(self, value: str) -> str:
        """The inverse of `encrypt`.

        Raises:
            ValueError: it was not encrypted under this canary.
        """
        return self._combined(base64.b64decode(value, validate=True)).decode()

    def encode(self, line: str) -> str:
        """A line that says of itself how it is guarded; `opened` is the inverse."""
        return json.dumps({"canary": self.canary, "guarded": self.encrypt(line)}, separators=(",", ":"))

    def decode(self, line: str) -> str:
        """The line inside a guarded one; any other as it is.

        Raises:
            ValueError: it is neither.
        """
        return opened(line)

    def _combined(self, data: bytes) -> bytes:
        digest = hashlib.sha256(self.canary.encode()).digest()
        key = (digest * (len(data) // len(digest) + 1))[: len(data)]
        return (int.from_bytes(data) ^ int.from_bytes(key)).to_bytes(len(data))


def guard_of(line: str) -> Guard | None:
    """The guard that a line says it is under; None of one that lies open."""
    found = _parts(line)
    return None if found is None else Guard(found[0])


def opened(line: str) -> str:
    """A line as it was before it was guarded; one that lies open as it is.

    Raises:
        ValueError: it is damaged.
    """
    found = _parts(line)
    return line if found is None else Guard(found[0]).decrypt(found[1])


def work_tree(path: Path) -> Path | None:
    """The git work tree that a path lies in, there yet or not; a link lies where it stands and where it leads."""
    place = path.expanduser()
    folders = (folder for start in (place.resolve(), place.parent.resolve()) for folder in (start, *start.parents))
    return next((folder for folder in folders if (folder / ".git").exists()), None)


def refuse_plain(what: str, path: Path, *, mend: str) -> None:
    """See that what is guarded is not written in plain text where it would be published.

    Args:
        what: would be written, for the message.
        path: where.
        mend: how to do otherwise.

    Raises:
        UsageError: the path lies in a git work tree.
    """
    if tree := work_tree(path):
        raise UsageError(
            f"{what} of a guarded task would lie in plain text in {path}, inside the git work tree {tree}: {mend}"
        )


def _parts(line: str) -> tuple[str, str] | None:
    if not line.startswith(_MARK):
        return None
    record = json.loads(line)
    if record.keys() != {"canary", "guarded"}:
        return None
    return str(record["canary"]), str(record["guarded"])
