"""Tasks over a corpus in memory, and whether there is a Java to search it with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.retriever.base import BuildContext
from lrat_bench.retriever.jvm import find_anserini, find_java
from lrat_bench.task.corpus import Document
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.task import Task

MakeContext = Callable[..., BuildContext]


class MemoryCorpus:
    """A `Corpus` of a few documents."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.name = "memory"
        self._documents = {document.docid: document for document in documents}
        self.fingerprint = fingerprint([[ascii(part) for part in document] for document in self])

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def __contains__(self, docid: object) -> bool:
        return docid in self._documents

    def get(self, docid: str) -> Document | None:
        return self._documents.get(docid)


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    """Makes the context of a retriever from docid → text; a `cache` per test unless another is given."""

    def make(
        texts: Mapping[str, str],
        *,
        evidence: Mapping[str, Iterable[str]] | None = None,
        gold: Mapping[str, Iterable[str]] | None = None,
        settings: dict[str, Any] | None = None,
        cache: Path | None = None,
    ) -> BuildContext:
        task = Task(
            name="memory",
            domain=None,
            questions=(),
            corpus=MemoryCorpus(Document(docid, "", text) for docid, text in texts.items()),
            splits={"test": "eval"},
            default_split="test",
            protocols={"default": Protocol()},
            default_protocol="default",
            evidence=None if evidence is None else {qid: frozenset(docids) for qid, docids in evidence.items()},
            gold=None if gold is None else {qid: frozenset(docids) for qid, docids in gold.items()},
            source={},
        )
        return BuildContext(task, settings or {}, cache or tmp_path / "cache")

    return make


@pytest.fixture(scope="session")
def lucene() -> None:
    """For tests that search with Lucene: skipped where the `bm25` extra is not installed."""
    if find_spec("jnius") is None:
        pytest.skip("needs pyjnius")
    try:
        find_java()
        find_anserini()
    except UsageError as error:
        pytest.skip(str(error))
