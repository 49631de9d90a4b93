"""Paired differences: the same questions on both sides, and no more certainty than there are questions."""

from __future__ import annotations

import random
from itertools import product

import pytest

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.paired import paired_difference, paired_rows
from lrat_bench.score.rows import Outcome, Row


def row(qid: str, repeat: int = 0, outcome: Outcome = "correct", **values: float | None) -> Row:
    known = {"success_rate": {"correct": 1.0, "incorrect": 0.0}.get(outcome), **values}
    return Row(qid, repeat, outcome, "answered", {one.name: known.get(one.name) for one in MEASURES})


def test_it_is_the_mean_of_the_differences_and_turns_with_its_sides() -> None:
    a = {"q1": 0.9, "q2": 0.5, "q3": 0.4, "q4": 0.7}
    b = {"q1": 0.4, "q2": 0.5, "q3": 0.1, "q4": 0.3}
    found, turned = paired_difference(a, b), paired_difference(b, a)
    assert found.value == pytest.approx(0.3)
    assert (found.n, found.clusters) == (4, 4)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 0.3 < found.high <= 0.5
    assert turned.value == pytest.approx(-0.3)
    assert turned.p == found.p


def test_the_order_of_the_keys_changes_nothing() -> None:
    draw = random.Random(0)
    a, b = ({f"q{at}": draw.random() for at in range(40)} for _ in range(2))
    shuffled = list(a)
    draw.shuffle(shuffled)
    assert paired_difference({key: a[key] for key in shuffled}, b) == paired_difference(a, b)


def test_the_p_value_is_that_of_all_flips() -> None:
    differences = [0.5, 0.3, 0.3, 0.1, -0.2, 0.4, 0.05, 0.0]
    total = sum(differences)
    flips = [sum(s * d for s, d in zip(signs, differences, strict=True)) for signs in product((1, -1), repeat=8)]
    exact = sum(abs(flip) >= abs(total) - 1e-9 for flip in flips) / len(flips)
    found = paired_difference(dict(enumerate(differences)), dict.fromkeys(range(8), 0.0))
    assert found.p == pytest.approx(exact, abs=0.01)


def test_what_was_seen_counts_as_one_of_the_flips() -> None:
    # Of 2^40 flips two are as far from 0: none of nineteen is, and no p-value is 0.
    found = paired_difference(dict.fromkeys(range(40), 1.0), dict.fromkeys(range(40), 0.0), resamples=19)
    assert found.p == 1 / 20


def test_pairing_sees_what_two_intervals_would_hide() -> None:
    hard = {f"q{at}": at / 100 for at in range(100)}
    better = {key: value + 0.02 + (at % 3) / 100 for at, (key, value) in enumerate(hard.items())}
    found = paired_difference(better, hard)
    assert found.low is not None
    assert found.low > 0.02
    assert found.p is not None
    assert found.p < 0.001


def test_repeats_of_a_question_narrow_nothing_by_themselves() -> None:
    one = {(qid, 0): float(qid % 2) for qid in range(20)}
    many = {(qid, repeat): float(qid % 2) for qid in range(20) for repeat in range(10)}
    alone = paired_difference(one, dict.fromkeys(one, 0.25), cluster=lambda key: key[0])
    often = paired_difference(many, dict.fromkeys(many, 0.25), cluster=lambda key: key[0])
    assert (often.n, often.clusters, often.value) == (200, 20, 0.25)
    assert (alone.low, alone.high, alone.p) == (often.low, often.high, often.p)
    by_mapping = paired_difference(many, dict.fromkeys(many, 0.25), cluster={key: key[0] for key in many})
    assert by_mapping == often


def test_where_all_pairs_differ_alike_no_interval_is_pretended() -> None:
    same = paired_difference({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0})
    assert (same.value, same.low, same.high, same.p) == (0.0, None, None, 1.0)
    rounded = paired_difference({"a": 0.1 + 0.2, "b": 0.3}, {"a": 0.0, "b": 0.0})
    assert (rounded.low, rounded.high) == (None, None)
    lone = paired_difference({"a": 1.0}, {"a": 0.0})
    assert (lone.value, lone.low, lone.p) == (1.0, None, None)
    nothing = paired_difference({}, {})
    assert (nothing.value, nothing.low, nothing.n, nothing.p) == (None, None, 0, None)


def test_what_cannot_be_paired_is_refused() -> None:
    with pytest.raises(UsageError, match="2 are in one of them alone, as q2, q3"):
        paired_difference({"q1": 1.0, "q2": 1.0}, {"q1": 1.0, "q3": 1.0})
    with pytest.raises(UsageError, match="q1 has the values nan and 1"):
        paired_difference({"q1": float("nan")}, {"q1": 1.0})


def test_rows_of_several_pairs_of_runs_are_pooled() -> None:
    weak = [row("q1"), row("q2", outcome="incorrect"), row("q3", outcome="incorrect"), row("q4", outcome="errored")]
    strong = [row("q1"), row("q2"), row("q3"), row("q4")]
    found = paired_rows([(strong, weak), (strong, strong)], "success_rate")
    assert found.value == pytest.approx(3 / 8)
    assert (found.n, found.clusters) == (8, 8)


def test_rows_without_a_value_on_one_side_are_left_out_on_both() -> None:
    a = [row("q1", steps=5.0), row("q2", steps=3.0), row("q3", steps=None)]
    b = [row("q1", steps=8.0), row("q2", steps=None), row("q3", steps=9.0)]
    found = paired_rows([(a, b)], "steps")
    assert (found.value, found.n) == (-3.0, 1)


def test_rows_of_other_questions_or_another_measure_are_refused() -> None:
    with pytest.raises(UsageError, match="question 'q2', repeat 1, is in one of them alone"):
        paired_rows([([row("q1"), row("q2", 1)], [row("q1")])], "success_rate")
    with pytest.raises(UnknownName, match="did you mean 'success_rate'"):
        paired_rows([], "success")
