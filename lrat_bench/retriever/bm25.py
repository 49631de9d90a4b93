"""`bm25`: Lucene's BM25, through Anserini. `bm25:INDEX_DIR` searches an index that exists already.

The defaults k1 0.9 and b 0.4 are Anserini's, tuned on TREC collections and used by its reproductions since (Lin et
al., SIGIR 2021, Pyserini). Analysis is Anserini's for English: Lucene's standard tokenizer, possessives off, lower
case, 33 stopwords, Porter's stemmer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import CACHE_MEND, build_once, fingerprint, write_json, writing
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.jvm import anserini_version, check_process, find_anserini
from lrat_bench.retriever.lucene import LuceneIndex, build_index, indexable
from lrat_bench.retriever.settings import number_setting, refuse_unknown_settings, whole_setting
from lrat_bench.task.corpus import Corpus

__all__ = ["BM25", "make_bm25"]

_INDEXED = {"contents": "title+newline+text", "analyzer": "anserini-english-porter"}
_SAMPLED_IDS = 100


def make_bm25(argument: str | None, context: BuildContext) -> BM25:
    """The factory of `bm25` and `bm25:INDEX_DIR`.

    Settings: `k1` (0.9), `b` (0.4), and `threads`, which changes speed alone.

    Raises:
        UsageError: a setting is wrong, Java or Anserini is missing, or the index is not one of the corpus.
    """
    settings = context.settings
    refuse_unknown_settings("bm25", settings, ("k1", "b", "threads"))
    k1 = number_setting("bm25", settings, "k1", 0.9, low=0)
    b = number_setting("bm25", settings, "b", 0.4, low=0, high=1)
    threads = whole_setting("bm25", settings, "threads", high=256) or _cores()
    version = anserini_version(find_anserini())
    identity: dict[str, Any] = {"retriever": "bm25", "k1": k1, "b": b, "anserini": version, **_INDEXED}

    if argument is None:

        def open_cached(progress: Progress) -> LuceneIndex:
            return _open_cached(_cached_index(context.corpus, context.cache, threads, progress), k1=k1, b=b)

        return BM25("bm25", fingerprint(identity), open_cached, threads)

    folder = Path(argument).expanduser()
    with closing(LuceneIndex(folder, k1=k1, b=b)) as index:
        _check_documents(argument, index, context.corpus)
        # What its documents were indexed by is not written in an index; what BM25 counts in it tells it from others.
        identity["index"] = index.statistics()
    return BM25(f"bm25:{argument}", fingerprint(identity), lambda _: LuceneIndex(folder, k1=k1, b=b), threads)


class BM25:
    """BM25 over a Lucene index, with threads of its own.

    Java keeps a thread object for every Python thread that has ever called it, so searches run in a fixed pool,
    whichever thread asks.

    Args:
        name: as typed.
        fingerprint: of the settings.
        open_index: opens the index, building it first where there is none.
        threads: how many queries are searched at once.
    """

    def __init__(
        self, name: str, fingerprint: str, open_index: Callable[[Progress], LuceneIndex], threads: int
    ) -> None:
        self.name = name
        self.fingerprint: str | None = fingerprint
        self._open_index = open_index
        self._threads = threads
        self._index: LuceneIndex | None = None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bm25")

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`."""
        if self._index is None:
            self._index = self._open_index(progress)

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002 -- for `oracle` alone
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        # The pool of a forked process has no threads: it would wait for ever.
        check_process()
        if self._index is None:
            raise RuntimeError(f"retriever {self.name!r} is not open: prepare() comes before search()")
        return list(self._pool.map(self._index.search, queries, [k] * len(queries)))

    def close(self) -> None:
        """Close the index and end the threads. May be called again."""
        index, self._index = self._index, None
        if index is not None:
            everyone = threading.Barrier(self._threads)
            list(self._pool.map(_leave_java, [everyone] * self._threads))
            index.close()
        self._pool.shutdown()


def _leave_java(everyone: threading.Barrier) -> None:
    """Free Java's object for this thread; waiting for the others makes each thread take exactly one turn."""
    from jnius import detach

    everyone.wait()
    detach()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cached_index(corpus: Corpus, cache: Path, threads: int, progress: Progress) -> Path:
    """The folder of the corpus's index, built first where there is none.

    Its key is what its content depends on; k1 and b act at search time and are not part of it.
    """
    version = anserini_version(find_anserini())
    key = fingerprint({"corpus": corpus.fingerprint, "anserini": version, **_INDEXED})
    folder = cache / "indexes" / f"bm25-{key[:16]}"

    def build(temporary: Path) -> None:
        total = len(corpus)
        what = f"indexing {corpus.name}"
        progress(what, 0, total)
        indexed = build_index(
            temporary / "lucene", corpus, threads=threads, done=lambda read: progress(what, read, total)
        )
        write_json(
            temporary / "meta.json",
            {
                "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint, "documents": total},
                "indexed": indexed,
                "empty": total - indexed,
                "anserini": version,
                **_INDEXED,
            },
        )

    with writing(f"the index to {folder.parent}", mend=CACHE_MEND):
        build_once(folder, build)
    return folder / "lucene"


def _open_cached(folder: Path, *, k1: float, b: float) -> LuceneIndex:
    try:
        return LuceneIndex(folder, k1=k1, b=b)
    except UsageError as error:
        raise UsageError(f"{error}; delete {folder.parent} to have it built anew") from error


def _check_documents(argument: str, index: LuceneIndex, corpus: Corpus) -> None:
    """Refuse an index of other documents than the corpus's: its count, and ids from all over it, must agree."""
    foreign = next((docid for docid in index.sample_ids(_SAMPLED_IDS) if docid not in corpus), None)
    if foreign is not None:
        raise UsageError(
            f"the index in {argument!r} has a document {foreign!r}, and corpus {corpus.name!r} has not: name an index "
            "of this corpus, or leave it out (`bm25`) to have one built"
        )
    if index.documents == len(corpus):
        return
    # Anserini leaves out empty documents; whether the title counts depends on who made the index.
    empty = sum(not indexable(document.text) for document in corpus)
    if not len(corpus) - empty <= index.documents <= len(corpus):
        raise UsageError(
            f"the index in {argument!r} has {index.documents} documents, corpus {corpus.name!r} has {len(corpus)} "
            f"({empty} of them empty): name an index of this corpus, or leave it out (`bm25`) to have one built"
        )
