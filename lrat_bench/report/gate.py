"""A gate on one screen, and as Markdown for pull requests: what fell, by how much, how certain, on which questions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from lrat_bench.gate.baseline import Baseline
from lrat_bench.gate.bless import Blessed
from lrat_bench.gate.reach import DISCORDANCE, POWER, detectable, powerless, reaches
from lrat_bench.gate.result import GateResult, Party, Reason, RuleResult
from lrat_bench.gate.rules import Rule
from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.text import printable
from lrat_bench.score.metric import Metric

__all__ = ["blessed_json", "blessed_view", "gate_advice", "gate_markdown", "gate_view", "headline"]

_STYLES = {"ok": "green", "better": "green", "failed": "bold red", "missing": "bold red"}
_INTERVAL = "95 % interval"
_P = "p, Holm"
_HEADINGS = ("baseline", "now", "difference", _INTERVAL, _P, "n")


def headline(result: GateResult) -> str:
    """What became of it, in a few words: `2 of 4 rules fail: success_rate, steps`."""
    if result.outcome == "unresolved":
        return "nothing can be said before the run is complete"
    many = len(result.rules)
    if failed := result.failed:
        of = f"{len(failed)} of {many} rules" if many > 1 else "the rule"
        return f"{of} {'fails' if len(failed) == 1 else 'fail'}: {_names(failed)}"
    better = [one for one in result.rules if one.verdict == "better"]
    return (f"all {many} rules hold" if many > 1 else "the rule holds") + (
        f"; better: {_names(better)}" if better else ""
    )


def gate_view(result: GateResult) -> RenderableType:
    """What `check` prints."""
    parts: list[RenderableType] = [
        Text(f"now       {printable(_party(result.run))}", style="dim", overflow="fold"),
        Text(f"baseline  {printable(_party(result.baseline))}", style="dim", overflow="fold"),
        Text(),
    ]
    if result.outcome == "unresolved":
        return Group(*parts, Text(_unresolved(result), style="yellow"))
    parts += [_table(result), Text(_tests(result), style="dim"), Text()]
    for one in result.failed:
        parts.append(Text(f"{one.rule.measure} {_verdict(one)}", overflow="fold"))
        if one.worst:
            worst = Text(printable(f"{_worst(one)} {', '.join(one.worst)}"), style="dim", overflow="fold")
            parts.append(Padding(worst, (0, 0, 0, 2)))
    style = "green" if result.outcome == "held" else "bold red"
    parts.append(Text(f"{headline(result)}.", style=style))
    return Group(*parts)


def gate_advice(result: GateResult, run: Path, baseline: Path) -> Text | None:
    """The command that follows, where one does: on a line that is not to be broken, since people copy it.

    Args:
        result: of the check.
        run: the folder.
        baseline: the file.
    """
    advice = _advice(result)
    return None if advice is None else Text(f"{advice}: {printable(_command(run, baseline))}", style="dim")


def gate_markdown(result: GateResult, run: Path, baseline: Path) -> str:
    """The same for a pull request or the summary of a CI job.

    Names and ids are strangers' texts: they stand in code spans, in which nothing of Markdown or HTML has a meaning.
    """
    mark = {"held": "✅", "failed": "❌", "unresolved": "⚠️"}[result.outcome]
    lines = [f"### {mark} lrat-bench check: {headline(result)}", ""]
    lines += [f"{_code(_party(result.run))}  ", f"against {_code(_party(result.baseline))}", ""]
    if result.outcome == "unresolved":
        return "\n".join([*lines, _unresolved(result), ""])
    lines.append(f"| measure | {' | '.join(_HEADINGS)} | |")
    lines.append(f"| --- |{' ---: |' * len(_HEADINGS)} --- |")
    for one in result.rules:
        verdict = f"**{_verdict(one)}**" if one in result.failed else _verdict(one)
        row = " | ".join((_code(one.rule.measure), *_cells(one), verdict))
        lines.append(f"| {row.replace('<', '&lt;')} |")
    lines.append("")
    for one in result.failed:
        if one.worst:
            lines += [f"{_code(one.rule.measure)}: {_worst(one)} {', '.join(map(_code, one.worst))}", ""]
    if advice := _advice(result):
        lines += [f"{advice}:", "", _block(_command(run, baseline)), ""]
    return "\n".join([*lines, _tests(result), ""])


def _tests(result: GateResult) -> str:
    return f"One-sided tests, question by question; false alarms of all rules together {100 * result.alpha:.6g}%."


def blessed_view(blessed: Blessed) -> RenderableType:
    """What `bless` prints: what is held from now on, beside what was held before."""
    origin, before = blessed.baseline.origin, blessed.before
    parts: list[RenderableType] = []
    if blessed.against is not None and blessed.changed:
        parts += [Text("against the baseline that was there", style="bold"), _table(blessed.against), Text()]
    shown = FittingTable()
    shown.name("measure")
    shown.number("baseline")
    shown.number("n")
    shown.text("what fails")
    for rule in blessed.baseline.rules:
        metric = _by_questions(blessed.baseline.metric(rule.measure), len(blessed.baseline.cells(rule.measure)))
        shown.row(rule.measure, numbers.value(metric), numbers.count(metric.n), _rule(rule, metric))
    parts += [shown, Text()]
    if blessed.differs:
        parts.append(Text(f"another {', '.join(blessed.differs)} than before: nothing was paired", style="yellow"))
    if not blessed.rankable:
        parts.append(
            Text("a part of it has no fingerprint: nobody can tell whether it is still the same", style="yellow")
        )
    parts += [Text(warning, style="yellow") for warning in _powerless(blessed.baseline)]
    if reach := _reach(blessed.baseline):
        parts.append(Text(reach, style="dim"))
    said = f"holds {origin.name} of {origin.started} now"
    if not blessed.changed:
        said = f"held {origin.name} of {origin.started} already: nothing changed"
    elif before is not None:
        said = f"{said}; before, {before.origin.name} of {before.origin.started}"
    return Group(*parts, Text(printable(f"{blessed.file} {said}."), overflow="fold"))


def blessed_json(blessed: Blessed) -> dict[str, Any]:
    """The same for machines."""
    record = blessed.baseline.model_dump(mode="json", by_alias=True)
    return {
        "baseline": str(blessed.file),
        "new": blessed.before is None,
        "changed": blessed.changed,
        "differs": list(blessed.differs),
        "rankable": blessed.rankable,
        "powerless": list(powerless(blessed.baseline)),
        "detectable": detectable(blessed.baseline),
        **{key: record[key] for key in ("origin", "alpha", "rules", "metrics")},
        "against": None if blessed.against is None else blessed.against.model_dump(mode="json", by_alias=True),
    }


def _powerless(baseline: Baseline) -> list[str]:
    """Rules that find nothing: a gate that always passes looks like one that holds."""
    found = powerless(baseline)
    if not found:
        return []
    who = "every rule" if len(found) == len(baseline.rules) else "the rule" if len(found) == 1 else "the rules"
    said = f"{who} of {', '.join(found)} can find no significant fall: of so few questions, not even all worse is one"
    return [f"{said}; give more, or a tolerance (--rule MEASURE:tolerance=AMOUNT)"]


def _reach(baseline: Baseline) -> str:
    """The smallest fall of success that it can catch."""
    if (n := reaches(baseline)) is None:
        return ""
    found = detectable(baseline)
    what = f"even a fall of {100 * DISCORDANCE:g} points" if found is None else f"a fall of {_points(found)} points"
    often = f"{'less than ' if found is None else ''}{100 * POWER:g} % of cases"
    return (
        f"At n = {numbers.count(n)} with {100 * DISCORDANCE:g}% discordant, {what} in success rate is found in {often}."
    )


def _points(share: float) -> str:
    return numbers.mean(100 * share)


def _table(result: GateResult) -> FittingTable:
    shown = FittingTable()
    shown.name("measure")
    for heading in _HEADINGS:
        shown.number(heading, below=heading == _INTERVAL)
    shown.number("", left=True)
    for one in result.rules:
        verdict = Text(_verdict(one).partition(":")[0], style=_STYLES[one.verdict])
        shown.row(one.rule.measure, *_cells(one), verdict)
    return shown


def _cells(one: RuleResult) -> tuple[str, ...]:
    before = _by_questions(one.baseline, one.expected)
    now = numbers.NULL
    if one.now is not None:
        # In the unit of the baseline, whatever the file of the run calls it.
        now = numbers.value(_by_questions(one.now.model_copy(update={"unit": before.unit}), one.expected))
    shown = numbers.difference(one.baseline, one.difference, one.low, one.high, one.questions)
    p = numbers.p_value(one.adjusted)
    return (numbers.value(before), now, numbers.signed(shown), numbers.interval(shown), p, numbers.count(one.n))


def _by_questions(metric: Metric, questions: int) -> Metric:
    """The metric, to be shown with the digits that its questions support: queries of one are not independent."""
    return metric.model_copy(update={"n": min(metric.n, questions)})


def _verdict(one: RuleResult) -> str:
    if one.verdict == "missing":
        if one.questions == one.expected:
            return "fails: one question shows nothing"
        of = f"{numbers.count(one.questions)} of {numbers.count(one.expected)} questions"
        return "fails: no value now" if not one.questions else f"fails: a value of {of} alone"
    return f"fails: {', '.join(_reason(one, reason) for reason in one.reasons)}" if one.reasons else one.verdict


def _reason(one: RuleResult, reason: Reason) -> str:
    rule, unit = one.rule, one.baseline
    if reason == "tolerance":
        return f"worse by more than {_allowed(rule, unit)}"
    if reason in ("min", "max"):
        bound = rule.min if reason == "min" else rule.max
        return f"{'below' if reason == 'min' else 'above'} {_bound(unit, bound)}"
    return "significantly worse"


def _rule(rule: Rule, unit: Metric) -> str:
    """A rule in words: what makes it fail."""
    words = []
    if rule.significant:
        words.append("a significant fall" + (f" of {_amount(unit, rule.ignore)} or more" if rule.ignore else ""))
    if rule.tolerance is not None or rule.relative is not None:
        words.append(f"a fall of more than {_allowed(rule, unit)}")
    if rule.min is not None:
        words.append(f"a value below {_bound(unit, rule.min)}")
    if rule.max is not None:
        words.append(f"a value above {_bound(unit, rule.max)}")
    return "; ".join(words)


def _allowed(rule: Rule, unit: Metric) -> str:
    return _amount(unit, rule.tolerance) if rule.relative is None else f"{100 * rule.relative:.6g}%"


def _amount(unit: Metric, amount: float | None) -> str:
    """How much of a measure, as it was given: `5 points`, `2 steps`, `0.02 nDCG`."""
    if amount is None:
        return numbers.NULL
    return f"{100 * amount:.6g} points" if unit.unit == "share" else f"{amount:.6g} {unit.unit}"


def _bound(unit: Metric, bound: float | None) -> str:
    """A value of a measure, as it was given: `40%`, `20`."""
    if bound is None:
        return numbers.NULL
    return f"{100 * bound:.6g}%" if unit.unit == "share" else f"{bound:.6g}"


def _worst(one: RuleResult) -> str:
    better = f", {numbers.count(one.better)} better" if one.better else ""
    return f"{numbers.count(one.worse)} of {numbers.count(one.questions)} questions worse{better}; worst:"


def _unresolved(result: GateResult) -> str:
    between = "" if result.success_bound is None else f": success is between {_between(result)}"
    many = "1 rollout is" if result.unresolved == 1 else f"{numbers.count(result.unresolved)} rollouts are"
    return f"{many} ungraded or errored{between}. Give the command that made the run again to complete it."


def _between(result: GateResult) -> str:
    return f"{numbers.rate(result.success)} and {numbers.rate(result.success_bound)}"


def _party(party: Party) -> str:
    parts = " over ".join(party.free[key] for key in ("agent", "retriever") if key in party.free)
    repeats = f", {numbers.count(party.repeats)} repeats" if party.repeats > 1 else ""
    return f"{party.name} ({parts}{repeats})"


def _advice(result: GateResult) -> str | None:
    """When the command that follows is of use."""
    if result.failed:
        return "If the change is meant"
    return "To hold on to what was gained" if any(one.verdict == "better" for one in result.rules) else None


def _command(run: Path, baseline: Path) -> str:
    return shlex.join(("lrat-bench", "bless", str(run), "--baseline", str(baseline)))


def _names(rules: Sequence[RuleResult]) -> str:
    return ", ".join(one.rule.measure for one in rules)


def _code(text: str) -> str:
    """A code span of any text, on one line: its fence is longer than any that the text holds."""
    shown = printable(text) or " "
    fence = "`" * (1 + _longest_fence(shown))
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _block(text: str) -> str:
    shown = printable(text)
    fence = "`" * max(3, 1 + _longest_fence(shown))
    return f"{fence}sh\n{shown}\n{fence}"


def _longest_fence(text: str) -> int:
    return max((len(found) for found in re.findall("`+", text)), default=0)
