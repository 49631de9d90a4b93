"""Who answers at the address of a remote retriever: how it is written, what it may be told, what it says of itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from lrat_bench.errors import BadRequest, UsageError
from lrat_bench.model.redact import redact, remember
from lrat_bench.retriever.json_service import JsonService, NoSuchPlace, NotJson, cut
from lrat_bench.retriever.shapes import SHAPES

__all__ = ["Health", "Place", "authorization", "find_place", "read_address"]

_log = logging.getLogger("lrat_bench.retriever")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Health:
    """What a server says of itself; None where it does not.

    Attributes:
        retriever: its name, as given to `serve`.
        fingerprint: of the retriever.
        corpus: fingerprint of what is searched.
        documents: how many there are.
    """

    retriever: str | None = None
    fingerprint: str | None = None
    corpus: str | None = None
    documents: int | None = None

    @classmethod
    def read(cls, said: Any) -> Health | None:
        """The health of one of our own servers; None of any other."""
        if not isinstance(said, Mapping) or not {"retriever", "fingerprint"} <= said.keys():
            return None
        texts = [said.get(key) for key in ("retriever", "fingerprint", "corpus")]
        name, word, corpus = [redact(one) if isinstance(one, str) and one else None for one in texts]
        count = said.get("documents")
        return cls(name, word, corpus, count if isinstance(count, int) else None)

    def __str__(self) -> str:
        parts = [cut(self.retriever)] if self.retriever else []
        if self.documents is not None:
            parts.append(f"{self.documents:,} documents")
        return ", ".join(parts) or "unnamed"


class Place(NamedTuple):
    """Where searches go, how they are asked for (one of `SHAPES`), and what the server says of itself."""

    endpoint: str
    shape: str
    health: Health

    @property
    def carries_fingerprint(self) -> bool:
        """Whether every reply says who gives it: in our own shape alone."""
        return self.shape == "lrat-bench"

    @property
    def is_known(self) -> bool:
        """Whether it can be told what searches, and what is searched, from the first reply to the last."""
        return self.carries_fingerprint and None not in (self.health.fingerprint, self.health.corpus)


def find_place(service: JsonService, address: SplitResult, shape: str | None, *, patience: float) -> Place:
    """Ask a server what it is.

    Args:
        service: reaches it.
        address: as typed; its path is where searches go if it ends as that of a shape, or a shape is given, and the
            server's own below it otherwise.
        shape: how it is to be asked, where the user says so.
        patience: seconds that it may take to be there.

    Raises:
        UsageError: it redirects, or refuses the token.
        RolloutFailure: it cannot be reached.
    """
    path = address.path.rstrip("/")
    above, _, last = path.rpartition("/")
    by_path = next((name for name, one in SHAPES.items() if one.path == f"/{last}"), None)
    whole = by_path is not None or (shape is not None and bool(path))
    root = above if whole else path
    health: Health | None = None
    with suppress(NoSuchPlace, NotJson, BadRequest):  # which a server of another kind has for it
        health = Health.read(service.get(_at(address, f"{root}/health"), outage_seconds=patience))
    how = shape or by_path or ("search-r1" if health is None else "lrat-bench")
    return Place(_at(address, path if whole else f"{root}{SHAPES[how].path}"), how, health or Health())


def read_address(text: str) -> SplitResult:
    """The parts of an address; it is written down, so that no query, user or password may be in it.

    Raises:
        UsageError: it is none.
    """
    plain = text.isascii() and text.isprintable() and " " not in text
    try:
        address = urlsplit(text)
        named = plain and bool(address.hostname) and address.port != 0
    except ValueError:
        address, named = SplitResult("", "", "", "", ""), False
    if not named:
        raise UsageError(f"retriever {redact(text)!r} is no address: write it as in http://127.0.0.1:8000")
    if address.username is not None or address.password is not None:
        raise UsageError(
            f"retriever {redact(text)!r} holds a user or a password, which would be written down: give a token through "
            "--set retriever.token_env=NAME"
        )
    if address.query or address.fragment:
        raise UsageError(f"retriever {redact(text)!r} must end with its path: leave out what follows ? or #")
    return address._replace(path=address.path.rstrip("/"))


def authorization(address: SplitResult, variable: str | None) -> dict[str, str]:
    """The headers that carry the token of an environment variable; it is masked wherever anything is written.

    Raises:
        UsageError: the variable is not set, or holds what no token can be.
    """
    if variable is None:
        return {}
    token = os.environ.get(variable, "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        problem = "is not set" if not token else "holds what is no token"
        raise UsageError(f"variable {variable!r}, which retriever.token_env names, {problem}: export it first")
    remember(token)
    if address.scheme == "http" and address.hostname not in _LOOPBACK:
        _log.warning("the token of %s goes over the network in the open: https would hide it", address.geturl())
    return {"authorization": f"Bearer {token}"}


def _at(address: SplitResult, path: str) -> str:
    return address._replace(path=path).geturl()
