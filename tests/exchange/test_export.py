"""Export writes a run as what other tools read, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from foreign import entry, run_file, searches, write

import lrat_bench
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.exchange.draft import new_folder, replacing
from lrat_bench.exchange.exporting import ExportFormat, refuse_plain
from lrat_bench.exchange.reading import sources
from lrat_bench.exchange.run_json import read_run
from lrat_bench.guard import Guard
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.run import Run

FORMATS: tuple[ExportFormat, ...] = (
    "lrat", "browsecomp-plus", "browsecomp-plus-summary", "trec", "parquet", "jsonl",
)  # fmt: skip


@pytest.fixture
def run(task_folder: Path, tmp_path: Path) -> Run:
    """A run that the heuristic made over `oracle`."""
    return lrat_bench.run(task=str(task_folder), retriever="oracle", out=tmp_path / "run", repeats=2)


def files(folder: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


def test_run_files_hold_the_steps_with_the_texts_that_the_agent_was_shown(run: Run, tmp_path: Path) -> None:
    forms: tuple[tuple[ExportFormat, str], ...] = (("lrat", "q1.json"), ("browsecomp-plus", "run_q1.json"))
    for form, first in forms:
        out = tmp_path / form
        assert lrat_bench.export_run(run.path, out, format=form).written == 4
        found = files(out)
        assert len(found) == 4
        own = next(one for one in run.trajectories if one.key == ("q1", 0))
        read = read_run(found[first], "here")
        assert [step.query for step in searches(read.trajectory)] == [step.query for step in searches(own)]
        assert read.trajectory.answer == own.answer
        assert read.claims.hold(own)
        assert "The Ostrel Bridge was built" in json.dumps(found[first])
        assert found[first]["metadata"]["model"] == run.manifest.agent["name"]
    assert set(files(tmp_path / "lrat")) == {"q1.json", "q2.json", "q1@r1.json", "q2@r1.json"}


def test_without_its_task_a_run_is_written_with_ids_alone(run: Run, task_folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(task_folder)
    report = lrat_bench.export_run(run.path, tmp_path / "out", format="lrat")
    assert "bridge" in str(report.without_texts)
    assert "Ostrel Bridge was built" not in json.dumps(files(tmp_path / "out")["q1.json"]["result"][1])
    with pytest.raises(UsageError):
        lrat_bench.export_run(run.path, tmp_path / "other", format="lrat", task=str(task_folder))
    with pytest.raises(UsageError):
        lrat_bench.export_run(run.path, tmp_path / "rows.jsonl", format="jsonl")
    assert not (tmp_path / "other").exists()


def test_the_summary_is_theirs_by_their_own_counting(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "evaluation_summary.json"
    report = lrat_bench.export_run(run.path, out, format="browsecomp-plus-summary")
    summary = json.loads(out.read_text())
    assert list(summary) == [
        "LLM", "Accuracy (%)", "Recall (%)", "avg_tool_stats", "Calibration Error (%)", "Retriever", "Link",
        "Evaluation Date", "per_query_metrics",
    ]  # fmt: skip
    scores = run.metrics
    accuracy = scores.metric("browsecomp_plus.accuracy").value
    assert summary["Accuracy (%)"] == round(100 * (accuracy or 0), 2)
    assert summary["avg_tool_stats"]["search"] == scores.metric("browsecomp_plus.search_calls").value
    assert (summary["LLM"], summary["Retriever"]) == (run.manifest.agent["name"], "oracle")
    assert [one["query_id"] for one in summary["per_query_metrics"]] == ["q1", "q1", "q2", "q2"]
    assert report.unresolved == 0


STATUSES = ("completed", "incomplete", "answer not found", "max_tokens", None)


def test_the_files_of_others_are_counted_as_their_evaluator_counts_them(task_folder: Path, tmp_path: Path) -> None:
    for number, status in enumerate(STATUSES):
        content = run_file(entry("output_text", "As said [7].\nExact Answer: Aldwin Marr"), status=status)
        write(tmp_path / "theirs" / f"run_{number}.json", {**content, "query_id": "q1"})
    folder = lrat_bench.import_runs([tmp_path / "theirs"], tmp_path / "run", task=str(task_folder), repeats=True).path
    _, _, scores = lrat_bench.rescore(folder)
    counted = {name: scores.metric(f"browsecomp_plus.{name}") for name in ("accuracy", "citation_coverage")}
    assert {name: (metric.value, metric.n) for name, metric in counted.items()} == {
        "accuracy": (0.2, 5), "citation_coverage": (0.2, 5),
    }  # fmt: skip
    lrat_bench.export_run(folder, tmp_path / "s.json", format="browsecomp-plus-summary")
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["Accuracy (%)"] == 20.0
    assert [one["correct"] for one in summary["per_query_metrics"]] == [True, False, False, False, False]


def test_what_the_summary_lists_is_what_its_numbers_are_made_of(task_folder: Path, tmp_path: Path) -> None:
    answer = entry("output_text", "Exact Answer: Aldwin Marr")
    done = [run_file(answer), run_file(answer), run_file(entry("reasoning", "Hm."))]
    for record in done[1:]:
        del record["status"]
    for number, record in enumerate(done):
        write(tmp_path / "theirs" / f"run_{number}.json", record)
    folder = lrat_bench.import_runs([tmp_path / "theirs"], tmp_path / "run", task=str(task_folder), repeats=True).path
    ungraded, graded = tmp_path / "ungraded.json", tmp_path / "graded.json"
    lrat_bench.export_run(folder, ungraded, format="browsecomp-plus-summary")
    lrat_bench.rescore(folder)
    lrat_bench.export_run(folder, graded, format="browsecomp-plus-summary")
    listed = json.loads(ungraded.read_text())["per_query_metrics"], json.loads(graded.read_text())["per_query_metrics"]
    # The finished answer awaits its grade at first; of the second it is never known whether it is finished.
    assert [[one["correct"] for one in each] for each in listed] == [[None, False], [True, None, False]]
    assert json.loads(graded.read_text())["Accuracy (%)"] == 50.0


def test_where_no_confidence_is_known_their_calibration_error_is_0(task_folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "theirs" / "run_1.json", run_file(entry("output_text", "Tarn"), status="incomplete"))
    folder = lrat_bench.import_runs([tmp_path / "theirs"], tmp_path / "run", task=str(task_folder)).path
    _, _, scores = lrat_bench.rescore(folder)
    assert scores.metric("browsecomp_plus.calibration_error").value is None
    lrat_bench.export_run(folder, tmp_path / "s.json", format="browsecomp-plus-summary")
    assert json.loads((tmp_path / "s.json").read_text())["Calibration Error (%)"] == 0.0


def test_rows_are_the_same_as_parquet_and_as_lines(run: Run, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    for form in ("parquet", "jsonl"):
        lrat_bench.export_run(run.path, tmp_path / f"rows.{form}", format=form)
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    frame = pd.read_parquet(tmp_path / "rows.parquet")
    assert list(frame.columns) == list(lines[0])
    assert list(frame["question_id"]) == [line["question_id"] for line in lines] == ["q1", "q1", "q2", "q2"]
    assert list(frame["steps"]) == [line["steps"] for line in lines]


def test_the_ranking_of_a_run_is_that_of_its_first_repeat(run: Run, tmp_path: Path) -> None:
    lrat_bench.export_run(run.path, tmp_path / "out.trec", format="trec")
    written = [line.split() for line in (tmp_path / "out.trec").read_text().splitlines()]
    assert {line[0] for line in written} == {"q1", "q2"}
    assert len({(line[0], line[2]) for line in written}) == len(written)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_of_the_run_is_replaced_and_nothing_half_is_left(run: Run, tmp_path: Path, form: ExportFormat) -> None:
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    for out in (run.path, run.path / "metrics.json", run.path / "new"):
        with pytest.raises(UsageError):
            lrat_bench.export_run(run.path, out, format=form)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        lrat_bench.export_run(run.path, tmp_path / "file" / "below", format=form)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert not list(tmp_path.glob(".*.draft"))


def test_a_folder_that_holds_something_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something already"):
        lrat_bench.export_run(run.path, tmp_path / "out", format="lrat")
    with pytest.raises(UsageError, match="is a folder"):
        lrat_bench.export_run(run.path, tmp_path / "out", format="trec")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is no file that could be replaced"):
        lrat_bench.export_run(run.path, tmp_path / "pipe", format="trec")
    with pytest.raises(UnknownName, match="did you mean 'parquet'"):
        lrat_bench.export_run(run.path, tmp_path / "x", format="parket")  # type: ignore[arg-type]


def test_ids_that_no_file_could_bear_become_names_of_their_own(run: Run, tmp_path: Path) -> None:
    from lrat_bench.exchange.exporting import _file_name

    first = next(iter(run.trajectories))
    ids = ("../x", "a/b", "a b", "a:b", "ä" * 400)
    names = [_file_name(first.model_copy(update={"question_id": qid}), "lrat") for qid in ids]
    assert len(set(names)) == len(names)
    assert all("/" not in name and not name.startswith(".") and len(name) < 200 for name in names)


def test_no_two_records_share_a_file(task_folder: Path, tmp_path: Path) -> None:
    asked = [{"qid": qid, "question": f"What is {qid}?", "answers": ["x"]} for qid in ("a", "a.r1", "a-r1")]
    write(task_folder / "questions.jsonl", "".join(json.dumps(one) + "\n" for one in asked))
    for name in ("qrels.trec", "qrels.gold.trec"):
        (task_folder / name).unlink()
    run = lrat_bench.run(task=str(task_folder), retriever="none", out=tmp_path / "several", repeats=11)
    forms: tuple[ExportFormat, ...] = ("lrat", "browsecomp-plus")
    for form in forms:
        assert lrat_bench.export_run(run.path, tmp_path / form, format=form).written == 33
        names = [path.name for path in sources(tmp_path / form)]
        assert len(names) == 33
        # Read in this order, records are the repeats that they were.
        first = "a.json" if form == "lrat" else "run_a.json"
        assert names.index(first) < names.index(first.replace(".", "@r2.")) < names.index(first.replace(".", "@r10."))
        out = tmp_path / f"{form}-run"
        report = lrat_bench.import_runs([tmp_path / form], out, task=str(task_folder), repeats=True)
        assert (report.imported, report.repeats) == (33, 11)


KILLED = """
import os, signal, sys
from lrat_bench.exchange import exporting
whole, written = exporting.run_record, []
def dying(record, *rest, **words):
    written.append(record)
    if len(written) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(record, *rest, **words)
