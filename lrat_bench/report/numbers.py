"""How numbers are shown: one place, so that equal things look equal everywhere.

- Unknown is "–", never 0.
- A rate is a percentage with one decimal, as the field's tables have it; below 100 questions, where one of them is
  more than a point, with none: `47.3%`, `47%`.
- A mean is rounded to the second significant digit of its interval's half-width: digits beyond are noise. Without an
  interval it has three significant digits.
- An interval stands in brackets, with the decimals of its number: `47.3% [41.7, 52.9]`.
- A difference has its sign. One of two rates is in points, since it is no share of anything: `+3.1 points [0.2, 6.0]`.
- What is not settled yet is shown by both ends of where it may lie, and never by one: `12.0%–18.0%`.
- Counts have thousands separators. Durations have two units at most, sizes are decimal (1 kB = 1000 B).
"""

from __future__ import annotations

from math import floor, isfinite, log10

from lrat_bench.score.score import Metric

__all__ = [
    "NULL",
    "between",
    "count",
    "difference",
    "duration",
    "interval",
    "mean",
    "metric",
    "p_value",
    "rate",
    "signed",
    "size",
    "usd",
    "value",
]

NULL = "–"
"""Stands for what is unknown or not supported."""

_UNKNOWN_SPREAD = 3  # significant digits of a mean without an interval
_SMALL_P = 0.001
_PRECISE_RATE = 100  # questions from which a rate has a decimal


def rate(share: float | None, n: int | None = None) -> str:
    """A share between 0 and 1 as a percentage: `47.3%`; `47%` where n is known and below 100."""
    return NULL if share is None else f"{100 * share:.{_rate_decimals(n)}f}%"


def between(low: float | None, high: float | None, n: int | None = None) -> str:
    """Where a share lies that is not settled yet: `12.0%–18.0%`."""
    return f"{rate(low, n)}–{rate(high, n)}"


def mean(number: float | None, low: float | None = None, high: float | None = None) -> str:
    """A mean, with as many digits as its interval supports: `38.0`, `1,234`, `0.0123`."""
    return NULL if number is None else _fixed(number, _mean_decimals(number, low, high))


def value(shown: Metric) -> str:
    """The value of a metric by the rule of its unit, without its interval."""
    if shown.unit == "share":
        return rate(shown.value, shown.n)
    return mean(shown.value, shown.low, shown.high)


def interval(shown: Metric) -> str:
    """The 95 % interval of a metric: `[41.7, 52.9]`, percentages for a share."""
    if shown.value is None or shown.low is None or shown.high is None:
        return NULL
    if shown.unit == "share":
        decimals, scale = _rate_decimals(shown.n), 100
    else:
        decimals, scale = _mean_decimals(shown.value, shown.low, shown.high), 1
    return f"[{_fixed(scale * shown.low, decimals)}, {_fixed(scale * shown.high, decimals)}]"


def metric(shown: Metric) -> str:
    """A metric in one line: `47.3% [41.7, 52.9], n = 300`; `–` where it is not supported."""
    if shown.value is None:
        return NULL
    ends = interval(shown)
    return f"{value(shown)}{'' if ends == NULL else f' {ends}'}, n = {count(shown.n)}"


def difference(like: Metric, value: float | None, low: float | None, high: float | None, n: int) -> Metric:
    """A difference of two values of a metric, to be shown by the rule of its unit."""
    return like.model_copy(update={"value": value, "low": low, "high": high, "n": n})


def signed(shown: Metric) -> str:
    """The value of a difference, with its sign: `+3.1 points`, `-0.52`; what is shown as 0 has none."""
    if shown.value is None:
        return NULL
    in_points = shown.unit == "share"
    text = _fixed(100 * shown.value, _rate_decimals(shown.n)) if in_points else value(shown)
    if not text.startswith("-") and any(digit in text for digit in "123456789"):
        text = f"+{text}"
    return f"{text} points" if in_points else text


def p_value(p: float | None) -> str:
    """The p-value of a test: `0.012`; below a thousandth it says so, since its resampling supports no more."""
    if p is None:
        return NULL
    return f"< {_SMALL_P:g}" if p < _SMALL_P else f"{p:.3f}"


def count(number: int | None) -> str:
    """How many: `11,200,000`."""
    return NULL if number is None else f"{number:,}"


def duration(seconds: float | None) -> str:
    """A time span: `350 ms`, `4.2 s`, `42 s`, `2 m 05 s`, `1 h 02 m`, `3 d 04 h`."""
    if seconds is None:
        return NULL
    if round(seconds, 3) < 1:
        return f"{1000 * seconds:.0f} ms"
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} m"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def size(octets: int | None) -> str:
    """Bytes: `512 B`, `4.20 kB`, `131 MB`, with three significant digits."""
    if octets is None:
        return NULL
    if octets < 1000:
        return f"{octets} B"
    amount, units = octets / 1000, ["kB", "MB", "GB", "TB", "PB"]
    # 999.5 and above would round to four digits.
    while amount >= 999.5 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{_fixed(amount, 2 if amount < 9.995 else 1 if amount < 99.95 else 0)} {units[0]}"


def usd(dollars: float | None) -> str:
    """Money: `$1,234.50`; below a dollar with two significant digits, `$0.0012`."""
    if dollars is None:
        return NULL
    decimals = 2 if dollars >= 1 or dollars <= 0 else max(2, 1 - floor(log10(dollars)))
    return f"${dollars:,.{decimals}f}"


def _rate_decimals(n: int | None) -> int:
    return 1 if n is None or n >= _PRECISE_RATE else 0


def _mean_decimals(number: float, low: float | None, high: float | None) -> int:
    half = 0.0 if low is None or high is None else (high - low) / 2
    if half > 0 and isfinite(half):
        return max(0, 1 - floor(log10(half)))
    return 0 if number == 0 else max(0, _UNKNOWN_SPREAD - 1 - floor(log10(abs(number))))


def _fixed(number: float, decimals: int) -> str:
    # "-0.0" is zero to a reader.
    return f"{round(number, decimals) + 0.0:,.{decimals}f}"
