"""The session carries calls out, cuts, deduplicates, counts and logs; it decides nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

import pytest

from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.model.seam import ToolCall
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Browse, Search


class Recorded:
    """A search function that remembers what it was asked."""

    by_query: ClassVar = {"a": "d1", "b": "d2", "c": "d3"}

    def __init__(self, ranking: list[Ranked] | None = None) -> None:
        self.ranking = ranking if ranking is not None else [Ranked("d1", 2.0), Ranked("d2", 1.0)]
        self.asked: list[tuple[str, int, SearchContext]] = []

    async def __call__(self, query: str, k: int, context: SearchContext) -> list[Ranked]:
        self.asked.append((query, k, context))
        await asyncio.sleep(0)
        if query in self.by_query:
            return [Ranked(self.by_query[query], 1.0)]
        return self.ranking[:k]


def session(task: Task, search: Any = None, **rules: Any) -> Session:
    rollout = Rollout(**rules)
    return Session("q1", rollout, search or Recorded(), Reader(task.corpus, rollout))


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("c", name, json.dumps(arguments))


def play(at: Session, *calls: ToolCall, turn: int = 0) -> list[Any]:
    """The results as the agent reads them."""
    return [json.loads(reply.text) for reply in asyncio.run(at.execute(calls, turn=turn))]


def test_a_search_shows_snippets_of_the_protocols_length(bridge: Task) -> None:
    at = session(bridge, snippet_tokens=3)
    (result,) = play(at, call("search", query="bridge"))
    assert result == {
        "query": "bridge",
        "results": [
            {"docid": "d1", "score": 2.0, "snippet": "Ostrel Bridge\nThe"},
            {"docid": "d2", "score": 1.0, "snippet": "Aldwin Marr\nAldwin"},
        ],
    }
    assert [(hit.docid, hit.rank) for hit in at.steps[0].hits] == [("d1", 1), ("d2", 2)]  # type: ignore[union-attr]


def test_a_shuffled_list_shows_no_scores_and_hits_keep_their_rank(bridge: Task) -> None:
    ranking = [Ranked(f"d{n}", 5.0 - n) for n in range(1, 5)]
    at = session(bridge, Recorded(ranking), order="shuffled")
    (first,) = play(at, call("search", query="one"))
    (other,) = play(at, call("search", query="two"))
    orders = [[hit["docid"] for hit in shown["results"]] for shown in (first, other)]
    assert all(sorted(order) == ["d1", "d2", "d3", "d4"] for order in orders)
    assert any(order != ["d1", "d2", "d3", "d4"] for order in orders)
    assert all(set(hit) == {"docid", "snippet"} for hit in first["results"])
    step = at.steps[0]
    assert isinstance(step, Search)
    assert [hit.docid for hit in step.hits] == orders[0]
    assert all(hit.docid == f"d{hit.rank}" for hit in step.hits)
    again = session(bridge, Recorded(ranking), order="shuffled")
    assert play(again, call("search", query="one")) == [first]


def test_a_browse_shows_the_document_whole_or_cut(bridge: Task) -> None:
    assert play(session(bridge), call("get_document", docid="d3"))[0] == {
        "docid": "d3",
        "text": "Tarn\nTarn is a harbour town on the river Ostrel.",
    }
    assert play(session(bridge, document_tokens=2), call("get_document", docid="d3"))[0]["text"] == "Tarn\nTarn"


def test_every_query_of_a_list_is_run_up_to_the_cap_and_each_is_logged(bridge: Task) -> None:
    search = Recorded()
    at = session(bridge, search, queries_per_call=2)
    (result,) = play(at, call("search", query=["one", "two", "three"]))
    assert [asked[0] for asked in search.asked] == ["one", "two"]
    assert [(step.query, step.call) for step in at.steps if isinstance(step, Search)] == [("one", 0), ("two", 0)]
    assert "first 2 of 3" in result[-1]["notice"]


def test_a_repeated_query_is_served_again_without_asking_the_retriever(bridge: Task) -> None:
    search = Recorded()
    at = session(bridge, search)
    first = play(at, call("search", query="The  Bridge"), turn=0)[0]
    again = play(at, call("search", query="the bridge "), turn=3)[0]
    assert len(search.asked) == 1
    assert again["results"] == first["results"]
    assert again["note"] == "Same query as in turn 1; results unchanged."
    assert at.steps[1].duplicate_of == 0  # type: ignore[union-attr]


def test_a_repetition_within_one_turn_is_one_too(bridge: Task) -> None:
    search = Recorded()
    at = session(bridge, search)
    play(at, call("search", query="x"), call("search", query="X"), call("get_document", docid="d1"))
    assert len(search.asked) == 1
    assert [getattr(step, "duplicate_of", None) for step in at.steps] == [None, 0, None]


def test_a_repetition_points_at_the_very_query_it_repeats(bridge: Task) -> None:
    at = session(bridge)
    (first,) = play(at, call("search", query=["a", "b", "c", "b"]))
    assert [block["results"][0]["docid"] for block in first] == ["d1", "d2", "d3", "d2"]
    (again,) = play(at, call("search", query="c"), turn=1)
    assert again["results"][0]["docid"] == "d3"
    assert [step.duplicate_of for step in at.steps if isinstance(step, Search)] == [None, None, None, 1, 2]
    play(at, call("get_document", docid=["d1", "d2"]), call("get_document", docid="d2"), turn=2)
    assert [step.duplicate_of for step in at.steps if isinstance(step, Browse)] == [None, None, 6]


def test_repetitions_can_be_served_silently(bridge: Task) -> None:
    at = session(bridge, duplicates="silent")
    play(at, call("get_document", docid="d1"))
    (again,) = play(at, call("get_document", docid="d1"), turn=1)
    assert "note" not in again
    assert at.steps[1].duplicate_of == 0  # type: ignore[union-attr]


def test_the_call_budget_counts_calls_that_were_carried_out(bridge: Task) -> None:
    at = session(bridge, max_calls=2)
    play(at, call("nonsense"), call("search", query=["a", "b"]))
    assert at.calls_left == 1
    results = play(at, call("search", query="c"), call("search", query="d"), turn=1)
    assert "results" in results[0]
    assert "budget of 2" in results[1]["error"]
    assert len(at.steps) == 3


def test_an_unknown_document_is_an_error_to_the_agent_and_no_success_in_the_log(bridge: Task) -> None:
    at = session(bridge)
    (result,) = play(at, call("get_document", docid="d99"))
    assert result["docid"] == "d99"
    assert "no document" in result["error"]
    assert isinstance(at.steps[0], Browse)
    assert not at.steps[0].found
    assert at.steps[0].error


def test_the_retriever_is_told_what_the_agent_has_seen(bridge: Task) -> None:
    search = Recorded()
    at = session(bridge, search)
    play(at, call("search", query="one"))
    play(at, call("get_document", docid="d3"))
    play(at, call("search", query="two"))
    assert search.asked[0][2] == SearchContext("q1", frozenset())
    assert search.asked[1][2].seen == {"d1", "d2", "d3"}


def test_an_index_of_another_corpus_is_noticed(bridge: Task) -> None:
    with pytest.raises(UsageError, match=r"'x9'.*another corpus"):
        play(session(bridge, Recorded([Ranked("x9", 1.0)])), call("search", query="elsewhere"))


def test_nothing_of_a_turn_is_logged_when_the_retriever_fails(bridge: Task) -> None:
    async def broken(query: str, k: int, context: SearchContext) -> list[Ranked]:
        raise RolloutFailure("down")

    at = session(bridge, broken)
    with pytest.raises(RolloutFailure):
        play(at, call("get_document", docid="d1"), call("search", query="elsewhere"))
    assert at.steps == []
    # Nor is it an earlier call that a later one repeats.
    play(at, call("get_document", docid="d1"))
    (step,) = at.steps
    assert isinstance(step, Browse)
    assert step.duplicate_of is None


def test_steps_are_logged_in_the_order_of_the_calls_however_long_each_takes(bridge: Task) -> None:
    async def slow_first(query: str, k: int, context: SearchContext) -> list[Ranked]:
        await asyncio.sleep(0.02 if query == "slow" else 0)
        return [Ranked("d1", 1.0)]

    at = session(bridge, slow_first)
    play(at, call("search", query="slow"), call("search", query="fast"))
    assert [step.query for step in at.steps if isinstance(step, Search)] == ["slow", "fast"]
