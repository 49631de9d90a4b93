"""BM25 queries per second for 1 and 64 agents, beside a bare loop over Pyserini's `LuceneSearcher`, in one process.

All three search the same index with the same queries (the questions of synth-wiki, cut into clauses) at k = 10. The
loop is what one agent at a time gets from the library; 64 agents are 64 coroutines that each wait for their answer
before they ask again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from lrat_bench.api import load_retriever, load_task
from lrat_bench.files import cache_folder
from lrat_bench.retriever.base import Retriever
from lrat_bench.retriever.batching import MicroBatcher

K = 10


def clauses(questions: list[str], many: int) -> list[str]:
    """Queries of the length that agents ask."""
    found = [clause.strip() for text in questions for clause in text.replace("?", ",").replace(".", ",").split(",")]
    found = [clause for clause in found if len(clause.split()) > 3]
    return (found * (many // len(found) + 1))[:many]


async def agents(retriever: Retriever, queries: list[str], many: int) -> list[Any]:
    """Ask all queries, `many` at a time, through the micro-batcher."""
    batcher = MicroBatcher(retriever)
    answers: list[Any] = [None] * len(queries)
    places = iter(range(len(queries)))

    async def agent() -> None:
        for place in places:
            answers[place] = await batcher.search(queries[place], K)

    await asyncio.gather(*(agent() for _ in range(many)))
    await batcher.aclose()
    return answers


def bare(searcher: Any, queries: list[str]) -> list[Any]:
    """One query after the other, ids and scores taken out."""
    return [[(hit.docid, hit.score) for hit in searcher.search(query, K)] for query in queries]


def timed(work: Callable[[], list[Any]], queries: int) -> tuple[float, float, list[Any]]:
    """Queries per second, CPU ms per query, and the answers."""
    cpu, wall = time.process_time(), time.perf_counter()
    answers = work()
    return queries / (time.perf_counter() - wall), 1000 * (time.process_time() - cpu) / queries, answers


def main() -> None:
    """Measure in a cache of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as cache:
        os.environ["LRAT_BENCH_CACHE"] = cache
        measure(arguments.documents, arguments.queries, arguments.rounds)


def measure(documents: int, many: int, rounds: int) -> None:
    """Measure in turn, and print medians and ratios."""
    task = load_task("synth-wiki", set={"documents": documents})
    retriever = load_retriever("bm25", task)
    queries = clauses([question.text for question in task.questions], many)

    os.environ.setdefault("OPENAI_API_KEY", "unused")  # Pyserini 1.6 builds a client when it is imported
    from pyserini.search.lucene import LuceneSearcher

    (index,) = cache_folder().glob("indexes/bm25-*/lucene")
    searcher = LuceneSearcher(str(index))
    searcher.set_bm25(0.9, 0.4)
    ways: dict[str, Callable[[], list[Any]]] = {
        "bare LuceneSearcher loop": lambda: bare(searcher, queries),
        "lrat-bench, 1 agent": lambda: asyncio.run(agents(retriever, queries, 1)),
        "lrat-bench, 64 agents": lambda: asyncio.run(agents(retriever, queries, 64)),
    }
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    costs: dict[str, list[float]] = {way: [] for way in ways}
    for round_ in range(rounds + 1):
        answers = {}
        for way, work in ways.items():
            speed, cost, answers[way] = timed(work, len(queries))
            if round_:  # the first warms Java up
                speeds[way].append(speed)
                costs[way].append(cost)
        first, *others = ([[(docid, round(score, 4)) for docid, score in hits] for hits in a] for a in answers.values())
        assert all(first == other for other in others), "the ways disagree"
    retriever.close()

    base = next(iter(ways))
    print(f"{len(task.corpus):,} documents, {len(queries):,} queries, k = {K}, {rounds} rounds, medians\n")
    print("| | queries per second | ratio to the loop | CPU ms per query |")
    print("| --- | ---: | ---: | ---: |")
    for way in ways:
        ratio = statistics.median(a / b for a, b in zip(speeds[way], speeds[base], strict=True))
        print(f"| {way} | {statistics.median(speeds[way]):,.0f} | {ratio:.2f} | {statistics.median(costs[way]):.2f} |")


if __name__ == "__main__":
    main()
