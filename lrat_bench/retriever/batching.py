"""One retriever, asked by many agents at once: what queues up while one batch is searched makes up the next."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from lrat_bench.errors import RolloutFailure, boundary
from lrat_bench.retriever.base import Ranked, Retriever, SearchContext
from lrat_bench.retriever.rankings import checked_rankings

__all__ = ["MicroBatcher"]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    query: str
    k: int
    context: SearchContext | None
    reply: asyncio.Future[list[Ranked]]


_Outcome = tuple[_Request, list[Ranked] | BaseException]


class MicroBatcher:
    """An async front for a retriever, used within one event loop.

    Nothing waits for company: a request that finds a worker idle is searched at once, with those made in the same turn
    of the event loop. Requests of another k are searched apart, so that an answer never depends on its batch.

    Args:
        retriever: stays the caller's, who closes it after this.
        max_batch: queries that are searched together at most.
        workers: batches that are searched at once; each has a thread of its own.
    """

    def __init__(self, retriever: Retriever, *, max_batch: int = 64, workers: int = 1) -> None:
        self._retriever = retriever
        self._max_batch = max_batch
        self._idle = workers
        self._workers = workers
        self._batches: SimpleQueue[tuple[asyncio.AbstractEventLoop, list[_Request]] | None] = SimpleQueue()
        self._waiting: list[_Request] = []
        self._closed = False
        self._quiet = asyncio.Event()
        for number in range(workers):
            # Daemons, because a retriever that hangs must not keep the process from ending.
            threading.Thread(target=self._serve, name=f"retriever-{number}", daemon=True).start()

    async def search(self, query: str, k: int, context: SearchContext | None = None) -> list[Ranked]:
        """The ranking of one query: by falling score, equal scores by rising docid.

        Raises:
            RolloutFailure: the retriever failed, or broke its contract.
        """
        if self._closed:
            raise RolloutFailure(f"retriever {self._retriever.name!r} was closed before it could be searched")
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[list[Ranked]] = loop.create_future()
        self._waiting.append(_Request(query, k, context, reply))
        if len(self._waiting) == 1:
            loop.call_soon(self._dispatch)
        return await reply

    async def aclose(self, *, patience: float | None = None) -> None:
        """Answer what has been asked, refuse what comes after, and end the threads.

        Args:
            patience: seconds to wait for batches that are being searched; those of a retriever that hangs are left to
                their threads. None waits as long as it takes.
        """
        self._closed = True
        self._note_quiet()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._quiet.wait()
        for _ in range(self._workers):
            self._batches.put(None)

    def _dispatch(self) -> None:
        # Whoever was cancelled no longer asks.
        self._waiting = [request for request in self._waiting if not request.reply.done()]
        while self._idle and self._waiting:
            batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
            self._idle -= 1
            self._batches.put((asyncio.get_running_loop(), batch))
        self._note_quiet()

    def _note_quiet(self) -> None:
        if self._waiting or self._idle < self._workers:
            self._quiet.clear()
        else:
            self._quiet.set()

    def _serve(self) -> None:
        """The work of one thread."""
        while (given := self._batches.get()) is not None:
            loop, batch = given
            outcomes = self._search(batch)
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self._deliver, outcomes)

    def _deliver(self, outcomes: list[_Outcome]) -> None:
        self._idle += 1
        for request, outcome in outcomes:
            if request.reply.done():
                continue
            if isinstance(outcome, BaseException):
                request.reply.set_exception(outcome)
            else:
                request.reply.set_result(outcome)
        self._dispatch()

    def _search(self, batch: Sequence[_Request]) -> list[_Outcome]:
        """Runs in a worker thread. Never raises: a failure is the outcome of the requests that it met."""
        alike: defaultdict[tuple[int, bool], list[_Request]] = defaultdict(list)
        for request in batch:
            alike[request.k, request.context is None].append(request)
        outcomes: list[_Outcome] = []
        for (k, _), requests in alike.items():
            outcomes += self._attempt(requests, k)
        return outcomes

    def _attempt(self, requests: Sequence[_Request], k: int) -> list[_Outcome]:
        """Search requests together; where that fails, each by itself, so that one bad query is alone in its error."""
        try:
            with boundary("retriever"):
                rankings = self._ask(requests, k)
            return list(zip(requests, rankings, strict=True))
        except BaseException as error:  # noqa: BLE001 -- raised again where it is awaited; lost, it would hang
            if len(requests) == 1:
                known = isinstance(error, Exception)
                return [
                    (requests[0], error if known else RolloutFailure(f"retriever: {type(error).__name__}: {error}"))
                ]
            return [outcome for request in requests for outcome in self._attempt([request], k)]

    def _ask(self, requests: Sequence[_Request], k: int) -> list[list[Ranked]]:
        queries = [request.query for request in requests]
        contexts = [request.context for request in requests if request.context is not None]
        found = self._retriever.search(queries, k, contexts=contexts or None)
        return checked_rankings(found, retriever=self._retriever.name, queries=queries, k=k)
