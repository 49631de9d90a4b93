"""What a retriever alone is asked, and what its answers are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lrat_bench import files
from lrat_bench.errors import UsageError
from lrat_bench.progress import Progress
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.replay import recorded_queries
from lrat_bench.runs.resolve import Settings, customise
from lrat_bench.runs.scoring import find_task
from lrat_bench.score.retrieval import QUESTION_MEASURES, REPLAY_MEASURES, Asked, Kind, Query
from lrat_bench.task.catalog import load_task
from lrat_bench.task.question import Qrels
from lrat_bench.task.task import Task

__all__ = ["Asking", "ask_questions", "ask_recorded"]


@dataclass(frozen=True)
class Asking:
    """Queries over a task, all of which can be judged.

    Attributes:
        task: whose corpus is searched, and whose judgements count.
        spec: the task as typed.
        passage_tokens: how much of a document a dense retriever encodes, where the protocol pins it.
        queries: what is searched.
        issued: how many there were, repeated and unjudged ones included.
        unjudged: of these, how many are left out, having no judgements.
        measures: what rankings are measured by.
        split: of the questions; None for recorded queries.
        limit: the first so many of them.
        runs: names of the runs that the queries are from.
        asked: the trajectories that issued recorded queries; None for questions.
    """

    task: Task
    spec: str
    passage_tokens: int | None
    queries: tuple[Query, ...]
    issued: int
    unjudged: int
    measures: tuple[str, ...]
    split: str | None = None
    limit: int | None = None
    runs: tuple[str, ...] = ()
    asked: tuple[Asked, ...] | None = None

    @property
    def judgements(self) -> dict[Kind, Qrels]:
        """The kinds of judgements that the task has."""
        kinds: tuple[Kind, ...] = ("evidence", "gold")
        held = {kind: self.task.judgements(kind) for kind in kinds}
        return {kind: qrels for kind, qrels in held.items() if qrels}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the queries, of who issued them, and of how much of a list was shown."""
        return files.fingerprint(
            [list(map(list, self.queries)), [[list(one.queries), one.k] for one in self.asked or ()]]
        )

    @property
    def judgements_fingerprint(self) -> str:
        """SHA-256 of the evidence and gold documents; accepted answers do not matter here."""
        return files.fingerprint(
            {kind: {qid: sorted(docids) for qid, docids in qrels.items()} for kind, qrels in self.judgements.items()}
        )


def ask_questions(
    task: str | Task, split: str | None, limit: int | None, settings: Settings, progress: Progress
) -> Asking:
    """The questions of a split as queries; `retrieve` says what the arguments are.

    Raises:
        UsageError: the task or the split does not exist, or no question has judgements.
    """
    if isinstance(task, str):
        loaded, protocol = load_task(task, settings=settings.task, progress=progress)
    else:
        loaded, protocol = task, task.protocol()
    split = split or loaded.default_split
    chosen = loaded.select(split, limit)
    judged = (loaded.evidence or {}).keys() | (loaded.gold or {}).keys()
    queries = tuple(Query(one.qid, one.text, one.qid) for one in chosen if one.qid in judged)
    if not queries:
        raise UsageError(
            f"task {loaded.name!r}, split {split!r}: none of {len(chosen)} questions has evidence or gold documents to "
            "score retrieval by; take another split or task"
        )
    return Asking(
        task=loaded,
        spec=task if isinstance(task, str) else loaded.name,
        passage_tokens=customise(protocol, settings.protocol).rollout.passage_tokens,
        queries=queries,
        issued=len(chosen),
        unjudged=len(chosen) - len(queries),
        measures=QUESTION_MEASURES,
        split=split,
        limit=limit,
    )


def ask_recorded(
    folders: Sequence[RunFolder], task: str | Task | None, settings: Settings, progress: Progress
) -> Asking:
    """The recorded queries of runs; the first run's protocol says what a dense retriever encodes.

    Raises:
        UsageError: a folder holds no run, or its task is gone, has changed, or is another one than the first run's.
    """
    first = folders[0].manifest
    loaded = task if isinstance(task, Task) else find_task(first, task=task, progress=progress)
    replay = recorded_queries(folders, loaded)
    return Asking(
        task=loaded,
        spec=task if isinstance(task, str) else str(first.settings.get("task", loaded.name)),
        passage_tokens=customise(first.protocol, settings.protocol).rollout.passage_tokens,
        queries=replay.queries,
        issued=replay.issued,
        unjudged=replay.unjudged,
        measures=REPLAY_MEASURES,
        runs=tuple(folder.path.resolve().name for folder in folders),
        asked=replay.asked,
    )
