"""What is counted on one question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.rows import Row, per_question
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Browse, Hit, Search, Step, Think, Trajectory, TurnRecord, Usage

EVIDENCE = frozenset({"e1", "e2", "e3", "e4"})
GOLD = frozenset({"e1"})


def search(docids: str = "", *, turn: int = 0, call: int = 0, error: str | None = None, hidden: str = "") -> Search:
    hits = tuple(
        Hit(docid=docid, score=None, rank=rank, shown=docid not in hidden.split())
        for rank, docid in enumerate(docids.split(), start=1)
    )
    return Search(turn=turn, call=call, query="q", hits=hits, error=error)


def browse(docid: str, *, turn: int = 0, call: int = 0, found: bool = True, error: str | None = None) -> Browse:
    return Browse(turn=turn, call=call, docid=docid, found=found, error=error)


def row(*steps: Step, evidence: frozenset[str] | None = EVIDENCE, **fields: object) -> Row:
    record = Trajectory.model_validate(
        {
            "task": "t",
            "protocol": "p",
            "question_id": "q",
            "agent": "a",
            "retriever": "r",
            "status": "no_answer",
            "steps": steps,
            **fields,
        }
    )
    (only,) = per_question(
        [Question("q", "?", ("yes",), "test")],
        1,
        [record],
        [],
        judge_fingerprint="j",
        evidence=None if evidence is None else {"q": evidence},
        gold={"q": GOLD},
    )
    return only


def values(*steps: Step) -> dict[str, float | None]:
    return dict(row(*steps).values)


def test_a_call_with_a_list_is_one_step_of_several_queries() -> None:
    got = values(search(), search(), search(call=1), search(turn=1), browse("d", turn=2), browse("e", turn=2))
    assert (got["steps"], got["searches"], got["browses"]) == (4, 3, 1)
    assert (got["queries"], got["documents"]) == (4, 2)


def test_calls_that_failed_are_no_steps() -> None:
    got = values(search(error="down"), browse("x", turn=1, found=False), browse("y", turn=2, error="down"))
    assert all(got[name] == 0 for name in ("steps", "searches", "browses", "queries", "documents"))


def test_a_call_of_which_something_succeeded_is_a_step() -> None:
    got = values(search(error="down"), search(), browse("x", turn=1, found=False), browse("y", turn=1))
    assert (got["steps"], got["queries"], got["documents"]) == (2, 1, 1)


def test_thoughts_are_no_steps() -> None:
    assert values(Think(turn=0, text="hm"))["steps"] == 0


@given(
    st.lists(
        st.builds(search, turn=st.integers(0, 4), call=st.just(0), error=st.sampled_from([None, "down"]))
        | st.builds(browse, st.just("d"), turn=st.integers(5, 9), found=st.booleans()),
        max_size=8,
    )
)
def test_steps_are_searches_plus_browses_whatever_their_order(steps: list[Step]) -> None:
    got, reversed_ = values(*steps), values(*reversed(steps))
    assert got["steps"] == (got["searches"] or 0) + (got["browses"] or 0)
    assert {name: got[name] for name in ("steps", "queries", "documents", "evidence_recall")} == {
        name: reversed_[name] for name in ("steps", "queries", "documents", "evidence_recall")
    }


def test_recall_counts_documents_shown_and_documents_read() -> None:
    got = values(search("e1 x e2"), search("e1", turn=1), browse("e3", turn=2))
    assert got["evidence_recall_searched"] == 0.5
    assert got["evidence_recall"] == 0.75
    assert got["gold_recall"] == 1.0
    assert got["hit_rate"] == 1.0


def test_what_the_agent_never_saw_is_not_recalled() -> None:
    got = values(search("e1 e2", hidden="e2"), search("e3", turn=1, error="down"), browse("e4", turn=2, found=False))
    assert got["evidence_recall"] == 0.25


def test_a_hit_is_any_evidence_at_all() -> None:
    assert values(search("x y"))["hit_rate"] == 0.0
    assert values(browse("e4"))["hit_rate"] == 1.0


@pytest.mark.parametrize("evidence", [None, frozenset[str]()])
def test_without_evidence_nothing_is_said_of_recall(evidence: frozenset[str] | None) -> None:
    got = row(search("e1"), evidence=evidence).values
    assert {got[name] for name in ("evidence_recall", "evidence_recall_searched", "hit_rate")} == {None}
    assert got["first_query_ndcg@10"] is None
    assert got["gold_recall"] == 1.0


def test_the_first_querys_ranking_is_scored_by_the_retrievers_ranks() -> None:
    best = values(search("e1 e2 e3 e4 x"), search("x", turn=1))
    assert best["first_query_ndcg@10"] == pytest.approx(1.0)
    shown_backwards = Search(turn=0, call=0, query="q", hits=tuple(reversed(search("e1 e2 e3 e4 x").hits)))
    assert values(shown_backwards) == best | {"queries": 1, "searches": 1, "steps": 1}


def test_the_first_query_is_the_first_that_succeeded() -> None:
    assert values(search(error="down"), search("e1 e2 e3 e4", turn=1))["first_query_ndcg@10"] == pytest.approx(1.0)
    assert values(search(), search("e1", turn=1))["first_query_ndcg@10"] == 0.0
    assert values(browse("e1"))["first_query_ndcg@10"] is None


def test_effort_is_known_or_unknown_and_never_guessed() -> None:
    unknown = row().values
    assert (unknown["completion_tokens"], unknown["cost_usd"]) == (None, None)
    known = row(
        turns=(TurnRecord(turn=0), TurnRecord(turn=1)),
        usage=Usage(completion_tokens=70, cost_usd=0.01),
        seconds=2.5,
    ).values
    assert (known["turns"], known["completion_tokens"], known["cost_usd"], known["seconds"]) == (2, 70, 0.01, 2.5)


def test_an_import_that_records_no_turns_or_time_leaves_them_unknown() -> None:
    imported = row(search("e1"), origin="elsewhere", status=None)
    assert (imported.values["turns"], imported.values["seconds"], imported.status) == (None, None, "unknown")
    assert row(status="refused").values["turns"] == 0


def test_measures_have_names_of_their_own_and_a_definition_in_one_sentence() -> None:
    names: Sequence[str] = [measure.name for measure in MEASURES]
    assert len(set(names)) == len(names)
    for measure in MEASURES:
        assert measure.definition.endswith(".")
        assert ". " not in measure.definition
