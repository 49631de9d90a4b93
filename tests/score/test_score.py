"""A run's numbers: the denominator is what was asked, and what is unknown stays unknown."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from lrat_bench.errors import UnknownName
from lrat_bench.score.intervals import wilson
from lrat_bench.score.rows import per_question
from lrat_bench.score.score import Scores, measure
from lrat_bench.score.verdict import Grade, Verdict
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Hit, Search, Status, Trajectory, Usage

QUESTIONS = [Question(f"q{at}", "?", ("yes",), "test") for at in range(10)]
EVIDENCE = {question.qid: frozenset({"e1", "e2"}) for question in QUESTIONS[:6]}


def trajectory(
    at: int, repeat: int = 0, status: Status | None = "answered", answer: str | None = "yes", docids: str = "e1"
) -> Trajectory:
    hits = tuple(Hit(docid=docid, score=None, rank=rank) for rank, docid in enumerate(docids.split(), start=1))
    return Trajectory(
        task="t",
        protocol="p",
        question_id=f"q{at}",
        repeat=repeat,
        agent="a",
        retriever="r",
        status=status,
        answer=answer,
        steps=tuple(Search(turn=turn, call=0, query="q", hits=hits) for turn in range(at + 1)),
    )


def verdict(record: Trajectory, outcome: Grade = "correct", judge: str = "j") -> Verdict:
    return Verdict(
        accepts=next(question.accepts for question in QUESTIONS if question.qid == record.question_id),
        question_id=record.question_id,
        repeat=record.repeat,
        trajectory=record.hash,
        judge=judge,
        judge_name=judge,
        outcome=outcome,
    )


def scores(
    trajectories: Sequence[Trajectory],
    verdicts: Sequence[Verdict],
    *,
    questions: Sequence[Question] = QUESTIONS,
    repeats: int = 1,
) -> Scores:
    return measure(questions, repeats, trajectories, verdicts, judge_fingerprint="j", evidence=EVIDENCE, gold=None)


def test_everything_that_was_asked_is_in_the_denominator() -> None:
    done = [
        trajectory(0),
        trajectory(1),
        trajectory(2),
        trajectory(3, status="turn_limit", answer=None),
        trajectory(4, status="no_answer", answer="  "),
        trajectory(5, status="error"),
        trajectory(6, status=None),
    ]
    got = scores(
        done, [verdict(done[0]), verdict(done[1], "incorrect"), verdict(done[2], "ungraded"), verdict(done[5])]
    )
    assert got.n == got.questions == 10
    assert got.outcomes == {"correct": 1, "incorrect": 3, "ungraded": 2, "errored": 4}
    assert got.statuses == {"answered": 3, "no_answer": 1, "turn_limit": 1, "error": 1, "unknown": 1, "missing": 3}
    assert got.unresolved == 6
    success = got.metric("success_rate")
    assert (success.value, success.n) == (0.1, 10)
    assert (success.low, success.high) == wilson(1, 10)
    assert got.success_bound == 0.7


def test_when_all_is_resolved_there_is_no_bound() -> None:
    done = [trajectory(at) for at in range(10)]
    got = scores(done, [verdict(record, "correct" if at < 4 else "incorrect") for at, record in enumerate(done)])
    assert (got.metric("success_rate").value, got.success_bound, got.unresolved) == (0.4, None, 0)


def test_verdicts_of_other_judges_and_of_replaced_trajectories_do_not_count() -> None:
    old, new = trajectory(0, answer="no"), trajectory(0)
    assert scores([old, new], [verdict(old)]).outcomes["ungraded"] == 1
    assert scores([new], [verdict(new, judge="other")]).outcomes["ungraded"] == 1
    assert scores([old, new], [verdict(old, "incorrect"), verdict(new)]).outcomes["correct"] == 1


def test_an_answer_that_is_missing_is_incorrect_whatever_a_verdict_says() -> None:
    silent = trajectory(0, status="no_answer", answer=None)
    assert scores([silent], [verdict(silent)]).outcomes["correct"] == 0


def test_neither_the_order_of_trajectories_nor_of_verdicts_matters() -> None:
    done = [trajectory(at, repeat) for at in range(10) for repeat in range(3)]
    verdicts = [verdict(record, "correct" if at % 3 else "incorrect") for at, record in enumerate(done)]
    in_order = scores(done, verdicts, repeats=3)
    shuffle = random.Random(0)
    for _ in range(3):
        shuffle.shuffle(done)
        shuffle.shuffle(verdicts)
        assert scores(done, verdicts, repeats=3) == in_order


def test_what_was_not_selected_is_ignored() -> None:
    done = [trajectory(at, repeat) for at in range(10) for repeat in range(2)]
    got = scores(done, [verdict(record) for record in done], questions=QUESTIONS[:4])
    assert (got.n, got.outcomes["correct"]) == (4, 4)
    assert got == scores(done[:8:2], [verdict(record) for record in done[:8:2]], questions=QUESTIONS[:4])


def test_means_stand_on_the_questions_that_can_say() -> None:
    done = [trajectory(at, docids="e1" if at else "e1 e2") for at in range(8)]
    done[7] = trajectory(7, status="error")
    got = scores(done, [])
    recall, steps = got.metric("evidence_recall"), got.metric("steps")
    assert recall.value == pytest.approx((1 + 5 * 0.5) / 6)
    assert recall.n == 6
    assert (steps.value, steps.n) == (4.0, 7)
    assert steps.low is not None
    assert steps.high is not None
    assert 1 <= steps.low < 4 < steps.high <= 7


def test_what_a_task_cannot_support_is_null_and_not_zero() -> None:
    gold = scores([trajectory(0)], []).metric("gold_recall")
    assert (gold.value, gold.n, gold.low, gold.high) == (None, 0, None, None)


def test_repeats_of_a_question_narrow_nothing_by_themselves() -> None:
    done = [trajectory(at, repeat) for at in range(10) for repeat in range(20)]
    verdicts = [verdict(record, "correct" if int(record.question_id[1:]) < 5 else "incorrect") for record in done]
    success = scores(done, verdicts, repeats=20).metric("success_rate")
    assert (success.value, success.n) == (0.5, 200)
    assert success.low is not None
    assert success.high is not None
    assert success.high - success.low > 0.4


def test_unanimous_repeats_keep_an_interval() -> None:
    done = [trajectory(at, repeat) for at in range(10) for repeat in range(2)]
    always = scores(done, [verdict(record) for record in done], repeats=2).metric("success_rate")
    assert (always.low, always.high) == wilson(10, 10)
    never = scores([], [], repeats=2).metric("success_rate")
    assert (never.value, never.n, never.low, never.high) == (0.0, 20, *wilson(0, 10))


@pytest.mark.parametrize(("docids", "recall"), [("x1 x2", 0), ("e1 e2", 1)])
@pytest.mark.parametrize("repeats", [1, 3])
def test_a_recall_that_is_the_same_throughout_keeps_an_interval(docids: str, recall: int, repeats: int) -> None:
    done = [trajectory(at, repeat, docids=docids) for at in range(10) for repeat in range(repeats)]
    found = scores(done, [], repeats=repeats)
    for name in ("evidence_recall", "hit_rate", "first_query_ndcg@10"):
        metric = found.metric(name)
        assert (metric.value, metric.n) == (recall, 6 * repeats)
        assert (metric.low, metric.high) == wilson(6 * recall, 6)


def test_no_questions_give_no_numbers() -> None:
    got = scores([], [], questions=[])
    assert {(metric.value, metric.n) for metric in got.metrics} == {(None, 0)}


def test_metrics_come_back_equal_from_json() -> None:
    got = scores([trajectory(0)], [])
    assert Scores.model_validate_json(got.model_dump_json(by_alias=True)) == got
    assert got.model_dump(mode="json", by_alias=True)["schema"] == "lrat-bench/metrics/1"


def test_an_unknown_metric_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'evidence_recall'"):
        scores([], []).metric("evidence_recal")


def test_there_is_a_row_for_everything_asked_in_the_order_asked() -> None:
    rows = per_question(QUESTIONS, 2, [trajectory(3, 1)], [], judge_fingerprint="j", evidence=EVIDENCE, gold=None)
    assert [(row.question_id, row.repeat) for row in rows] == [(q.qid, r) for q in QUESTIONS for r in range(2)]
    there, missing = rows[7].flat(), rows[0].flat()
    assert (there["outcome"], there["status"], there["steps"], there["success_rate"]) == (
        "ungraded",
        "answered",
        4,
        None,
    )
    assert (missing["outcome"], missing["status"], missing["steps"]) == ("errored", "missing", None)
    assert there.keys() == missing.keys()


def test_what_the_judge_costs_is_counted_apart_and_never_guessed() -> None:
    def paid(record: Trajectory, cost: float | None, outcome: Grade = "correct") -> Verdict:
        return verdict(record, outcome).model_copy(update={"usage": Usage(llm_calls=1, cost_usd=cost)})

    done = [trajectory(at) for at in range(6)] + [trajectory(6, status="no_answer", answer=None)]
    said = [
        paid(done[0], 0.02),
        paid(done[1], 0.0),
        paid(done[2], None),
        paid(done[3], 0.5, "ungraded"),
        paid(done[3], 0.04),
        paid(done[4], 0.02, "ungraded"),
        verdict(done[5], judge="another").model_copy(update={"usage": Usage(cost_usd=9.0)}),
    ]
    got = scores(done, said)
    assert got.metric("judge_cost_usd").n == 4
    assert got.metric("judge_cost_usd").value == pytest.approx(0.02)
    assert got.metric("cost_usd").n == 0


def test_what_broke_is_a_failure_and_a_limit_or_a_wrong_answer_is_none() -> None:
    ended: list[Status | None] = ["answered", "turn_limit", "format_error", "context_limit", "refused", "error", None]
    found = scores([trajectory(at, status=status) for at, status in enumerate(ended)], [])
    failures = found.metric("failure_rate")
    # q7 to q9 are missing, which is a failure; of the one that cannot say it is not known.
    assert (failures.value, failures.n) == (7 / 9, 9)
