"""Encoding a corpus on a cluster: workers take parts of it, and write the blocks that one process would write.

The parts are those of `index --shard I/N`, and the folder is the same one, so that either may go on where the other
stopped. A worker that dies is started again; its part is handed out anew, and the blocks that it finished are kept.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from lrat_bench.errors import LratBenchError, RunIncomplete, UsageError
from lrat_bench.files import cache_folder
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.retriever.embeddings import BLOCK
from lrat_bench.retriever.shard import Shard
from lrat_bench.runs.resolve import Settings, customise
from lrat_bench.scale.cluster import Cluster, is_there_again, joined, share
from lrat_bench.scale.words import Place, Words
from lrat_bench.task.catalog import load_task

__all__ = ["Encoding", "encode_on_ray", "on_gpu"]

_log = logging.getLogger("lrat_bench.scale")

_PARTS_EACH = 4
"""Parts for each worker: who is slow, or dies, holds up a small one."""

_TRIES = 5
"""How often a part is handed out before it is held to kill whoever takes it."""

_LOOK = 0.5
"""Seconds between two looks at who is done."""


class Encoding:
    """The other process: encodes parts of a corpus, one at a time, and says meanwhile how far it is.

    Args:
        words: what was asked for.
        place: where.
    """

    def __init__(self, words: Words, place: Place) -> None:
        self._words = words
        self._place = place
        self._retriever: Any = None
        self._done = 0

    def encode(self, index: int, count: int) -> str | None:
        """Encode a part.

        Returns:
            why it cannot be; None where it was.
        """
        try:
            if self._retriever is None:
                self._place.enter()
                self._retriever = _open(self._words)
            self._done = 0
            self._retriever.encode_shard(Shard(index, count), self._tell)
        except LratBenchError as error:
            return str(error)
        return None

    def done(self) -> int:
        """Documents of the part at hand that are done."""
        return self._done

    def _tell(self, what: str, done: int, total: int | None) -> None:  # noqa: ARG002
        self._done = done


def encode_on_ray(found: Retriever, words: Words, *, documents: int, workers: int | None, progress: Progress) -> None:
    """Encode a corpus with workers on a cluster; the cache must lie where all of them see it.

    Args:
        found: the retriever, as this process has it.
        words: how the workers make the same one.
        documents: of the corpus.
        workers: how many; None is one for each GPU, or for each machine.
        progress: told how many documents are done.

    Raises:
        UsageError: it has nothing to encode, the workers cannot make it, or cannot write.
        RunIncomplete: workers died over a part again and again; what is done is kept.
    """
    if not hasattr(found, "encode_shard"):
        raise UsageError(f"retriever {found.name!r} is built in one piece: leave --engine ray out")
    blocks = -(-documents // BLOCK)
    with Place.here().signed() as place, joined() as cluster:
        count, each = share(cluster.nodes, workers, gpu=on_gpu(found))
        parts = max(1, min(blocks, count * _PARTS_EACH))
        there = cluster.start(Encoding, each, min(count, parts), words, place, at_once=2)
        _Handing(cluster, there, parts, documents, f"encoding on {len(there)} workers", progress).until_done()


def on_gpu(found: Retriever) -> bool:
    """Whether a retriever, or one within it, says that it computes on a GPU."""

    def said(value: Any) -> bool:
        if isinstance(value, dict):
            return str(value.get("device", "")).startswith("cuda") or any(map(said, value.values()))
        return any(map(said, value)) if isinstance(value, list | tuple) else False

    describe = getattr(found, "describe", None)
    return callable(describe) and said(describe())


class _Handing:
    """Parts that are handed out, and taken back from those who died."""

    def __init__(
        self, cluster: Cluster, workers: list[Any], parts: int, documents: int, what: str, progress: Progress
    ) -> None:
        self._ray = cluster.ray
        self._idle = deque(workers)
        self._parts = parts
        self._owed = deque((part, 1) for part in range(parts))
        self._held: dict[Any, tuple[Any, int, int]] = {}
        self._finished = 0
        self._documents = documents
        self._what = what
        self._progress = progress

    def until_done(self) -> None:
        while self._owed or self._held:
            while self._owed and self._idle:
                worker, (part, tries) = self._idle.popleft(), self._owed.popleft()
                self._held[worker.encode.remote(part, self._parts)] = (worker, part, tries)
            done, _ = self._ray.wait(list(self._held), num_returns=1, timeout=_LOOK)
            for reference in done:
                self._take_back(reference, *self._held.pop(reference))
            self._show()

    def _take_back(self, reference: Any, worker: Any, part: int, tries: int) -> None:
        try:
            problem = self._ray.get(reference)
        except self._ray.exceptions.RayActorError as died:
            if tries >= _TRIES:
                raise RunIncomplete(
                    f"workers died {tries} times over part {part}/{self._parts}: {_line(died)}; what is encoded is kept"
                ) from None
            _log.warning("a worker died over part %d/%d, which is handed out again", part, self._parts)
            self._owed.append((part, tries + 1))
            if not is_there_again(self._ray, worker):
                if not (self._idle or self._held):
                    raise RunIncomplete(
                        "no worker is left: none could be started again; what is encoded is kept"
                    ) from None
                _log.warning("a worker could not be started again; the others go on")
                return
        else:
            if problem is not None:
                raise UsageError(problem)
            self._finished += 1
        self._idle.append(worker)

    def _show(self) -> None:
        within = 0
        asked = [worker.done.remote() for worker, _, _ in self._held.values()]
        ready, _ = self._ray.wait(asked, num_returns=len(asked), timeout=_LOOK) if asked else ([], [])
        for reference in ready:
            try:
                within += self._ray.get(reference)
            except self._ray.exceptions.RayError:
                continue
        done = self._finished * self._documents // self._parts + within
        self._progress(self._what, min(done, self._documents), self._documents)


def _open(words: Words) -> Retriever:
    """The retriever of some words, in this process."""
    settings = Settings.of(words.set)
    task, protocol = load_task(words.task, settings=settings.task)
    pinned = customise(protocol, settings.protocol).rollout.passage_tokens
    context = BuildContext(task, dict(settings.retriever), cache_folder(), passage_tokens=pinned)
    found = load_retriever(words.retriever, context)
    for what, mine, theirs in (
        ("corpus", task.corpus.fingerprint, words.corpus),
        ("retriever", found.fingerprint, words.fingerprint),
    ):
        if mine != theirs:
            raise UsageError(
                f"a worker makes another {what} of the same words: give it the same files and versions, and set "
                "retriever.device and retriever.dtype where its hardware is another"
            )
    return found


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
