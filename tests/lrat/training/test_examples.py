"""Pairs become rows: stages, controls, and negatives by (seed, epoch, row)."""

from __future__ import annotations

from typing import Any

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.training.examples import draw_negatives, make_examples
from lrat_bench.lrat.training.recipe import Recipe, Stage

NEGATIVES = tuple(f"n{number}" for number in range(12))


def pair(
    number: int, *, weight: float | None = 1.0, question: str | None = None, neg_ids: tuple[str, ...] = NEGATIVES
) -> Pair:
    return Pair(
        query=f"query {number}",
        pos_id=f"p{number}",
        neg_ids=neg_ids,
        run="r",
        question_id=question or f"q{number}",
        turn=0,
        step=number,
        correct=True,
        weight=weight,
    )


KEPT = [pair(number, weight=0.5 + number) for number in range(6)]
REJECTED = [pair(number, weight=None) for number in range(6, 9)]


@pytest.mark.parametrize(
    ("stage", "positives", "weights"),
    [
        ("naive", [f"p{n}" for n in range(9)], [1.0] * 9),
        ("filter", [f"p{n}" for n in range(6)], [1.0] * 6),
        ("reweight", [f"p{n}" for n in range(6)], [0.5 + n for n in range(6)]),
    ],
)
def test_a_stage_chooses_pairs_and_weights(stage: Stage, positives: list[str], weights: list[float]) -> None:
    found = make_examples(KEPT, REJECTED, Recipe(stage=stage))
    assert [row.pos_id for row in found.rows] == positives
    assert [row.weight for row in found.rows] == weights


