"""Import makes a run folder that every verb reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from foreign import blocks, call, entry, objects, run_file, write

import lrat_bench
from lrat_bench.errors import UsageError
from lrat_bench.exchange.intake import ImportReport
from lrat_bench.exchange.reading import read_source, sources
from lrat_bench.exchange.record import Imported, calls_of
from lrat_bench.guard import Guard
from lrat_bench.runs.run import Run
from lrat_bench.trajectory import Search

DATA = os.environ.get("LRAT_BENCH_TEST_DATA")
ANSWERS = {"q1": "Aldwin Marr", "q2": "Veyle"}


def record(qid: str, **more: Any) -> dict[str, Any]:
    """A run on a question of the bridge task: it finds evidence, and q2's answer is wrong."""
    steps = (
        call("search", {"query": ["bridge", "mason"]}, blocks("d1 d3", "bridge")),
        entry("reasoning", "The first one says who built it; that helps."),
        call("get_document", {"docid": "d1"}, "Document d1:\nOf stone."),
        entry("reasoning", "It was Aldwin Marr, as this document says."),
        entry("output_text", f"Exact Answer: {ANSWERS.get(qid, 'x')}"),
    )
    metadata = {"model": "models/Agent-7B", "searcher_type": "bm25"}
    return {**run_file(*steps), "query_id": qid, "metadata": metadata, **more}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of run files, with what an evaluation left beside them."""
    for qid in ("q1", "q2"):
        write(tmp_path / "theirs" / f"run_{qid}.json", record(qid))
    write(tmp_path / "theirs" / "run_q1_eval.json", {"judge_result": {}})
    return tmp_path / "theirs"


def imported(paths: Path | list[Path], out: Path, task: Path | str, **more: Any) -> tuple[Run, ImportReport]:
    said: list[str] = []
    given = paths if isinstance(paths, list) else [paths]
    report = lrat_bench.import_runs(given, out, task=str(task), on_problem=said.append, **more)
    assert len(said) == report.unreadable
    return lrat_bench.load_run(out), report


def test_it_makes_a_run_like_any_other(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    run, report = imported(theirs, tmp_path / "run", task_folder)
    assert (report.imported, report.questions, report.repeats, report.formats) == (2, 2, 1, {"lrat": 2})
    assert (report.unreadable, report.unknown, report.disputed, report.unlisted) == (0, 0, 0, 0)
    assert report.not_carried_out == 2
    manifest = run.manifest
    assert (manifest.rankable, manifest.split, manifest.split_role) == (False, "test", "eval")
    assert (manifest.agent["name"], manifest.retriever["name"]) == ("Agent-7B", "bm25")
    assert (manifest.protocol.name, manifest.identity["protocol"]) == ("unknown", "unknown")
    files = manifest.settings["import"]["files"]
    assert [one["file"] for one in files] == ["run_q1.json", "run_q2.json"]
    assert all(len(one["sha256"]) == 64 for one in files)
    assert [one.origin for one in run.trajectories] == ["lrat", "lrat"]


def test_it_is_scored_mined_analysed_and_replayed(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    run, _ = imported(theirs, tmp_path / "run", task_folder)
    _, _, scores = lrat_bench.rescore(run.path)
    assert scores.outcomes == {"correct": 1, "incorrect": 1, "ungraded": 0, "errored": 0}
    assert scores.metric("evidence_recall").value == pytest.approx((1 / 2 + 1) / 2)
    assert (scores.metric("searches").value, scores.metric("queries").value) == (1, 1)
    assert scores.metric("turns").n == scores.metric("completion_tokens").n == 0
    pairs = lrat_bench.mine([run.path], tmp_path / "pairs", allow_eval=True, outcome="all", filter="none")
    assert pairs.manifest.counts.kept == 2
    table = lrat_bench.analyze([run.path]).total.counts
    assert [(row.n, row.searches, row.browses) for row in table if row.group == "all"] == [(2, 1, 1)]
    replayed = lrat_bench.retrieve(retriever="oracle", replay=[run.path], out=tmp_path / "replayed")
    assert replayed is not None


def test_a_protocol_that_is_named_is_in_the_identity(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    run, _ = imported(theirs, tmp_path / "run", f"{task_folder}@default")
    assert run.manifest.protocol.name == "default"
    rollout = run.manifest.protocol.rollout.fingerprint
    assert run.manifest.identity["protocol"] == rollout
    assert {one.protocol for one in run.trajectories} == {rollout}


def test_questions_are_found_by_id_or_by_text(task_folder: Path, tmp_path: Path) -> None:
    log = {
        "question": " which town lies on the  OSTREL",
        "messages": [{"role": "assistant", "content": "<answer>Tarn</answer>"}],
        "termination": "answer",
    }
    write(tmp_path / "log.jsonl", json.dumps(log) + "\n")
    write(tmp_path / "q1.txt", "<think>Hm.</think><search>bridge</search><information></information><answer>x</answer>")
    run, report = imported([tmp_path / "log.jsonl", tmp_path / "q1.txt"], tmp_path / "run", task_folder)
    assert {one.question_id for one in run.trajectories} == {"q1", "q2"}
    assert report.formats == {"chat-log": 1, "search-r1": 1}
    assert report.reworded == 0


def test_a_question_that_is_worded_otherwise_is_counted(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", record("q1", query="Who wrote this play?"))
    assert imported(file, tmp_path / "run", task_folder)[1].reworded == 1


def test_a_trec_run_is_imported_under_the_questions_themselves(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "bm25.trec", "q1 Q0 d1 1 2.5 bm25\nq1 Q0 d3 2 1 bm25\nq2 Q0 d3 1 2 bm25\n")
    run, report = imported(file, tmp_path / "run", task_folder)
    queries = {one.question_id: one.steps[0].query for one in run.trajectories if isinstance(one.steps[0], Search)}
    assert queries["q2"] == "Which town lies on the Ostrel?"
    assert (report.formats, run.manifest.retriever["name"]) == ({"trec": 2}, "bm25")
    lrat_bench.export_run(run.path, tmp_path / "back.trec", format="trec")
    again, _ = imported(tmp_path / "back.trec", tmp_path / "again", task_folder)
    assert [one.steps for one in again.trajectories] == [one.steps for one in run.trajectories]


def refused(message: str, paths: Path | list[Path], out: Path, task: Path | str, **more: Any) -> None:
    with pytest.raises(UsageError, match=message) as error:
        imported(paths, out, task, **more)
    assert "\n" not in str(error.value)
    assert not out.exists()
    assert not list(out.parent.glob(".*.draft"))


def test_questions_that_the_task_does_not_have_are_refused_or_left_out(
    theirs: Path, task_folder: Path, tmp_path: Path
) -> None:
    for qid in ("z1", "z2"):
        write(theirs / f"run_{qid}.json", record(qid))
    refused(
        "2 records are of questions that task 'bridge' does not have .'z1', 'z2'.", theirs, tmp_path / "r", task_folder
    )
    _, report = imported(theirs, tmp_path / "run", task_folder, skip_unknown=True)
    assert (report.imported, report.unknown) == (2, 2)


def test_a_split_is_that_of_the_questions_unless_they_are_of_several(
    theirs: Path, task_folder: Path, tmp_path: Path
) -> None:
    only = write(tmp_path / "q3.json", record("q3"))
    assert imported(only, tmp_path / "train", task_folder)[0].manifest.split == "train"
    refused("of 2 splits, as 'test' .question 'q1'. and 'train' .'q3'.", [theirs, only], tmp_path / "r", task_folder)
    refused("split 'test' of 'bridge' does not have", [theirs, only], tmp_path / "r", task_folder, split="test")
    refused("unknown split", theirs, tmp_path / "r", task_folder, split="tets")
    run, _ = imported([theirs, only], tmp_path / "test", task_folder, split="test", skip_unknown=True)
    assert run.manifest.split == "test"


def test_two_records_of_a_question_are_refused_or_its_repeats(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    write(theirs / "run_q1b.json", record("q1", status="incomplete"))
    refused("question 'q1' has two records, .*run_q1.json and .*run_q1b.json", theirs, tmp_path / "r", task_folder)
    run, report = imported(theirs, tmp_path / "run", task_folder, repeats=True)
    assert {one.key: one.status for one in run.trajectories} == {
        ("q1", 0): "answered", ("q1", 1): "forced", ("q2", 0): "answered",
    }  # fmt: skip
    assert (report.repeats, run.manifest.repeats) == (2, 2)
    _, _, scores = lrat_bench.rescore(run.path)
    assert scores.outcomes["errored"] == 1


def test_records_of_two_agents_are_one_run_only_if_it_is_said(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    write(theirs / "run_q2.json", record("q2", metadata={"model": "Other", "searcher_type": "bm25"}))
    refused("2 agents, as 'Agent-7B' .*run_q1.json. and 'Other'", theirs, tmp_path / "r", task_folder)
    run, _ = imported(theirs, tmp_path / "run", task_folder, agent="both", retriever="Lucene")
    assert {(one.agent, one.retriever) for one in run.trajectories} == {("both", "unknown:Lucene")}
    assert (run.manifest.agent["name"], run.manifest.retriever["name"]) == ("both", "Lucene")


def test_counts_that_the_steps_do_not_bear_out_are_told_and_not_used(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", record("q1", tool_call_counts={"search": 9}, retrieved_docids=["d2", "d4"]))
    run, report = imported(file, tmp_path / "run", task_folder)
    assert report.disputed == 1
    _, _, scores = lrat_bench.rescore(run.path)
    assert scores.metric("searches").value == 1
    assert scores.metric("evidence_recall").value == 0.5


def test_a_folder_that_holds_something_is_left_alone(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "taken" / "notes.txt", "mine")
    with pytest.raises(UsageError, match="holds something already"):
        imported(theirs, tmp_path / "taken", task_folder)
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    assert imported(theirs, tmp_path / "empty", task_folder)[1].imported == 2
    refused("is a folder of lrat-bench already", tmp_path / "empty", tmp_path / "r", task_folder)
    refused("is not there", tmp_path / "nowhere", tmp_path / "r", task_folder)


def test_what_cannot_be_read_is_said_and_the_others_are_imported(
    theirs: Path, task_folder: Path, tmp_path: Path
) -> None:
    write(theirs / "a.json", "{")
    write(theirs / "b.json", [record("q1") | {"query_id": "q3", "result": [5]}, 7])
    write(theirs / "c.txt", "a shopping list")
    write(theirs / "d.json", {"eggs": 6})
    said: list[str] = []
    report = lrat_bench.import_runs([theirs], tmp_path / "run", task=str(task_folder), on_problem=said.append)
    assert (report.imported, report.unreadable, len(said)) == (2, 5, 5)
    for words in ("a.json: not JSON", "b.json[0]: result[0]", "b.json[1]: a record", "c.txt: of no", "d.json: of no"):
        assert sum(words in line for line in said) == 1
    only = [theirs / "a.json"]
    refused("nothing could be imported: 1 unreadable", only, tmp_path / "r", task_folder)


def test_several_records_may_stand_in_one_file(task_folder: Path, tmp_path: Path) -> None:
    one, two = record("q1"), record("q2")
    lines = json.dumps(one) + "\n\n" + json.dumps(two) + "\n"
    for name, content in (("a.jsonl", lines), ("b.json", lines), ("c.json", json.dumps([one, two], indent=1))):
        assert imported(write(tmp_path / name, content), tmp_path / f"run-{name}", task_folder)[1].imported == 2


def test_a_format_that_is_named_is_the_one_that_is_read(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    run, _ = imported(theirs, tmp_path / "run", task_folder, format="browsecomp-plus")
    assert {one.origin for one in run.trajectories} == {"browsecomp-plus"}
    refused("did you mean 'chat-log'", theirs, tmp_path / "r", task_folder, format="chatlog")
    refused("nothing could be imported: 2 unreadable", theirs, tmp_path / "r", task_folder, format="chat-log")


def test_lists_that_name_no_document_are_counted(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "q1.json", run_file(call("search", {"query": "q"}, "1. [Bridge]\nOf stone.")))
    run, report = imported(file, tmp_path / "run", task_folder)
    assert (report.unlisted, report.formats) == (1, {"browsecomp-plus": 1})
    assert [one.origin for one in run.trajectories] == ["browsecomp-plus+unlisted"]


def found(*docids: str, **more: Any) -> dict[str, Any]:
    """A run whose one search shows these documents."""
    return run_file(call("search", {"query": "q"}, objects(" ".join(docids))), **more)


def test_of_documents_that_the_corpus_cannot_know_no_recall_is_told(task_folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "theirs" / "1.json", found("https://a.example/1", "https://a.example/2"))
    write(tmp_path / "theirs" / "2.json", found("https://a.example/3", "d3", query_id="q2"))
    run, report = imported(tmp_path / "theirs", tmp_path / "run", task_folder)
    assert (report.foreign, report.unlisted) == (2, 1)
    assert [one.origin for one in run.trajectories] == ["browsecomp-plus+unlisted", "browsecomp-plus"]
    assert report.formats == {"browsecomp-plus": 2}
    recall = lrat_bench.rescore(run.path)[2].metric("evidence_recall")
    assert (recall.value, recall.n) == (1.0, 1)


def test_a_record_that_finds_nothing_has_a_recall_of_0(task_folder: Path, tmp_path: Path) -> None:
    run, report = imported(write(tmp_path / "1.json", found()), tmp_path / "run", task_folder)
    assert (report.foreign, report.unlisted) == (0, 0)
    recall = lrat_bench.rescore(run.path)[2].metric("evidence_recall")
    assert (recall.value, recall.n) == (0.0, 1)


def test_an_id_that_ends_like_a_number_is_the_tasks_own(tmp_path: Path) -> None:
    asked = [{"qid": qid, "question": f"What is {qid}?", "answers": ["x"]} for qid in ("v1.0", "17", "8", "8.0")]
    write(tmp_path / "task" / "questions.jsonl", "".join(json.dumps(one) + "\n" for one in asked))
    write(tmp_path / "task" / "corpus.jsonl", '{"docid": "d1", "text": "x"}\n')
    for number, qid in enumerate(("v1.0", "17.0", 8.0, "8.0")):
        write(tmp_path / "theirs" / f"{number}.json", found("d1", query_id=qid))
    run, report = imported(tmp_path / "theirs", tmp_path / "run", tmp_path / "task")
    assert (report.imported, report.unknown) == (4, 0)
    assert [one.question_id for one in run.trajectories] == ["v1.0", "17", "8", "8.0"]
    lrat_bench.export_run(run.path, tmp_path / "back", format="browsecomp-plus")
    again, _ = imported(tmp_path / "back", tmp_path / "again", tmp_path / "task")
    by_id = {one.question_id: one.content() for one in run.trajectories}
    assert {one.question_id: one.content() for one in again.trajectories} == by_id


@pytest.mark.parametrize(
    "content",
    [
        found(query_id="x" * 10_000_000),
        {"y" * 10_000_000: 1},
        [found(metadata={"model": "a" * 10_000_000}), found(metadata={"model": "b"}, query_id="q2")],
    ],
    ids=["id", "key", "agent"],
)
def test_a_name_of_megabytes_makes_no_line_of_megabytes(content: Any, task_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(UsageError) as error:
        lrat_bench.import_runs(
            [write(tmp_path / "x.json", content)], tmp_path / "run", task=str(task_folder), on_problem=said.append
        )
    assert max(map(len, [str(error.value), *said])) < 1000


def test_export_and_import_again_is_the_same(theirs: Path, task_folder: Path, tmp_path: Path) -> None:
    write(theirs / "run_q2.json", run_file(call("search", {"query": "q"}, objects("d1 d2")), query_id="q2"))
    run, _ = imported(theirs, tmp_path / "run", task_folder, agent="A", retriever="R", format="lrat")
    for form in ("lrat", "browsecomp-plus"):
        report = lrat_bench.export_run(run.path, tmp_path / form, format=form)
        assert (report.written, report.without_texts) == (2, None)
        again, _ = imported(tmp_path / form, tmp_path / f"{form}-again", task_folder, format="lrat")
        before, after = list(run.trajectories), list(again.trajectories)
        if form == "browsecomp-plus":
            assert [one.content() for one in after] == [one.content() for one in before]
        else:  # LRAT's text holds no scores
            assert [len(one.steps) for one in after] == [len(one.steps) for one in before]
            assert after[0].content() == before[0].content()


def test_records_of_a_guarded_task_are_read_with_its_canary_and_kept_under_it(
    task_folder: Path, tmp_path: Path
) -> None:
    guard = Guard("a canary of these tests")
    questions = task_folder / "questions.jsonl"
    questions.write_text("".join(guard.encode(line) + "\n" for line in questions.read_text().splitlines()))
    encrypted = record("q1")
    for step in encrypted["result"]:
        step["output"] = guard.encrypt(step["output"])
    write(tmp_path / "theirs.jsonl", json.dumps(encrypted) + "\n" + json.dumps(record("q2")) + "\n")
    run, report = imported(tmp_path / "theirs.jsonl", tmp_path / "run", task_folder)
    assert (report.imported, report.disputed) == (2, 0)
    assert [one.answer for one in run.trajectories] == ["Exact Answer: Aldwin Marr", "Exact Answer: Veyle"]
    lrat_bench.rescore(run.path)
    kept = b"".join(path.read_bytes() for path in run.path.rglob("*") if path.is_file())
    for words in (b"Aldwin", b"Veyle", b"that helps", b'"query":"bridge"'):
        assert words not in kept


@pytest.mark.skipif(DATA is None, reason="LRAT_BENCH_TEST_DATA names no folder with LRAT's trajectories")
def test_lrats_own_trajectories_give_their_row_as_a_run(tmp_path: Path) -> None:
    files = sources(Path(DATA or "") / "lrat_trajectories")
    found = [one for file in files for one in read_source(file) if isinstance(one, Imported)]
    asked = [
        {"qid": one.trajectory.question_id, "question": one.question, "answers": ["?"], "split": "train"}
        for one in found
    ]
    write(tmp_path / "task" / "questions.jsonl", "".join(json.dumps(one) + "\n" for one in asked))
    write(tmp_path / "task" / "corpus.jsonl", '{"docid": "1", "text": "x"}\n')
    run, report = imported(files, tmp_path / "run", tmp_path / "task")
    assert (report.imported, report.disputed, report.reworded, report.not_carried_out) == (5, 0, 0, 84)
    (row,) = [row for row in lrat_bench.analyze([run.path]).total.counts if row.group == "all"]
    calls = [calls_of(one.trajectory, failed=False) for one in found]
    assert (row.searches, row.browses) == (sum(s for s, _ in calls) / 5, sum(b for _, b in calls) / 5) == (13.8, 2.6)


def test_memory_does_not_grow_with_the_number_of_records(task_folder: Path, tmp_path: Path) -> None:
    import tracemalloc

    line = json.dumps(record("q1", raw_messages="x" * 20_000)) + "\n"

    def peak(many: int) -> int:
        file = write(tmp_path / f"{many}.jsonl", line * many)
        tracemalloc.start()
        imported(file, tmp_path / f"run{many}", task_folder, repeats=True)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(400) - peak(20) < 2 * len(line) + 400 * 500
