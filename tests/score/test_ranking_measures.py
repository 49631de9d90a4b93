"""Ranking measures agree with their textbook formulas, whatever the retriever's scores tie on."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrat_bench.errors import UsageError
from lrat_bench.score.metrics.ranking import ranking_measures

DOCIDS = [f"d{at}" for at in range(30)]


def ndcg(ranking: list[str], relevant: frozenset[str], k: int) -> float:
    gain = sum(1 / log2(at + 2) for at, docid in enumerate(ranking[:k]) if docid in relevant)
    return gain / sum(1 / log2(at + 2) for at in range(min(k, len(relevant))))


def by_name(ranking: list[str], relevant: frozenset[str]) -> dict[str, float | None]:
    scores = ranking_measures({"q": ranking}, {"q": relevant}, ["nDCG@10", "R@5", "RR", "RR@10"])
    return {score.measure: score.mean for score in scores}


@settings(max_examples=50)
@given(st.permutations(DOCIDS), st.integers(0, 30), st.sets(st.sampled_from(DOCIDS), min_size=1))
def test_they_agree_with_their_formulas(order: list[str], depth: int, relevant: set[str]) -> None:
    ranking, judged = order[:depth], frozenset(relevant)
    first = next((at + 1 for at, docid in enumerate(ranking) if docid in judged), None)
    assert by_name(ranking, judged) == pytest.approx(
        {
            "nDCG@10": ndcg(ranking, judged, 10),
            "R@5": len(judged.intersection(ranking[:5])) / len(judged),
            "RR": 1 / first if first else 0.0,
            "RR@10": 1 / first if first and first <= 10 else 0.0,
        }
    )


@pytest.mark.parametrize("ranking", [["a", "b", "c"], ["c", "b", "a"]])
def test_ranks_decide_where_providers_would_break_ties_by_docid(ranking: list[str]) -> None:
    scores = by_name(ranking, frozenset("a"))
    assert scores["RR"] == scores["RR@10"] == pytest.approx(1 / (ranking.index("a") + 1))


def test_every_judged_query_counts_and_no_other() -> None:
    qrels = {"found": frozenset("a"), "unranked": frozenset("b"), "empty": frozenset("c"), "unjudged": frozenset[str]()}
    rankings = {"found": ["a"], "empty": [], "unjudged": ["a"], "foreign": ["a"]}
    (score,) = ranking_measures(rankings, qrels, ["R@10"])
    assert score.by_query == {"found": 1.0, "unranked": 0.0, "empty": 0.0}
    assert score.mean == pytest.approx(1 / 3)


def test_without_judged_queries_there_is_no_mean() -> None:
    (score,) = ranking_measures({"q": ["a"]}, {}, ["R@10"])
    assert score.mean is None


@pytest.mark.parametrize("name", ["mystery", "nDCG@", "R", "alpha_nDCG@10"])
def test_a_measure_that_cannot_be_computed_is_a_mistake_of_use(name: str) -> None:
    with pytest.raises(UsageError):
        ranking_measures({"q": ["a"]}, {"q": frozenset("a")}, [name])


def test_a_ranking_with_a_document_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="query 'q' holds document 'a' twice"):
        ranking_measures({"q": ["a", "b", "a"]}, {"q": frozenset("a")}, ["R@10"])
