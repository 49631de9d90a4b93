"""Judging grades what is not graded yet; a judge's failure is its own and never the agent's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence

import pytest

from lrat_bench.errors import FatalModelError, Halt, UsageError
from lrat_bench.score.judges.base import Judge, Judgement
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.judging import Judging, judge_all
from lrat_bench.score.verdict import Grade, Verdict, current_verdicts, held_verdicts
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Status, Trajectory, Usage

QUESTIONS = [Question(f"q{at}", "?", ("yes",), "test") for at in range(6)]
EXACT = load_judge(Scoring())


class Flaky:
    """Answers "no" by a failure of its own."""

    name = "flaky"
    fingerprint = "flaky"

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.passing = False
        self.running = self.most = self.asked = 0

    async def judge(self, question: Question, answer: str) -> Judgement:
        self.asked += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if answer == "no" and not self.passing:
            raise self.failure
        return Judgement("correct")

    async def close(self) -> None:
        pass


def trajectory(qid: str, answer: str | None = "yes", status: Status = "answered") -> Trajectory:
    return Trajectory(task="t", protocol="p", question_id=qid, agent="a", retriever="r", status=status, answer=answer)


def judged(
    trajectories: Iterable[Trajectory],
    verdicts: Sequence[Verdict] = (),
    judge: Judge | Judging = EXACT,
    concurrency: int = 2,
) -> list[Verdict]:
    judging = judge if isinstance(judge, Judging) else Judging(judge)

    async def collect() -> list[Verdict]:
        return [v async for v in judge_all(judging, QUESTIONS, trajectories, verdicts, concurrency=concurrency)]

    return sorted(asyncio.run(collect()), key=lambda verdict: verdict.question_id)


def test_every_answer_gets_a_verdict_that_names_what_was_judged() -> None:
    done = [trajectory("q0"), trajectory("q1", "no"), trajectory("q2", status="forced")]
    verdicts = judged(done)
    assert [verdict.outcome for verdict in verdicts] == ["correct", "incorrect", "correct"]
    assert [verdict.trajectory for verdict in verdicts] == [record.hash for record in done]
    assert {(verdict.judge, verdict.judge_name) for verdict in verdicts} == {(EXACT.fingerprint, "exact")}


def test_a_verdict_is_one_json_line_and_comes_back_equal() -> None:
    (verdict,) = judged([trajectory("q0", "Exact Answer: yes\nConfidence: 40%")])
    assert Verdict.model_validate_json(verdict.to_json()) == verdict
    assert verdict.to_json().startswith('{"schema":"lrat-bench/verdict/1"')


def test_nothing_is_judged_twice_and_a_changed_trajectory_is_judged_again() -> None:
    verdicts = judged([trajectory("q0"), trajectory("q1")])
    again = judged([trajectory("q0"), trajectory("q1", "other")], verdicts)
    assert [(verdict.question_id, verdict.outcome) for verdict in again] == [("q1", "incorrect")]


def test_verdicts_of_another_judge_do_not_count() -> None:
    verdicts = judged([trajectory("q0")])
    assert len(judged([trajectory("q0")], verdicts, load_judge(Scoring(judge="contains")))) == 1


def test_blank_answers_errors_and_foreign_questions_never_reach_a_judge() -> None:
    passed_over = [
        trajectory("q0", None, "no_answer"),
        trajectory("q1", " \n", "forced"),
        trajectory("q2", "yes", "error"),
        trajectory("elsewhere"),
    ]
    assert judged(passed_over, judge=Flaky(RuntimeError())) == []


def test_a_failing_judge_leaves_the_answer_ungraded_and_is_asked_again() -> None:
    flaky = Flaky(ValueError("no such field"))
    done = [trajectory("q0", "no"), trajectory("q1")]
    first, second = judged(done, judge=flaky)
    assert (first.outcome, first.error) == ("ungraded", "judge: ValueError: no such field")
    assert second.outcome == "correct"
    assert [verdict.question_id for verdict in judged(done, [first, second], flaky)] == ["q0"]


@pytest.mark.parametrize("failure", [FatalModelError("wrong key"), Halt("nobody there"), Halt("the cost cap")])
def test_a_judge_that_is_down_is_asked_no_more_and_leaves_the_rest_ungraded(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = Flaky(failure)
    judging = Judging(flaky)
    done = [trajectory("q0"), *(trajectory(f"q{at}", "no") for at in (1, 2, 3)), trajectory("q4"), trajectory("q5")]
    with caplog.at_level(logging.WARNING):
        assert [verdict.question_id for verdict in judged(done, judge=judging)] == ["q0"]
    assert judging.down == str(failure)
    assert flaky.asked < len(done)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"judge flaky is asked no more ({failure}); what it has not graded stays ungraded")
    asked = flaky.asked
    assert asyncio.run(judging.one(QUESTIONS[4], trajectory("q4"))) is None
    assert judged(done, judge=judging) == []
    assert flaky.asked == asked


def test_a_judge_that_is_down_ends_the_reading_of_trajectories() -> None:
    read: list[str] = []

    def stream() -> Iterator[Trajectory]:
        for question in QUESTIONS:
            read.append(question.qid)
            yield trajectory(question.qid, "no")

    assert judged(stream(), judge=Flaky(Halt("down")), concurrency=1) == []
    assert read == ["q0", "q1"]


def test_what_a_judge_that_was_down_left_is_made_up_for_later() -> None:
    done = [trajectory(f"q{at}", "no" if at == 1 else "yes") for at in range(3)]
    first = judged(done, judge=Flaky(Halt("down")), concurrency=1)
    flaky = Flaky(ValueError())
    flaky.passing = True
    assert [verdict.question_id for verdict in first] == ["q0"]
    assert [verdict.question_id for verdict in judged(done, first, flaky)] == ["q1", "q2"]


def test_a_judge_that_is_used_wrongly_ends_the_judging_after_what_is_done() -> None:
    seen: list[str] = []

    async def collect() -> None:
        done = [trajectory("q0"), trajectory("q1", "no"), trajectory("q2")]
        judging = Judging(Flaky(UsageError("no such library")))
        async for verdict in judge_all(judging, QUESTIONS, done, (), concurrency=2):
            seen.append(verdict.question_id)  # noqa: PERF401 - what came before the error matters

    with pytest.raises(UsageError, match="no such library"):
        asyncio.run(collect())
    assert seen == ["q0"]


class Saying:
    """Says what it was given, whatever it is."""

    name = "saying"
    fingerprint = "saying"

    def __init__(self, said: Judgement) -> None:
        self.said = said

    async def judge(self, question: Question, answer: str) -> Judgement:
        return self.said

    async def close(self) -> None:
        pass


def test_a_judgement_that_makes_no_sense_is_none() -> None:
    (verdict,) = judged([trajectory("q0")], judge=Saying(Judgement("correct", confidence=80)))
    assert verdict.outcome == "ungraded"
    assert "confidence" in (verdict.error or "")
    assert "\n" not in (verdict.error or "")


def test_what_no_file_can_hold_is_replaced_in_a_verdict() -> None:
    (verdict,) = judged([trajectory("q0")], judge=Saying(Judgement("correct", "\ud83d", reply="so \ud83d")))
    assert (verdict.extracted_answer, verdict.reply) == ("?", "so ?")
    assert Verdict.model_validate_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_answers_are_in_flight_than_allowed(concurrency: int) -> None:
    flaky = Flaky(RuntimeError())
    assert len(judged(map(trajectory, (q.qid for q in QUESTIONS)), judge=flaky, concurrency=concurrency)) == 6
    assert flaky.most == concurrency


def test_concurrency_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="concurrency must be at least 1, got 0"):
        judged([trajectory("q0")], concurrency=0)


def test_the_last_verdict_counts_but_a_failure_to_say_takes_nothing_back() -> None:
    (verdict,) = judged([trajectory("q0")])
    as_said = [
        verdict.model_copy(update={"outcome": said}) for said in ("ungraded", "correct", "incorrect", "ungraded")
    ]
    assert list(current_verdicts(as_said, EXACT.fingerprint).values()) == ["incorrect"]
    assert list(current_verdicts(as_said[:1], EXACT.fingerprint).values()) == ["ungraded"]


def test_what_a_verdict_took_is_that_of_the_verdict_which_counts() -> None:
    (verdict,) = judged([trajectory("q0")])
    said: list[tuple[Grade, float]] = [("ungraded", 1.0), ("correct", 2.0), ("ungraded", 4.0)]
    as_said = [verdict.model_copy(update={"outcome": grade, "usage": Usage(cost_usd=cost)}) for grade, cost in said]
    (held,) = held_verdicts(as_said, EXACT.fingerprint).values()
    assert (held.grade, held.usage.cost_usd) == ("correct", 2.0)
