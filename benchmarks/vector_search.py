"""Exact search for 64 agents at once, beside one query at a time through `faiss.IndexFlatIP`, in one process.

Both score every one of the same random vectors at k = 10. One query at a time is what an agent gets from the library;
64 agents are 64 coroutines that each wait for their answer before they ask again, through the micro-batcher. What they
find must agree.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.retriever.embeddings import BLOCK
from lrat_bench.retriever.vectors import ExactSearch, StoredVectors

K = 10


class ByNumber:
    """A retriever whose queries are numbers of vectors: what is measured is the search, without an encoder."""

    name = "by-number"
    fingerprint: str | None = None

    def __init__(self, search: ExactSearch, queries: Any) -> None:
        self._search = search
        self._queries = queries

    def prepare(self, progress: Progress) -> None:
        """Nothing to build."""

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        return self._search.search(self._queries[[int(query) for query in queries]], k)

    def close(self) -> None:
        """Nothing to let go of."""


async def agents(retriever: ByNumber, queries: int, many: int) -> list[list[Ranked]]:
    """Ask all queries, `many` at a time."""
    batcher = MicroBatcher(retriever)
    answers: list[list[Ranked]] = [[] for _ in range(queries)]
    places = iter(range(queries))

    async def agent() -> None:
        for place in places:
            answers[place] = await batcher.search(str(place), K)

    await asyncio.gather(*(agent() for _ in range(many)))
    await batcher.aclose()
    return answers


def main() -> None:
    """Measure in turn, and print medians, spreads and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--dimensions", type=int, default=256)
    parser.add_argument("--queries", type=int, default=512)
    parser.add_argument("--agents", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((given.documents, given.dimensions), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = rng.standard_normal((given.queries, given.dimensions), np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        measure(vectors, queries, Path(folder), many=given.agents, rounds=given.rounds)


def measure(vectors: Any, queries: Any, folder: Path, *, many: int, rounds: int) -> None:
    """Measure both ways in turn."""
    files = []
    for start in range(0, len(vectors), BLOCK):
        files.append(folder / f"{start}.npy")
        np.save(files[-1], vectors[start : start + BLOCK])
    docids = [f"{row:08d}" for row in range(len(vectors))]
    stored = StoredVectors(
        files, [docids[start : start + BLOCK] for start in range(0, len(docids), BLOCK)], vectors.shape[1]
    )
    retriever = ByNumber(ExactSearch(stored), queries)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)

    speeds: dict[str, list[float]] = {"faiss.IndexFlatIP, one at a time": [], f"lrat-bench, {many} agents": []}
    base, own = speeds
    for round_ in range(rounds + 1):
        began = time.perf_counter()
        one_by_one = [flat.search(query[None], K) for query in queries]
        middle = time.perf_counter()
        together = asyncio.run(agents(retriever, len(queries), many))
        end = time.perf_counter()
        agree(one_by_one, together)
        if round_:  # the first reads the files
            speeds[base].append(len(queries) / (middle - began))
            speeds[own].append(len(queries) / (end - middle))
    print(f"{len(vectors):,} × {vectors.shape[1]} vectors, {len(queries)} queries, k = {K}, {rounds} rounds\n")
    print("| | queries per second, median (range) | ratio (range) |\n| --- | ---: | ---: |")
    for way, speed in speeds.items():
        ratios = [a / b for a, b in zip(speed, speeds[base], strict=True)]
        print(
            f"| {way} | {statistics.median(speed):,.0f} ({min(speed):,.0f}–{max(speed):,.0f}) "
            f"| {statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f}) |"
        )


def agree(one_by_one: list[Any], together: list[list[Ranked]]) -> None:
    """Both found the same documents, but for those whose scores a float32 cannot tell apart."""
    for (scores, rows), ranking in zip(one_by_one, together, strict=True):
        np.testing.assert_allclose(scores[0], [hit.score for hit in ranking], atol=1e-5)
        last = ranking[-1].score + 1e-5
        expected = {int(row) for row, score in zip(rows[0], scores[0], strict=True) if score > last}
        assert expected <= {int(hit.docid) for hit in ranking}, "the ways disagree"


if __name__ == "__main__":
    main()
