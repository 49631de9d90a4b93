"""One command, carried out: queries are searched by a retriever alone, scored, and kept in a folder."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder, fingerprint
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.runs.asking import Asking, ask_questions, ask_recorded
from lrat_bench.runs.command import close, prepare
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import describe_retriever, describe_task, versions, without_secrets
from lrat_bench.runs.resolve import Settings
from lrat_bench.runs.retrieval_folder import Retrieval, RetrievalManifest
from lrat_bench.score.measured import Measured
from lrat_bench.score.retrieval import (
    score_retrieval,
    search_queries,
    shallow,
    summarise_retrieval,
    union_recall,
)
from lrat_bench.task.task import Task

__all__ = ["QUESTION_K", "REPLAY_K", "retrieve"]

QUESTION_K = 1000
REPLAY_K = 10
"""Documents per query unless given: as deep as the deepest measure, and as deep as agents look."""


def retrieve(
    *,
    task: str | Task | None = None,
    retriever: str | Retriever = "bm25",
    split: str | None = None,
    limit: int | None = None,
    replay: Sequence[str | Path] = (),
    k: int | None = None,
    settings: Settings | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    against: str | Path | None = None,
    progress: Progress = no_progress,
) -> Retrieval:
    """Score a retriever alone: on a task's questions, or on the queries that agents issued in runs.

    Args:
        task: a name, `name@protocol`, a folder, or a loaded task; for a replay where it lies now, as the runs name it
            unless given.
        retriever: a name, `name:argument`, `module:object`, or a retriever, which stays open.
        split: which questions; the task's default split unless given.
        limit: the first so many of them.
        replay: run folders of one task; their recorded queries are searched instead of questions.
        k: documents per query; 1000 for questions and 10 for a replay unless given.
        settings: of the task and of the retriever, and `protocol.passage_tokens`.
        out: the folder; `retrievals/<task>-<split>-<retriever>-<hash8>` unless given.
        fresh: search again, whatever the folder holds.
        against: another retrieval that this one is to be paired with; nothing is searched where that cannot be.
        progress: told how preparing and searching go.

    Returns:
        the folder; where it holds this very retrieval, nothing is searched.

    Raises:
        UsageError: something does not exist or does not fit, or the retriever failed.
    """
    given = settings or Settings()
    _refuse_settings(given, task, retriever)
    depth = (REPLAY_K if replay else QUESTION_K) if k is None else k
    if depth < 1:
        raise UsageError(f"k must be at least 1, got {depth}")
    if replay and (split is not None or limit is not None):
        raise UsageError("a replay takes the questions that its runs select: leave --split and --limit out")
    if replay and given.task:
        raise UsageError(
            f"task.{next(iter(given.task))} cannot be set: a replay takes the task that its runs were made on"
        )
    other = None if against is None else Retrieval(Path(against))
    if other is not None:
        # What is no retrieval is said before a task is made.
        _ = other.manifest
    asking = (
        ask_recorded([RunFolder(Path(path)) for path in replay], task, given, progress)
        if replay
        else ask_questions("synth-wiki" if task is None else task, split, limit, given, progress)
    )
    measures = shallow(asking.measures, depth)
    if not measures:
        raise UsageError(f"k = {depth} is too small for any of {', '.join(asking.measures)}: give a larger --k")
    searcher = retriever
    if isinstance(searcher, str):
        context = BuildContext(asking.task, dict(given.retriever), cache_folder(), passage_tokens=asking.passage_tokens)
        searcher = load_retriever(searcher, context)
    try:
        identity = _identity(asking, searcher, depth)
        folder = Retrieval(_folder(asking, searcher, identity) if out is None else Path(out))
        if other is not None:
            other.refuse_unpairable(identity)
            other.measured()
        folder.refuse_another(identity, fresh=fresh)
        # What a retriever without a fingerprint would find now, nobody can tell.
        if not fresh and searcher.fingerprint is not None and folder.is_complete:
            return folder
        prepare(searcher, progress)
        with folder.hold():
            folder.refuse_another(identity, fresh=fresh)
            _carry_out(
                folder,
                asking,
                searcher,
                depth,
                measures,
                _described(asking, searcher, retriever, depth, given),
                progress,
            )
        return folder
    finally:
        if isinstance(retriever, str):
            close(searcher)


def _refuse_settings(given: Settings, task: str | Task | None, retriever: str | Retriever) -> None:
    for room in ("agent", "judge"):
        if unused := getattr(given, room):
            raise UsageError(f"{room}.{next(iter(unused))} cannot be set: retrieval alone has no {room}")
    if unused := [key for key in given.protocol if key != "passage_tokens"]:
        mend = "give --k" if unused[0] == "k" else "of a protocol only passage_tokens matters to retrieval alone"
        raise UsageError(f"protocol.{unused[0]} cannot be set: {mend}")
    for room, part in (("task", task), ("retriever", retriever)):
        if (unused_here := getattr(given, room)) and part is not None and not isinstance(part, str):
            raise UsageError(f"{room}.{next(iter(unused_here))} cannot be set on {part.name!r}: it is made already")


def _identity(asking: Asking, retriever: Retriever, k: int) -> dict[str, str | int]:
    return {
        "task": asking.task.fingerprint,
        "queries": asking.fingerprint,
        "judgements": asking.judgements_fingerprint,
        "retriever": retriever.fingerprint or f"unknown:{retriever.name}",
        "k": k,
    }


def _folder(asking: Asking, retriever: Retriever, identity: dict[str, str | int]) -> Path:
    """The folder below `retrievals/` that ends in the identity's hash, whatever it is called, or a new one."""
    hash8 = fingerprint(identity)[:8]
    there = sorted(path for path in Path("retrievals").glob(f"*-{hash8}") if (path / "manifest.json").exists())
    if there:
        return there[0]
    # What a retriever was given (a path, as a rule) is in its fingerprint.
    parts = (asking.task.name, asking.split or "replay", retriever.name.partition(":")[0])
    slug = "-".join(re.sub(r"[^A-Za-z0-9.-]+", "_", part).strip("_.-")[-40:] for part in parts)
    return Path("retrievals") / f"{slug}-{hash8}"


