"""`lrat-bench power`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from lrat_bench.cli.options import json_option, print_json, stdout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrat_bench.report.fitting import FittingTable

__all__ = ["power"]

_POINTS = (2.0, 3.0, 5.0, 7.5, 10.0)
_DISCORDANCE = (10.0, 20.0, 30.0, 40.0)
"""What is tabulated where nothing is given."""

_PERCENT = click.FloatRange(0, 100, min_open=True)
_POSITIVE = click.FloatRange(0, min_open=True)


class _Case(NamedTuple):
    """What is given; the one of the first two that is None, or else the power, is asked for."""

    questions: int | None
    difference: float | None
    spread: float


@click.command()
@click.option(
    "--points", type=_PERCENT, multiple=True, metavar="P", help="Difference of two success rates.  [default: 2 to 10]"
)
@click.option(
    "--discordance",
    type=_PERCENT,
    multiple=True,
    metavar="%",
    help="Questions that just one of the two answers right; `compare` prints it.  [default: 10 to 40]",
)
@click.option("--difference", type=_POSITIVE, multiple=True, metavar="X", help="Difference of two means, as of steps.")
@click.option("--sd", type=_POSITIVE, multiple=True, metavar="X", help="Standard deviation of its paired differences.")
@click.option("--questions", type=click.IntRange(1), multiple=True, metavar="N", help="How many are asked.")
@click.option(
    "--power", "often", type=_PERCENT, default=80.0, metavar="%", show_default=True, help="How often it is to be found."
)
@click.option("--alpha", type=_PERCENT, default=5.0, metavar="%", show_default=True, help="Of the two-sided test.")
@json_option
def power(
    points: tuple[float, ...],
    discordance: tuple[float, ...],
    difference: tuple[float, ...],
    sd: tuple[float, ...],
    questions: tuple[int, ...],
    often: float,
    alpha: float,
    json: bool,
) -> None:
    """How many questions it takes to see a difference, or what difference so many can show.

    Of two success rates on the same questions, by McNemar's test (--points, --discordance), or of any mean, by a paired
    test (--difference, --sd). With --questions alone it says which difference is found; with both, how often. Options
    may be repeated, and make rows and columns.
    """
    context = click.get_current_context()
    of_means = bool(difference or sd)
    if of_means and (points or discordance):
        raise click.UsageError("rates take --points and --discordance, means --difference and --sd: not both", context)
    if of_means and not (sd and (difference or questions)):
        raise click.UsageError("a mean takes --sd, and --difference or --questions", context)
    if not alpha < often < 100:
        raise click.UsageError(f"--power {often:g} must lie above --alpha {alpha:g} and below 100", context)
    scale = 1.0 if of_means else 100.0
    sizes = [one / scale for one in (difference if of_means else points or (() if questions else _POINTS))]
    spreads = [one / scale for one in (sd if of_means else discordance or _DISCORDANCE)]
    rows = [[_Case(n, size, spread) for spread in spreads] for n in questions or (None,) for size in sizes or (None,)]
    impossible = [not of_means and _is_impossible(case) for row in rows for case in row]
    if all(impossible):
        raise click.UsageError(
            f"--points {100 * min(sizes):g} cannot be above --discordance {100 * max(spreads):g}: two rates differ by "
            "no more than the share of questions that just one answers right",
            context,
        )
    answers = [[_answer(case, often / 100, alpha / 100, of_means=of_means) for case in row] for row in rows]
    if json:
        described = [
            _described(case, answer, often / 100, of_means=of_means)
            for cases, found in zip(rows, answers, strict=True)
            for case, answer in zip(cases, found, strict=True)
        ]
        print_json({"test": "mean" if of_means else "mcnemar", "alpha": alpha / 100, "cases": described})
        return
    console = stdout()
    console.print(_table(rows, answers, of_means=of_means))
    console.print(_legend(rows[0][0], often, alpha, of_means=of_means), style="dim")
    # In a table with others, what cannot be has a dash.
    if any(impossible):
        console.print("–: two rates differ by no more than the share of questions that are discordant.", style="dim")
    if rows[0][0].difference is None and any(one is None for found in answers for one in found):
        console.print("–: not even the largest difference is found so often; ask more questions.", style="dim")


def _is_impossible(rates: _Case) -> bool:
    """Whether two success rates would differ on more questions than part them."""
    return rates.difference is not None and rates.difference > rates.spread


def _answer(case: _Case, often: float, alpha: float, *, of_means: bool) -> float | None:
    """Questions, a difference, or a power; None where there is none that does."""
    from lrat_bench.score import power as maths

    n, size, spread = case
    if size is None:
        assert n is not None
        if of_means:
            return maths.mean_difference(n, spread, power=often, alpha=alpha)
        return maths.mcnemar_difference(n, spread, power=often, alpha=alpha)
    if not of_means and _is_impossible(case):
        return None
    if n is None:
        needed = maths.mean_questions if of_means else maths.mcnemar_questions
        return needed(size, spread, power=often, alpha=alpha)
    return (maths.mean_power if of_means else maths.mcnemar_power)(n, size, spread, alpha=alpha)


def _described(case: _Case, answer: float | None, often: float, *, of_means: bool) -> dict[str, float | None]:
    """For machines; differences of rates, discordance and power are shares."""
    n, size, spread = case
    asked = "power" if n is not None and size is not None else "difference" if size is None else "questions"
    given = {"questions": n, "difference": size, "sd" if of_means else "discordance": spread, "power": often}
    return {**given, asked: answer}


def _table(
    rows: Sequence[Sequence[_Case]], answers: Sequence[Sequence[float | None]], *, of_means: bool
) -> FittingTable:
    from lrat_bench.report import numbers
    from lrat_bench.report.fitting import FittingTable

    n, size, _ = rows[0][0]
    scale, unit = (1.0, "") if of_means else (100.0, " points")
    asked = "questions needed" if n is None else "found"
    if size is None:
        asked = f"difference found{',' if unit else ''}{unit}"
    table = FittingTable()
    table.name(asked)
    for _, _, spread in rows[0]:
        heading = f"sd {spread:g}" if of_means else f"{100 * spread:g}% discordant"
        table.number(heading)
    for cases, found in zip(rows, answers, strict=True):
        n, size, _ = cases[0]
        label = [] if n is None else [f"{numbers.count(n)} question{'' if n == 1 else 's'}"]
        label += [] if size is None else [f"{scale * size:g}{unit}"]
        if n is None:
            cells = [numbers.count(None if one is None else int(one)) for one in found]
        elif size is None:
            cells = [numbers.mean(None if one is None else scale * one) for one in found]
        else:
            cells = [numbers.rate(one) for one in found]
        table.row(", ".join(label), *cells)
    return table


def _legend(case: _Case, often: float, alpha: float, *, of_means: bool) -> str:
    asked_how_often = case.questions is not None and case.difference is not None
    found = "" if asked_how_often else f" in {often:g} % of cases,"
    spread = (
        "sd is that of the paired differences over questions."
        if of_means
        else "discordant are questions that just one of the two answers right."
    )
    return f"Found{found} by a two-sided test at {alpha:g} %; {spread}"
