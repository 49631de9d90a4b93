"""Rules: what is worth one, how they are written, and what holds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lrat_bench.compare.side import Side
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.gate.rules import Rule, changed_rules, default_rules, parse_rule

MakeSide = Callable[..., Side]


def test_a_run_is_held_to_what_it_has_a_value_of(make_side: MakeSide) -> None:
    side = make_side(
        success_rate=[1, 0], evidence_recall=[], steps=[3, 4], searches=[1, 2], cost_usd=[0, 0], failure_rate=[0, 0]
    )
    assert [rule.measure for rule in default_rules(side)] == ["success_rate", "steps", "failure_rate"]
    paid = make_side(success_rate=[1, 0], cost_usd=[0.1, 0])
    assert [rule.measure for rule in default_rules(paid)] == ["success_rate", "cost_usd"]
    assert all(rule.significant and rule.allowed(1.0) is None for rule in default_rules(paid))


def test_a_rule_is_written_in_one_word() -> None:
    assert parse_rule("steps") == Rule(measure="steps")
    assert parse_rule("evidence_nDCG@10:tolerance=0.05,significant=false,min=0.4") == Rule(
        measure="evidence_nDCG@10", tolerance=0.05, significant=False, min=0.4
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "measure"),
        ("steps:", None),
        ("steps:tolerance", "KEY=VALUE"),
        ("steps:tolerance=1,tolerance=2", "each key once"),
        ("steps:limit=1", "limit: there is no such field"),
        ("steps:tolerance=-1", "at least 0"),
        ("steps:tolerance=nan", "tolerance"),
        ("steps:tolerance=.nan", "finite"),
        ("steps:tolerance=1,relative=0.1", "both tolerance and relative"),
        ("steps:significant=false", "holds nothing"),
        ("steps:significant=false,ignore=2,max=4", "significant falls alone"),
        ("steps:ignore=2,tolerance=1", "beyond its tolerance"),
        ("steps:min=2,max=1", "min above its max"),
        ("steps:max=1e308", "nothing reaches"),
        ("steps:relative=1e308", "nothing reaches"),
        ("<script>:max=1", "measure"),
        ("a|b:max=1", "measure"),
        ("\x1b[31m:max=1", "measure"),
    ],
)
def test_what_is_no_rule_is_one_line(text: str, said: str | None) -> None:
    if said is None:
        assert parse_rule(text) == Rule(measure="steps")
        return
    with pytest.raises(UsageError) as refused:
        parse_rule(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_rules_are_replaced_in_their_place_added_behind_and_dropped() -> None:
    old = (Rule(measure="success_rate"), Rule(measure="steps"))
    new = [Rule(measure="turns"), Rule(measure="success_rate", tolerance=0.1)]
    assert changed_rules(old, new, ["steps"]) == (new[1], new[0])
    with pytest.raises(UnknownName, match="step"):
        changed_rules(old, [], ["step"])


def test_a_tolerance_is_an_amount_or_a_share_of_the_baseline() -> None:
    assert Rule(measure="steps", tolerance=2).allowed(20) == 2
    assert Rule(measure="steps", relative=0.1).allowed(20) == 2
    assert Rule(measure="cost_usd", relative=0.1).allowed(0) == 0
    assert Rule(measure="cost_usd", relative=0.1).allowed(-20) == 2


def test_one_value_alone_may_be_let_pass_and_a_fall_be_ignored_up_to_the_tolerance() -> None:
    assert parse_rule("steps:significant=false,min=2,max=2").max == 2
    assert parse_rule("steps:ignore=2,tolerance=2").ignore == 2


def test_a_retrieval_is_held_to_the_deepest_recall_that_it_has(make_side: MakeSide) -> None:
    side = make_side(hit_rate=[1, 0])

    def held(*names: str) -> list[str]:
        columns = dict.fromkeys(names, side.columns["hit_rate"])
        return [rule.measure for rule in default_rules(replace(side, kind="retrieval", columns=columns))]

    assert held("evidence_R@5", "evidence_R@10", "evidence_R@100", "evidence_nDCG@10") == [
        "evidence_nDCG@10",
        "evidence_R@100",
    ]
    assert held("gold_R@5", "gold_R@10", "gold_union_R@5") == ["gold_R@10", "gold_union_R@5"]
    assert held("gold_R@10", "evidence_R@5") == ["evidence_R@5"]
