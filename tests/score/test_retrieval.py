"""Retrieval alone is scored as `trec_eval -c` does it, whatever the batches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.retriever.oracle import Oracle
from lrat_bench.score.intervals import wilson
from lrat_bench.score.metrics.ranking import ranking_measures
from lrat_bench.score.retrieval import (
    Asked,
    Kind,
    Query,
    Scored,
    score_retrieval,
    search_queries,
    shallow,
    summarise_retrieval,
    union_recall,
)
from lrat_bench.task.question import Qrels
from lrat_bench.task.task import Task

EVIDENCE = {f"q{at}": frozenset({f"d{at}", f"d{at + 1}"}) for at in range(200)}


class Table:
    """A retriever that looks rankings up."""

    name = "table"
    fingerprint: str | None = None

    def __init__(self, rankings: dict[str, list[str]]) -> None:
        self.rankings = rankings
        self.batches: list[int] = []

    def prepare(self, progress: object) -> None: ...

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        self.batches.append(len(queries))
        return [
            [Ranked(docid, -float(at)) for at, docid in enumerate(self.rankings.get(query, [])[:k])]
            for query in queries
        ]

    def close(self) -> None: ...


def queries(n: int) -> list[Query]:
    return [Query(f"q{at}", f"text {at}", f"q{at}") for at in range(n)]


def scored(rankings: dict[str, list[str]], n: int, *measures: str) -> Scored:
    found = (
        (query, [hit.docid for hit in ranking]) for query, ranking in search_queries(Table(rankings), queries(n), 9)
    )
    return score_retrieval(found, judgements={"evidence": EVIDENCE}, measures=measures or ("R@5",))


def test_batches_change_nothing() -> None:
    rankings = {f"text {at}": [f"d{at + at % 3}", "x", f"d{at + 1 - 5 * (at % 3 == 1)}"] for at in range(0, 150, 2)}
    got = scored(rankings, 150, "nDCG@10", "R@1", "RR@10", "Success@5")
    by_qid = {f"q{at}": rankings.get(f"text {at}", []) for at in range(150)}
    whole = ranking_measures(by_qid, {qid: EVIDENCE[qid] for qid in by_qid}, ["nDCG@10", "R@1", "RR@10", "Success@5"])
    for one in whole:
        assert got.measured.column(f"evidence_{one.measure}") == pytest.approx(dict(one.by_query))


def test_a_query_that_finds_nothing_counts_0_and_one_without_judgements_not_at_all() -> None:
    found = [(Query("a", "", "q1"), ["d1"]), (Query("b", "", "q1"), []), (Query("c", "", "other"), ["d1"])]
    got = score_retrieval(
        found, judgements={"evidence": EVIDENCE, "gold": {"other": frozenset({"d1"})}}, measures=["R@5"]
    )
    assert got.measured.column("evidence_R@5") == {"a": 0.5, "b": 0.0}
    assert got.measured.column("gold_R@5") == {"c": 1.0}
    by_evidence, by_gold = summarise_retrieval([got.measured], k=5).metrics
    assert (by_evidence.name, by_evidence.value, by_evidence.n, by_gold.n) == ("evidence_R@5", 0.25, 2, 1)


def test_the_interval_is_over_questions_not_queries() -> None:
    once = [(Query(f"q{at}#0", "", f"q{at}"), [f"d{at}"] if at % 2 else []) for at in range(30)]
    often = [(Query(f"q{at}#{n}", "", f"q{at}"), [f"d{at}"] if at % 2 else []) for at in range(30) for n in range(8)]
    few, many = (
        summarise_retrieval([score_retrieval(found, judgements={"evidence": EVIDENCE}, measures=["R@5"]).measured], k=5)
        for found in (once, often)
    )
    assert (few.queries, many.queries, few.questions, many.questions) == (30, 240, 30, 30)
    assert (few.metrics[0].low, few.metrics[0].high) == (many.metrics[0].low, many.metrics[0].high)


def test_the_union_is_what_the_agent_of_a_trajectory_sees() -> None:
    got = scored({"text 0": ["d0", "x"], "text 1": ["y"], "text 2": ["d2"]}, 3)
    seen = [Asked("q0#0#0", "q0", ("q0",), 9), Asked("q2#0#0", "q2", ("q2", "q1"), 9), Asked("q1#0#0", "q1", (), 9)]
    union = union_recall(got, seen, judgements={"evidence": EVIDENCE}, k=9)
    assert union.column("evidence_union_R@9") == {"q0#0#0": 0.5, "q2#0#0": 0.5, "q1#0#0": 0.0}
    both = score_retrieval(
        [(Query("a", "", "q1"), ["d1"]), (Query("b", "", "q1"), ["d2"])],
        judgements={"evidence": EVIDENCE},
        measures=["R@5"],
    )
    joined = union_recall(both, [Asked("t", "q1", ("a", "b"), 5)], judgements={"evidence": EVIDENCE}, k=5)
    assert joined.column("evidence_union_R@5") == {"t": 1.0}


def test_measures_deeper_than_the_ranking_are_left_out() -> None:
    assert shallow(("nDCG@10", "R@5", "R@100", "R@1000"), 100) == ("nDCG@10", "R@5", "R@100")


def test_queries_are_searched_together_and_shown_as_they_go() -> None:
    table, told = Table({}), []
    found = list(search_queries(table, queries(130), 3, progress=lambda what, done, total: told.append((done, total))))
    assert [query.qid for query, _ in found] == [f"q{at}" for at in range(130)]
    assert table.batches == [64, 64, 2]
    assert told == [(0, 130), (64, 130), (128, 130), (130, 130)]


def test_the_oracle_knows_which_question_a_query_is_of(bridge: Task) -> None:
    asked = [Query("a", "anything", "q1"), Query("b", "anything", "q2")]
    found = [hits[0].docid for _, hits in search_queries(Oracle(bridge), asked, 2, progress=no_progress)]
    assert found == ["d1", "d3"]


def test_a_retriever_that_fails_or_breaks_its_contract_is_named(bridge: Task) -> None:
    class Down(Table):
        def search(self, queries: Sequence[str], k: int, **_: object) -> list[list[Ranked]]:
            raise ConnectionError("gone")

    with pytest.raises(UsageError, match="'table' failed at a batch that starts with 'text 0': ConnectionError: gone"):
        list(search_queries(Down({}), queries(2), 3))
    with pytest.raises(UsageError, match="returned document 'd0' twice"):
        list(search_queries(Table({"text 0": ["d0", "d0"]}), queries(1), 3))
    with pytest.raises(UsageError, match="'d9', which the corpus lacks"):
        list(search_queries(Table({"text 0": ["d1", "d9"]}), queries(1), 3, corpus=bridge.corpus))


def test_an_agent_sees_as_much_of_a_list_as_its_run_shows() -> None:
    got = scored({"text 0": ["x", "d0", "d1"], "text 1": ["d1", "x", "d2"]}, 2)
    judgements: dict[Kind, Qrels] = {"evidence": EVIDENCE}
    same = [Asked("q0#0#0", "q0", ("q0",), 2), Asked("q1#0#0", "q1", ("q1",), 2)]
    union = union_recall(got, same, judgements=judgements, k=9)
    assert union.column("evidence_union_R@2") == {"q0#0#0": 0.5, "q1#0#0": 0.5}
    (metric,) = summarise_retrieval([union], k=9).metrics
    assert "cut at its run's k (at most 2)" in metric.definition
    apart = [Asked("q0#0#0", "q0", ("q0",), 1), Asked("q1#0#0", "q1", ("q1",), 50)]
    union = union_recall(got, apart, judgements=judgements, k=9)
    assert union.column("evidence_union_R@9") == {"q0#0#0": 0.0, "q1#0#0": 1.0}


def test_values_that_are_all_the_same_have_no_interval_of_no_width() -> None:
    found = {f"text {at}": [f"d{at}", f"d{at + 1}"] for at in range(5)}
    measured = scored(found, 5, "Success@5", "R@5", "RR@10").measured
    hits, share, rank = summarise_retrieval([measured], k=9).metrics
    assert (hits.value, share.value, rank.value) == (1, 1, 1)
    assert (hits.low, hits.high) == wilson(5, 5)
    assert (share.low, share.high) == (rank.low, rank.high) == wilson(5, 5)
    for nothing in summarise_retrieval([scored({}, 5, "Success@5", "R@5", "RR@10", "nDCG@10").measured], k=9).metrics:
        assert (nothing.value, nothing.low, nothing.high) == (0.0, *wilson(0, 5))
    second = {f"text {at}": ["x", f"d{at}"] for at in range(5)}
    (rank,) = summarise_retrieval([scored(second, 5, "RR@10").measured], k=9).metrics
    assert (rank.value, rank.low, rank.high) == (0.5, None, None)
