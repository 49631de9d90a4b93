"""The analysis counts what a reader of the trajectory would count by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mining_world
import pytest

import lrat_bench
from lrat_bench.errors import UsageError
from lrat_bench.lrat.analysis.analysis import Analysis, Part, analyse
from lrat_bench.lrat.analysis.counts import Counting
from lrat_bench.lrat.analysis.evidence import AccuracyByEvidence
from lrat_bench.lrat.analysis.positions import BrowsePositions
from lrat_bench.lrat.analysis.reasoning import ReasoningLengths
from lrat_bench.lrat.analysis.seen import Seen, see
from lrat_bench.lrat.analysis.transitions import Transitions
from lrat_bench.report.analysis import shown_parts
from lrat_bench.retriever.base import Retriever
from lrat_bench.score.intervals import wilson
from lrat_bench.score.verdict import Grade
from lrat_bench.task.tokenizer import load_tokenizer
from lrat_bench.trajectory import Answer, Browse, Hit, Search, Step, Think, Trajectory


def search(turn: int | None, docids: str = "", *, call: int = 0, error: str | None = None) -> Search:
    """`docids` in the order shown; `d3:2` is rank 2 of the retriever's."""
    hits = []
    for position, word in enumerate(docids.split(), 1):
        docid, _, rank = word.partition(":")
        hits.append(Hit(docid=docid, score=None, rank=int(rank or position)))
    return Search(turn=turn, call=call, query="q", hits=tuple(hits), error=error)


def browse(turn: int | None, docid: str, *, call: int = 0, found: bool = True) -> Browse:
    return Browse(turn=turn, call=call, docid=docid, found=found, error=None if found else "not in the corpus")


def think(turn: int | None, words: int, **more: object) -> Think:
    return Think.model_validate({"turn": turn, "text": " ".join(["so"] * words), **more})


def seen(
    steps: Sequence[Step],
    grade: Grade = "correct",
    *,
    question: str = "q1",
    evidence: str = "e1 e2",
    answer: str | None = "x",
) -> Seen:
    record = Trajectory(
        task="t",
        protocol="p",
        question_id=question,
        agent="a",
        retriever="r",
        status="answered",
        answer=answer,
        steps=(*steps, Answer(turn=99, text=answer)) if answer else tuple(steps),
    )
    relevant = frozenset(evidence.split()) or None
    return see(record, grade, task="t", evidence=relevant, tokenizer=load_tokenizer("regex-v1"))


def test_a_step_is_a_call_of_which_something_succeeded() -> None:
    got = seen(
        [
            search(0, "e1"),
            search(0, "x"),  # the second query of the same call
            search(1, error="down"),
            browse(2, "gone", found=False),
            browse(2, "e1"),  # the same call: one of its documents was there
            browse(3, "gone", found=False),
            browse(3, "x", call=1),
        ]
    )
    assert got.calls == ("search", "browse", "browse")


def test_counts_are_means_by_correctness_and_the_ratio_is_of_the_means() -> None:
    counting = Counting()
    counting.add(seen([search(0), search(1), browse(2, "x")]))
    counting.add(seen([search(0), search(1), search(2), search(3), browse(4, "x"), browse(5, "y")]))
    counting.add(seen([search(0)], "incorrect"))
    counting.add(seen([search(0)], "ungraded"))
    correct, incorrect, all_ = counting.result()
    assert (correct.n, correct.searches, correct.browses, correct.ratio, correct.steps) == (2, 3, 1.5, 0.5, 4.5)
    assert (incorrect.n, incorrect.ratio) == (1, 0)
    assert (all_.n, all_.searches, all_.steps) == (4, 2, 2.75)
    nothing = Counting().result()[0]
    assert (nothing.n, nothing.searches, nothing.ratio) == (0, None, None)


