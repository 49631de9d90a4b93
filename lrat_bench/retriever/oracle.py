"""`oracle`: evidence first. What an agent reaches when retrieval is perfect, and so the ceiling of a task."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from itertools import islice

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.settings import refuse_argument, refuse_unknown_settings
from lrat_bench.task.task import Task

__all__ = ["Oracle", "make_oracle"]

_FILLER_FROM = 100_000
"""How many documents, from the start of the corpus, filler is drawn from: bounds memory and the time to read."""


def make_oracle(argument: str | None, context: BuildContext) -> Oracle:
    """The factory of `oracle`.

    Raises:
        UsageError: it was given an argument or a setting, or the task has no evidence.
    """
    refuse_argument("oracle", argument)
    refuse_unknown_settings("oracle", context.settings, ())
    return Oracle(context.task)


class Oracle:
    """Ranks by the judgements of the question, whatever the query says.

    A list holds the evidence and gold documents that the agent has not been shown, then those that it has, each by
    rising docid, then filler up to k: documents that are neither, the same for every query of a question. Scores are
    1/rank, so a longer list only goes on where a shorter one ends.

    Args:
        task: with evidence, and a corpus that the filler is drawn from.

    Raises:
        UsageError: the task has no evidence.
    """

    name = "oracle"
    fingerprint: str | None

    def __init__(self, task: Task) -> None:
        if task.evidence is None:
            raise UsageError(f"retriever 'oracle' needs evidence, and task {task.name!r} has none: use another one")
        self._task = task
        self._evidence = task.evidence
        self._gold = task.gold or {}
        judged = [{qid: sorted(docids) for qid, docids in qrels.items()} for qrels in (self._evidence, self._gold)]
        self.fingerprint = fingerprint({"retriever": "oracle", "judgements": judged})
        self._filler: list[str] = []
        self._drawing = threading.Lock()

    def prepare(self, progress: Progress) -> None:
        """Nothing to build."""

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """As `Retriever.search`.

        Raises:
            UsageError: there are no contexts, so the question is not known.
        """
        if contexts is None:
            raise UsageError("retriever 'oracle' must know which question is asked: search with contexts")
        return [
            self._ranking(context, k) if query.strip() else [] for query, context in zip(queries, contexts, strict=True)
        ]

    def close(self) -> None:
        """Nothing to let go of."""

    def _ranking(self, context: SearchContext, k: int) -> list[Ranked]:
        relevant = self._relevant(context.question_id)
        docids = sorted(relevant, key=lambda docid: (docid in context.seen, docid))[:k]
        docids += self._fill(context.question_id, relevant, k - len(docids))
        return [Ranked(docid, 1 / rank) for rank, docid in enumerate(docids, start=1)]

    def _relevant(self, question_id: str) -> frozenset[str]:
        nothing: frozenset[str] = frozenset()
        return self._evidence.get(question_id, nothing) | self._gold.get(question_id, nothing)

    def _fill(self, question_id: str, relevant: frozenset[str], count: int) -> list[str]:
        if count < 1:
            return []
        pool = self._pool()
        # Each question starts at another place of the same shuffled list.
        start = _hash(question_id)
        around = (pool[(start + i) % len(pool)] for i in range(len(pool)))
        return list(islice((docid for docid in around if docid not in relevant), count))

    def _pool(self) -> list[str]:
        """Documents to draw filler from, in the order of a hash: the corpus, or the first part of a large one."""
        with self._drawing:
            if not self._filler:
                first = islice(self._task.corpus, _FILLER_FROM)
                self._filler = sorted((document.docid for document in first), key=_hash)
            return self._filler


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", errors="replace"), digest_size=8).digest())
