"""How far judges agree, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from lrat_bench.report import numbers
from lrat_bench.report.text import printable
from lrat_bench.score.agreement import Agreement
from lrat_bench.score.score import Metric

__all__ = ["agreement_table"]


def agreement_table(found: Sequence[Agreement]) -> Table:
    """One row per pair of judges: n, agreement and Cohen's κ with 95 % intervals, and how often which grades met.

    Args:
        found: the pairs, in the order of the rows.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("\njudges A and B", overflow="fold")
    # Two lines each, so that a terminal of 100 columns holds them.
    headings = "\nn|\nagree|\nCohen's κ|both\ncorrect|A\nonly|B\nonly|both\nincorrect|graded\nby one"
    for heading in headings.split("|"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found:
        counts = (one.both_correct, one.only_first_correct, one.only_second_correct, one.both_incorrect)
        table.add_row(
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