def test_reweighting_leaves_out_and_counts_pairs_whose_weight_cannot_be_told() -> None:
    found = make_examples([*KEPT, pair(20, weight=None)], [], Recipe())
    assert len(found.rows) == 6
    assert found.without_weight == 1
    assert make_examples([*KEPT, pair(20, weight=None)], [], Recipe(stage="filter")).without_weight == 0


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ([pair(0, weight=None), pair(1, weight=None)], "none of 2 pairs has one"),
        ([pair(0, weight=2.0), pair(1, weight=2.0)], "all 2 are 2.0: that is --stage filter"),
        ([], "has no pair to train on"),
    ],
)
def test_weights_that_say_nothing_are_refused(kept: list[Pair], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_examples(kept, [], Recipe())


def test_a_positive_of_the_same_question_is_no_negative() -> None:
    kept = [
        pair(0, question="q", weight=1.0, neg_ids=("p1", "n0", "n1")),
        pair(1, question="q", weight=2.0, neg_ids=("n2", "p0")),
        pair(2, question="z", weight=3.0, neg_ids=("p0", "n3")),
    ]
    found = make_examples(kept, [pair(9, question="q", weight=None)], Recipe())
    assert [row.neg_ids for row in found.rows] == [("n0", "n1"), ("n2",), ("p0", "n3")]
    assert found.false_negatives == 2
    # A rejected document was browsed too: it is held against nobody by chance, and may be by choice.
    assert found.positives["q"] == {"p0", "p1", "p9"}
    chosen = [pair(0, question="q", weight=1.0, neg_ids=("p9",)), pair(1, question="q", weight=2.0)]
    assert make_examples(chosen, [pair(9, question="q", weight=None)], Recipe()).rows[0].neg_ids == ("p9",)


@pytest.mark.parametrize("shuffle", ["positives", "weights"])
def test_a_control_permutes_one_thing_and_leaves_the_rest(shuffle: Any) -> None:
    kept = [pair(number, weight=0.5 + number) for number in range(40)]
    plain = make_examples(kept, [], Recipe()).rows
    shuffled = make_examples(kept, [], Recipe(shuffle=shuffle)).rows
    assert [row.query for row in shuffled] == [row.query for row in plain]
    for name in ("pos_id", "weight"):
        before, after = [getattr(row, name) for row in plain], [getattr(row, name) for row in shuffled]
        moved = name == ("pos_id" if shuffle == "positives" else "weight")
        assert (before != after) == moved
        assert sorted(before) == sorted(after)
    assert make_examples(kept, [], Recipe(shuffle=shuffle)).rows == shuffled
    assert make_examples(kept, [], Recipe(shuffle=shuffle, seed=1)).rows != shuffled


def test_the_order_in_which_questions_were_finished_changes_nothing() -> None:
    repeated = [pair(0, weight=9.0).model_copy(update={"repeat": repeat, "step": 5 - repeat}) for repeat in range(3)]
    kept = [*KEPT, *repeated, *(pair(20 + number, question="q2", weight=4.0) for number in range(3))]
    for shuffle in (None, "positives", "weights"):
        recipe = Recipe(shuffle=shuffle)
        assert make_examples(kept[::-1], REJECTED[::-1], recipe) == make_examples(kept, REJECTED, recipe)
    naive = Recipe(stage="naive")
    assert make_examples(REJECTED, kept, naive) == make_examples(kept, REJECTED, naive)


def test_a_relevant_document_without_a_weight_is_a_negative_of_nobody() -> None:
    kept = [
        pair(0, question="q", weight=1.0, neg_ids=("p1", "n0")),
        pair(1, question="q", weight=None),
        pair(2, question="z", weight=2.0, neg_ids=("p1",)),
    ]
    for stage in ("filter", "reweight"):
        row = next(row for row in make_examples(kept, [], Recipe(stage=stage)).rows if row.pos_id == "p0")
        assert row.neg_ids == ("n0",)
        assert make_examples(kept, [], Recipe(stage=stage)).positives["q"] == {"p0", "p1"}
    assert make_examples(kept, [], Recipe()).rows[-1].neg_ids == ("p1",)  # of another question it may be one


def test_what_could_not_be_judged_is_naively_a_positive_and_else_held_against_nobody() -> None:
    undecided = [pair(0, question="q0", weight=None).model_copy(update={"pos_id": "u"})]
    naive = make_examples(KEPT, REJECTED, Recipe(stage="naive"), undecided=undecided)
    assert ("q0", "u", 1.0) in [(row.question_id, row.pos_id, row.weight) for row in naive.rows]
    for stage in ("filter", "reweight"):
        found = make_examples(KEPT, REJECTED, Recipe(stage=stage), undecided=undecided)
        assert [row.pos_id for row in found.rows] == [f"p{n}" for n in range(6)]
        assert found.positives["q0"] == {"p0", "u"}


def test_fingerprints_tell_apart_what_gives_other_weights() -> None:
    assert make_examples(KEPT, REJECTED, Recipe()).fingerprint == make_examples(KEPT, [], Recipe(lr=1)).fingerprint
    opened = [pair(7, question="q0", weight=None)]  # another document that q0's rows are not held against
    assert make_examples(KEPT, opened, Recipe()).fingerprint != make_examples(KEPT, [], Recipe()).fingerprint
    assert make_examples(KEPT, [], Recipe()).fingerprint != make_examples(KEPT[:-1], [], Recipe()).fingerprint
    assert make_examples(KEPT, [], Recipe()).fingerprint != make_examples(KEPT, [], Recipe(stage="filter")).fingerprint


def test_negatives_depend_on_seed_epoch_and_row_alone() -> None:
    def draw(seed: int, epoch: int, row: int) -> tuple[str, ...]:
        return draw_negatives(NEGATIVES, 5, seed=seed, epoch=epoch, row=row)

    assert draw(0, 0, 0) == draw(0, 0, 0)
    assert len({draw(0, 0, 0), draw(1, 0, 0), draw(0, 1, 0), draw(0, 0, 1)}) == 4
    # On every machine: a change of this line changes every training.
    assert draw(0, 0, 0) == ("n5", "n10", "n4", "n9", "n1")


def test_enough_negatives_are_drawn_without_repetition() -> None:
    for row in range(50):
        drawn = draw_negatives(NEGATIVES, 9, seed=0, epoch=0, row=row)
        assert len(set(drawn)) == 9
    seen = {docid for row in range(50) for docid in draw_negatives(NEGATIVES, 9, seed=0, epoch=0, row=row)}
    assert seen == set(NEGATIVES)


def test_too_few_are_all_taken_and_repeated_and_none_stay_none() -> None:
    drawn = draw_negatives(("a", "b"), 9, seed=0, epoch=0, row=0)
    assert len(drawn) == 9
    assert all(set(drawn[at : at + 2]) == {"a", "b"} for at in (0, 2, 4, 6))
    assert set(drawn) == {"a", "b"}
    assert draw_negatives((), 9, seed=0, epoch=0, row=0) == ()
