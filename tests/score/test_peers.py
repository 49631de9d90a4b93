"""A run as BrowseComp-Plus and LRAT count it: their quirks under their names, the same run beside it under ours."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest

from lrat_bench.score.metric import Metric
from lrat_bench.score.peers.browsecomp_plus import calibration_error, citations
from lrat_bench.score.peers.catalogue import BESIDE
from lrat_bench.score.score import Scores, measure
from lrat_bench.score.verdict import Grade, Verdict
from lrat_bench.task.question import Qrels, Question
from lrat_bench.trajectory import Answer, Browse, Hit, Notice, Search, Status, Step, Think, Trajectory

QUESTIONS = [Question(f"q{at}", "?", ("yes",), "test") for at in range(10)]
EVIDENCE: Qrels = {question.qid: frozenset({"11", "12"}) for question in QUESTIONS}


def search(docids: str, *, turn: int = 0, hidden: str = "", error: str | None = None) -> Search:
    hits = tuple(
        Hit(docid=docid, score=None, rank=rank, shown=docid not in hidden.split())
        for rank, docid in enumerate(docids.split(), start=1)
    )
    return Search(turn=turn, call=0, query="q", hits=hits, error=error)


def browse(docid: str, *, turn: int = 1) -> Browse:
    return Browse(turn=turn, call=0, docid=docid, found=True)


def played(
    at: int, answer: str | None = "yes", status: Status | None = "answered", steps: Sequence[Step] = (), repeat: int = 0
) -> Trajectory:
    return Trajectory(
        task="t",
        protocol="p",
        question_id=f"q{at}",
        repeat=repeat,
        agent="a",
        retriever="r",
        status=status,
        answer=answer,
        steps=tuple(steps),
    )


def said(
    record: Trajectory, outcome: Grade = "correct", confidence: float | None = None, reply: str | None = None
) -> Verdict:
    return Verdict(
        question_id=record.question_id,
        repeat=record.repeat,
        trajectory=record.hash,
        accepts=QUESTIONS[0].accepts,
        judge="j",
        judge_name="j",
        outcome=outcome,
        confidence=confidence,
        reply=reply,
    )


def scored(
    done: Sequence[Trajectory],
    verdicts: Sequence[Verdict] | None = None,
    *,
    questions: Sequence[Question] = QUESTIONS,
    evidence: Qrels | None = EVIDENCE,
) -> Scores:
    given = [said(record) for record in done] if verdicts is None else verdicts
    return measure(questions, 1, done, given, judge_fingerprint="j", evidence=evidence, gold=None)


def numbers(scores: Scores, *names: str) -> tuple[float | None, ...]:
    return tuple(scores.metric(name).value for name in names)


def counted(metric: Metric) -> tuple[object, int]:
    return metric.value, metric.n


def test_a_run_that_is_always_wrong_at_90_percent_is_off_by_less_under_their_name() -> None:
    questions = [Question(f"q{at}", "?", ("yes",), "test") for at in range(830)]
    done = [played(at, "no") for at in range(830)]
    got = scored(done, [said(record, "incorrect", 0.9) for record in done], questions=questions)
    theirs, ours = got.metric("browsecomp_plus.calibration_error"), got.metric("calibration_error")
    assert (round(100 * (theirs.value or 0), 2), theirs.n) == (82.65, 830)
    assert (round(100 * (ours.value or 0), 2), ours.n) == (90.00, 830)
    assert (theirs.low, theirs.high) == (None, None)


@pytest.mark.parametrize(("n", "error"), [(0, None), (1, 0.0), (99, 0.0), (199, 0.0), (200, 0.9 * 0.5**0.5)])
def test_their_calibration_error_is_0_below_200_answers(n: int, error: float | None) -> None:
    got = calibration_error([0.9] * n, [False] * n)
    assert got == (None if error is None else pytest.approx(error))


def test_their_last_bin_takes_the_remainder_and_is_dropped() -> None:
    low, high = [0.5] * 100, [1.0] * 150
    confidences, correct = [*high, *low], [*[False] * 150, *[True] * 50, *[False] * 50]
    assert calibration_error(confidences, correct) == pytest.approx(0.0)
    assert calibration_error([1.0] * 100 + [1.0] * 150, [False] * 250) == pytest.approx((100 / 250) ** 0.5)


def test_where_no_confidence_is_stated_and_no_judge_replies_theirs_would_put_100() -> None:
    questions = [Question(f"q{at}", "?", ("yes",), "test") for at in range(200)]
    done = [played(at, "no") for at in range(200)]
    got = scored(done, [said(record, "incorrect") for record in done], questions=questions)
    assert counted(got.metric("browsecomp_plus.calibration_error")) == (pytest.approx(0.5**0.5), 200)
    assert counted(got.metric("calibration_error")) == (None, 0)


def test_only_finished_and_graded_answers_enter_their_calibration_error() -> None:
    done = [
        played(0),
        played(1, status="forced"),
        played(2, status="turn_limit", answer=None),
        played(3),
        played(4),
        played(5, status=None),
        played(6, "  "),
    ]
    verdicts = [said(done[0], "correct", 0.5), said(done[1], "correct", 0.5), said(done[4], "ungraded", 0.5)]
    assert scored(done, verdicts).metric("browsecomp_plus.calibration_error").n == 1
    assert scored(done, verdicts).metric("calibration_error").n == 2


def test_four_files_of_ten_are_all_there_is_to_them() -> None:
    got = scored([played(at) for at in range(4)])
    assert counted(got.metric("browsecomp_plus.accuracy")) == (1.0, 4)
    assert counted(got.metric("lrat.success_rate")) == (1.0, 4)
    assert counted(got.metric("success_rate")) == (0.4, 10)


def test_a_forced_answer_is_unfinished_to_browsecomp_plus_and_an_answer_to_lrat() -> None:
    got = scored([played(0), played(1, status="forced")])
    assert numbers(got, "browsecomp_plus.accuracy", "lrat.success_rate") == (0.5, 1.0)
    assert got.outcomes["correct"] == 2


def test_what_ended_without_an_answer_is_wrong_to_both() -> None:
    ended: list[Status] = ["turn_limit", "no_answer", "error", "refused"]
    done = [played(0), *(played(at, None, status) for at, status in enumerate(ended, start=1)), played(5, "")]
    got = scored(done)
    assert counted(got.metric("browsecomp_plus.accuracy")) == (pytest.approx(1 / 6), 6)
    assert counted(got.metric("lrat.success_rate")) == (pytest.approx(1 / 6), 6)
    assert counted(got.metric("success_rate")) == (0.1, 10)


def test_words_of_a_tool_call_spoil_an_answer_for_lrat_alone() -> None:
    done = [
        played(0),
        played(1, "It is called a tool_call."),
        played(2, 'yes {"user_query": "x"}'),
        played(3, "A tool call"),
    ]
    got = scored(done)
    assert numbers(got, "lrat.success_rate", "browsecomp_plus.accuracy") == (0.5, 1.0)
    assert got.outcomes["correct"] == 4


def test_a_judge_that_failed_takes_the_file_away_and_one_that_cannot_be_read_makes_it_wrong() -> None:
    done = [played(at, steps=[search("11")]) for at in range(4)]
    verdicts = [said(done[0]), said(done[1], "ungraded"), said(done[2], "ungraded", reply="Well."), said(done[3])]
    got = scored(done, verdicts)
    assert counted(got.metric("browsecomp_plus.accuracy")) == (pytest.approx(2 / 3), 3)
    assert counted(got.metric("lrat.success_rate")) == (pytest.approx(2 / 3), 3)
    assert counted(got.metric("success_rate")) == (0.2, 10)
    assert got.metric("browsecomp_plus.recall").n == got.metric("browsecomp_plus.search_calls").n == 3
    assert got.metric("lrat.recall").n == got.metric("lrat.steps").n == 4
    assert scored(done, []).metric("browsecomp_plus.accuracy").n == 0


def test_a_status_that_an_import_cannot_say_leaves_open_what_needs_it() -> None:
    got = scored([played(0, "yes [11]", None, [search("11")]), played(1, "yes [11]", "answered", [search("11 12")])])
    assert [got.metric(f"browsecomp_plus.{name}").n for name in ("accuracy", "citation_coverage", "citations")] == [
        1
    ] * 3
    assert counted(got.metric("browsecomp_plus.recall")) == (0.75, 2)
    assert counted(got.metric("lrat.success_rate")) == (1.0, 2)


def test_what_has_no_answer_is_wrong_whatever_its_status() -> None:
    got = scored([played(0), *(played(at, None, None) for at in range(1, 5))])
    assert counted(got.metric("browsecomp_plus.accuracy")) == (0.2, 5)
    assert counted(got.metric("browsecomp_plus.citation_coverage")) == (0.0, 5)


def test_an_answer_behind_which_the_agent_thought_on_is_none_to_browsecomp_plus() -> None:
    said_so = Answer(turn=1, text="yes [11]")
    thought, told = Think(turn=1, text="Hm."), Notice(turn=1, text="Answer now.")
    ends: list[tuple[Step, ...]] = [(thought, said_so), (said_so, thought), (said_so, told), (thought,)]
    done = [played(at, "yes [11]", steps=steps) for at, steps in enumerate(ends)]
    got = scored(done)
    assert counted(got.metric("browsecomp_plus.accuracy")) == (0.75, 4)
    assert counted(got.metric("browsecomp_plus.citation_coverage")) == (0.75, 4)
    assert got.metric("browsecomp_plus.calibration_error").n == 3
    assert counted(got.metric("lrat.success_rate")) == (1.0, 4)
    unsaid = played(0, "yes [11]", None, (said_so, thought))
    assert counted(scored([unsaid]).metric("browsecomp_plus.accuracy")) == (0.0, 1)


def test_a_reply_in_which_no_confidence_can_be_read_has_no_part_in_their_calibration_error() -> None:
    questions = [Question(f"q{at}", "?", ("yes",), "test") for at in range(300)]
    done = [played(at, "no") for at in range(300)]
    verdicts = [
        said(record, "incorrect", None if at >= 200 else 0.9, reply="correct: no") for at, record in enumerate(done)
    ]
    got = scored(done, verdicts, questions=questions)
    assert counted(got.metric("browsecomp_plus.calibration_error")) == (pytest.approx(0.9 * 0.5**0.5), 200)
    assert got.metric("browsecomp_plus.accuracy").n == 300


def test_recall_is_of_searches_there_and_of_searches_and_documents_here() -> None:
    done = [played(0, steps=[search("11 12", hidden="12"), browse("12"), search("12", turn=2, error="down")])]
    got = scored(done)
    assert numbers(got, "browsecomp_plus.recall", "lrat.recall") == (0.5, 1.0)
    assert numbers(got, "browsecomp_plus.search_calls", "lrat.steps") == (1.0, 2.0)


def test_trajectories_that_errored_are_files_to_both() -> None:
    done = [played(0, steps=[search("11 12")]), played(1, None, "error", [search("11"), search("x", turn=1)])]
    got = scored(done)
    assert numbers(got, "browsecomp_plus.recall", "lrat.recall") == (0.75, 0.75)
    assert numbers(got, "browsecomp_plus.search_calls", "lrat.steps") == (1.5, 1.5)
    assert counted(got.metric("evidence_recall")) == (1.0, 1)


def test_a_question_without_evidence_has_no_recall_there_and_none_at_all_in_lrat() -> None:
    done = [played(0, "yes [11]", steps=[search("11 12")]), played(1, "yes [11]", steps=[search("11 12")])]
    some = scored(done, evidence={"q0": EVIDENCE["q0"]})
    assert counted(some.metric("browsecomp_plus.recall")) == (1.0, 1)
    assert counted(some.metric("lrat.recall")) == (0.5, 2)
    assert counted(some.metric("evidence_recall")) == (1.0, 1)
    assert some.metric("browsecomp_plus.citation_precision").n == 1
    none = scored(done, evidence=None)
    for name in ("browsecomp_plus.recall", "lrat.recall", "browsecomp_plus.citation_recall", "citation_recall"):
        assert counted(none.metric(name)) == (None, 0)


def test_a_year_in_brackets_is_a_citation_to_them_and_not_to_us() -> None:
    got = scored([played(0, "Founded [1998], see [11].", steps=[search("11 x")])])
    assert counted(got.metric("browsecomp_plus.citation_precision")) == (0.5, 1)
    assert counted(got.metric("browsecomp_plus.citations")) == (2.0, 1)
    assert counted(got.metric("citation_precision")) == (1.0, 1)
    assert numbers(got, "browsecomp_plus.citation_recall", "citation_recall") == (0.5, 0.5)


def test_their_citations_are_averaged_over_answers_that_have_one() -> None:
    done = [
        played(0, "[11]", steps=[search("11")]),
        played(1, "no source", steps=[search("11")]),
        played(2, "[12]", "forced", [search("12")]),
        played(3, None, "turn_limit", [search("12")]),
    ]
    got = scored(done)
    assert counted(got.metric("browsecomp_plus.citation_recall")) == (0.5, 1)
    assert counted(got.metric("browsecomp_plus.citation_coverage")) == (0.25, 4)
    assert counted(got.metric("citation_recall")) == (0.25, 4)
    assert counted(got.metric("citation_coverage")) == (0.2, 10)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        ("12", ""),
        ("(12)", ""),
        ("[12]", "12"),
        ("【12】", "12"),
        ("[12, 13] and 【14†L1-L20】", "12 13 14 1 20"),
        ("[see 12; p. 3]", "12 3"),
        ("[[12]]", "12"),
        ("[12", ""),
        ("[12]【13]", "12"),
        ("[12【13】]", "12 13"),
        ("[d12]\n[1\n2]", "12 1 2"),
    ],
)
def test_what_they_take_for_citations(text: str, found: str) -> None:
    assert citations(text) == frozenset(found.split())


def test_repeats_are_files_of_their_own() -> None:
    done = [played(0), played(0, repeat=1), played(1, repeat=1)]
    got = measure(
        QUESTIONS, 2, done, [said(done[0]), said(done[1], "incorrect"), said(done[2])], judge_fingerprint="j",
        evidence=EVIDENCE, gold=None,
    )  # fmt: skip
    accuracy = got.metric("browsecomp_plus.accuracy")
    assert counted(accuracy) == (pytest.approx(2 / 3), 3)
    assert accuracy.low is not None


def test_the_order_of_records_changes_no_number_of_a_peer() -> None:
    draw = random.Random(0)
    questions = [Question(f"q{at}", "?", ("yes",), "test") for at in range(250)]
    done = [played(at, draw.choice(["yes [11]", "no"])) for at in range(250)]
    grades: list[Grade] = ["correct", "incorrect"]
    verdicts = [said(record, draw.choice(grades), draw.choice([0.5, 0.9, 1.0])) for record in done]
    in_order = scored(done, verdicts, questions=questions)
    draw.shuffle(done)
    draw.shuffle(verdicts)
    assert scored(done, verdicts, questions=questions) == in_order


def test_where_every_question_was_answered_and_judged_their_numbers_are_ours() -> None:
    done = [played(at, "yes [11]", steps=[search("11"), browse("12")]) for at in range(10)]
    got = scored(done, [said(record, "correct" if at % 2 else "incorrect", 0.5) for at, record in enumerate(done)])
    for theirs, ours in BESIDE.items():
        if ours is not None and theirs != "browsecomp_plus.calibration_error":
            assert counted(got.metric(theirs)) == counted(got.metric(ours)), theirs


def test_every_number_of_a_peer_has_a_place_and_stands_beside_one_that_exists() -> None:
    got = scored([])
    assert [metric.name for metric in got.peers] == list(BESIDE)
    assert {ours for ours in BESIDE.values() if ours is not None} <= {metric.name for metric in got.metrics}
    assert {counted(metric) for metric in got.peers} == {(None, 0)}
    for metric in got.peers:
        assert metric.definition.endswith(".")
        assert ". " not in metric.definition


def test_scores_from_before_there_were_peers_can_still_be_read() -> None:
    got = scored([played(0)])
    record = json.loads(got.model_dump_json(by_alias=True))
    assert Scores.model_validate(record) == got
    del record["peers"]
    assert Scores.model_validate(record).peers == ()
