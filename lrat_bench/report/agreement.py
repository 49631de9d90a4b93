"""How far judges agree, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.text import printable
from lrat_bench.score.agreement import Agreement
from lrat_bench.score.score import Metric

__all__ = ["agreement_table"]


def agreement_table(found: Sequence[Agreement]) -> RenderableType:
    """One row per pair of judges: n, agreement and Cohen's κ with 95 % intervals, and how often which grades met.

    Args:
        found: the pairs, in the order of the rows.
    """
    table = FittingTable()
    table.name("judges A and B")
    for heading in ("n", "agree", "Cohen's κ", "both correct", "A only", "B only", "both incorrect", "graded by one"):
        table.number(heading)
    for one in found:
        counts = (one.both_correct, one.only_first_correct, one.only_second_correct, one.both_incorrect)
        table.row(
            Text("\n".join(map(printable, one.judges))),
            numbers.count(one.n),
            _with_interval(one.agree),
            _with_interval(one.kappa),
            *map(numbers.count, counts),
            numbers.count(one.only_first_graded + one.only_second_graded),
        )
    return table


def _with_interval(metric: Metric) -> Text:
    ends = numbers.interval(metric)
    return Text(numbers.value(metric) if ends == numbers.NULL else f"{numbers.value(metric)}\n{ends}")
