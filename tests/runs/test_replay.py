"""Replay: a retriever is tested on what agents really asked, without any agent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.errors import UsageError
from lrat_bench.model.scripted import ScriptedModel, answers, calls
from lrat_bench.model.seam import Request, Turn
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.replay import recorded_queries
from lrat_bench.runs.retrieval import retrieve
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Search, Trajectory


def asking(*rounds: list[str]) -> lrat_bench.Agent:
    """An agent that issues these queries, call by call, and answers."""

    def play(request: Request) -> Turn:
        done = sum(message.role == "assistant" for message in request.messages)
        return calls("search", query=rounds[done]) if done < len(rounds) else answers("Exact Answer: Tarn")

    return lrat_bench.Agent("asking", ScriptedModel(play))


def made(task: Path, out: Path, *rounds: list[str], **more: Any) -> RunFolder:
    lrat_bench.run(task=str(task), agent=asking(*rounds), retriever=more.pop("retriever", "oracle"), out=out, **more)
    return RunFolder(out)


def test_each_query_is_searched_once_per_question_and_found_again_by_its_id(task_folder: Path, tmp_path: Path) -> None:
    run = made(task_folder, tmp_path / "a", ["mason", "Bridge  over"], ["bridge OVER", "tarn"], repeats=2)
    found = recorded_queries([run], lrat_bench.load_task(str(task_folder)))
    assert [query.qid for query in found.queries] == ["q1#0#0", "q1#0#1", "q1#0#2", "q2#0#0", "q2#0#1", "q2#0#2"]
    assert [query.text for query in found.queries[:3]] == ["mason", "Bridge  over", "tarn"]
    assert (found.issued, found.unjudged) == (16, 0)
    assert [(one.name, one.queries) for one in found.asked][:2] == [
        ("q1#0#0", ("q1#0#0", "q1#0#1", "q1#0#2")),
        ("q1#1#0", ("q1#0#0", "q1#0#1", "q1#0#2")),
    ]


def test_runs_are_pooled_and_only_what_is_new_gets_an_id(task_folder: Path, tmp_path: Path) -> None:
    task = lrat_bench.load_task(str(task_folder))
    one, two = made(task_folder, tmp_path / "a", ["mason"]), made(task_folder, tmp_path / "b", ["mason", "kilns"])
    found = recorded_queries([one, two], task)
    assert [(query.qid, query.text) for query in found.queries] == [
        ("q1#0#0", "mason"), ("q2#0#0", "mason"), ("q1#0#1", "kilns"), ("q2#0#1", "kilns"),
    ]  # fmt: skip
    assert [(one.name, one.queries) for one in found.asked if one.question_id == "q1"] == [
        ("q1#0#0", ("q1#0#0",)),
        ("q1#0#1", ("q1#0#0", "q1#0#1")),
    ]
    with pytest.raises(UsageError, match="given twice"):
        recorded_queries([one, two, RunFolder(tmp_path / "b" / ".." / "a")], task)


def test_the_order_in_which_rollouts_ended_changes_nothing(task_folder: Path, tmp_path: Path) -> None:
    run = made(task_folder, tmp_path / "a", ["mason"], ["town"], repeats=2)
    task = lrat_bench.load_task(str(task_folder))
    before = recorded_queries([run], task)
    file = run.trajectories.path
    file.write_text("".join(reversed(file.read_text().splitlines(keepends=True))))
    assert recorded_queries([run], task) == before


def test_questions_without_evidence_are_left_out_and_counted(task_folder: Path, tmp_path: Path) -> None:
    run = made(task_folder, tmp_path / "a", ["mason", "town"])
    for name in ("qrels.trec", "qrels.gold.trec"):
        (task_folder / name).write_text("q1 0 d1 1\n")
    found = recorded_queries([run], lrat_bench.load_task(str(task_folder)))
    assert (found.issued, found.unjudged, len(found.queries), len(found.asked)) == (4, 2, 2, 1)


def test_an_oracle_finds_all_and_the_union_is_what_the_run_says_of_its_own_retriever(
    task_folder: Path, tmp_path: Path
) -> None:
    made(task_folder, tmp_path / "a", ["mason"], ["town"])
    run = lrat_bench.load_run(tmp_path / "a")
    got = retrieve(replay=[tmp_path / "a"], retriever="oracle", out=tmp_path / "r").metrics
    union = got.metric("evidence_union_R@10")
    assert union is not None
    assert union.value == run.metrics.metric("evidence_recall_searched").value == 1
    assert (union.n, got.queries) == (2, 4)
    nothing = retrieve(replay=[tmp_path / "a"], retriever="none", out=tmp_path / "n").metrics
    assert {metric.value for metric in nothing.metrics} == {0.0}


def test_a_run_of_another_task_or_without_queries_is_refused(task_folder: Path, bridge: Task, tmp_path: Path) -> None:
    run = made(task_folder, tmp_path / "a")
    with pytest.raises(UsageError, match="no query is recorded"):
        recorded_queries([run], bridge)
    questions = task_folder / "questions.jsonl"
    lines = questions.read_text().splitlines()
    questions.write_text("\n".join([json.dumps({**json.loads(lines[0]), "question": "Why?"}), *lines[1:]]) + "\n")
    with pytest.raises(UsageError, match="made on another task"):
        recorded_queries([run], lrat_bench.load_task(str(task_folder)))


def changed(run: RunFolder, question: str, **fields: Any) -> None:
    """Rewrite the trajectory of a question."""
    file = run.trajectories.path
    found = [Trajectory.model_validate_json(line) for line in file.read_text().splitlines()]
    lines = [one.model_copy(update=fields if one.question_id == question else {}).to_json() for one in found]
    file.write_text("\n".join(lines) + "\n")


def test_what_infrastructure_ended_is_owed_again_and_not_replayed(task_folder: Path, tmp_path: Path) -> None:
    run = made(task_folder, tmp_path / "a", ["mason"])
    changed(run, "q1", status="error")
    found = recorded_queries([run], lrat_bench.load_task(str(task_folder)))
    assert ([query.question_id for query in found.queries], found.issued, len(found.asked)) == (["q2"], 1, 1)


def test_a_search_that_failed_was_not_carried_out(task_folder: Path, tmp_path: Path) -> None:
    run = made(task_folder, tmp_path / "a", ["mason"])
    failed = Search(turn=0, call=0, query="mason", error="timed out")
    empty = Search(turn=1, call=0, query="nothing like it")
    changed(run, "q1", steps=(failed, empty))
    found = recorded_queries([run], lrat_bench.load_task(str(task_folder)))
    assert [query.text for query in found.queries] == ["nothing like it", "mason"]
    assert found.issued == 2


def test_the_union_is_cut_where_the_runs_own_lists_are(task_folder: Path, tmp_path: Path) -> None:
    made(task_folder, tmp_path / "a", ["mason"], set={"protocol.k": 1})
    run = lrat_bench.load_run(tmp_path / "a")
    got = retrieve(replay=[tmp_path / "a"], retriever="oracle", out=tmp_path / "r")
    union = got.metrics.metric("evidence_union_R@1")
    assert union is not None
    assert union.value == run.metrics.metric("evidence_recall_searched").value == 0.75
    assert got.manifest.k == 10
    deeper = made(task_folder, tmp_path / "b", ["mason"])
    other = retrieve(replay=[deeper.path], retriever="oracle", out=tmp_path / "d")
    assert other.manifest.identity["queries"] != got.manifest.identity["queries"]
