"""`lrat-bench sweep`: a plan before anything is done, one table at the end, an exit code that says what is missing."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from said import Command, refused

EXAMPLE = Path(__file__).parent.parent.parent / "benchmarks" / "sweeps" / "synth-wiki.yaml"


def grid(folder: Path, task: Path, more: str = "", retrievers: str = "[oracle, none]") -> Path:
    file = folder / "grid.yaml"
    file.write_text(f"tasks: ['{task}']\nagents: [heuristic]\nretrievers: {retrievers}\n{more}")
    return file


def test_dry_run_says_what_would_be_done_and_does_nothing(command: Command, task_folder: Path, tmp_path: Path) -> None:
    grid(tmp_path, task_folder, "knobs: {protocol.max_turns: [3, 7]}\nrepeats: 2\n")
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = command("sweep", "grid.yaml", "--dry-run", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["total"] == {
        "cells": 4,
        "rollouts": 16,
        "to do": 16,
        "calls at most": 2 * 4 * (4 + 8),
        "USD at most": None,
        "retrievers": 2,
    }
    assert re.fullmatch(r"sweeps/grid/runs/bridge-test-custom-heuristic-oracle-[0-9a-f]{8}", found["cells"][0]["run"])
    code, out, _ = command("sweep", "grid.yaml", "--dry-run", "--only", "retriever=none")
    assert code == 0
    assert "2 cells, 8 of 8 rollouts to do" in out
    assert sorted(tmp_path.rglob("*")) == before


def test_dry_run_names_cells_that_cannot_be_run(command: Command, task_folder: Path, tmp_path: Path) -> None:
    grid(tmp_path, task_folder, retrievers="[oracle, bm52]")
    code, out, _ = command("sweep", "grid.yaml", "--dry-run")
    assert code == 2
    assert "did you mean 'bm25'" in " ".join(out.split())


def test_it_ends_in_one_table_in_three_formats(command: Command, task_folder: Path, tmp_path: Path) -> None:
    grid(tmp_path, task_folder, "knobs: {protocol.k: [1, 2]}\n")
    code, out, err = command("sweep", "grid.yaml", "-o", "here")
    assert code == 0
    assert "cell 1/4" in err
    assert "4 of 4 cells done" in out
    code, printed, _ = command("sweep", "grid.yaml", "-o", "here", "--json")
    assert code == 0
    found = json.loads(printed)
    assert [cell["state"] for cell in found["cells"]] == ["done"] * 4
    table = json.loads((tmp_path / "here" / "table.json").read_text())
    assert table == found["report"]
    lines = list(csv.DictReader((tmp_path / "here" / "table.csv").read_text().splitlines()))
    rates = [run["metrics"][0]["value"] for run in table["runs"]]
    assert [float(line["success_rate"]) for line in lines] == rates
    assert [line["folder"] for line in lines] == [cell["run"] for cell in found["cells"]]
    for rate in rates:
        assert f"{100 * rate:.0f}%" in out
        assert f"{100 * rate:.0f}%" in (tmp_path / "here" / "table.md").read_text()


def test_a_cell_that_cannot_be_run_is_said_at_once_and_at_the_end(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    grid(tmp_path, task_folder, retrievers="[none, bm52]")
    code, out, err = command("sweep", "grid.yaml")
    assert code == 3
    assert "bm52 cannot be run: unknown retriever 'bm52'" in err
    assert "1 of 2 cells done" in out
    assert "failed" in out
    # Whoever chooses another cell is not told again.
    assert command("sweep", "grid.yaml", "--only", "retriever=none")[0] == 3


def test_cells_that_were_not_chosen_are_no_failure(command: Command, task_folder: Path, tmp_path: Path) -> None:
    grid(tmp_path, task_folder)
    code, out, _ = command("sweep", "grid.yaml", "--only", "retriever=none")
    assert code == 0
    assert "1 of 2 cells done, 1 not chosen by --only" in out


def test_a_mistake_is_one_line_and_starts_nothing(command: Command, task_folder: Path, tmp_path: Path) -> None:
    grid(tmp_path, task_folder, "limt: 3\n")
    refused(command("sweep", "grid.yaml"), "grid.yaml:4", "limt", "limit")
    refused(command("sweep", "nowhere.yaml"), "nowhere.yaml", "cannot be read")
    grid(tmp_path, task_folder)
    refused(command("sweep", "grid.yaml", "--only", "retriever=bm25"), "no cell of the sweep has that")
    refused(command("sweep", "grid.yaml", "--max-cost", "0"), "max_cost")
    (tmp_path / "file").write_text("")
    refused(command("sweep", "grid.yaml", "-o", "file/below"), "cannot write")
    assert not (tmp_path / "sweeps").exists()


def test_the_example_runs_offline(command: Command, tmp_path: Path) -> None:
    small = EXAMPLE.read_text()
    for there, instead in (("limit: 100", "limit: 3"), ("[1, 5, 10, 20]", "[1, 10]"), (", synth-wiki-ood", "")):
        assert there in small
        small = small.replace(there, instead)
    (tmp_path / "small.yaml").write_text(small)
    code, out, _ = command("sweep", "small.yaml")
    assert code == 0
    assert "4 of 4 cells done" in out
    for shown in ("synth-wiki", "bm25", "none", "oracle", "by-protocol.k.png"):
        assert shown in out