def test_transitions_follow_the_order_of_steps_and_end_in_an_answer_or_in_nothing() -> None:
    transitions = Transitions()
    transitions.add(seen([search(0), search(1), browse(2, "x"), search(3), browse(4, "y"), browse(5, "z")]))
    transitions.add(seen([search(0)], answer=None, grade="incorrect"))
    transitions.add(seen([]))
    rows = {(row.group, row.after): row for row in transitions.result()}
    after_search, after_browse = rows["correct", "search"], rows["correct", "browse"]
    assert (after_search.search, after_search.browse, after_search.answer, after_search.n) == (1, 2, 0, 3)
    assert after_search.to_browse == pytest.approx(2 / 3)
    assert (after_browse.to_search, after_browse.to_browse) == (0.5, 0.5)
    assert after_browse.to_answer == pytest.approx(1 / 3)
    lone = rows["incorrect", "search"]
    assert (lone.nothing, lone.to_search, lone.to_answer) == (1, None, 0)
    assert rows["all", "search"].n == 4


def test_accuracy_by_evidence_has_wilsons_interval_where_questions_occur_once() -> None:
    accuracy = AccuracyByEvidence()
    for at in range(10):
        reads = [browse(0, "e1"), browse(1, "e1"), browse(2, "x")]
        accuracy.add(seen(reads, "correct" if at < 7 else "incorrect", question=f"q{at}"))
    accuracy.add(seen([browse(0, "e1"), browse(1, "e2")], question="q10"))
    accuracy.add(seen([], "incorrect", question="q11"))
    accuracy.add(seen([browse(0, "e1")], "ungraded", question="q12"))
    accuracy.add(seen([browse(0, "e1")], question="q13", evidence=""))
    none, one, two = accuracy.result()
    assert (one.browsed, one.n, one.correct, one.accuracy) == (1, 10, 7, 0.7)
    assert (one.low, one.high) == wilson(7, 10)
    assert (none.browsed, none.n, none.accuracy) == (0, 1, 0)
    assert (two.browsed, two.accuracy) == (2, 1)


def test_repeats_of_a_question_narrow_nothing_by_themselves() -> None:
    accuracy = AccuracyByEvidence()
    for at in range(10):
        for _ in range(20):
            accuracy.add(seen([browse(0, "e1")], "correct" if at < 5 else "incorrect", question=f"q{at}"))
            accuracy.add(seen([], "incorrect", question=f"q{at}"))
    none, one = accuracy.result()
    assert (one.n, one.questions) == (200, 10)
    assert (one.low, one.high) == wilson(5, 10)
    assert (none.low, none.high) == wilson(0, 10)


def test_a_question_that_is_repeated_weighs_as_much_as_another() -> None:
    accuracy = AccuracyByEvidence()
    for _ in range(9):
        accuracy.add(seen([], "correct", question="often"))
    for at in range(3):
        accuracy.add(seen([], "incorrect", question=f"q{at}"))
    (row,) = accuracy.result()
    assert (row.n, row.questions, row.correct, row.accuracy) == (12, 4, 9, 0.25)
    assert (row.low, row.high) == wilson(1, 4)


def test_a_document_counts_where_it_stood_in_the_latest_list_that_was_seen() -> None:
    positions = BrowsePositions()
    positions.add(
        seen(
            [
                search(0, "x e1 y z"),
                search(1, "e1 x"),
                search(2, "e2 e1", call=1),
                browse(2, "e1", call=0),  # made with the search of its turn: not from that list
                browse(3, "e1"),  # again
                browse(4, "out of nowhere"),
                browse(5, "z"),
            ]
        )
    )
    got = positions.result()
    assert (got.n, got.no_list, got.again) == (2, 1, 1)
    assert [(place.place, place.browses, place.share) for place in got.by_rank] == [
        (1, 1, 0.5), (2, 0, 0), (3, 0, 0), (4, 1, 0.5),
    ]  # fmt: skip
    assert [place.expected for place in got.by_rank] == [0.375, 0.375, 0.125, 0.125]


def test_rank_and_position_part_where_lists_are_shuffled() -> None:
    positions = BrowsePositions()
    positions.add(seen([search(0, "c:3 a:1 b:2"), browse(1, "c"), browse(2, "a")]))
    got = positions.result()
    assert [place.browses for place in got.by_rank] == [1, 0, 1]
    assert [place.browses for place in got.by_position] == [1, 1, 0]


