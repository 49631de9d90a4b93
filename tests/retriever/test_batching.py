"""Many agents ask one retriever at once, and each gets what it would have got alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.retriever.oracle import make_oracle

MakeContext = Callable[..., BuildContext]


class Echo:
    """Ranks documents named after the query; what it is asked is kept."""

    name = "echo"
    fingerprint: str | None = None

    def __init__(self) -> None:
        self.batches: list[tuple[list[str], int]] = []
        self.threads: set[str] = set()
        self.running = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        self.batches.append((list(queries), k))
        self.threads.add(threading.current_thread().name)
        self.running.set()
        assert self.go_on.wait(10)
        if "fail" in queries:
            raise OSError("disk on fire")
        who = [context.question_id for context in contexts] if contexts else ["?"] * len(queries)
        return [[Ranked(f"{q}-{w}-{i}", -float(i)) for i in range(k)] for q, w in zip(queries, who, strict=True)]

    def prepare(self, progress: Progress) -> None: ...

    def close(self) -> None: ...

    async def busy(self) -> None:
        """Wait until a search has begun."""
        assert await asyncio.to_thread(self.running.wait, 10)
        self.running.clear()


def test_64_agents_at_once_get_what_one_at_a_time_gets(make_context: MakeContext) -> None:
    texts = {f"d{i:03d}": "text" for i in range(100)}
    oracle = make_oracle(None, make_context(texts, evidence={f"q{i}": [f"d{i:03d}"] for i in range(64)}))
    asked = [(f"query {i}", 5 + i % 3, SearchContext(f"q{i}", frozenset({"d003"}))) for i in range(64)]
    alone = [oracle.search([query], k, contexts=[context])[0] for query, k, context in asked]

    async def together() -> list[list[Ranked]]:
        batcher = MicroBatcher(oracle, max_batch=10, workers=2)
        found = await asyncio.gather(*(batcher.search(*one) for one in asked))
        await batcher.aclose()
        return found

    assert asyncio.run(together()) == alone


def test_what_queues_up_during_one_batch_makes_up_the_next() -> None:
    echo = Echo()
    echo.go_on.clear()

    async def scene() -> None:
        batcher = MicroBatcher(echo, max_batch=3)
        first = asyncio.create_task(batcher.search("a", 1))
        await echo.busy()
        rest = [asyncio.create_task(batcher.search(query, 1)) for query in "bcde"]
        await asyncio.sleep(0)
        echo.go_on.set()
        await asyncio.gather(first, *rest)
        await batcher.aclose()

    asyncio.run(scene())
    assert echo.batches == [(["a"], 1), (["b", "c", "d"], 1), (["e"], 1)]
    assert len(echo.threads) == 1


def test_requests_of_one_turn_of_the_loop_share_a_batch() -> None:
    echo = Echo()

    async def scene() -> None:
        batcher = MicroBatcher(echo)
        await asyncio.gather(*(batcher.search(query, 2) for query in "abc"))
        await batcher.aclose()

    asyncio.run(scene())
    assert echo.batches == [(["a", "b", "c"], 2)]


def test_another_k_or_a_missing_context_is_searched_apart() -> None:
    echo = Echo()

    async def scene() -> list[list[Ranked]]:
        batcher = MicroBatcher(echo)
        found = await asyncio.gather(
            batcher.search("a", 1), batcher.search("b", 2), batcher.search("c", 1, SearchContext("q"))
        )
        await batcher.aclose()
        return list(found)

    found = asyncio.run(scene())
    assert [len(ranking) for ranking in found] == [1, 2, 1]
    assert found[2][0].docid == "c-q-0"
    assert echo.batches == [(["a"], 1), (["b"], 2), (["c"], 1)]


def test_a_failure_is_that_of_its_query_alone() -> None:
    echo = Echo()

    async def scene() -> list[list[Ranked] | BaseException]:
        batcher = MicroBatcher(echo)
        both = await asyncio.gather(batcher.search("fail", 1), batcher.search("a", 1), return_exceptions=True)
        after = await batcher.search("b", 1)
        await batcher.aclose()
        return [*both, after]

    first, second, third = asyncio.run(scene())
    assert isinstance(first, RolloutFailure)
    assert str(first) == "retriever: OSError: disk on fire"
    assert second == echo.search(["a"], 1)[0]
    assert third == [Ranked("b-?-0", 0.0)]


def test_wrong_use_passes_as_what_it_is(make_context: MakeContext) -> None:
    oracle = make_oracle(None, make_context({"d": "text"}, evidence={}))

    async def scene() -> None:
        batcher = MicroBatcher(oracle)
        try:
            await batcher.search("no context", 1)
        finally:
            await batcher.aclose()

    with pytest.raises(UsageError, match="search with contexts"):
        asyncio.run(scene())


def test_a_broken_contract_is_a_failure_of_the_question() -> None:
    class Twice(Echo):
        def search(
            self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
        ) -> list[list[Ranked]]:
            return [[Ranked("a", 1.0), Ranked("a", 0.5)] for _ in queries]

    async def scene() -> None:
        batcher = MicroBatcher(Twice())
        try:
            await batcher.search("x", 5)
        finally:
            await batcher.aclose()

    with pytest.raises(RolloutFailure, match="'a' twice"):
        asyncio.run(scene())


def test_who_gives_up_waiting_disturbs_nobody() -> None:
    echo = Echo()
    echo.go_on.clear()

    async def scene() -> list[list[Ranked]]:
        batcher = MicroBatcher(echo)
        searched = [asyncio.create_task(batcher.search(query, 1)) for query in "ab"]
        await echo.busy()
        queued = [asyncio.create_task(batcher.search(query, 1)) for query in "cd"]
        await asyncio.sleep(0)
        searched[0].cancel()
        queued[0].cancel()
        await asyncio.sleep(0)
        echo.go_on.set()
        found = [await searched[1], await queued[1]]
        await batcher.aclose()
        return found

    assert [ranking[0].docid for ranking in asyncio.run(scene())] == ["b-?-0", "d-?-0"]
    assert echo.batches == [(["a", "b"], 1), (["d"], 1)]


def test_closing_answers_what_was_asked_and_refuses_the_rest() -> None:
    echo = Echo()
    echo.go_on.clear()

    async def scene() -> list[Ranked]:
        batcher = MicroBatcher(echo)
        asked = asyncio.create_task(batcher.search("a", 1))
        await echo.busy()
        closing = asyncio.create_task(batcher.aclose())
        await asyncio.sleep(0)
        with pytest.raises(RolloutFailure, match="'echo' was closed"):
            await batcher.search("b", 1)
        echo.go_on.set()
        await closing
        return await asked

    assert asyncio.run(scene()) == [Ranked("a-?-0", 0.0)]
    assert not {thread.name for thread in threading.enumerate()} & echo.threads