exporting.run_record = dying
exporting.export_run(sys.argv[1], sys.argv[2], format="lrat")
"""


def test_what_a_kill_leaves_is_gone_with_the_next_export(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out[1]"
    assert subprocess.run([sys.executable, "-c", KILLED, run.path, out], check=False).returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".out*")
    assert any(left.iterdir())
    lrat_bench.export_run(run.path, out, format="lrat")
    assert not list(tmp_path.glob(".out*"))
    assert len(files(out)) == 4


@pytest.mark.parametrize("form", ["lrat", "trec"])
def test_a_draft_that_another_process_works_on_stays(run: Run, tmp_path: Path, form: ExportFormat) -> None:
    out = tmp_path / "out"
    with (new_folder if form == "lrat" else replacing)(out) as theirs:
        lrat_bench.export_run(run.path, tmp_path / "out", format=form)
        assert theirs.exists()
        if form == "lrat":
            shutil.rmtree(out)
    assert out.exists()
    assert not list(tmp_path.glob(".out*"))


def test_what_is_guarded_is_not_written_into_a_work_tree(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tree" / ".git").mkdir(parents=True)
    folder = RunFolder(run.path)
    refuse_plain(folder, tmp_path / "tree" / "out")
    manifest = json.loads((run.path / "manifest.json").read_text())
    manifest["task"]["canary"] = "a canary of these tests"
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    assert isinstance(folder.codec, Guard)
    with pytest.raises(UsageError, match="--plain"):
        lrat_bench.export_run(run.path, tmp_path / "tree" / "out", format="lrat")
    assert not (tmp_path / "tree" / "out").exists()
    assert lrat_bench.export_run(run.path, tmp_path / "tree" / "out", format="lrat", plain=True).written == 4
    assert lrat_bench.export_run(run.path, tmp_path / "out", format="lrat").written == 4
