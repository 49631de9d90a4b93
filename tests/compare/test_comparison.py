"""Comparisons: the reference implementations' numbers, and no more certainty than the questions give."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import bootstrap, permutation_test
from statsmodels.stats.multitest import multipletests

from lrat_bench.compare.comparison import compare_sides
from lrat_bench.compare.contrast import ALPHA
from lrat_bench.compare.record import Comparison
from lrat_bench.compare.side import LARGEST, Side, questions_digest
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.gate.baseline import baseline_of
from lrat_bench.gate.check import check
from lrat_bench.gate.rules import Rule
from lrat_bench.score.mcnemar import mcnemar
from lrat_bench.score.paired import paired_difference, paired_means
from lrat_bench.score.power import mcnemar_power, mean_difference

MakeSide = Callable[..., Side]
Values = dict[str, float]


def keyed(values: Any) -> Values:
    return {f"q{at}": float(value) for at, value in enumerate(values)}


def recalls(seed: int, *, n: int = 60, shift: float = 0.0) -> Values:
    """Recalls that are hard and easy on the same questions, whatever the seed."""
    hard = np.random.default_rng(99).random(n)
    own = np.random.default_rng(seed).normal(shift, 0.15, n)
    return keyed(np.clip(hard + own, 0, 1))


def successes(seed: int, *, n: int = 200, rate: float = 0.5) -> Values:
    return keyed(np.random.default_rng(seed).random(n) < rate)


def test_the_randomisation_agrees_with_scipy(make_side: MakeSide) -> None:
    a, b = recalls(1), recalls(2, shift=0.05)
    found = compare_sides([make_side("a", {"evidence_recall": a}), make_side("b", {"evidence_recall": b})])
    reference = permutation_test(
        (np.array(list(b.values())), np.array(list(a.values()))),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(0),
    )
    one = found.difference("evidence_recall")
    assert one.test == "randomisation"
    assert one.value == pytest.approx(reference.statistic)
    assert one.p == pytest.approx(reference.pvalue, abs=0.015)


def test_the_interval_agrees_with_scipy(make_side: MakeSide) -> None:
    a, b = recalls(1), recalls(2, shift=0.05)
    one = compare_sides([make_side("a", {"evidence_recall": a}), make_side("b", {"evidence_recall": b})]).difference(
        "evidence_recall"
    )
    differences = np.array([b[key] - a[key] for key in a])
    reference = bootstrap(
        (differences,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(0)
    ).confidence_interval
    assert (one.low, one.high) == pytest.approx((reference.low, reference.high), abs=0.004)
    assert one.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert one.sd == pytest.approx(differences.std(ddof=1))


def test_it_is_the_paired_difference_of_retrieve_against(make_side: MakeSide) -> None:
    a, b = recalls(3), recalls(4)
    one = compare_sides(
        [make_side("a", {"evidence_recall": a}), make_side("b", {"evidence_recall": b})], seed=5
    ).difference("evidence_recall")
    other = paired_difference(b, a, seed=5)
    assert (one.value, one.p, one.n) == (other.value, other.p, other.n)
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_holm_is_taken_over_the_comparisons_of_a_measure(make_side: MakeSide) -> None:
    sides = [make_side(f"s{at}", {"success_rate": successes(at, rate=0.4 + at / 20)}) for at in range(5)]
    for all_pairs, many in ((False, 4), (True, 10)):
        found = compare_sides(sides, all_pairs=all_pairs)
        assert len(found.differences) == many
        raw, adjusted = ([getattr(one, name) for one in found.differences] for name in ("p", "p_holm"))
        assert adjusted == pytest.approx(list(multipletests(raw, method="holm")[1]))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
def test_it_turns_with_its_sides(make_side: MakeSide, pairs: list[tuple[float, float]]) -> None:
    first, second = (
        make_side(name, {"evidence_recall": keyed(values)})
        for name, values in zip("ab", zip(*pairs, strict=True), strict=True)
    )
    there, back = (
        compare_sides(sides, resamples=500).difference("evidence_recall")
        for sides in ([first, second], [second, first])
    )
    assert there.value == pytest.approx(-(back.value or 0.0), abs=1e-12)
    assert there.p == back.p
    assert (there.higher, there.equal, there.lower) == (back.lower, back.equal, back.higher)
    if there.low is not None and there.high is not None:
        assert (there.low, there.high) == pytest.approx((-(back.high or 0.0), -(back.low or 0.0)), abs=1e-9)


@pytest.mark.parametrize("values", [recalls(1), successes(1)])
def test_a_run_does_not_differ_from_itself(make_side: MakeSide, values: Values) -> None:
    side = make_side("a", {"success_rate": values, "steps": values})
    found = compare_sides([side, side])
    for one in found.differences:
        assert (one.value, one.p, one.p_holm, one.higher, one.lower) == (0.0, 1.0, 1.0, 0, 0)
        assert (one.low, one.high, one.effect, one.detectable) == (None, None, None, None)
        assert one.better is None
    assert [side.name for side in found.sides] == ["a", "a (2)"]
    assert found.flips[0].only_baseline == found.flips[0].only_other == ()
    assert {side.letters for ties in found.ties for side in ties.sides} == {("a",)}


def test_the_order_of_the_keys_changes_nothing(make_side: MakeSide) -> None:
    draw = random.Random(0)
    columns = {"success_rate": successes(1), "steps": recalls(2, n=200)}
    keys = list(columns["steps"])
    draw.shuffle(keys)
    shuffled = {measure: {key: values[key] for key in keys} for measure, values in columns.items()}
    other = make_side("b", {"success_rate": successes(3), "steps": recalls(4, n=200)})
    plain, mixed = (compare_sides([make_side("a", one), other]) for one in (columns, shuffled))
    assert plain == mixed


def test_a_pair_is_the_same_whoever_else_is_compared_and_by_what(make_side: MakeSide) -> None:
    def side(name: str, seed: int) -> Side:
        known = dict(list(recalls(seed, n=200).items())[seed:])
        return make_side(name, {"success_rate": successes(seed), "evidence_recall": known})

    a, b, c = side("a", 1), side("b", 2), side("c", 3)
    alone = compare_sides([a, b], measures=["evidence_recall"]).difference("evidence_recall")
    among = compare_sides([a, c, b], all_pairs=True).difference("evidence_recall", "b")
    for name in ("value", "low", "high", "n", "p", "effect"):
        assert getattr(alone, name) == pytest.approx(getattr(among, name))


def test_what_one_side_lacks_is_left_out_on_both(make_side: MakeSide) -> None:
    a = make_side("a", {"steps": {"q1": 5.0, "q2": 3.0, "q4": 2.0}, "cost_usd": {}})
    b = make_side("b", {"steps": {"q1": 8.0, "q3": 9.0, "q4": 4.0}, "cost_usd": {"q1": 0.1}})
    found = compare_sides([a, b])
    assert found.measures == ("steps",)
    one = found.difference("steps")
    assert (one.value, one.n, one.higher) == (2.5, 2, 2)
    asked = compare_sides([a, b], measures=["cost_usd", "steps"])
    assert (asked.difference("cost_usd").value, asked.difference("cost_usd").n) == (None, 0)


def test_flips_and_their_counts_are_the_same_questions(make_side: MakeSide) -> None:
    a = make_side("a", {"success_rate": {"q1": 1.0, "q2": 0.0, "q3": 0.0, "q4": 1.0}})
    b = make_side("b", {"success_rate": {"q1": 1.0, "q2": 1.0, "q3": 1.0, "q4": 0.0}})
    found = compare_sides([a, b])
    (flips,) = found.flips
    assert (flips.only_other, flips.only_baseline) == (("q2", "q3"), ("q4",))
    one = found.difference("success_rate")
    assert (one.test, one.higher, one.equal, one.lower) == ("mcnemar", 2, 1, 1)
    assert one.effect == pytest.approx(2 / 3 - 0.5)
    assert one.p == 2 * (1 + 0.5 * 3) / 2**3


def test_tie_groups_put_the_better_first_also_where_less_is_better(make_side: MakeSide) -> None:
    draw = np.random.default_rng(0)
    base = draw.normal(20, 5, 300)
    steps = {"slow": base + 6, "fast": base + draw.normal(0, 1, 300), "quick": base + draw.normal(0, 1, 300)}
    found = compare_sides([make_side(name, {"steps": keyed(values)}) for name, values in steps.items()])
    (ties,) = found.ties
    assert [side.letters for side in ties.sides] == [("a",), ("a",), ("b",)]
    assert [(side.best_rank, side.worst_rank) for side in ties.sides] == [(1, 2), (1, 2), (3, 3)]
    assert ties.sides[2].name == "slow"
    assert [found.difference("steps", name).better for name in ("fast", "quick")] == [True, True]


def test_what_is_neither_better_nor_worse_has_no_ties(make_side: MakeSide) -> None:
    found = compare_sides([make_side("a", {"searches": recalls(1)}), make_side("b", {"searches": recalls(2, shift=1)})])
    assert found.ties == ()
    assert found.difference("searches").better is None


def test_the_detectable_difference_is_found_in_four_of_five_cases(make_side: MakeSide) -> None:
    a, b = successes(1, n=300), successes(2, n=300)
    one = compare_sides([make_side("a", {"success_rate": a}), make_side("b", {"success_rate": b})]).difference(
        "success_rate"
    )
    assert one.detectable is not None
    assert mcnemar_power(300, one.detectable, (one.higher + one.lower) / 300) == pytest.approx(0.8, abs=0.01)
    of_mean = compare_sides([make_side("a", {"steps": recalls(1)}), make_side("b", {"steps": recalls(2)})]).difference(
        "steps"
    )
    assert of_mean.sd is not None
    assert of_mean.detectable == pytest.approx(2.802 * of_mean.sd / 60**0.5, rel=0.03)
    assert of_mean.detectable == pytest.approx(mean_difference(60, of_mean.sd))
    three = compare_sides([make_side(str(at), {"success_rate": successes(at, n=300)}) for at in (1, 2, 3)])
    shared = three.differences[0].detectable
    assert shared is not None
    assert shared > one.detectable


def test_queries_of_one_question_count_as_one_question(make_side: MakeSide) -> None:
    draw = np.random.default_rng(0)
    per_question = draw.normal(0.1, 1.0, 20)
    once = {f"q{at}/0": float(value) for at, value in enumerate(per_question)}
    often = {f"q{at}/{query}": float(value) for at, value in enumerate(per_question) for query in range(25)}
    alone, many = (
        compare_sides(
            [
                make_side("a", {"evidence_nDCG@10": dict.fromkeys(values, 0.0)}, kind="retrieval"),
                make_side("b", {"evidence_nDCG@10": values}, kind="retrieval"),
            ]
        ).difference("evidence_nDCG@10")
        for values in (once, often)
    )
    assert (many.n, many.questions) == (500, 20)
    assert (many.p, many.effect) == pytest.approx((alone.p, alone.effect))
    assert (many.low, many.high, many.detectable) == pytest.approx((alone.low, alone.high, alone.detectable))


def test_hits_of_several_queries_of_a_question_are_no_case_for_mcnemar(make_side: MakeSide) -> None:
    hits = {"q1/0": 1.0, "q1/1": 1.0, "q1/2": 1.0, "q2/0": 0.0}
    sides = [
        make_side("a", {"evidence_Success@10": dict.fromkeys(hits, 0.0)}, kind="retrieval"),
        make_side("b", {"evidence_Success@10": hits}, kind="retrieval"),
    ]
    one = compare_sides([sides[0], sides[1]]).difference("evidence_Success@10")
    assert (one.test, one.effect_name) == ("randomisation", "cohen_dz")


ONES = {f"q{at}": 1.0 for at in range(20)}
LOST = {qid: float(at >= 6) for at, qid in enumerate(ONES)}  # 6 against 0: mid-p 0.016, and 0.031 of all flips


@pytest.mark.parametrize(
    ("measure", "before", "now", "test"),
    [
        ("success_rate", ONES, LOST, "mcnemar"),
        ("evidence_recall", ONES, LOST, "mcnemar"),  # a document of evidence for each question
        ("evidence_recall", ONES, {**LOST, "q0": 0.5}, "randomisation"),
        ("evidence_recall", {**ONES, "q0": 0.5}, LOST, "randomisation"),
        ("success_rate", ONES, {**LOST, "q19": 2 / 3}, "randomisation"),  # repeats that disagree
        ("evidence_recall", {**ONES, "alone": 0.5}, LOST, "mcnemar"),  # what has no partner is no pair
    ],
)
def test_comparison_and_gate_take_the_same_test_of_the_same_values(
    make_side: MakeSide, measure: str, before: Values, now: Values, test: str
) -> None:
    asked = {"questions": questions_digest(before)}
    first, second = (make_side(name, {measure: values}, shared=asked) for name, values in (("a", before), ("b", now)))
    one = compare_sides([first, second]).difference(measure)
    (rule,) = check(baseline_of(first, (Rule(measure=measure),), started="", versions={}), second).rules
    assert (one.test, one.effect_name) == (test, "cohen_g" if test == "mcnemar" else "cohen_dz")
    assert one.p is not None
    assert rule.p == pytest.approx(one.p / 2, rel=1e-3)
    assert (one.p == mcnemar(0, 6)) == (test == "mcnemar")


def test_one_question_tells_nothing_of_another_by_either_test(make_side: MakeSide) -> None:
    for value in (1.0, 0.5):
        sides = [make_side("a", {"success_rate": {"q": 0.0}}), make_side("b", {"success_rate": {"q": value}})]
        one = compare_sides(sides).difference("success_rate")
        assert (one.value, one.p, one.p_holm, one.sd) == (value, None, None, None)


def test_two_questions_have_a_spread(make_side: MakeSide) -> None:
    sides = [make_side("a", {"steps": {"q1": 3.0, "q2": 3.0}}), make_side("b", {"steps": {"q1": 4.0, "q2": 8.0}})]
    one = compare_sides(sides).difference("steps")
    assert one.sd == pytest.approx(8**0.5)
    assert one.effect == pytest.approx(3 / 8**0.5)


def test_ties_stand_on_p_values_corrected_over_all_pairs(make_side: MakeSide) -> None:
    # Three times 0.016 is significant against the baseline, and six times is not among all.
    sides = [make_side(name, {"success_rate": ONES if name == "a" else LOST}) for name in "abcd"]
    found = compare_sides(sides)
    assert [one.better for one in found.differences] == [False, False, False]
    (ties,) = found.ties
    assert {(side.letters, side.best_rank, side.worst_rank) for side in ties.sides} == {(("a",), 1, 4)}
    (three,) = compare_sides(sides[:3]).ties
    assert [(side.letters, side.best_rank) for side in three.sides] == [(("a",), 1), (("b",), 2), (("b",), 2)]


def test_what_is_just_at_the_level_is_significant(make_side: MakeSide) -> None:
    one = compare_sides([make_side("a", {"success_rate": ONES}), make_side("b", {"success_rate": LOST})]).difference(
        "success_rate"
    )
    assert one.model_copy(update={"p_holm": ALPHA}).better is False
    assert one.model_copy(update={"p_holm": np.nextafter(ALPHA, 1)}).better is None


def test_sides_that_differ_just_at_the_level_are_not_tied(make_side: MakeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = [make_side("a", {"success_rate": ONES}), make_side("b", {"success_rate": LOST})]
    for level, letters in ((mcnemar(0, 6), ("b",)), (np.nextafter(mcnemar(0, 6), 0), ("a",))):
        monkeypatch.setattr("lrat_bench.compare.comparison.ALPHA", level)
        (ties,) = compare_sides(sides).ties
        assert [side.letters for side in ties.sides] == [("a",), letters]


def test_the_spread_is_of_means_over_questions_however_many_queries_each_has(make_side: MakeSide) -> None:
    after = {"q1/0": 1.0, "q1/1": 3.0, "q2/0": 4.0, "q3/0": 0.0}  # means of 2, 4 and 0
    sides = [
        make_side("a", {"evidence_nDCG@10": dict.fromkeys(after, 0.0)}, kind="retrieval"),
        make_side("b", {"evidence_nDCG@10": after}, kind="retrieval"),
    ]
    one = compare_sides(sides).difference("evidence_nDCG@10")
    assert (one.sd, one.effect, one.n, one.questions) == (2.0, 1.0, 4, 3)


def test_two_questions_say_what_they_could_show(make_side: MakeSide) -> None:
    sides = [make_side("a", {"steps": {"q1": 1.0, "q2": 1.0}}), make_side("b", {"steps": {"q1": 2.0, "q2": 4.0}})]
    one = compare_sides(sides).difference("steps")
    assert one.sd is not None
    assert one.detectable == pytest.approx(mean_difference(2, one.sd))


def test_a_pair_without_p_takes_none_of_the_level_from_the_others(make_side: MakeSide) -> None:
    steps = recalls(1)
    a, b = make_side("a", {"steps": steps}), make_side("b", {"steps": recalls(2)})
    lone = make_side("c", {"steps": {"q0": 3.0}})  # one question with the others in common
    alone, among = compare_sides([a, b]).difference("steps"), compare_sides([a, b, lone])
    assert among.difference("steps", "c").p is among.difference("steps", "c").p_holm is None
    assert among.difference("steps", "b").p_holm == alone.p
    assert among.difference("steps", "b").detectable == alone.detectable


def test_the_largest_value_that_is_allowed_is_compared(make_side: MakeSide) -> None:
    sides = [make_side("a", {"steps": {"q1": 0.0, "q2": 0.0}}), make_side("b", {"steps": {"q1": LARGEST, "q2": 0.0}})]
    assert compare_sides(sides).difference("steps").value == LARGEST / 2


def test_many_sides_can_still_be_told_apart(make_side: MakeSide) -> None:
    # Holm's method over 780 pairs wants p-values that 10,000 flips do not have.
    draw = np.random.default_rng(0)
    sides = [make_side(f"s{at}", {"steps": keyed(10 + at // 20 * 5 + draw.random(30))}) for at in range(40)]
    found = compare_sides(sides, resamples=1_000)
    (ties,) = found.ties
    assert {side.letters for side in ties.sides[:20]} == {("a",)}
    assert {side.letters for side in ties.sides[20:]} == {("b",)}
    # As many flips as docs/comparing.md says: 40 for each of all 780 pairs, of which none is as far from 0.
    assert min(one.p for one in found.differences if one.p is not None) == 1 / (1 + 40 * 780)


def test_questions_that_differ_alike_have_no_interval_whatever_their_queries_do(make_side: MakeSide) -> None:
    after = {"q1/0": 0.4, "q1/1": 0.2, "q2/0": 0.1 + 0.2}
    sides = [
        make_side("a", {"evidence_nDCG@10": dict.fromkeys(after, 0.0)}, kind="retrieval"),
        make_side("b", {"evidence_nDCG@10": after}, kind="retrieval"),
    ]
    one = compare_sides(sides).difference("evidence_nDCG@10")
    assert one.value == pytest.approx(0.3)
    assert (one.low, one.high) == (None, None)


def asked_often(draw: np.random.Generator, chance: NDArray[np.float64], repeats: int) -> NDArray[np.float64]:
    return draw.binomial(repeats, chance) / repeats


def test_repeats_are_clusters_and_keep_false_alarms_rare() -> None:
    # Hard and easy questions, each asked three times of two agents that are equally good.
    draw = np.random.default_rng(0)
    chance = draw.beta(0.5, 0.5, size=(150, 600))
    totals = asked_often(draw, chance, 3) - asked_often(draw, chance, 3)
    found = paired_means(totals, np.ones_like(totals), resamples=1_000)
    alarms = np.mean([one.p is not None and one.p <= 0.05 for one in found])
    missed = np.mean([one.low is not None and one.high is not None and not one.low <= 0 <= one.high for one in found])
    assert 0.02 <= alarms <= 0.07
    assert 0.02 <= missed <= 0.08


def test_to_count_repeats_as_questions_would_cry_wolf(make_side: MakeSide) -> None:
    """The same values as if they were independent find what is not there: why repeats are averaged."""
    draw = np.random.default_rng(1)
    own = draw.normal(0, 1, 40)
    clustered = compare_sides(
        [
            make_side("a", {"x": {f"q{q}/{r}": 0.0 for q in range(40) for r in range(9)}}, kind="retrieval"),
            make_side("b", {"x": {f"q{q}/{r}": float(own[q]) for q in range(40) for r in range(9)}}, kind="retrieval"),
        ]
    ).difference("x")
    apart = compare_sides(
        [
            make_side("a", {"x": {f"q{q}-{r}": 0.0 for q in range(40) for r in range(9)}}, kind="retrieval"),
            make_side("b", {"x": {f"q{q}-{r}": float(own[q]) for q in range(40) for r in range(9)}}, kind="retrieval"),
        ]
    ).difference("x")
    assert clustered.low is not None
    assert clustered.high is not None
    assert apart.low is not None
    assert apart.high is not None
    assert clustered.high - clustered.low == pytest.approx(3 * (apart.high - apart.low), rel=0.1)


def test_across_questions_only_what_both_were_asked_counts(make_side: MakeSide) -> None:
    a = make_side("a", {"success_rate": {"q1": 1.0, "q2": 0.0}})
    b = make_side("b", {"success_rate": {"q2": 1.0, "q3": 1.0}}, shared={"questions": "others"})
    with pytest.raises(UsageError, match="differ in questions"):
        compare_sides([a, b])
    found = compare_sides([a, b], across=["questions"])
    assert (found.difference("success_rate").n, found.difference("success_rate").value) == (1, 1.0)
    (across,) = found.across
    assert (across.key, across.values) == ("questions", ("all", "others"))
    assert "questions" not in found.shared
    c = make_side("c", {"success_rate": {"q7": 1.0}}, shared={"questions": "none of them"})
    with pytest.raises(UsageError, match="no question has a value on runs/a and on runs/c alike"):
        compare_sides([a, c], across=["questions"])


def test_unknown_and_unmeasured_measures_are_refused(make_side: MakeSide) -> None:
    a, b = make_side("a", {"steps": recalls(1), "turns": recalls(1)}), make_side("b", {"steps": recalls(2)})
    with pytest.raises(UnknownName, match="unknown measure 'stepz': did you mean 'steps'"):
        compare_sides([a, b], measures=["stepz"])
    with pytest.raises(UsageError, match="runs/b was not measured by turns"):
        compare_sides([a, b], measures=["turns"])


def test_a_value_that_no_mean_can_be_taken_of_is_refused(make_side: MakeSide) -> None:
    a, b = (make_side(name, {"steps": {"q1": 1.0, "q2": value}}) for name, value in (("a", 2.0), ("b", 1e300)))
    with pytest.raises(UsageError, match=r"runs/b: steps of q2 is 1e\+300, which is too large"):
        compare_sides([a, b])


def test_unresolved_rollouts_are_carried_along(make_side: MakeSide) -> None:
    a = make_side("a", {"success_rate": successes(1)}, unresolved=3, success_bound=0.6)
    found = compare_sides([a, make_side("b", {"success_rate": successes(2)})])
    assert (found.unresolved, found.sides[0].success_bound, found.sides[1].unresolved) == (3, 0.6, 0)


def test_the_record_is_read_back_as_it_was_written(make_side: MakeSide) -> None:
    sides = [
        make_side(name, {"success_rate": successes(at), "steps": recalls(at, n=200)}) for at, name in enumerate("abc")
    ]
    found = compare_sides(sides, all_pairs=True)
    text = found.model_dump_json(by_alias=True)
    assert Comparison.model_validate_json(text) == found
    assert '"schema":"lrat-bench/comparison/1"' in text
    with pytest.raises(UnknownName, match="did you mean 'steps'"):
        found.difference("step")
    with pytest.raises(UnknownName, match="unknown pair"):
        found.difference("steps", "a", "c")
    assert found.difference("steps", "c", "b").other == "c"


def test_a_dataframe_has_a_row_per_measure_and_pair(make_side: MakeSide) -> None:
    found = compare_sides([make_side("a", {"steps": recalls(1)}), make_side("b", {"steps": recalls(2)})])
    frame = found.to_dataframe()
    assert list(frame["measure"]) == ["steps"]
    assert frame.loc[0, "p"] == found.difference("steps").p


def test_ten_thousand_questions_take_little_memory_and_time(make_side: MakeSide) -> None:
    import tracemalloc

    measures = ("success_rate", "evidence_recall", "steps")
    sides = [make_side(name, {one: recalls(at, n=10_000) for one in measures}) for at, name in enumerate("ab")]
    tracemalloc.start()
    compare_sides(sides, resamples=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