def test_opening_at_random_gives_what_chance_gives() -> None:
    positions = BrowsePositions()
    for at in range(5):
        positions.add(seen([search(0, "d0 d1 d2 d3 d4"), browse(1, f"d{at}")]))
    assert all(place.share == pytest.approx(place.expected) for place in positions.result().by_rank)


def test_where_turns_are_unknown_the_order_of_the_calls_decides() -> None:
    got = seen([search(None, "a b", call=0), browse(None, "b", call=1), search(None, "b", call=2)])
    assert got.reads[0].listed is not None
    assert got.reads[0].listed.rank == 2
    assert got.calls == ("search", "browse", "search")


def test_reasoning_is_measured_by_correctness_and_by_what_was_read() -> None:
    lengths = ReasoningLengths()
    for words in (10, 20, 30, 40):
        lengths.add(seen([browse(0, "e1"), think(1, words), search(1), browse(2, "x"), think(3, 2)]))
    lengths.add(seen([browse(0, "e1"), browse(0, "x", call=1), think(1, 9)], "incorrect"))
    lengths.add(seen([browse(0, "e1"), think(1, 500, censored=True)]))
    lengths.add(seen([browse(0, "e1"), think(1, 5, source="summary")]))
    lengths.add(seen([browse(0, "e1")]))
    lengths.add(seen([browse(0, "x"), think(1, 7)], evidence=""))
    got = lengths.result()
    rows = {(row.group, row.document): row for row in got.rows}
    evidence = rows["correct", "evidence"]
    assert (evidence.n, evidence.mean, evidence.q1, evidence.median, evidence.q3) == (4, 25, 17.5, 25, 32.5)
    assert (rows["correct", "other"].n, rows["correct", "other"].median) == (4, 2)
    # Two documents of one turn share what was thought of both.
    assert rows["incorrect", "evidence"].mean == rows["incorrect", "other"].mean == 4.5
    assert rows["correct", "any"].n == 9
    assert rows["all", "any"].n == 11
    assert (got.censored, got.withheld, got.without) == (1, 1, 1)


def run(task: Path, out: Path, retriever: str | Retriever, **more: Any) -> Path:
    lrat_bench.run(task=str(task), retriever=retriever, out=out, **more)
    return out


def same(one: Part, other: Part) -> bool:
    return one.model_copy(update={"name": other.name}) == other


def test_runs_are_analysed_each_by_retriever_and_together(task_folder: Path, tmp_path: Path) -> None:
    oracle, none = run(task_folder, tmp_path / "a", "oracle"), run(task_folder, tmp_path / "b", "none")
    got = analyse([oracle, none])
    assert [part.name for part in got.runs] == ["a", "b"]
    assert [part.name for part in got.retrievers] == ["oracle", "none"]
    assert same(got.runs[0], got.retrievers[0])
    assert (got.total.trajectories, got.total.runs) == (4, ("a", "b"))
    assert same(analyse([oracle]).total, got.runs[0])
    metrics = lrat_bench.load_run(oracle).metrics
    counts = got.runs[0].counts[-1]
    assert counts.searches == metrics.metric("searches").value
    assert counts.browses == metrics.metric("browses").value
    assert counts.steps == metrics.metric("steps").value
    assert sum(one.correct for one in got.runs[0].evidence) == metrics.outcomes["correct"]
    assert Analysis.model_validate_json(got.model_dump_json(by_alias=True)) == got


def test_only_the_selection_of_a_run_counts_and_what_is_owed_is_said(task_folder: Path, tmp_path: Path) -> None:
    out = run(task_folder, tmp_path / "a", "oracle", repeats=2)
    run(task_folder, out, "oracle", limit=1)
    assert analyse([out]).total.trajectories == 1
    run(task_folder, out, "oracle", repeats=2)
    (out / "verdicts.jsonl").unlink()
    lines = (out / "trajectories.jsonl").read_text().splitlines(keepends=True)
    (out / "trajectories.jsonl").write_text("".join(lines[:-1]))
    got = analyse([out]).total
    assert (got.trajectories, got.ungraded, got.errored) == (3, 3, 1)
    assert [row.n for row in got.counts] == [0, 0, 3]


