"""Calibration: every bin counts, any number of answers has a number, and few are called few."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrat_bench.score.calibration import Stated, bin_size, calibration

answers = st.lists(
    st.builds(Stated, st.sampled_from("abcdefgh"), st.sampled_from([0.0, 0.3, 0.9, 1.0]), st.booleans()), max_size=60
)


def stated(confidence: float, correct: int, n: int, *, at: int = 0) -> list[Stated]:
    """n answers of one confidence, so many of them correct, each to a question of its own."""
    return [Stated(f"q{at + number}", confidence, number < correct) for number in range(n)]


def test_the_error_of_one_confidence_is_its_distance_from_the_share_correct() -> None:
    for n in (1, 7, 99, 100, 199, 830):
        assert calibration(stated(0.9, 0, n)).value == pytest.approx(0.9)
    assert calibration(stated(0.75, 75, 100)).value == pytest.approx(0)


def test_the_most_confident_bin_counts() -> None:
    right_below = stated(0.5, 250, 500) + stated(1.0, 0, 100, at=500)
    assert calibration(right_below).value == pytest.approx((100 / 600) ** 0.5)


def test_bins_hold_a_hundred_answers_a_fifth_of_fewer_and_at_least_ten() -> None:
    assert [bin_size(n) for n in (1, 20, 50, 300, 499, 500, 830, 10_000)] == [10, 10, 10, 60, 99, 100, 100, 100]


def test_the_last_bin_takes_the_remainder() -> None:
    # Bins of 10, 10, 10 and 14.
    found = calibration(stated(0.1, 0, 10) + stated(0.2, 0, 20, at=10) + stated(0.8, 0, 14, at=30))
    assert found.value == pytest.approx(((10 * 0.1**2 + 20 * 0.2**2 + 14 * 0.8**2) / 44) ** 0.5)


def test_answers_of_equal_confidence_share_their_correctness_across_bins() -> None:
    # Without that, a bin of right and a bin of wrong answers would each be off by a half.
    assert calibration(stated(0.5, 10, 20)).value == pytest.approx(0)


@settings(deadline=None)
@given(answers)
def test_the_order_of_answers_does_not_matter(found: list[Stated]) -> None:
    shuffled = list(found)
    random.Random(1).shuffle(shuffled)
    one, other = (calibration(order, resamples=100) for order in (found, shuffled))
    for end in ("value", "low", "high"):
        assert getattr(one, end) == (None if getattr(other, end) is None else pytest.approx(getattr(other, end)))
    assert one.n == other.n == len(found)


@settings(deadline=None)
@given(answers)
def test_it_is_a_share_within_its_interval_or_none(found: list[Stated]) -> None:
    got = calibration(found, resamples=100)
    if not found:
        assert (got.value, got.low, got.high) == (None, None, None)
        return
    assert got.value is not None
    assert 0 <= got.value <= 1
    assert (got.low is None) == (got.high is None)
    if got.low is not None and got.high is not None:
        assert 0 <= got.low <= got.value <= got.high <= 1


def test_one_question_says_nothing_of_another_however_often_it_was_asked() -> None:
    got = calibration([Stated("q", 0.9, at % 2 == 0) for at in range(40)])
    assert got.value == pytest.approx(0.4)
    assert (got.n, got.low, got.high) == (40, None, None)


def test_repeats_of_a_question_narrow_nothing_by_themselves() -> None:
    once = [Stated(f"q{at}", 0.9, at % 2 == 0) for at in range(40)]
    alone, often = calibration(once), calibration(once * 20)
    assert alone.value == pytest.approx(often.value)
    assert None not in (alone.low, alone.high, often.low, often.high)
    widths = [(got.high or 0) - (got.low or 0) for got in (alone, often)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_few_answers_are_called_few_with_what_chance_gives() -> None:
    assert calibration(stated(0.5, 25, 50)).definition.endswith(
        "bins hold 10 answers, all bins count; "
        "50 answers are few, and chance alone gives a calibrated agent about 16 %."
    )
    assert "few" not in calibration(stated(0.5, 50, 100)).definition
    assert "few" not in calibration([]).definition


@pytest.mark.parametrize("off", [0.0, 0.3])
def test_the_interval_covers_the_error_that_the_agent_has(off: float) -> None:
    draw = np.random.default_rng(7)
    levels = np.array([0.6, 0.7, 0.8, 0.9, 1.0])
    covered = 0
    for _ in range(60):
        at = draw.choice(levels, 120)
        found = [Stated(f"q{n}", c, bool(draw.random() < c - off)) for n, c in enumerate(at.tolist())]
        got = calibration(found, resamples=500)
        assert got.low is not None
        assert got.high is not None
        covered += got.low <= off <= got.high
    assert covered >= 51
