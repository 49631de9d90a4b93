"""Judging: asks a judge about every answer that it has not graded yet."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lrat_bench.errors import FatalModelError, Halt, RolloutError, UsageError, boundary
from lrat_bench.files import encodable
from lrat_bench.model.redact import redact
from lrat_bench.score.judges.base import Judge, Judgement, storable
from lrat_bench.score.verdict import Verdict, current_verdicts, under_accepted
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Trajectory

__all__ = ["Judging", "has_answer", "judge_all"]

_log = logging.getLogger("lrat_bench.score")


def has_answer(trajectory: Trajectory) -> bool:
    """Whether there is something to judge: the question did not error and its answer is not blank."""
    return trajectory.status != "error" and bool((trajectory.answer or "").strip())


@dataclass
class Judging:
    """A judge at work, until it is down.

    A judge is down once its model can answer no request (`FatalModelError`) or nothing of its endpoint works any more
    (`Halt`). It is asked no more then, and what it has not graded stays ungraded: trajectories that are paid for are
    not lost to it, and judging again makes up for it.

    Attributes:
        judge: left open.
        down: why it is asked no more; None while it is asked.
    """

    judge: Judge
    down: str | None = None

    async def one(self, question: Question, trajectory: Trajectory) -> Verdict | None:
        """The verdict on one trajectory that has an answer.

        Whatever else the judge fails with makes the verdict `ungraded`, with the error in it.

        Returns:
            None where the judge is down.

        Raises:
            LratBenchError: the judge is used wrongly (its library is missing, a setting is wrong).
        """
        if self.down is not None:
            return None
        start = time.perf_counter()
        try:
            with boundary("judge"):
                said = await self.judge.judge(question, trajectory.answer or "")
                return self._verdict(question, trajectory, said, start)
        except (Halt, FatalModelError) as failure:
            self._give_up(failure)
            return None
        except RolloutError as failure:
            reason = " ".join(str(failure).split()) or type(failure).__name__
            return self._verdict(question, trajectory, Judgement("ungraded", error=reason), start)

    def _verdict(self, question: Question, trajectory: Trajectory, said: Judgement, start: float) -> Verdict:
        return Verdict(
            question_id=trajectory.question_id,
            repeat=trajectory.repeat,
            trajectory=trajectory.hash,
            accepts=question.accepts,
            judge=self.judge.fingerprint,
            judge_name=self.judge.name,
            outcome=said.outcome,
            extracted_answer=storable(said.extracted_answer),
            confidence=said.confidence,
            reply=storable(said.reply),
            error=None if said.error is None else redact(encodable(said.error)),
            usage=said.usage,
            seconds=time.perf_counter() - start,
        )

    def _give_up(self, failure: RolloutError) -> None:
        if self.down is not None:
            return
        self.down = str(failure) or type(failure).__name__
        _log.warning(
            "judge %s is asked no more (%s); what it has not graded stays ungraded until `lrat-bench score` is given",
            *(self.judge.name, self.down),
        )


async def judge_all(
    judging: Judging,
    questions: Sequence[Question],
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    *,
    concurrency: int = 16,
) -> AsyncGenerator[Verdict, None]:
    """Judge what this judge has not graded, and yield each verdict as it comes.

    Earlier `ungraded` verdicts are tried again. Trajectories of other questions, errored ones and those without an
    answer are passed over. At most `concurrency` trajectories are held in memory. It ends when the judge is down, after
    the verdicts that are still coming.

    Args:
        judging: the judge; down or not afterwards.
        questions: whose trajectories are judged.
        trajectories: the current one of each (question, repeat), read as a stream.
        verdicts: those there are, of any judge.
        concurrency: how many answers are judged at once.

    Raises:
        UsageError: `concurrency` is not positive.
        LratBenchError: as `Judging.one`; what else is in flight is cancelled.
    """
    if concurrency < 1:
        raise UsageError(f"concurrency must be at least 1, got {concurrency}")
    asked = {question.qid: question for question in questions}
    pending: set[asyncio.Task[Verdict | None]] = set()
    try:
        for trajectory in _owed(judging.judge, asked.keys(), trajectories, under_accepted(verdicts, questions)):
            if len(pending) >= concurrency:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for verdict in _given(done):
                    yield verdict
            if judging.down is not None:
                break
            pending.add(asyncio.create_task(judging.one(asked[trajectory.question_id], trajectory)))
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for verdict in _given(done):
                yield verdict
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def _given(done: set[asyncio.Task[Verdict | None]]) -> Iterator[Verdict]:
    # A verdict that has been paid for is handed out before a failure ends the judging.
    for task in sorted(done, key=lambda task: task.exception() is not None):
        if (verdict := task.result()) is not None:
            yield verdict


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
