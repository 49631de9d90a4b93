"""How far two judges agree, against values worked out by hand."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lrat_bench.report.agreement import agreement_table
from lrat_bench.score.agreement import Agreement, Key, agreement
from lrat_bench.score.intervals import wilson
from lrat_bench.score.verdict import Grade

GRADES: list[Grade] = ["correct", "incorrect"]


def held(*grades: Grade | None, repeats: int = 1) -> dict[Key, Grade]:
    keys = [(f"q{at // repeats}", at % repeats, f"h{at}") for at in range(len(grades))]
    return {key: grade for key, grade in zip(keys, grades, strict=True) if grade is not None}


def compared(one: dict[Key, Grade], other: dict[Key, Grade]) -> Agreement:
    return agreement(("one", one), ("other", other))


def counted(a: int, b: int, c: int, d: int, *, repeats: int = 1) -> Agreement:
    """From how often (yes, yes), (yes, no), (no, yes), (no, no) was said."""
    yes, no = GRADES
    one = [yes] * (a + b) + [no] * (c + d)
    other = [yes] * a + [no] * b + [yes] * c + [no] * d
    return compared(held(*one, repeats=repeats), held(*other, repeats=repeats))


def test_kappa_is_that_of_the_textbook() -> None:
    # p_o = 35/50; p_e = 25/50 · 30/50 + 25/50 · 20/50 = 0.5; κ = (0.7 − 0.5) / 0.5.
    found = counted(20, 5, 10, 15)
    assert (found.n, found.agree.value, found.agree.n) == (50, 0.7, 50)
    assert found.kappa.value == pytest.approx(0.4)
    assert (found.agree.low, found.agree.high) == wilson(35, 50)
    counts = (found.both_correct, found.only_first_correct, found.only_second_correct, found.both_incorrect)
    assert counts == (20, 5, 10, 15)
    # The large-sample standard error is 0.127, so that the interval is about 0.4 ± 0.25.
    assert found.kappa.low == pytest.approx(0.15, abs=0.05)
    assert found.kappa.high == pytest.approx(0.65, abs=0.05)


def test_judges_that_agree_as_often_as_chance_have_a_kappa_of_zero() -> None:
    assert counted(9, 3, 3, 1).kappa.value == 0


def test_judges_that_never_agree_have_a_kappa_below_zero() -> None:
    found = counted(0, 5, 5, 0)
    assert (found.agree.value, found.kappa.value) == (0, -1)


def test_perfect_agreement_has_a_kappa_of_one_and_no_interval_without_width() -> None:
    found = counted(6, 0, 0, 4)
    assert (found.agree.value, found.kappa.value, found.kappa.low, found.kappa.high) == (1, 1, None, None)
    assert (found.agree.low, found.agree.high) == wilson(10, 10)


@pytest.mark.parametrize("counts", [(7, 0, 0, 0), (0, 0, 0, 7)])
def test_kappa_is_undefined_where_both_say_one_thing_throughout(counts: tuple[int, int, int, int]) -> None:
    found = counted(*counts)
    assert (found.agree.value, found.kappa.value, found.kappa.low) == (1, None, None)


def test_kappa_is_zero_where_only_one_judge_says_one_thing_throughout() -> None:
    assert counted(6, 4, 0, 0).kappa.value == 0


def test_only_what_both_have_graded_is_compared() -> None:
    one = held("correct", "incorrect", "ungraded", None, "correct", "correct")
    other = held("correct", "correct", "correct", "correct", "ungraded", None)
    found = compared(one, other)
    assert (found.n, found.only_first_graded, found.only_second_graded) == (2, 2, 2)
    assert found.differing == (("q1", 0),)


def test_another_trajectory_of_the_same_question_is_another_answer() -> None:
    assert compared({("q", 0, "a"): "correct"}, {("q", 0, "b"): "correct"}).n == 0


def test_judges_without_a_common_answer_are_not_compared() -> None:
    found = compared({}, held("correct"))
    assert (found.n, found.agree.value, found.agree.low, found.kappa.value) == (0, None, None, None)
    assert found.only_second_graded == 1


def test_repeats_of_a_question_are_not_taken_for_questions() -> None:
    alone, repeated = counted(40, 20, 20, 40), counted(40, 20, 20, 40, repeats=20)
    assert repeated.agree.value == alone.agree.value
    assert repeated.kappa.value == alone.kappa.value
    for wide, narrow in ((repeated.agree, alone.agree), (repeated.kappa, alone.kappa)):
        assert (wide.high or 0) - (wide.low or 0) > (narrow.high or 0) - (narrow.low or 0)
    assert (counted(40, 0, 0, 0, repeats=4).agree.low, counted(40, 0, 0, 0, repeats=4).agree.n) == (
        wilson(10, 10).low,
        40,
    )


def test_the_same_verdicts_give_the_same_intervals() -> None:
    assert counted(20, 5, 10, 15) == counted(20, 5, 10, 15)


@given(st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES)), min_size=1, max_size=40))
def test_who_is_named_first_does_not_matter(pairs: list[tuple[Grade, Grade]]) -> None:
    one, other = held(*(a for a, _ in pairs)), held(*(b for _, b in pairs))
    there, back = compared(one, other), compared(other, one)
    assert there.agree == back.agree
    assert there.kappa.value == back.kappa.value
    assert there.only_first_correct == back.only_second_correct
    if there.kappa.value is not None:
        observed = sum(a == b for a, b in pairs) / len(pairs)
        yes = [sum(grade == "correct" for grade in side) / len(pairs) for side in zip(*pairs, strict=True)]
        expected = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
        assert there.kappa.value == pytest.approx((observed - expected) / (1 - expected), abs=1e-9)


def test_the_table_shows_counts_and_intervals_and_what_is_unknown() -> None:
    shown = io.StringIO()
    found = [counted(20, 5, 10, 15), counted(7, 0, 0, 0)]
    Console(file=shown, width=120).print(agreement_table(found))
    text = shown.getvalue()
    assert "70%" in text
    assert "[56, 81]" in text
    assert "0.40" in text
    assert "–" in text.splitlines()[-2]


def test_an_agreement_is_plain_json() -> None:
    document = counted(20, 5, 10, 15).model_dump(mode="json")
    assert document["judges"] == ["one", "other"]
    assert Agreement.model_validate(document) == counted(20, 5, 10, 15)
