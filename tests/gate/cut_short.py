"""BM25 that shows an agent a fifth of what it asks for: another retriever under the same protocol."""

from __future__ import annotations

from collections.abc import Sequence

from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.bm25 import make_bm25


class CutShort:
    """Two of ten."""

    def __init__(self, argument: str | None, context: BuildContext) -> None:
        self._bm25 = make_bm25(argument, context)
        self.name = "bm25-cut-short"
        self.fingerprint: str | None = fingerprint([self.name, self._bm25.fingerprint])

    def prepare(self, progress: Progress) -> None:
        self._bm25.prepare(progress)

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        return [ranking[: k // 5] for ranking in self._bm25.search(queries, k)]

    def close(self) -> None:
        self._bm25.close()
