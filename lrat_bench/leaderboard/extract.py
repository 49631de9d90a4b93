"""Extracts: of a run folder or a retrieval folder, what goes into a submission."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import sha256_file
from lrat_bench.leaderboard.measuring import Numbers, measure_rankings, measure_rollouts
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.leaderboard.submission import FileMark, Fingerprints, Part, SubmittedRun, TrajectoriesMark
from lrat_bench.leaderboard.tracks import Pin, Track
from lrat_bench.model.spec import Connection
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.retrieval_folder import Retrieval, RetrievalManifest
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task, selected
from lrat_bench.score.metric import Metric
from lrat_bench.score.verdict import Verdict, under_accepted
from lrat_bench.task.catalog import load_task
from lrat_bench.task.task import Task
from lrat_bench.values import plainly

__all__ = ["Extract", "extract_retrieval", "extract_run", "records_of", "verdicts_of"]

_UNKNOWN = FileMark(sha256="0" * 64, bytes=0)
"""Of the records, until they are written."""

_OF_MACHINE = ("name", "fingerprint", "commit", "revision", "device", "versions", "tainted")
"""What a retriever says of itself that stands elsewhere, or is of the machine it ran on."""

_FOLDERS = re.compile(r"(?:^|(?<=[:+@]))(?:~|\.{1,2})?/(?:[^+@]*/)?(?=[^/+@])")
"""The folders of a path, alone or within the name of a retriever."""


@dataclass(frozen=True)
class Extract:
    """What of one folder goes into a submission.

    Attributes:
        run: what it was and what came out; `records` is to be set once they are written.
        lines: of `records/TASK.jsonl`.
        task: that it is of.
        retriever: as it was typed.
        own_loop: whether the agent is a function of somebody's own, and not a model in our loop.
    """

    run: SubmittedRun
    lines: str = field(repr=False)
    task: Task = field(repr=False)
    retriever: str = ""
    own_loop: bool = False


def extract_run(
    path: Path, track: Track, *, progress: Progress = no_progress, where: Mapping[str, str] | None = None
) -> Extract:
    """The extract of a run.

    Args:
        path: the run folder.
        track: whose pins its task is one of.
        progress: told how the task is loaded.
        where: task → address at which the trajectories can be had.

    Raises:
        UsageError: the run is not complete, not of the track's questions or judge, or cannot be ranked.
        DataError: its files do not agree.
    """
    run = Run(path)
    manifest, scores = run.manifest, run.metrics
    name = str(manifest.task["name"])
    pin = track.pin(name)
    assert pin is not None
    if not manifest.rankable:
        raise UsageError(f"{path}: its agent or its retriever has no fingerprint, so that nobody can tell what was run")
    if scores.judge != pin.judge:
        raise UsageError(
            f"{path} was judged by {scores.judge_name or scores.judge[:12]}, and track {track.name} pins the judge of "
            f"{pin.name}: `lrat-bench score {path}`"
        )
    if scores.unresolved:
        raise UsageError(
            f"{path}: {scores.unresolved} of {scores.n} questions are ungraded or errored; complete it with the same "
            "`lrat-bench run`, or `lrat-bench score`"
        )
    if len(manifest.questions) != pin.questions:
        raise UsageError(
            f"{path} has {len(manifest.questions)} questions, and track {track.name} wants {pin.questions} of "
            f"{pin.name}: give the same `lrat-bench run` {_limit(pin)}"
        )
    task = find_task(manifest, progress=progress)
    records = records_of(run.folder, task, judge=scores.judge)
    numbers = measure_rollouts(
        [record.opened() for record in records],
        questions=manifest.questions,
        repeats=manifest.repeats,
        judge=scores.judge,
    )
    _refuse_other(scores.metrics, numbers, path / "metrics.json", "score")
    last = manifest.invocations[-1]
    trajectories = path / "trajectories.jsonl"
    submitted = _submitted(
        task=name,
        protocol=manifest.protocol.name,
        split=manifest.split,
        repeats=manifest.repeats,
        questions=manifest.questions,
        seed=manifest.seed,
        fingerprints=Fingerprints(
            task=manifest.identity["task"],
            corpus=manifest.task["corpus"],
            judgements=scores.judgements,
            rollout=manifest.identity["protocol"],
            scoring=manifest.scoring,
            judge=scores.judge,
            prompt=manifest.identity["prompt"],
            tokenizer=manifest.identity["tokenizer"],
            agent=manifest.identity["agent"],
            retriever=manifest.identity["retriever"],
        ),
        agent=_agent(manifest),
        retriever=_retriever(manifest.retriever),
        judge=scores.judge_name or str(manifest.judge["name"]),
        set=_set(manifest),
        versions=last.versions,
        commit=(last.git or {}).get("commit"),
        dirty=(last.git or {}).get("dirty"),
        cassette=any(one.cassette in ("replay", "strict") for one in manifest.invocations),
        outcomes=dict(numbers.outcomes),
        statuses=dict(numbers.statuses),
        metrics=numbers.metrics,
        trajectories=TrajectoriesMark(
            sha256=sha256_file(trajectories), bytes=trajectories.stat().st_size, where=(where or {}).get(name)
        ),
    )
    lines = "".join(record.model_dump_json() + "\n" for record in records)
    own_loop = manifest.agent.get("kind") not in (None, "model")
    return Extract(submitted, lines, task, str(manifest.retriever["name"]), own_loop)


def extract_retrieval(path: Path, track: Track, *, progress: Progress = no_progress) -> Extract:
    """The extract of a retrieval; the arguments and what is raised are those of `extract_run`."""
    retrieval = Retrieval(path)
    manifest, scores = retrieval.manifest, retrieval.metrics
    name = str(manifest.task["name"])
    pin = track.pin(name)
    assert pin is not None
    if not manifest.rankable:
        raise UsageError(f"{path}: its retriever has no fingerprint, so that nobody can tell what was run")
    if manifest.source != "questions":
        raise UsageError(f"{path} replays the queries of agents, and track {track.name} is of the questions themselves")
    if manifest.k != track.k or manifest.queries != pin.questions:
        raise UsageError(
            f"{path} has {manifest.queries} queries with {manifest.k} documents each, and track {track.name} wants "
            f"{pin.questions} with {track.k}: `lrat-bench retrieve --task {pin.name} --k {track.k} …` {_limit(pin)}"
        )
    spec = str(manifest.settings.get("task", name))
    task, _ = load_task(spec, settings=manifest.settings.get("set", {}).get("task"), progress=progress)
    if task.fingerprint != manifest.identity["task"]:
        raise UsageError(f"task {spec!r} is not the one that {path} was made on (its questions or documents differ)")
    questions = [question.qid for question in task.select(manifest.split, manifest.limit)]
    rankings = _rankings(path / "run.trec")
    judged = [qid for qid in questions if _docids(task.evidence, qid) or _docids(task.gold, qid)]
    records = [
        RankingRecord(
            question_id=qid,
            hits=tuple(rankings.get(qid, ())),
            evidence=_docids(task.evidence, qid),
            gold=_docids(task.gold, qid),
        )
        for qid in judged
    ]
    numbers = measure_rankings(records, k=manifest.k)
    _refuse_other(scores.metrics, numbers, path / "metrics.json", "retrieve --fresh")
    submitted = _submitted(
        task=name,
        protocol=spec.partition("@")[2] or task.default_protocol,
        split=str(manifest.split),
        repeats=1,
        questions=tuple(judged),
        seed=None,
        k=manifest.k,
        fingerprints=Fingerprints(
            task=str(manifest.identity["task"]),
            corpus=manifest.task["corpus"],
            judgements=manifest.task.get("judgements"),
            rollout=None,
            scoring=None,
            judge=None,
            prompt=None,
            tokenizer=None,
            agent=None,
            retriever=str(manifest.identity["retriever"]),
        ),
        agent=None,
        retriever=_retriever(manifest.retriever),
        judge=None,
        set=_set(manifest),
        versions=manifest.versions,
        commit=None,
        dirty=None,
        outcomes={},
        statuses={},
        metrics=numbers.metrics,
        trajectories=None,
    )
    lines = "".join(record.model_dump_json() + "\n" for record in records)
    return Extract(submitted, lines, task, str(manifest.retriever["name"]))


def records_of(folder: RunFolder, task: Task, *, judge: str) -> list[RolloutRecord]:
    """The records of a run's selection, in the order of its questions; of a guarded task under its canary.

    Args:
        folder: of the run.
        task: that it was made on.
        judge: fingerprint of the judge whose verdicts count.

    Raises:
        UsageError: a record is larger than submissions take.
    """
    manifest = folder.manifest
    order = {qid: at for at, qid in enumerate(manifest.questions)}
    verdicts = verdicts_of(folder, task, judge)
    records = []
    for trajectory in folder.trajectories.scan():
        if trajectory.question_id not in order or trajectory.repeat >= manifest.repeats:
            continue
        verdict = verdicts.get((*trajectory.key, trajectory.hash))
        try:
            record = RolloutRecord.of(
                trajectory,
                verdict,
                outcome="incorrect" if verdict is None else verdict.outcome,
                evidence=task.evidence,
                gold=task.gold,
                canary=manifest.task.get("canary"),
            )
        except ValidationError as error:
            raise UsageError(
                f"{folder.path}: question {trajectory.question_id!r} is more than a submission takes ({plainly(error)})"
            ) from None
        records.append(record)
    return sorted(records, key=lambda record: (order[record.question_id], record.repeat))


def verdicts_of(folder: RunFolder, task: Task, judge: str) -> dict[tuple[str, int, str], Verdict]:
    """The verdicts of one judge that count: the last, except that a failure to say takes nothing back."""
    held: dict[tuple[str, int, str], Verdict] = {}
    for verdict in under_accepted(folder.verdicts.scan(), selected(folder.manifest, task)):
        if verdict.judge == judge and (verdict.outcome != "ungraded" or verdict.key not in held):
            held[verdict.key] = verdict
    return held


def _submitted(**parts: Any) -> SubmittedRun:
    try:
        return SubmittedRun(records=_UNKNOWN, **parts)
    except ValidationError as error:
        raise UsageError(f"the run on {parts['task']!r} does not fit into a submission: {plainly(error)}") from None


def _refuse_other(stated: tuple[Metric, ...], numbers: Numbers, file: Path, verb: str) -> None:
    """See that a folder's own scores are what its records come to."""
    for metric in stated:
        own = numbers.metric(metric.name)
        same = own is not None and own.n == metric.n and (own.value is None) == (metric.value is None)
        if own is not None and same and own.value is not None and metric.value is not None:
            same = isclose(own.value, metric.value, rel_tol=1e-9, abs_tol=1e-12)
        if not same:
            raise DataError(f"{metric.name} is not what the records come to: `lrat-bench {verb}`", file=file)