def test_a_task_without_evidence_leaves_that_part_empty(task_folder: Path, tmp_path: Path) -> None:
    for name in ("qrels.trec", "qrels.gold.trec"):
        (task_folder / name).unlink()
    lrat_bench.run(task=str(task_folder), retriever="none", out=tmp_path / "a")
    got = analyse([tmp_path / "a"]).total
    assert got.evidence == ()
    assert got.trajectories == 2


def test_what_is_no_run_or_comes_twice_is_refused(task_folder: Path, tmp_path: Path) -> None:
    out = run(task_folder, tmp_path / "a", "none")
    with pytest.raises(UsageError, match="given twice"):
        analyse([out, out])
    with pytest.raises(UsageError, match="not a run folder"):
        analyse([tmp_path])
    task_folder.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="bridge"):
        analyse([out])
    assert analyse([out], task=str(tmp_path / "moved")).total.trajectories == 2


def test_a_document_that_was_not_shown_was_not_found_in_that_list() -> None:
    old, new = mining_world.search(0, "old", "a b c"), mining_world.search(1, "new", "(c) a")
    got = seen([old, new, browse(2, "c"), browse(3, "a")])
    assert [read.listed and (read.listed.rank, read.listed.position) for read in got.reads] == [(3, 3), (2, 1)]
    assert got.reads[1].listed is not None
    assert got.reads[1].listed.ranks == (2,)


def changed(out: Path, question: str, **fields: Any) -> None:
    """Rewrite the trajectory of a question."""
    file = out / "trajectories.jsonl"
    found = [Trajectory.model_validate_json(line) for line in file.read_text().splitlines()]
    lines = [one.model_copy(update=fields if one.question_id == question else {}).to_json() for one in found]
    file.write_text("\n".join(lines) + "\n")


def test_what_has_no_answer_is_incorrect_and_not_ungraded(task_folder: Path, tmp_path: Path) -> None:
    out = run(task_folder, tmp_path / "a", "oracle")
    changed(out, "q1", answer=None, status="turn_limit")
    got = analyse([out]).total
    assert (got.trajectories, got.ungraded, got.errored) == (2, 0, 0)
    assert [row.n for row in got.counts] == [1, 1, 2]


def test_a_verdict_counts_while_the_answers_it_was_given_under_are_accepted(task_folder: Path, tmp_path: Path) -> None:
    out = run(task_folder, tmp_path / "a", "oracle")
    assert analyse([out]).total.ungraded == 0
    questions = (task_folder / "questions.jsonl").read_text()
    (task_folder / "questions.jsonl").write_text(questions.replace('["Tarn"]', '["Tarn", "Tarn on the Ostrel"]'))
    assert analyse([out]).total.ungraded == 1


def test_runs_of_one_name_and_retrievers_of_one_name_are_told_apart(task_folder: Path, tmp_path: Path) -> None:
    one = run(task_folder, tmp_path / "a" / "run", mining_world.Fixed(["d1", "d2", "d3", "d4"]))
    two = run(task_folder, tmp_path / "b" / "run", "oracle")
    again = run(task_folder, tmp_path / "b" / "more", mining_world.Fixed(["d1", "d2", "d3", "d4"]))
    other = mining_world.Fixed(["d4", "d1"])
    other.fingerprint = "0123456789"
    third = run(task_folder, tmp_path / "c", other)
    got = analyse([one, two, again, third])
    assert [part.name for part in got.runs] == ["a/run", "b/run", "more", "c"]
    assert [(part.name, part.runs) for part in got.retrievers] == [
        ("fixed (fixed)", ("a/run", "more")),
        ("oracle", ("b/run",)),
        ("fixed (012345)", ("c",)),
    ]
    shown = shown_parts(got)
    assert [part.name for part in shown] == ["fixed (fixed)", "a/run", "more", "oracle", "fixed (012345)", "all"]
    assert shown[1] == got.runs[0]


def test_what_is_all_there_is_has_no_row_of_a_total(task_folder: Path, tmp_path: Path) -> None:
    one, two = run(task_folder, tmp_path / "a", "none"), run(task_folder, tmp_path / "b", "none")
    assert [part.name for part in shown_parts(analyse([one]))] == ["none"]
    assert [part.name for part in shown_parts(analyse([one, two]))] == ["none", "a", "b"]
