"""`rrf:A+B` fuses rankings by rank alone, and its arms are retrievers like any other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.arms import split_arms
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.retriever.fusion import Fusion, fuse, make_rrf

MakeContext = Callable[..., BuildContext]


class Fixed:
    """Finds the same for every query."""

    def __init__(self, name: str, docids: Sequence[str], fingerprint: str | None = "f") -> None:
        self.name = name
        self.fingerprint = fingerprint and f"{fingerprint}-{name}"
        self._docids = docids
        self.depths: list[int] = []
        self.events: list[str] = []

    def prepare(self, progress: Progress) -> None:
        self.events.append("prepare")

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        self.depths.append(k)
        ranking = [Ranked(docid, 1 / rank) for rank, docid in enumerate(self._docids, start=1)][:k]
        return [ranking if query.strip() else [] for query in queries]

    def close(self) -> None:
        self.events.append("close")
        if self.name == "sticky":
            raise OSError("stuck")


def fusion(*arms: Fixed, k0: float = 60, depth: int = 100) -> Fusion:
    return Fusion("rrf:x", arms, k0=k0, depth=depth)


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    (found,) = fusion(Fixed("a", ["x", "y", "z"]), Fixed("b", ["y", "w"])).search(["q"], 10)
    assert found == [
        Ranked("y", 1 / 62 + 1 / 61),
        Ranked("x", 1 / 61),
        Ranked("w", 1 / 62),
        Ranked("z", 1 / 63),
    ]


def test_equal_scores_come_by_rising_docid() -> None:
    (found,) = fusion(Fixed("a", ["z", "x"]), Fixed("b", ["x", "z"])).search(["q"], 10)
    assert [hit.docid for hit in found] == ["x", "z"]
    assert found[0].score == found[1].score


def test_one_ranking_alone_keeps_its_order_and_nothing_stays_nothing() -> None:
    ranking = [Ranked(docid, score) for docid, score in (("b", 9.0), ("a", 9.0), ("c", -3.0))]
    assert [hit.docid for hit in fuse([ranking])] == ["b", "a", "c"]
    assert fuse([[], []]) == []
    assert fusion(Fixed("a", ["x"]), Fixed("b", ["y"])).search(["", "q"], 10)[0] == []


def test_a_short_ranking_is_the_beginning_of_a_long_one() -> None:
    # "both" is deep in either arm: fused with what lies above it, it would come first.
    arms = (Fixed("a", ["a", "b", "c", "both"]), Fixed("b", ["d", "e", "f", "both"]))
    fused = fusion(*arms, depth=2, k0=0)
    (long,) = fused.search(["q"], 10)
    assert sorted(long, key=lambda hit: (-hit.score, hit.docid)) == long
    assert {hit.docid for hit in long[:4]} == {"a", "b", "d", "e"}
    assert long[4].docid == "both"
    for k in range(1, 8):
        assert fused.search(["q"], k) == [long[:k]]


def test_every_arm_is_asked_for_its_depth_or_for_k_where_that_is_more() -> None:
    arms = (Fixed("a", ["x"]), Fixed("b", ["y"]))
    fused = fusion(*arms, depth=20)
    fused.search(["q"], 5)
    fused.search(["q"], 50)
    assert [arm.depths for arm in arms] == [[20, 50], [20, 50]]


def test_the_list_is_cut_at_k_and_a_longer_one_begins_with_it() -> None:
    fused = fusion(Fixed("a", [f"a{n}" for n in range(9)]), Fixed("b", [f"b{n}" for n in range(9)]))
    (five,), (nine,) = fused.search(["q"], 5), fused.search(["q"], 9)
    assert len(five) == 5
    assert nine[:5] == five


def test_small_k0_favours_the_first_ranks() -> None:
    arms = (Fixed("a", ["x", "p", "q", "both"]), Fixed("b", ["y", "r", "s", "both"]))
    assert fusion(*arms, k0=60).search(["q"], 1)[0][0].docid == "both"
    assert fusion(*arms, k0=0).search(["q"], 1)[0][0].docid == "x"


def test_arms_are_prepared_and_all_of_them_closed() -> None:
    arms = (Fixed("sticky", ["x"]), Fixed("b", ["y"]))
    fused = fusion(*arms)
    fused.prepare(no_progress)
    with pytest.raises(OSError, match="stuck"):
        fused.close()
    assert [arm.events for arm in arms] == [["prepare", "close"], ["prepare", "close"]]


def test_the_fingerprint_is_made_of_those_of_the_arms() -> None:
    a, b = Fixed("a", []), Fixed("b", [])
    assert fusion(a, b).fingerprint == fusion(Fixed("a", []), Fixed("b", [])).fingerprint
    assert len({fusion(a, b).fingerprint, fusion(a, a).fingerprint, fusion(a, b, k0=1).fingerprint}) == 3
    assert fusion(a, b, depth=5).fingerprint != fusion(a, b).fingerprint
    assert fusion(a, Fixed("c", [], fingerprint=None)).fingerprint is None


def test_an_arm_that_breaks_the_contract_is_named() -> None:
    with pytest.raises(RolloutFailure, match=r"retriever 'b', query 'q': returned document 'y' twice"):
        fusion(Fixed("a", ["x"]), Fixed("b", ["y", "y"])).search(["q"], 5)


@pytest.mark.parametrize(
    ("argument", "arms"),
    [
        ("bm25+dense:org/name", ["bm25", "dense:org/name"]),
        ("dense:a+b/c+d+bm25", ["dense:a+b/c+d", "bm25"]),
        ("bm25+my.module:Thing+none", ["bm25", "my.module:Thing", "none"]),
        ("rerank:m@bm25+dense:x", ["rerank:m@bm25", "dense:x"]),
    ],
)
def test_arms_are_told_apart_at_pluses_that_a_retriever_follows(argument: str, arms: list[str]) -> None:
    assert split_arms(argument) == arms


@pytest.mark.parametrize("argument", [None, "", "bm25", "none"])
def test_fewer_than_two_arms_are_refused(argument: str | None, make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match="fuses at least two"):
        make_rrf(argument, make_context({"a": "b"}))


@pytest.mark.parametrize("argument", ["none+", "+none", "none++none", "bm25:~/c+++dense:x"])
def test_an_empty_arm_is_refused(argument: str, make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match=r"an arm of .* is empty"):
        make_rrf(argument, make_context({"a": "b"}))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"k1": 1}, r"unknown setting of retriever 'rrf' 'k1'"),
        ({"depht": 1}, "did you mean 'depth'"),
        ({"k0": -1}, "a number at least 0"),
        ({"depth": 0}, "a number from 1"),
        ({"depth": 20.5}, "setting 'depth' of retriever 'rrf' must be a whole number, got 20.5"),
        ({"none.k": 1}, "retriever 'none' has no settings, got 'k'"),
        ({"none": {"k": 1}}, "retriever 'none' has no settings, got 'k'"),
        ({"none": 1}, r"'none' takes settings by name, as in --set retriever.none.KEY=VALUE"),
        ({"oracle.k": 1}, "unknown setting of retriever 'rrf' 'oracle.k'"),
    ],
)
def test_settings_go_to_the_arm_they_name(settings: dict[str, Any], said: str, make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match=said):
        make_rrf("none+none", make_context({"a": "b"}, settings=settings))


@pytest.mark.parametrize("settings", [{"lrat_bench.retriever.none.k": 1}, {"lrat_bench.retriever.none": {"k": 1}}])
def test_an_arm_of_ones_own_gets_its_settings_by_the_name_of_its_module(
    settings: dict[str, Any], make_context: MakeContext
) -> None:
    with pytest.raises(UsageError, match="retriever 'none' has no settings, got 'k'"):
        make_rrf("none+lrat_bench.retriever.none:make_none", make_context({"a": "b"}, settings=settings))
    with pytest.raises(UsageError, match=r"unknown setting of retriever 'rrf' 'lrat_bench\.retriever\.other\.k'"):
        make_rrf(
            "none+lrat_bench.retriever.none:make_none",
            make_context({"a": "b"}, settings={"lrat_bench.retriever.other.k": 1}),
        )


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ({"lrat_bench.retriever.none.make_none.k": 1}, "make_none.k"),
        ({"lrat_bench.retriever.none": {"make_none": {"k": 1}}}, "make_none"),
    ],
)
def test_settings_that_name_the_object_too_are_told_the_right_name(
    settings: dict[str, Any], given: str, make_context: MakeContext
) -> None:
    module = "lrat_bench.retriever.none"
    said = f"give --set retriever.{module}.k=VALUE, not retriever.{module}.{given}"
    with pytest.raises(UsageError, match=re.escape(said)):
        make_rrf(f"none+{module}:make_none", make_context({"a": "b"}, settings=settings))


@pytest.mark.usefixtures("lucene")
def test_lucene_is_set_and_fused_through_its_name(make_context: MakeContext) -> None:
    texts = {"a": "the mason built a bridge", "b": "a mason", "c": "a ferry on the river"}
    plain, other = (
        load_retriever("rrf:bm25+none", make_context(texts, settings=settings)) for settings in ({}, {"bm25.k1": 2})
    )
    try:
        assert plain.fingerprint != other.fingerprint
        plain.prepare(no_progress)
        (found,) = plain.search(["mason"], 5)
        assert found == [Ranked("b", 1 / 61), Ranked("a", 1 / 62)]
    finally:
        plain.close()
        other.close()
