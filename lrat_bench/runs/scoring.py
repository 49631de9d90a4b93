"""Scores of a run folder: judges what has no verdict yet, measures, and writes the scores down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import aclosing

from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.files import write_atomic, write_json
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.folder import PER_QUESTION, RunFolder
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.per_question import write_rows
from lrat_bench.runs.resolve import customise
from lrat_bench.runs.resume import kept_of, owed
from lrat_bench.score.judges.base import Judge
from lrat_bench.score.judging import Judging, has_answer, judge_all
from lrat_bench.score.rows import Row, per_question
from lrat_bench.score.score import Scores, summarise
from lrat_bench.score.verdict import current_verdicts, under_accepted
from lrat_bench.task.catalog import load_task
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.question import Question
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Search, Trajectory

__all__ = [
    "find_task",
    "is_graded",
    "is_settled",
    "judge_folder",
    "measure_folder",
    "rows_of",
    "selected",
    "with_judge",
]


def find_task(manifest: Manifest, *, task: str | None = None, progress: Progress = no_progress) -> Task:
    """The task that a run was made on.

    Args:
        manifest: of the run.
        task: where it lies now; as the manifest names it unless given.
        progress: told how preparing it goes.

    Raises:
        UsageError: it is not there, or is not the same any more.
    """
    spec = task or str(manifest.settings.get("task", manifest.task["name"]))
    loaded, _ = load_task(spec, settings=manifest.settings.get("set", {}).get("task"), progress=progress)
    if loaded.fingerprint != manifest.identity["task"]:
        raise UsageError(
            f"task {spec!r} is not the one this run was made on (its questions or documents differ): "
            "give the right one with --task"
        )
    return loaded


def is_settled(config: RunConfig, folder: RunFolder) -> bool:
    """Whether nothing is left to ask a model: every rollout is there, and every answer graded by the run's judge."""
    missing = owed(config.questions, config.repeats, kept_of(folder.trajectories.scan()))
    return not missing and is_graded(folder, config.questions, config.judge)


def is_graded(folder: RunFolder, questions: Sequence[Question], judge: Judge) -> bool:
    """Whether a judge has graded every answer that there is to these questions."""
    asked = {question.qid for question in questions}
    grades = current_verdicts(under_accepted(folder.verdicts.scan(), questions), judge.fingerprint)
    return all(
        grades.get((*record.key, record.hash), "ungraded") != "ungraded"
        for record in folder.trajectories.scan()
        if record.question_id in asked and has_answer(record)
    )


def selected(manifest: Manifest, task: Task) -> tuple[Question, ...]:
    """The questions that count, as the manifest lists them."""
    by_id = {question.qid: question for question in task.questions}
    if unknown := [qid for qid in manifest.questions if qid not in by_id]:
        raise UsageError(f"task {task.name!r} has no question {unknown[0]!r}, which the run's manifest selects")
    return tuple(by_id[qid] for qid in manifest.questions)


async def judge_folder(folder: RunFolder, task: Task, judging: Judging) -> int:
    """Ask a judge about every answer it has not graded; returns how many verdicts were added.

    One that is down is not asked again; what it has not graded stays ungraded. The caller holds the folder.
    """
    verdicts = folder.verdicts
    verdicts.open_for_writing()
    questions = selected(folder.manifest, task)
    added = 0
    async with aclosing(judge_all(judging, questions, folder.trajectories.scan(), verdicts.scan())) as coming:
        async for verdict in coming:
            try:
                verdicts.append(verdict.to_json())
            except OSError as error:
                raise RunIncomplete(f"cannot write {verdicts.path}: {error.strerror or error}") from error
            added += 1
    return added


def rows_of(folder: RunFolder, task: Task, judge: Judge) -> list[Row]:
    """One row of numbers per (question, repeat) of the selection."""
    manifest = folder.manifest
    return per_question(
        selected(manifest, task),
        manifest.repeats,
        folder.trajectories.scan(),
        folder.verdicts.scan(),
        judge_fingerprint=judge.fingerprint,
        evidence=task.evidence,
        gold=task.gold,
    )


def measure_folder(folder: RunFolder, task: Task, judge: Judge) -> Scores:
    """Measure the selection; write `per_question.jsonl`, `metrics.json` and `run.trec`. The caller holds the folder."""
    rows = rows_of(folder, task, judge)
    scores = summarise(
        rows,
        judge_fingerprint=judge.fingerprint,
        judge_name=judge.name,
        judgements=task.judgements_fingerprint,
    )
    with folder.writing():
        scores = scores.model_copy(update={"rows": write_rows(folder.path / PER_QUESTION, rows)})
        write_json(folder.path / "metrics.json", scores.model_dump(mode="json", by_alias=True))
        write_atomic(folder.path / "run.trec", "".join(_trec_lines(folder, folder.manifest, task.corpus)))
    return scores


def with_judge(manifest: Manifest, choice: JudgeChoice) -> Manifest:
    """The manifest under the scoring of another judge, rubric or parameters."""
    scoring = choice.under(manifest.protocol.scoring)
    if scoring == manifest.protocol.scoring:
        return manifest
    protocol = customise(manifest.protocol, scoring.model_dump())
    return manifest.model_copy(update={"protocol": protocol, "scoring": protocol.scoring.fingerprint})


def _trec_lines(folder: RunFolder, manifest: Manifest, corpus: Corpus) -> Iterator[str]:
    """`qid Q0 docid rank score tag`: each document an agent was shown, once, in order of appearance.

    Of the first repeat, since the format knows no others; in the order of the questions. What the corpus does not have
    is left out: an import may have any text for a docid, of a guarded task too, and this file lies open.
    """
    shown = {record.question_id: _shown(record) for record in folder.trajectories.scan() if record.repeat == 0}
    tag = re.sub(r"\s+", "_", str(manifest.retriever["name"]))
    for qid in manifest.questions:
        docids = [docid for docid in shown.get(qid, []) if docid in corpus]
        for rank, docid in enumerate(docids, 1):
            yield f"{qid} Q0 {docid} {rank} {len(docids) + 1 - rank} {tag}\n"


def _shown(trajectory: Trajectory) -> list[str]:
    hits = (hit for step in trajectory.steps if isinstance(step, Search) for hit in step.hits if hit.shown)
    return list(dict.fromkeys(hit.docid for hit in hits))