def _described(
    asking: Asking, retriever: Retriever, spec: str | Retriever, k: int, given: Settings
) -> RetrievalManifest:
    task = asking.task
    return RetrievalManifest(
        identity=_identity(asking, retriever, k),
        rankable=retriever.fingerprint is not None,
        task=describe_task(task),
        source="questions" if asking.asked is None else "replay",
        split=asking.split,
        split_role=None if asking.split is None else task.splits[asking.split],
        limit=asking.limit,
        runs=asking.runs,
        queries=len(asking.queries),
        issued=asking.issued,
        unjudged=asking.unjudged,
        k=k,
        retriever=without_secrets(describe_retriever(retriever)),
        settings=without_secrets(
            {
                "task": asking.spec,
                "retriever": spec if isinstance(spec, str) else retriever.name,
                "set": given.to_dict(),
            }
        ),
        seconds=0.0,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions(),
    )


def _carry_out(
    folder: Retrieval,
    asking: Asking,
    retriever: Retriever,
    k: int,
    measures: tuple[str, ...],
    manifest: RetrievalManifest,
    progress: Progress,
) -> None:
    started = time.perf_counter()
    found = search_queries(retriever, asking.queries, k, corpus=asking.task.corpus, progress=progress)
    with closing(folder.keeping(found, tag=retriever.name)) as rankings:
        scored = score_retrieval(rankings, judgements=asking.judgements, measures=measures)
    seconds = time.perf_counter() - started
    tables: tuple[Measured, ...] = (scored.measured,)
    if asking.asked is not None:
        tables = (*tables, union_recall(scored, asking.asked, judgements=asking.judgements, k=k))
    left_out = tuple(name for name in asking.measures if name not in measures)
    scores = summarise_retrieval(tables, k=k, left_out=left_out)
    folder.finish(manifest.model_copy(update={"seconds": round(seconds, 3)}), scores, tables)
