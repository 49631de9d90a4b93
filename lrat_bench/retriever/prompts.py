"""What an encoder is told before a query and before a document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lrat_bench.errors import DataError
from lrat_bench.retriever.model_files import ModelFiles

__all__ = ["Prompt", "document_prompt", "query_prompt"]

_DOCUMENT_NAMES = ("document", "passage", "corpus")
"""Where sentence-transformers looks for a document's prompt, in that order."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text that is put before another, and how it came to be the one."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class _Family:
    """Models that were trained with prompts and do not carry them.

    Attributes:
        names: of their repositories on the hub.
    """

    names: str
    query: str
    document: str


_FAMILIES = (
    # Wang et al. 2022, arXiv:2212.03533, section 3; the instruct models of the name are told something else.
    _Family(r"intfloat/(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?", "query: ", "passage: "),
    # Zhang et al. 2025, arXiv:2506.05176; the repository stores it, copies of it may not.
    _Family(
        r"Qwen/Qwen3-Embedding-[\d.]+B",
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
        "",
    ),
)


def query_prompt(files: ModelFiles, given: str | None) -> Prompt:
    """The prompt of queries: what was set, else what the model stores under `query`, else what its family needs.

    A stored prompt that is empty counts as none; one that is set may be empty.

    Raises:
        DataError: the model stores something else than prompts by name.
    """
    return _choose(files, given, ("query",), "query")


def document_prompt(files: ModelFiles, given: str | None) -> Prompt:
    """The prompt of documents: what was set, else the first of `document`, `passage` and `corpus` that is stored.

    As for queries, a stored prompt that is empty counts as none, and a family's own comes last.
    """
    return _choose(files, given, _DOCUMENT_NAMES, "document")


def _choose(files: ModelFiles, given: str | None, names: tuple[str, ...], side: str) -> Prompt:
    if given is not None:
        return Prompt(given, "set")
    stored: dict[str, Any] = files.stored.get("prompts") or {}
    if not isinstance(stored, dict):
        raise DataError(
            f"must store prompts by name, and has {stored!r}: mend it, or get the model anew",
            file=files.folder / "config_sentence_transformers.json",
        )
    # The library writes empty prompts of its own accord when it saves: an empty one is none.
    for name in names:
        if stored.get(name):
            return Prompt(str(stored[name]), f"stored in the model as {name!r}")
    known_as = (files.name if files.hub else "", str(files.config.get("_name_or_path") or ""))
    if not any(stored.values()):
        for family in _FAMILIES:
            if any(re.fullmatch(family.names, name) for name in known_as):
                return Prompt(family.query if side == "query" else family.document, f"known of {family.names}")
    return Prompt("", "none")