def _agent(manifest: Manifest) -> Part:
    row = manifest.agent.get("row")
    return Part(
        name=_public(str(manifest.agent["name"])),
        revision=row.get("revision") if isinstance(row, dict) else None,
        reported=manifest.reported,
        row=row if isinstance(row, dict) else None,
    )


def _retriever(told: Mapping[str, Any]) -> Part:
    return Part(
        name=_public(str(told["name"])),
        revision=told.get("commit") or told.get("revision"),
        details={key: _public(value) for key, value in told.items() if key not in _OF_MACHINE},
    )


def _set(manifest: Manifest | RetrievalManifest) -> dict[str, Any]:
    """What was set, but for how models were reached."""
    return {
        f"{room}.{key}": _public(value)
        for room, settings in manifest.settings.get("set", {}).items()
        if isinstance(settings, dict)
        for key, value in settings.items()
        if key not in Connection.model_fields
    }


def _public(value: Any) -> Any:
    """A value without the folders of a path in it, which are nobody else's business."""
    if isinstance(value, dict):
        return {key: _public(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_public(inner) for inner in value]
    return _FOLDERS.sub("", value) if isinstance(value, str) else value


def _limit(pin: Pin) -> str:
    return "without --limit" if pin.limit is None else f"with --limit {pin.limit}"


def _docids(qrels: Mapping[str, frozenset[str]] | None, qid: str) -> tuple[str, ...] | None:
    return None if qrels is None else tuple(sorted(qrels.get(qid, ())))


def _rankings(file: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        with file.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                columns = line.split()
                if len(columns) != 6:
                    raise DataError(f"{len(columns)} columns instead of the six of a TREC run", file=file, line=number)
                found.setdefault(columns[0], []).append(columns[2])
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=file) from None
    return found
