"""A comparison on one screen: the sides, their differences, what the data cannot tell apart, and what they could."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from lrat_bench.compare.contrast import ALPHA
from lrat_bench.compare.record import ComparedSide, Comparison, PairedDifference
from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.text import printable
from lrat_bench.score.metric import Metric

__all__ = ["comparison_view"]

_SUCCESS = "success_rate"
_EFFECTS = {"cohen_g": "g", "cohen_dz": "d"}


def comparison_view(comparison: Comparison, *, flips: bool = False) -> RenderableType:
    """What `compare` prints.

    Args:
        comparison: to be shown.
        flips: name every question that flipped, not only how many there are.
    """
    parts: list[RenderableType] = [_sides(comparison), Text(), _values(comparison)]
    if comparison.all_pairs and len(comparison.sides) > 2:
        parts += [Text(), _pairs(comparison)]
    parts.append(Text())
    parts += _flipped(comparison, every=flips)
    if reach := _reach(comparison):
        parts.append(Text(reach, style="dim"))
    parts += [Text(note, style="dim") for note in _notes(comparison)]
    parts += [Text(warning, style="yellow") for warning in _warnings(comparison)]
    return Group(*parts)


def _sides(comparison: Comparison) -> FittingTable:
    table = FittingTable()
    table.name(style="bold")
    table.name()
    table.number("", left=True, style="dim")
    for at, side in enumerate(comparison.sides):
        role = "baseline" if at == 0 else ""
        repeats = f"{side.repeats} repeats" if side.repeats > 1 else ""
        table.row(side.name, side.path, "  ".join(part for part in (role, repeats) if part))
    return table


def _values(comparison: Comparison) -> FittingTable:
    """A row for each measure and side: its own value, and its difference from the baseline."""
    several = len(comparison.sides) > 2
    table = _table("measure")
    table.number("value")
    if several:
        table.number("ties", left=True)
    _difference_columns(table, comparison)
    letters = {(ties.measure, side.name): side.letters for ties in comparison.ties for side in ties.sides}
    baseline = comparison.sides[0].name
    from_baseline = {(one.measure, one.other): one for one in comparison.differences if one.baseline == baseline}
    for measure in comparison.measures:
        table.row(_heading(measure))
        for side in comparison.sides:
            metric = side.metric(measure)
            one = from_baseline.get((measure, side.name))
            cells: list[str | Text] = [side.name, _value(metric, side, comparison)]
            if several:
                cells.append(_letters(letters.get((measure, side.name), ())))
            table.row(*cells, *([] if one is None else _difference(one, metric)), indent=2)
    return table


def _pairs(comparison: Comparison) -> FittingTable:
    """A row for each measure and pair."""
    table = _table("measure")
    _difference_columns(table, comparison)
    last = ""
    for one in comparison.differences:
        if one.measure != last:
            table.row(_heading(one.measure))
        pair = f"{one.other} − {one.baseline}"
        table.row(pair, *_difference(one, comparison.side(one.other).metric(one.measure)), indent=2)
        last = one.measure
    return table


def _table(heading: str) -> FittingTable:
    table = FittingTable()
    table.name(heading)
    return table


def _difference_columns(table: FittingTable, comparison: Comparison) -> None:
    table.number("difference")
    table.number("95 % interval", below=True)
    table.number("p, Holm" if _family(comparison) > 1 else "p")
    table.number("effect", below=True)
    table.number("+/=/−")
    table.number("n", below=True)


def _family(comparison: Comparison) -> int:
    """How many pairs are compared by each measure."""
    return len({(one.baseline, one.other) for one in comparison.differences})


def _heading(measure: str) -> Text:
    return Text(_label(measure), style="bold" if measure == _SUCCESS else "")


def _difference(one: PairedDifference, like: Metric) -> list[str | Text]:
    shown = numbers.difference(like, one.value, one.low, one.high, one.questions)
    style = "" if one.p_holm is None or one.p_holm > ALPHA else "bold"
    if one.better is not None:
        style = "bold green" if one.better else "bold red"
    return [
        Text(numbers.signed(shown), style=style),
        numbers.interval(shown),
        numbers.p_value(one.p_holm),
        numbers.NULL if one.effect is None else f"{_EFFECTS[one.effect_name]} {one.effect:+.2f}",
        f"{numbers.count(one.higher)}/{numbers.count(one.equal)}/{numbers.count(one.lower)}",
        numbers.count(one.n),
    ]


def _value(metric: Metric, side: ComparedSide, comparison: Comparison) -> str:
    if comparison.kind == "retrieval":
        # Digits are those that the questions support, of which a replay has fewer than queries.
        questions = max(one.questions for one in comparison.differences if one.measure == metric.name)
        metric = metric.model_copy(update={"n": min(metric.n, questions)})
    if metric.name == _SUCCESS and side.success_bound is not None:
        return numbers.between(metric.value, side.success_bound, metric.n)
    return numbers.value(metric)


def _flipped(comparison: Comparison, *, every: bool) -> list[Text]:
    right = "right more often" if any(side.repeats > 1 for side in comparison.sides) else "right"
    lines: list[Text] = []
    for one in comparison.flips:
        other, baseline = printable(one.other), printable(one.baseline)
        many = tuple(numbers.count(len(ids)) for ids in (one.only_other, one.only_baseline))
        lines.append(Text(f"Questions {right} with {other} alone: {many[0]}; with {baseline} alone: {many[1]}"))
        if every:
            for name, ids in ((other, one.only_other), (baseline, one.only_baseline)):
                if ids:
                    lines.append(Text(f"  {name} alone: {' '.join(map(printable, ids))}"))
    if not every and any(one.only_other or one.only_baseline for one in comparison.flips):
        lines[-1].append(" (--flips names them)")
    return lines


def _reach(comparison: Comparison) -> str:
    """What so many questions can show, by the measure that matters most, on the pair that is the least clear."""
    for measure in (_SUCCESS, *comparison.measures):
        of = [
            one
            for one in comparison.differences
            if one.measure == measure and one.higher + one.lower and (one.test == "mcnemar" or one.detectable)
        ]
        if not of:
            continue
        one = max(of, key=lambda one: 1.0 if one.p is None else one.p)
        metric = comparison.side(one.other).metric(measure)
        found = numbers.signed(numbers.difference(metric, one.detectable, None, None, one.questions)).removeprefix("+")
        what, often = f"a difference of {found}", "80 % of cases"
        if one.detectable is None:
            what, often = "even the largest difference", "less than 80 % of cases"
        parted = ""
        if one.test == "mcnemar":
            parted = f" with {numbers.rate((one.higher + one.lower) / one.n, one.n)} discordant"
        family = _family(comparison)
        holm = f", with Holm's correction over {family} comparisons" if family > 1 else ""
        n = numbers.count(one.questions)
        pair = f"{printable(one.other)} − {printable(one.baseline)}: at" if len(comparison.sides) > 2 else "At"
        return f"{pair} n = {n}{parted}, {what} in {_label(measure)} is found in {often}{holm}."
    return ""


def _notes(comparison: Comparison) -> list[str]:
    notes = []
    own = {(side.name, metric.name): metric.n / side.repeats for side in comparison.sides for metric in side.metrics}
    if any(one.n < own[name, one.measure] for one in comparison.differences for name in (one.baseline, one.other)):
        notes.append("A value is over all that a side has one for, a difference over the n that both have.")
    if len(comparison.sides) > 2 and comparison.ties:
        notes.append(
            "Two sides that share a letter do not differ significantly (5 %, Holm over all pairs); that is no proof "
            "that they are equal."
        )
    if len({side.repeats for side in comparison.sides}) > 1:
        notes.append(
            "The sides were asked a question unequally often; its repeats are averaged. Where that is so, p can be too "
            "small."
        )
    return notes


def _warnings(comparison: Comparison) -> list[str]:
    found = []
    for one in comparison.across:
        by_value: dict[str | None, list[str]] = {}
        for side, value in zip(comparison.sides, one.values, strict=True):
            by_value.setdefault(value, []).append(printable(side.name))
        values = (f"{_short(value)} of {', '.join(names)}" for value, names in by_value.items())
        found.append(f"Compared although they differ in {printable(one.key)}: {'; '.join(values)}")
    for side in comparison.sides:
        if side.unresolved:
            bound = ""
            if side.success_bound is not None and any(metric.name == _SUCCESS for metric in side.metrics):
                metric = side.metric(_SUCCESS)
                low, high = (numbers.rate(share, metric.n) for share in (metric.value, side.success_bound))
                bound = f": success is between {low} and {high}"
            found.append(
                f"{printable(side.name)} has {numbers.count(side.unresolved)} unresolved{bound}. Unresolved counts as "
                "not correct here, so nothing is final: give the same `lrat-bench run` again to complete it."
            )
    return found


def _letters(letters: Sequence[str]) -> str:
    return (" " if any(len(letter) > 1 for letter in letters) else "").join(letters)


def _label(measure: str) -> str:
    return printable(measure.replace("_usd", ", USD").replace("_", " "))


def _short(value: str | None) -> str:
    return numbers.NULL if value is None else printable(value if len(value) <= 40 else f"{value[:12]}…")
