"""Numbers are shown with the digits that they support, and no more."""

from __future__ import annotations

import pytest

from lrat_bench.report.numbers import NULL, count, duration, interval, mean, metric, rate, size, usd, value
from lrat_bench.score.score import Metric


def shown(number: float | None, low: float | None, high: float | None, n: int, unit: str = "share") -> Metric:
    return Metric(
        name="m", value=number, n=n, low=low, high=high, unit=unit, direction="higher", definition="A number."
    )


@pytest.mark.parametrize("show", [rate, mean, count, duration, size, usd])
def test_unknown_is_a_dash(show: object) -> None:
    assert callable(show)
    assert show(None) == NULL


@pytest.mark.parametrize(
    ("share", "n", "text"),
    [(0.4734, 300, "47.3%"), (0.4734, None, "47.3%"), (0.4734, 99, "47%"), (1.0, 300, "100.0%"), (0.0, 20, "0%")],
)
def test_rates_are_percentages_with_a_decimal_from_100_questions_on(share: float, n: int | None, text: str) -> None:
    assert rate(share, n) == text


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((37.6, 39.9, 38.75), "38.8"),
        ((38.012, 38.258, 38.1366), "38.14"),
        ((10.0, 66.0, 38.0), "38"),
        ((1000.0, 1468.0, 1234.0), "1,234"),
        ((0.0111, 0.0135, 0.0123), "0.0123"),
        ((None, None, 38.0), "38.0"),
        ((None, None, 1234.5), "1,234"),
        ((None, None, 0.0), "0"),
        ((5.0, 5.0, 5.0), "5.00"),
    ],
)
def test_means_are_rounded_to_what_their_interval_supports(
    ends: tuple[float | None, float | None, float], text: str
) -> None:
    low, high, number = ends
    assert mean(number, low, high) == text


def test_a_metric_is_one_line() -> None:
    assert metric(shown(0.4734, 0.4174, 0.5298, 300)) == "47.3% [41.7, 53.0], n = 300"
    assert metric(shown(0.5, 0.2, 0.8, 10)) == "50% [20, 80], n = 10"
    assert metric(shown(38.04, 36.9, 39.2, 12_000, "steps")) == "38.0 [36.9, 39.2], n = 12,000"
    assert metric(shown(38.0, None, None, 1, "steps")) == "38.0, n = 1"
    assert metric(shown(None, None, None, 0)) == NULL


def test_a_number_and_its_interval_have_the_same_decimals() -> None:
    steps = shown(4.0, 2.51, 5.49, 9, "steps")
    assert (value(steps), interval(steps)) == ("4.0", "[2.5, 5.5]")


def test_there_is_no_negative_zero() -> None:
    assert interval(shown(0.5, -0.001, 1.0, 9, "steps")) == "[0.00, 1.00]"


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (11_200_000, "11,200,000")])
def test_counts_have_separators(number: int, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.35, "350 ms"),
        (0.9996, "1.0 s"),
        (4.2, "4.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 m 00 s"),
        (125, "2 m 05 s"),
        (3599.7, "1 h 00 m"),
        (3720, "1 h 02 m"),
        (86_390, "1 d 00 h"),
        (273_600, "3 d 04 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (4200, "4.20 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (1_312_000_000, "1.31 GB"),
        (45_900_000_000, "45.9 GB"),
    ],
)
def test_sizes_have_three_digits(octets: int, text: str) -> None:
    assert size(octets) == text


@pytest.mark.parametrize(
    ("dollars", "text"), [(0.0, "$0.00"), (0.0012, "$0.0012"), (0.5, "$0.50"), (1234.5, "$1,234.50")]
)
def test_money_has_cents_or_two_digits(dollars: float, text: str) -> None:
    assert usd(dollars) == text
