"""`lrat-bench analyze`: tables on stdout, files where they are asked for, runs as they were."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from said import Command

import lrat_bench


@pytest.fixture
def runs(task_folder: Path, tmp_path: Path) -> list[Path]:
    """A run over `oracle`, one over `none`."""
    for retriever in ("oracle", "none"):
        lrat_bench.run(task=str(task_folder), retriever=retriever, out=tmp_path / retriever, repeats=2)
    return [tmp_path / "oracle", tmp_path / "none"]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_prints_a_table_for_each_part_and_changes_no_run(command: Command, runs: list[Path]) -> None:
    before = [files(run) for run in runs]
    code, out, _ = command("analyze", *runs)
    assert code == 0
    for shown in ("B/S", "S→B", "B→answer", "by evidence documents browsed", "by rank in their list", "regex-v1"):
        assert shown in out
    assert [files(run) for run in runs] == before


def test_json_is_one_document_and_what_out_holds(command: Command, runs: list[Path], tmp_path: Path) -> None:
    _, out, _ = command("analyze", *runs, "--out", "here", "--json", "--no-plots")
    found = json.loads(out)
    assert found["schema"] == "lrat-bench/analysis/1"
    assert [part["name"] for part in found["retrievers"]] == ["oracle", "none"]
    assert json.loads((tmp_path / "here" / "analysis.json").read_text()) == found
    assert list(files(tmp_path / "here")) == ["analysis.json"]


def test_plots_are_drawn_of_what_the_runs_support(command: Command, runs: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code, out, _ = command("analyze", *runs, "--out", "here")
    assert code == 0
    drawn = {name for name, content in files(tmp_path / "here").items() if content.startswith(b"\x89PNG")}
    assert drawn == {"transitions.png", "evidence.png", "positions.png", "reasoning.png"}
    assert "reasoning.png" in out
    command("analyze", runs[1], "--out", "bare")
    assert set(files(tmp_path / "bare")) == {"analysis.json", "transitions.png", "evidence.png"}


def test_without_matplotlib_it_says_what_to_install(
    command: Command, runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = command("analyze", *runs, "--out", "here")
    assert (code, out) == (2, "")
    assert 'matplotlib is not installed; run: pip install "lrat-bench[plots]"' in err
    assert command("analyze", *runs, "--out", "here", "--no-plots")[0] == 0
    assert command("analyze", *runs)[0] == 0


def test_what_is_no_run_is_one_line(command: Command, runs: list[Path], tmp_path: Path) -> None:
    for words in (("nowhere",), (runs[0], runs[0]), (runs[0], "--tokenizer", "mystery")):
        code, out, err = command("analyze", *words)
        assert (code, out) == (2, "")
        assert len([line for line in err.splitlines() if line.startswith("lrat-bench: ")]) == 1
    (tmp_path / "file").write_text("")
    assert command("analyze", runs[0], "--out", "file/below", "--no-plots")[0] == 2
