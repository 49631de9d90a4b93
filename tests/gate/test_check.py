"""The check: a run never falls behind itself, chance rarely fails, and what is worse does."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from lrat_bench.compare.side import LARGEST, Side
from lrat_bench.errors import UsageError
from lrat_bench.gate.baseline import Baseline, baseline_of, read_baseline, write_baseline
from lrat_bench.gate.check import check
from lrat_bench.gate.result import RuleResult
from lrat_bench.gate.rules import Rule, default_rules

MakeSide = Callable[..., Side]

N = 60


def blessed(side: Side, *rules: Rule) -> Baseline:
    return baseline_of(side, rules or default_rules(side), started="", versions={})


def rule_of(baseline: Baseline, side: Side) -> RuleResult:
    (found,) = check(baseline, side).rules
    return found


def draw(rng: np.random.Generator, ability: NDArray[np.float64]) -> dict[str, list[float]]:
    """What an agent of that ability on each question leaves: measures that hang together, as those of agents do."""
    n = len(ability)
    success = (rng.random(n) < ability).astype(float)
    recall = np.clip(np.round((ability + rng.normal(0, 0.2, n)) * 4) / 4, 0, 1)
    steps = np.round(rng.gamma(4, 4, n) * (1.3 - 0.5 * success)) + 1
    cost = steps * rng.lognormal(-5, 1, n)
    failed = (rng.random(n) < 0.02).astype(float)
    return {
        "success_rate": list(success),
        "evidence_recall": list(recall),
        "steps": list(steps),
        "cost_usd": list(cost),
        "failure_rate": list(failed),
    }


def failing(make_side: MakeSide, *, gain: float, times: int) -> float:
    """How often the default gate fails two runs of the same questions, the second with that much more ability."""
    rng = np.random.default_rng(5)
    failed = 0
    for _ in range(times):
        hard = rng.beta(0.7, 0.6, N)
        before = make_side(**draw(rng, hard))
        now = make_side(**draw(rng, np.clip(hard + gain, 0, 1)))
        baseline = blessed(before)
        assert len(baseline.rules) == 5
        failed += check(baseline, now, resamples=300).outcome == "failed"
    return failed / times


def test_chance_fails_the_whole_gate_in_one_of_twenty_runs_at_most(make_side: MakeSide) -> None:
    assert 0.01 <= failing(make_side, gain=0.0, times=500) <= 0.05


def test_an_agent_that_lost_much_of_its_ability_fails(make_side: MakeSide) -> None:
    assert failing(make_side, gain=-0.3, times=100) >= 0.95


def test_a_run_is_never_worse_than_itself(make_side: MakeSide, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    side = make_side(**draw(rng, rng.random(N)))
    strict = [replace_rule(rule, tolerance=0.0) for rule in default_rules(side)]
    write_baseline(blessed(side, *strict), tmp_path / "b.json")
    result = check(read_baseline(tmp_path / "b.json"), side)
    assert result.outcome == "held"
    assert {(one.difference, one.worse, one.better, one.verdict) for one in result.rules} == {(0.0, 0, 0, "ok")}


def replace_rule(rule: Rule, **changes: float) -> Rule:
    return Rule.model_validate({**rule.model_dump(), **changes})


def test_the_same_check_gives_the_same_result_in_any_order_of_questions(make_side: MakeSide) -> None:
    rng = np.random.default_rng(3)
    before, now = (make_side(**draw(rng, rng.random(N))) for _ in range(2))
    columns = {}
    for name, column in now.columns.items():
        items = list(column.values.items())
        random.Random(0).shuffle(items)
        columns[name] = replace(column, values=dict(items))
    baseline = blessed(before)
    assert check(baseline, now) == check(baseline, replace(now, columns=columns))
    assert check(baseline, now) == check(baseline, now)


def test_a_significant_fall_fails_and_names_the_questions(make_side: MakeSide) -> None:
    before = blessed(make_side(success_rate=[1] * 15 + [0] * 15))
    now = make_side(success_rate=[0] * 12 + [1] * 3 + [0] * 14 + [1])
    found = rule_of(before, now)
    assert (found.verdict, found.reasons) == ("failed", ("significant",))
    assert (found.worse, found.better, found.n, found.expected) == (12, 1, 30, 30)
    assert found.difference == pytest.approx(-11 / 30)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -11 / 30 < found.high < 0
    # One-sided mid-p value of 12 against 1.
    expected = stats.binom.cdf(0, 13, 0.5) + 0.5 * stats.binom.pmf(1, 13, 0.5)
    assert found.p == pytest.approx(expected)
    assert found.adjusted == found.p
    assert set(found.worst) <= {f"q{at}" for at in range(12)}
    assert len(found.worst) == 10


def test_the_same_change_for_the_better_is_better(make_side: MakeSide) -> None:
    low, high = [0] * 12 + [1] * 3, [1] * 15
    assert rule_of(blessed(make_side(success_rate=low)), make_side(success_rate=high)).verdict == "better"
    assert rule_of(blessed(make_side(success_rate=high)), make_side(success_rate=low)).verdict == "failed"
    assert rule_of(blessed(make_side(steps=low)), make_side(steps=high)).verdict == "failed"
    assert rule_of(blessed(make_side(steps=high)), make_side(steps=low)).verdict == "better"


def test_the_p_value_of_a_mean_is_that_of_the_permutation_test(make_side: MakeSide) -> None:
    rng = np.random.default_rng(4)
    before, now = rng.random(12), rng.random(12)
    found = rule_of(blessed(make_side(evidence_recall=list(before))), make_side(evidence_recall=list(now)))
    exact = stats.permutation_test(
        (now - before,), np.mean, permutation_type="samples", alternative="less", n_resamples=np.inf
    )
    assert found.p == pytest.approx(exact.pvalue, abs=0.015)


def test_rules_share_the_level(make_side: MakeSide) -> None:
    lost = [0] * 6 + [1] * 14  # 6 against 0: p = 0.008
    alone = blessed(make_side(success_rate=[1] * 20))
    assert check(alone, make_side(success_rate=lost)).outcome == "failed"
    others = {"evidence_recall": [1] * 20, "gold_recall": [1] * 20, "hit_rate": [1] * 20, "failure_rate": [0] * 20}
    many = [Rule(measure=name) for name in ("success_rate", *others)]
    wide = {**others, "turns": [2] * 20, "seconds": [2] * 20}
    many += [Rule(measure=name) for name in ("turns", "seconds")]
    baseline = blessed(make_side(success_rate=[1] * 20, **wide), *many)
    result = check(baseline, make_side(success_rate=lost, **wide))
    assert result.outcome == "held"
    assert result.rules[0].adjusted == pytest.approx(7 * (result.rules[0].p or 0))


def test_gains_share_the_level_too(make_side: MakeSide) -> None:
    gained = [1] * 5 + [0] * 15  # 5 against 0: p = 0.016
    before = {"success_rate": [0] * 20, "evidence_recall": [1] * 20, "gold_recall": [1] * 20, "hit_rate": [1] * 20}
    now = {**before, "success_rate": gained}
    alone = check(blessed(make_side(success_rate=[0] * 20)), make_side(success_rate=gained))
    among = check(blessed(make_side(**before), *(Rule(measure=name) for name in before)), make_side(**now))
    assert [one.rules[0].verdict for one in (alone, among)] == ["better", "ok"]


def test_what_is_looked_at_beside_it_changes_no_p_value_or_interval(make_side: MakeSide) -> None:
    rng = np.random.default_rng(6)
    recall = [{f"q{at}": value for at, value in enumerate(rng.random(30))} for _ in range(2)]
    steps = [list(rng.random(60)) for _ in range(2)]
    before, now = (make_side(evidence_recall=one, steps=two) for one, two in zip(recall, steps, strict=True))
    alone = rule_of(blessed(before, Rule(measure="evidence_recall")), now)
    among = check(blessed(before, Rule(measure="evidence_recall"), Rule(measure="steps")), now).rules[0]
    assert alone.p == among.p
    assert (alone.low, alone.high) == pytest.approx((among.low, among.high))


def test_no_change_at_all_never_fails_at_any_level(make_side: MakeSide) -> None:
    side = make_side(success_rate=[1, 0, 1])
    baseline = blessed(side, Rule(measure="success_rate")).model_copy(update={"alpha": 0.5})
    found = rule_of(baseline, side)
    assert (found.p, found.verdict) == (0.5, "ok")


def test_a_question_with_fewer_queries_than_before_is_not_paired(make_side: MakeSide) -> None:
    before = make_side(evidence_recall={"a#0": 1, "a#1": 0, "b#0": 1, "c#0": 1, "d#0": 1})
    now = make_side(evidence_recall={"a#0": 0, "b#0": 1, "c#0": 1, "d#0": 1})
    found = rule_of(blessed(before, Rule(measure="evidence_recall")), now)
    assert (found.n, found.questions, found.expected) == (3, 3, 4)
    assert (found.difference, found.worse) == (0.0, 0)


def test_a_question_with_more_queries_than_before_is_not_paired_either(make_side: MakeSide) -> None:
    before = make_side(evidence_recall={"a#0": 1, "b#0": 1, "c#0": 1})
    now = make_side(evidence_recall={"a#0": 0, "a#1": 0, "b#0": 1, "c#0": 1})
    found = rule_of(blessed(before, Rule(measure="evidence_recall")), now)
    assert (found.n, found.questions, found.expected, found.difference) == (2, 2, 3, 0.0)


def test_it_is_questions_that_must_still_have_a_value_and_not_queries(make_side: MakeSide) -> None:
    asked = dict.fromkeys("abcdefghij", 1.0)
    many = {f"a#{at}": 1.0 for at in range(50)}  # of ten questions one, with more queries than all others together
    before = make_side(success_rate=asked, evidence_recall={**many, **{f"{qid}#0": 1.0 for qid in "bcdefghij"}})
    now = make_side(success_rate=asked, evidence_recall={**many, "b#0": 1.0})
    found = rule_of(blessed(before, Rule(measure="evidence_recall")), now)
    assert (found.n, found.questions, found.expected, found.verdict) == (51, 2, 10, "missing")


def test_what_is_just_at_the_level_is_significant(make_side: MakeSide) -> None:
    all_right, lost = [1] * 20, [0] * 6 + [1] * 14  # 6 against 0: p = 2^-7
    for before, now, verdict in ((all_right, lost, "failed"), (lost, all_right, "better")):
        baseline = blessed(make_side(success_rate=before))
        for alpha, so in ((2**-7, verdict), (float(np.nextafter(2**-7, 0)), "ok")):
            found = rule_of(baseline.model_copy(update={"alpha": alpha}), make_side(success_rate=now))
            assert found.verdict == so


def test_rounding_puts_no_fall_on_the_wrong_side_of_a_bound(make_side: MakeSide) -> None:
    assert 0.3 - 0.2 < 0.1 < 0.8 - 0.7
    ignored = blessed(make_side(evidence_recall=[0.3] * 40), Rule(measure="evidence_recall", ignore=0.1))
    assert rule_of(ignored, make_side(evidence_recall=[0.2] * 40)).verdict == "failed"
    allowed = Rule(measure="evidence_recall", significant=False, tolerance=0.1)
    assert (
        rule_of(blessed(make_side(evidence_recall=[0.8] * 4), allowed), make_side(evidence_recall=[0.7] * 4)).verdict
        == "ok"
    )
    # Of large numbers rounding leaves more.
    assert 0.7 * 3e9 < 5.1e9 - 3e9
    relative = Rule(measure="steps", significant=False, relative=0.7)
    assert rule_of(blessed(make_side(steps=[3e9] * 4), relative), make_side(steps=[5.1e9] * 4)).verdict == "ok"


def test_only_questions_that_fell_are_named(make_side: MakeSide) -> None:
    found = rule_of(blessed(make_side(steps=[3, 3, 3, 3])), make_side(steps=[3, 4, 2, 9]))
    assert (found.worst, found.worse, found.better) == (("q3", "q1"), 2, 1)


def test_the_largest_value_that_is_allowed_is_held(make_side: MakeSide) -> None:
    side = make_side(steps=[LARGEST, 0, 0])
    assert rule_of(blessed(side), side).verdict == "ok"


def test_a_fall_of_more_than_the_tolerance_fails_whatever_chance_says(make_side: MakeSide) -> None:
    before = make_side(success_rate=[1] * 11 + [0] * 9)
    rule = Rule(measure="success_rate", tolerance=0.05)
    at = rule_of(blessed(before, rule), make_side(success_rate=[1] * 10 + [0] * 10))
    beyond = rule_of(blessed(before, rule), make_side(success_rate=[1] * 9 + [0] * 11))
    assert (at.verdict, at.reasons) == ("ok", ())
    assert (beyond.verdict, beyond.reasons) == ("failed", ("tolerance",))
    assert beyond.adjusted is not None
    assert beyond.adjusted > 0.05
    relative = Rule(measure="success_rate", relative=0.1, significant=False)
    assert rule_of(blessed(before, relative), make_side(success_rate=[1] * 10 + [0] * 10)).verdict == "ok"
    assert rule_of(blessed(before, relative), make_side(success_rate=[1] * 9 + [0] * 11)).adjusted is None


def test_a_significant_fall_that_is_ignored_passes(make_side: MakeSide) -> None:
    before, now = make_side(evidence_recall=[0.5] * 40), make_side(evidence_recall=[0.49] * 40)
    assert rule_of(blessed(before), now).verdict == "failed"
    assert rule_of(blessed(before, Rule(measure="evidence_recall", ignore=0.02)), now).verdict == "ok"
    assert rule_of(blessed(before, Rule(measure="evidence_recall", ignore=0.01)), now).verdict == "failed"


def test_bounds_hold_whatever_the_baseline_has(make_side: MakeSide) -> None:
    poor = make_side(success_rate=[1] * 3 + [0] * 7, steps=[30.0] * 10)
    rules = (Rule(measure="success_rate", min=0.4), Rule(measure="steps", significant=False, max=20))
    result = check(blessed(poor, *rules), poor)
    assert [one.reasons for one in result.rules] == [("min",), ("max",)]
    just = make_side(success_rate=[1] * 4 + [0] * 6, steps=[20.0] * 10)
    assert check(blessed(poor, *rules), just).outcome == "held"


def test_what_has_no_value_any_more_fails(make_side: MakeSide) -> None:
    baseline = blessed(make_side(success_rate=[1] * 10, cost_usd=[0.1] * 10), Rule(measure="cost_usd"))
    for now in (
        make_side(success_rate=[1] * 10),
        make_side(success_rate=[1] * 10, cost_usd=[]),
        make_side(success_rate=[1] * 10, cost_usd=[0.1] * 4),
    ):
        result = check(baseline, now)
        assert (result.outcome, result.rules[0].verdict) == ("failed", "missing")
    assert check(baseline, make_side(success_rate=[1] * 10, cost_usd=[0.1] * 5)).outcome == "held"


def test_one_question_can_fail_by_tolerance_alone(make_side: MakeSide) -> None:
    before, now = make_side(success_rate=[1]), make_side(success_rate=[0])
    found = rule_of(blessed(before), now)
    assert (found.p, found.adjusted, found.verdict) == (None, None, "missing")
    assert rule_of(blessed(before, Rule(measure="success_rate", tolerance=1)), now).verdict == "ok"
    assert rule_of(blessed(before, Rule(measure="success_rate", tolerance=0.5)), now).verdict == "failed"
    assert rule_of(blessed(before, Rule(measure="success_rate", relative=1)), now).verdict == "ok"


def test_what_was_asked_otherwise_is_refused_by_name(make_side: MakeSide) -> None:
    baseline = blessed(make_side(success_rate=[1, 0]))
    with pytest.raises(UsageError, match=r"differ in task, questions \(3 instead of 2\);"):
        check(baseline, make_side(success_rate=[1, 0, 1], task="u"))
    with pytest.raises(UsageError, match=r"differ in split \(train instead of test\);"):
        check(baseline, replace(make_side(success_rate=[1, 0]), shared={**baseline.shared, "split": "train"}))
    with pytest.raises(UsageError, match="side is a retrieval and the baseline is of a run"):
        check(baseline, replace(make_side(success_rate=[1, 0]), kind="retrieval"))
    with pytest.raises(UsageError, match="differ in corpus"):
        check(baseline, replace(make_side(success_rate=[1, 0]), shared={**baseline.shared, "corpus": "c"}))


def test_unequal_repeats_are_refused_since_chance_would_fail_too_often(make_side: MakeSide) -> None:
    baseline = blessed(make_side(success_rate=[1, 0]))
    often = make_side(success_rate=[1, 0.2])
    often = replace(often, shared={**often.shared, "repeats": "5"}, repeats=5)
    with pytest.raises(UsageError, match=r"differ in repeats \(5 instead of 1\); run the missing repeats,"):
        check(baseline, often)


def test_a_measure_that_is_another_one_now_is_refused(make_side: MakeSide) -> None:
    side = make_side(steps=[3, 4])
    baseline = blessed(side)
    for key, other in (("unit", "words"), ("direction", "higher")):
        metric = side.columns["steps"].metric.model_copy(update={key: other})
        turned = replace(side, columns={"steps": replace(side.columns["steps"], metric=metric)})
        with pytest.raises(UsageError, match=f"differ in {key} of steps;"):
            check(baseline, turned)


def test_numbers_that_no_mean_can_be_taken_of_are_refused(make_side: MakeSide) -> None:
    with pytest.raises(UsageError, match="steps of q0 is 1e\\+308, which is too large"):
        check(blessed(make_side(steps=[1, 1])), make_side(steps=[1e308, 1]))


def test_of_an_unresolved_run_nothing_is_said(make_side: MakeSide) -> None:
    baseline = blessed(make_side(success_rate=[1] * 10))
    result = check(baseline, make_side(success_rate=[0] * 10, unresolved=3))
    assert (result.outcome, result.rules, result.unresolved, result.success_bound) == ("unresolved", (), 3, 1.0)


def test_queries_of_a_question_are_no_independent_witnesses(make_side: MakeSide) -> None:
    def replayed(worse: float) -> Side:
        # One question has 50 queries, all worse; nine have one each, none of them is.
        values = {f"a#{at}": worse for at in range(50)} | {f"{name}#0": 1.0 for name in "bcdefghij"}
        return make_side(evidence_recall=values)

    found = rule_of(blessed(replayed(1.0)), replayed(0.0))
    assert (found.n, found.questions, found.worse) == (59, 10, 1)
    assert found.difference == pytest.approx(-50 / 59)
    assert found.verdict == "ok"
    assert found.p == pytest.approx(0.5, abs=0.01)
