"""What may be paired: what differs is named, and may differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lrat_bench.compare.pairing import differing_keys, labels, refuse_unpairable
from lrat_bench.compare.side import Side
from lrat_bench.errors import UnknownName, UsageError

MakeSide = Callable[..., Side]
VALUES = {"success_rate": {"q1": 1.0, "q2": 0.0}}


def test_sides_of_the_same_questions_and_protocol_are_paired(make_side: MakeSide) -> None:
    refuse_unpairable([make_side("bm25", VALUES), make_side("dense", VALUES), make_side("none", VALUES)])


def test_the_refusal_names_what_differs_and_what_to_do(make_side: MakeSide) -> None:
    bm25 = make_side("bm25", VALUES)
    other = make_side("other", VALUES, shared={"protocol": "f" * 64, "judge": "contains"})
    with pytest.raises(UsageError) as refusal:
        refuse_unpairable([bm25, make_side("fine", VALUES), other])
    said = str(refusal.value)
    for words in (
        "runs/bm25 and runs/other cannot be paired",
        "protocol (pppppppppppp… and ffffffffffff…), judge (exact and contains)",
        "under the same protocol",
        "lrat-bench score RUN --judge NAME",
        "--across protocol --across judge",
    ):
        assert words in said
    assert "\n" not in said


def test_judges_are_called_by_their_names(make_side: MakeSide) -> None:
    ours = make_side("a", VALUES, shared={"judge": "1" * 64}, names={"judge": "contains"})
    theirs = make_side("b", VALUES, shared={"judge": "2" * 64})
    with pytest.raises(UsageError, match=r"differ in judge \(contains 111111111111… and 222222222222…\)"):
        refuse_unpairable([ours, theirs])


def test_what_differs_on_purpose_is_let_through_and_nothing_else(make_side: MakeSide) -> None:
    sides = [make_side("a", VALUES), make_side("b", VALUES, shared={"protocol": "f", "judge": "contains"})]
    refuse_unpairable(sides, across=("protocol", "judge"))
    assert differing_keys(sides) == ["protocol", "judge"]
    with pytest.raises(UsageError, match=r"differ in judge \(exact and contains\): grade both"):
        refuse_unpairable(sides, across=("protocol",))


def test_what_only_one_side_knows_is_a_difference(make_side: MakeSide) -> None:
    with pytest.raises(UsageError, match=r"differ in prompt \(none and v2\)"):
        refuse_unpairable([make_side("a", VALUES), make_side("b", VALUES, shared={"prompt": "v2"})])


def test_an_unknown_key_is_answered_with_the_known_ones(make_side: MakeSide) -> None:
    with pytest.raises(UnknownName, match="did you mean 'protocol'"):
        refuse_unpairable([make_side("a", VALUES), make_side("b", VALUES)], across=("protocl",))


def test_runs_and_retrievals_do_not_mix_even_on_purpose(make_side: MakeSide) -> None:
    sides = [make_side("a", VALUES), make_side("b", VALUES, kind="retrieval")]
    with pytest.raises(UsageError, match="runs/a is a run and runs/b a retrieval"):
        refuse_unpairable(sides, across=("protocol",))


def test_one_side_is_no_comparison(make_side: MakeSide) -> None:
    with pytest.raises(UsageError, match="two sides or more, got 1"):
        refuse_unpairable([make_side("a", VALUES)])


def test_sides_are_called_by_what_tells_them_apart(make_side: MakeSide) -> None:
    def side(folder: str, agent: str, retriever: str, seed: str = "0") -> Side:
        made = make_side(folder, VALUES, free={"agent": agent, "retriever": retriever, "seed": seed})
        return replace(made, path=Path(folder), name=Path(folder).name)

    assert labels([side("x/1", "heuristic", "bm25"), side("x/2", "heuristic", "oracle")]) == ("bm25", "oracle")
    assert labels([side("x/1", "heuristic", "bm25"), side("x/2", "heuristic", "bm25", "7")]) == ("seed 0", "seed 7")
    both = [side("x/1", "a", "bm25"), side("x/2", "a", "oracle"), side("x/3", "b", "bm25")]
    assert labels(both) == ("a · bm25", "a · oracle", "b · bm25")
    assert labels([side("x/k5", "a", "bm25"), side("x/k10", "a", "bm25")]) == ("k5", "k10")
    assert labels([side("x/run", "a", "bm25"), side("y/run", "a", "bm25")]) == ("x/run", "y/run")
    assert labels([side("x/run", "a", "bm25")] * 3) == ("run", "run (2)", "run (3)")
