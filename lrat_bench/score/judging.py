"""Judging: asks a judge about every answer that it has not graded yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

from lrat_bench.errors import FatalModelError, RolloutError, UsageError, boundary
from lrat_bench.score.judges.base import Judge, Judgement
from lrat_bench.score.verdict import Verdict, current_verdicts
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Trajectory

__all__ = ["has_answer", "judge_all", "judge_one"]


def has_answer(trajectory: Trajectory) -> bool:
    """Whether there is something to judge: the question did not error and its answer is not blank."""
    return trajectory.status != "error" and bool((trajectory.answer or "").strip())


async def judge_one(judge: Judge, question: Question, trajectory: Trajectory) -> Verdict:
    """The verdict on one trajectory that has an answer.

    Whatever the judge fails with makes the verdict `ungraded`, with the error in it.

    Raises:
        FatalModelError: the judge's model can answer no request at all.
        LratBenchError: the judge is used wrongly (its library is missing, a setting is wrong).
    """
    start = time.perf_counter()
    try:
        with boundary("judge"):
            said = await judge.judge(question, trajectory.answer or "")
    except FatalModelError:
        raise
    except RolloutError as error:
        said = Judgement("ungraded", error=str(error) or type(error).__name__)
    return Verdict(
        question_id=trajectory.question_id,
        repeat=trajectory.repeat,
        trajectory=trajectory.hash,
        judge=judge.fingerprint,
        judge_name=judge.name,
        outcome=said.outcome,
        extracted_answer=said.extracted_answer,
        confidence=said.confidence,
        reply=said.reply,
        error=said.error,
        usage=said.usage,
        seconds=time.perf_counter() - start,
    )


async def judge_all(
    judge: Judge,
    questions: Sequence[Question],
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    *,
    concurrency: int = 8,
) -> AsyncGenerator[Verdict, None]:
    """Judge what this judge has not graded, and yield each verdict as it comes.

    Earlier `ungraded` verdicts are tried again. Trajectories of other questions, errored ones and those without an
    answer are passed over. At most `concurrency` trajectories are held in memory.

    Args:
        judge: left open.
        questions: whose trajectories are judged.
        trajectories: the current one of each (question, repeat), read as a stream.
        verdicts: those there are, of any judge.
        concurrency: how many answers are judged at once.

    Raises:
        UsageError: `concurrency` is not positive.
        FatalModelError, LratBenchError: as `judge_one`; what else is in flight is cancelled.
    """
    if concurrency < 1:
        raise UsageError(f"concurrency must be at least 1, got {concurrency}")
    asked = {question.qid: question for question in questions}
    pending: set[asyncio.Task[Verdict]] = set()
    try:
        for trajectory in _owed(judge, asked.keys(), trajectories, verdicts):
            if len(pending) >= concurrency:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in _failed_last(done):
                    yield task.result()
            pending.add(asyncio.create_task(judge_one(judge, asked[trajectory.question_id], trajectory)))
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in _failed_last(done):
                yield task.result()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def _failed_last(done: set[asyncio.Task[Verdict]]) -> list[asyncio.Task[Verdict]]:
    # A verdict that has been paid for is handed out before a failure ends the judging.
    return sorted(done, key=lambda task: task.exception() is not None)


def _owed(
    judge: Judge, asked: Iterable[str], trajectories: Iterable[Trajectory], verdicts: Iterable[Verdict]
) -> Iterator[Trajectory]:
    graded = {key for key, grade in current_verdicts(verdicts, judge.fingerprint).items() if grade != "ungraded"}
    wanted = set(asked)
    for trajectory in trajectories:
        if (
            trajectory.question_id in wanted
            and has_answer(trajectory)
            and (*trajectory.key, trajectory.hash) not in graded
        ):
            yield trajectory
