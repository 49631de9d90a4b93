"""The oracle shows evidence that the agent has not seen; `none` shows nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.retriever.base import BuildContext, Retriever, SearchContext
from lrat_bench.retriever.none import make_none
from lrat_bench.retriever.oracle import make_oracle

MakeContext = Callable[..., BuildContext]

TEXTS = {f"d{i:03d}": f"text {i}" for i in range(200)}
EVIDENCE = {"q1": ["d050", "d007", "d100"], "q2": ["d001"]}
GOLD = {"q1": ["d100", "d120"]}


@pytest.fixture
def oracle(make_context: MakeContext) -> Retriever:
    return make_oracle(None, make_context(TEXTS, evidence=EVIDENCE, gold=GOLD))


def docids(retriever: Retriever, k: int, question_id: str, seen: frozenset[str] = frozenset()) -> list[str]:
    (ranking,) = retriever.search(["anything"], k, contexts=[SearchContext(question_id, seen)])
    return [hit.docid for hit in ranking]


def test_unseen_evidence_comes_first_by_rising_docid(oracle: Retriever) -> None:
    assert docids(oracle, 10, "q1")[:4] == ["d007", "d050", "d100", "d120"]


def test_what_the_agent_has_seen_comes_after_what_it_has_not(oracle: Retriever) -> None:
    assert docids(oracle, 10, "q1", frozenset({"d007", "d100", "d199"}))[:4] == ["d050", "d120", "d007", "d100"]


def test_a_list_is_filled_up_to_k_with_documents_that_are_no_evidence(oracle: Retriever) -> None:
    ranking = docids(oracle, 50, "q1")
    assert len(set(ranking)) == 50
    assert set(ranking) <= set(TEXTS)
    assert set(docids(oracle, 1000, "q1")) == set(TEXTS)


def test_filler_is_the_same_each_time_and_differs_between_questions(
    oracle: Retriever, make_context: MakeContext
) -> None:
    again = make_oracle(None, make_context(TEXTS, evidence=EVIDENCE, gold=GOLD))
    docids(again, 3, "q2")
    assert docids(again, 50, "q1") == docids(oracle, 50, "q1")
    assert docids(oracle, 50, "q1")[4:] != docids(oracle, 50, "q2")[4:]


def test_a_longer_list_goes_on_where_a_shorter_one_ends(oracle: Retriever) -> None:
    context = [SearchContext("q1")]
    assert oracle.search(["x"], 50, contexts=context)[0][:7] == oracle.search(["x"], 7, contexts=context)[0]


def test_scores_fall_strictly(oracle: Retriever) -> None:
    (ranking,) = oracle.search(["x"], 200, contexts=[SearchContext("q1")])
    scores = [hit.score for hit in ranking]
    assert scores == sorted(set(scores), reverse=True)


def test_a_question_without_evidence_gets_filler_alone(oracle: Retriever) -> None:
    assert len(docids(oracle, 10, "unjudged")) == 10


def test_an_empty_query_finds_nothing(oracle: Retriever) -> None:
    assert oracle.search(["", " "], 5, contexts=[SearchContext("q1")] * 2) == [[], []]


def test_the_oracle_must_know_who_asks(oracle: Retriever) -> None:
    with pytest.raises(UsageError, match="search with contexts"):
        oracle.search(["x"], 5)


def test_the_oracle_needs_a_task_with_evidence(make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match="'memory' has none"):
        make_oracle(None, make_context(TEXTS))


def test_a_corpus_of_nothing_has_no_filler(make_context: MakeContext) -> None:
    assert docids(make_oracle(None, make_context({}, evidence={})), 5, "q1") == []


def test_none_finds_nothing(make_context: MakeContext) -> None:
    assert make_none(None, make_context(TEXTS)).search(["a", "b"], 10) == [[], []]


@pytest.mark.parametrize("make", [make_oracle, make_none])
def test_neither_takes_an_argument_or_a_setting(
    make: Callable[[str | None, BuildContext], Retriever], make_context: MakeContext
) -> None:
    with pytest.raises(UsageError, match=r"takes no argument, got .*:x"):
        make("x", make_context(TEXTS, evidence=EVIDENCE))
    with pytest.raises(UsageError, match="has no settings, got 'k1'"):
        make(None, make_context(TEXTS, evidence=EVIDENCE, settings={"k1": 1}))


def test_both_have_fingerprints_that_differ(oracle: Retriever, make_context: MakeContext) -> None:
    assert oracle.fingerprint
    assert oracle.fingerprint != make_none(None, make_context(TEXTS)).fingerprint
