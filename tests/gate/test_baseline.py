"""The baseline file: small, a line for each question, the same again from the same run, and refused when it is not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.compare.side import Side
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.gate.baseline import Baseline, baseline_of, read_baseline, write_baseline
from lrat_bench.gate.cells import rounded
from lrat_bench.gate.reach import detectable, powerless
from lrat_bench.gate.rules import Rule, default_rules
from lrat_bench.score.power import mcnemar_difference

MakeSide = Callable[..., Side]


def made(side: Side, *rules: Rule) -> Baseline:
    return baseline_of(side, rules or default_rules(side), started="2026-01-31T00:00:00+00:00", versions={})


@pytest.fixture
def baseline(make_side: MakeSide) -> Baseline:
    return made(make_side(success_rate=[1, 0, 1], evidence_recall=[1 / 3, 0.5], steps=[3, 20, 7]))


def test_it_is_read_as_it_was_written(baseline: Baseline, tmp_path: Path) -> None:
    write_baseline(baseline, tmp_path / "new" / "b.json")
    assert read_baseline(tmp_path / "new" / "b.json") == baseline


def test_each_question_has_a_line_of_short_numbers(baseline: Baseline) -> None:
    lines = baseline.text().splitlines()
    assert '    "q0": [1, 0.333333, 3],' in lines
    assert '    "q2": [1, null, 7]' in lines
    assert json.loads(baseline.text())["measures"] == ["success_rate", "evidence_recall", "steps"]


def test_300_questions_are_less_than_30_kb(make_side: MakeSide) -> None:
    names = ("success_rate", "evidence_recall", "steps", "cost_usd", "failure_rate")
    side = make_side(**{name: [1 / (at + 3) for at in range(300)] for name in names})
    assert len(made(side).text().encode()) < 30_000


def test_one_other_answer_is_one_other_line(make_side: MakeSide) -> None:
    def lines(*success: float) -> list[str]:
        return made(make_side(success_rate=success, steps=[4, 5, 6])).text().splitlines()

    first, second = lines(1, 0, 1), lines(1, 1, 1)
    changed = [line for line, other in zip(first, second, strict=True) if line != other]
    assert len(changed) == 2  # the question, and the mean
    assert '    "q1": [0, 5],' in changed


def test_queries_of_a_question_are_kept_together(make_side: MakeSide) -> None:
    found = made(make_side(steps={"a#0": 1, "a#1": 2, "b#0": 5}))
    assert found.questions == {"a": ((1.5, 2),), "b": (5.0,)}
    assert {qid: cell.total for qid, cell in found.cells("steps").items()} == {"a": 3, "b": 5}


def test_what_cannot_be_held_is_refused(make_side: MakeSide) -> None:
    side = make_side(success_rate=[1], searches=[4], cost_usd=[])
    with pytest.raises(UnknownName, match="success_rate"):
        made(side, Rule(measure="succes_rate"))
    with pytest.raises(UsageError, match="no value of cost_usd"):
        made(side, Rule(measure="cost_usd"))
    with pytest.raises(UsageError, match="neither better nor worse"):
        made(side, Rule(measure="searches"))
    assert made(side, Rule(measure="searches", significant=False, max=9)).rules[0].max == 9
    with pytest.raises(UsageError, match="nothing that"):
        baseline_of(side, (), started="", versions={})


def edited(baseline: Baseline, **changes: Any) -> str:
    return json.dumps({**json.loads(baseline.text()), **changes})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a baseline"),
        ("{", "not a baseline"),
        ("[]", "not a baseline"),
        ("\x00\xff", "not a baseline"),
        ("[" * 100_000, "not a baseline"),
        ('{"a":' * 100_000, "not a baseline"),
        ("<<<<<<< HEAD\n{}", "not a baseline"),
        ('{"schema": "lrat-bench/baseline/2"}', "schema"),
    ],
)
def test_what_is_no_baseline_is_one_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "b.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError) as refused:
        read_baseline(tmp_path / "b.json")
    message = str(refused.value)
    assert said in message
    assert "b.json" in message
    assert len(message) < 600
    assert "\n" not in message


def test_what_was_edited_into_nonsense_is_refused(baseline: Baseline, tmp_path: Path) -> None:
    record = json.loads(baseline.text())
    metric = record["metrics"][0]
    for changes, said in (
        ({"rules": []}, "rules"),
        ({"rules": [{"measure": "steps"}, {"measure": "steps"}]}, "two rules of steps"),
        ({"rules": [{"measure": "turns"}]}, "bless again with --rule turns"),
        ({"rules": [{"measure": "success_rate", "ignore": 2}]}, "points are hundredths (ignore=0.02)"),
        ({"rules": [{"measure": "success_rate", "min": 60}]}, "points are hundredths (min=0.6)"),
        ({"rules": [{"measure": "success_rate", "relative": 10}]}, "nothing falls by more than all of it"),
        ({"rules": [{"measure": "steps", "tolerence": 1}]}, "tolerence"),
        ({"measures": ["success_rate"]}, "not of the same names"),
        ({"questions": {}}, "questions"),
        ({"questions": {"q0": [1, 1]}}, "'q0'"),
        ({"questions": {"q0": [1, 1, "many"]}}, "questions"),
        ({"questions": {"q0": [1, [1, 0], 1]}}, "questions"),
        ({"alpha": 0}, "alpha"),
        ({"extra": 1}, "extra"),
        ({"shared": {"\x1b[31m": "x"}}, "shared"),
        ({"metrics": [{**metric, "unit": "<script>"}, *record["metrics"][1:]]}, "is no unit"),
    ):
        (tmp_path / "b.json").write_text(edited(baseline, **changes))
        with pytest.raises(DataError) as refused:
            read_baseline(tmp_path / "b.json")
        assert said in str(refused.value), changes


def test_no_number_is_beyond_numbers(baseline: Baseline, tmp_path: Path) -> None:
    for strange in ("NaN", "Infinity", "1e999"):
        (tmp_path / "b.json").write_text(baseline.text().replace("[1, null, 7]", f"[1, null, {strange}]"))
        with pytest.raises(DataError):
            read_baseline(tmp_path / "b.json")


def test_what_would_pass_anything_is_refused(baseline: Baseline, tmp_path: Path) -> None:
    """Lost, edited or renamed questions are held to no more: the means say what was there."""
    record = json.loads(baseline.text())
    questions, (success, *others) = record["questions"], record["metrics"]
    fewer = {qid: values for qid, values in questions.items() if qid != "q1"}
    cut = [{**one, "n": one["n"] - 1} for one in record["metrics"]]
    for changes, said in (
        ({"questions": fewer}, "an n of 3, and its questions hold 2 values"),
        ({"questions": fewer, "metrics": cut}, "its questions one of"),
        (
            {"questions": {**questions, "q1": [1, 0.333333, 3]}},
            "success_rate has a mean of 0.666667, and its questions",
        ),
        ({"questions": {**questions, "q1": [0, 0.5, 21]}}, "steps has a mean of 10, and its questions"),
        ({"questions": {**fewer, "q7": questions["q1"]}}, "are not those that it was made of"),
        ({"metrics": [{**success, "value": 0.1}, *others]}, "a mean of 0.1"),
        ({"metrics": [{**success, "value": 0.6667}, *others]}, "a mean of 0.6667"),
        ({"metrics": [{**success, "value": None}, *others]}, "values without a mean"),
        ({"metrics": [{**success, "high": 1e308}, *others]}, "above 1e+100"),
        ({"questions": {**questions, "q1": [1e308, 0.5, 20]}}, "success_rate of 'q1'"),
        ({"questions": {**questions, "q1": [[0, 10**30], 0.5, 20]}}, "success_rate of 'q1'"),
        ({"shared": {**record["shared"], "repeats": "2"}}, "unequal repeats"),
    ):
        (tmp_path / "b.json").write_text(edited(baseline, **changes))
        with pytest.raises(DataError) as refused:
            read_baseline(tmp_path / "b.json")
        assert said in str(refused.value), changes


def test_repeats_that_ended_without_a_value_leave_a_baseline_whole(make_side: MakeSide, tmp_path: Path) -> None:
    """Of q0 two repeats have steps and of q1 one: the mean of three values is not that of the two questions."""
    side = make_side(steps=[4, 10])
    metric = side.columns["steps"].metric.model_copy(update={"value": 6.0, "n": 3})
    columns = {"steps": replace(side.columns["steps"], metric=metric)}
    side = replace(side, repeats=2, shared={**side.shared, "repeats": "2"}, columns=columns)
    write_baseline(made(side, Rule(measure="steps")), tmp_path / "b.json")
    assert read_baseline(tmp_path / "b.json").metric("steps").n == 3


def test_a_device_is_not_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (Path("/dev/zero"), Path("/dev/full"), tmp_path / "pipe", tmp_path):
        with pytest.raises(DataError, match="no regular file"):
            read_baseline(file)
    with (tmp_path / "large.json").open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(DataError, match="larger than 64 MiB"):
        read_baseline(tmp_path / "large.json")


def test_what_too_few_questions_can_show_is_said(make_side: MakeSide) -> None:
    def of(n: int) -> Baseline:
        return made(make_side(success_rate=[1] * n, steps=[4] * n), *default_rules(make_side(success_rate=[1])))

    # All of them worse: 2^-(3 + 1) = 0.06 and 2^-(4 + 1) = 0.03.
    assert powerless(of(3)) == ("success_rate",)
    assert powerless(of(4)) == ()
    assert detectable(of(4)) is None
    found = detectable(of(200))
    assert found is not None
    assert 0.06 < found < 0.1
    two = made(make_side(success_rate=[1] * 4, steps=[4] * 4), Rule(measure="success_rate"), Rule(measure="steps"))
    assert powerless(two) == ("success_rate", "steps")
    # A mean is tested by 10,000 flips, which know no p below a half of one in them.
    strict = made(make_side(success_rate=[1] * 30, steps=[4] * 30), Rule(measure="success_rate"), Rule(measure="steps"))
    assert powerless(strict.model_copy(update={"alpha": 9e-5})) == ("steps",)
    assert powerless(strict.model_copy(update={"alpha": 1e-4})) == ()
    safe = made(make_side(success_rate=[1] * 3), Rule(measure="success_rate", tolerance=0.1))
    assert powerless(safe) == ()


def test_what_can_be_shown_is_one_sided_and_shared_among_the_rules(make_side: MakeSide) -> None:
    side = make_side(success_rate=[1] * 200, steps=[4] * 200)
    one = made(side, Rule(measure="success_rate"), Rule(measure="steps", significant=False, max=9))
    two = made(side, Rule(measure="success_rate"), Rule(measure="steps"))
    # At the discordance of two retrievers under one agent, and twice the level, which is one-sided at it.
    assert detectable(one) == mcnemar_difference(200, 0.2, power=0.8, alpha=0.1)
    assert detectable(two) == mcnemar_difference(200, 0.2, power=0.8, alpha=0.05)
    bounded = made(side, Rule(measure="success_rate", significant=False, tolerance=0.1), Rule(measure="steps"))
    assert detectable(bounded) is None
    # At a level of 80 % chance alone finds what power asks for.
    assert detectable(one.model_copy(update={"alpha": 0.4})) is None


def test_a_level_that_all_questions_together_just_reach_is_not_powerless(make_side: MakeSide) -> None:
    three = made(make_side(success_rate=[1] * 3), Rule(measure="success_rate"))
    assert powerless(three.model_copy(update={"alpha": 2**-4})) == ()
    assert powerless(three.model_copy(update={"alpha": 2**-4 - 1e-9})) == ("success_rate",)


def test_a_question_that_a_merge_left_twice_is_refused(baseline: Baseline, tmp_path: Path) -> None:
    line = '    "q1": [0, 0.5, 20],'
    (tmp_path / "b.json").write_text(baseline.text().replace(line, f"{line}\n{line}"))
    with pytest.raises(DataError, match="'q1' is there twice"):
        read_baseline(tmp_path / "b.json")


def test_rules_are_short_to_write_by_hand(baseline: Baseline, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(edited(baseline, rules=[{"measure": "steps", "relative": 0.1}]))
    assert read_baseline(tmp_path / "b.json").rules == (Rule(measure="steps", relative=0.1),)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_twice_is_rounding_once(number: float) -> None:
    assert rounded(rounded(number)) == rounded(number)
