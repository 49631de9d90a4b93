"""TREC runs become one search a question, and any run becomes one."""

from __future__ import annotations

import pytest
from mining_world import search, trajectory

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Imported
from lrat_bench.exchange.trec import is_trec, ranking, read_trec
from lrat_bench.trajectory import Search

RUN = """\
q1 Q0 b 2 1.5 bm25
q1 Q0 a 1 2.5 bm25
q1 Q0 a 3 0.5 bm25

not a line
q2 Q0 c 1 -3 bm25
q2 Q0 d 2 nan bm25
"""


def test_a_ranking_is_one_search_by_falling_score_each_document_once() -> None:
    found = list(read_trec(RUN.splitlines(), "f"))
    records = [one for one in found if isinstance(one, Imported)]
    lists = [[(hit.docid, hit.score, hit.rank) for hit in step.hits] for one in records for step in searches(one)]
    assert lists == [[("a", 2.5, 1), ("b", 1.5, 2)], [("c", -3.0, 1)]]
    assert [(one.trajectory.question_id, one.trajectory.retriever, one.place) for one in records] == [
        ("q1", "bm25", "f:1"), ("q2", "bm25", "f:6"),
    ]  # fmt: skip
    assert [str(one).partition(": ")[0] for one in found if isinstance(one, UsageError)] == ["f:5", "f:7"]
    first = records[0].trajectory
    assert (first.status, first.answer, first.usage.prompt_tokens) == (None, None, None)


def searches(found: Imported) -> list[Search]:
    return [step for step in found.trajectory.steps if isinstance(step, Search)]


def test_what_is_written_reads_back_the_same() -> None:
    (first, _) = (one for one in read_trec(RUN.splitlines(), "f") if isinstance(one, Imported))
    lines = [f"q1 Q0 {docid} {rank} {score!r} x" for rank, (docid, score) in enumerate(ranking(first.trajectory), 1)]
    (again,) = read_trec(lines, "g")
    assert isinstance(again, Imported)
    assert again.trajectory.steps == first.trajectory.steps


def test_a_trajectory_is_ranked_by_what_it_showed_in_order_of_appearance() -> None:
    one = trajectory(search(0, "q", "c:2 a:1 (b:3)"))
    assert ranking(one) == [("a", 3.0), ("c", 2.0), ("b", 1.0)]
    several = trajectory(search(0, "q", "c (b) a"), search(1, "r", "a d"), search(2, "s", "z", error="broken"))
    assert ranking(several) == [("c", 3.0), ("a", 2.0), ("d", 1.0)]
    assert ranking(trajectory()) == []


@pytest.mark.parametrize("line", ["q Q0 d 1 2 t", " q\t0 d 1 2e3 t "])
def test_a_line_is_known_by_its_six_columns(line: str) -> None:
    assert is_trec(line)


@pytest.mark.parametrize(
    "line", ["", "q Q0 d 1 2", "q Q0 d one 2 t", "q Q0 d 1 inf t", "six words that are no ranking"]
)
def test_other_lines_are_none(line: str) -> None:
    assert not is_trec(line)
