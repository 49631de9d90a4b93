"""`lrat-bench import` and `lrat-bench export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from foreign import blocks, call, entry, run_file, write
from said import Command, refused


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A run file, and one that nobody can read."""
    steps = (call("search", {"query": ["bridge", "mason"]}, blocks("d1 d2 x")), entry("output_text", "Aldwin Marr"))
    write(tmp_path / "theirs" / "q1.json", run_file(*steps, tool_call_counts={"search": 5}))
    write(tmp_path / "theirs" / "broken.json", "{")
    return tmp_path / "theirs"


def test_import_says_what_is_wrong_and_goes_on(command: Command, theirs: Path, task_folder: Path) -> None:
    code, out, err = command("import", theirs, "--task", task_folder, "-o", "run")
    assert code == 3
    assert out.startswith("run: 1 trajectories (1 lrat) for 2 questions\nnext: lrat-bench score run")
    (problem,) = [line for line in err.splitlines() if line.startswith("lrat-bench: ")]
    assert problem.startswith(f"lrat-bench: {theirs / 'broken.json'}: not JSON: ")
    for remark in (
        "1 records could not be read",
        "1 questions times repeats have no record",
        "1 records count calls or documents otherwise",
        "1 queries stood in lists",
        "1 records show documents that the corpus of the task does not have",
    ):
        assert remark in err


def test_json_is_one_document_and_nothing_else(command: Command, theirs: Path, task_folder: Path) -> None:
    (theirs / "broken.json").unlink()
    code, out, _ = command("import", theirs, "--task", task_folder, "-o", "run", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["path"], found["imported"], found["formats"], found["disputed"]) == ("run", 1, {"lrat": 1}, 1)
    code, out, _ = command("export", "run", "--format", "trec", "-o", "run.trec", "--json")
    assert (code, json.loads(out)["written"]) == (0, 3)
    assert Path("run.trec").read_text().splitlines()[0] == "q1 Q0 d1 1 3.0 unknown"


def test_what_was_imported_is_scored_and_exported(command: Command, theirs: Path, task_folder: Path) -> None:
    command("import", theirs, "--task", task_folder, "-o", "run")
    code, out, _ = command("score", "run")
    assert code == 3  # a question without a record is errored
    assert "unknown" in out
    assert "Of 1 there is no record, or one of a failure: import the missing records" in " ".join(out.split())
    assert "the same command" not in out
    assert "logs" not in out
    code, out, err = command("export", "run", "--format", "browsecomp-plus-summary", "-o", "summary.json")
    assert (code, out) == (3, "summary.json: 2 records\n")
    assert "1 of 2 are ungraded, errored or missing" in err
    assert json.loads(Path("summary.json").read_text())["Accuracy (%)"] == 100.0


def test_misuse_is_one_line(command: Command, theirs: Path, task_folder: Path) -> None:
    refused(command("import", "nowhere", "--task", task_folder, "-o", "run"), "nowhere is not there")
    refused(command("import", theirs, "--task", "nowhere", "-o", "run"), "unknown task 'nowhere'")
    refused(command("import", theirs, "--task", task_folder, "--format", "lrta", "-o", "run"), "'lrat'")
    refused(command("export", "nowhere", "--format", "trec", "-o", "x"), "is not a run folder")
    assert not Path("run").exists()


@pytest.mark.parametrize("verb", ["run", "retrieve", "analyze", "mine", "train", "flywheel", "import", "export"])
def test_the_place_of_what_is_made_is_given_with_o(command: Command, verb: str) -> None:
    _, out, _ = command(verb, "--help")
    assert "-o, --out" in out
