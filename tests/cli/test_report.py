"""`lrat-bench report`: tables on stdout or in a file, plots in a folder, one line for every mistake."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from said import Command, refused

import lrat_bench


@pytest.fixture
def runs(task_folder: Path, tmp_path: Path) -> list[Path]:
    """A run over `oracle`, one over `none`."""
    for retriever in ("oracle", "none"):
        lrat_bench.run(str(task_folder), retriever=retriever, out=tmp_path / retriever)
    return [tmp_path / "oracle", tmp_path / "none"]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_prints_a_table_and_changes_no_run(command: Command, runs: list[Path]) -> None:
    before = [files(run) for run in runs]
    code, out, err = command("report", *runs)
    assert (code, err) == (0, "")
    for shown in ("task bridge", "oracle", "none", "success", "100%", "[34, 100]", "95 % intervals"):
        assert shown in out
    assert [files(run) for run in runs] == before


def test_json_is_one_document_also_beside_a_file(command: Command, runs: list[Path], tmp_path: Path) -> None:
    code, out, _ = command("report", *runs, "--json", "-o", "table.csv")
    assert code == 0
    found = json.loads(out)
    assert found["schema"] == "lrat-bench/report/1"
    lines = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text())))
    assert [float(line["success_rate"]) for line in lines] == [run["metrics"][0]["value"] for run in found["runs"]]
    assert json.loads(command("report", *runs, "--format", "json")[1]) == found


@pytest.mark.parametrize(
    ("file", "begins"),
    [
        ("t.md", b"**task bridge"),
        ("t.tex", b"% \\usepackage{booktabs}"),
        ("t.csv", b"kind,folder,"),
        ("t.parquet", b"PAR1"),
        ("t.json", b"{"),
        ("t.txt", b"task bridge"),
    ],
)
def test_the_ending_of_the_file_says_the_format(
    command: Command, runs: list[Path], tmp_path: Path, file: str, begins: bytes
) -> None:
    code, out, err = command("report", *runs, "-o", f"new/{file}")
    assert (code, out, err) == (0, "", "")
    assert (tmp_path / "new" / file).read_bytes().startswith(begins)


def test_measures_are_those_that_are_asked_for(command: Command, runs: list[Path]) -> None:
    _, out, _ = command("report", *runs, "--measure", "turns", "--measure", "lrat.steps")
    assert "turns" in out
    assert "lrat: steps" in out
    assert "success" not in out
    refused(command("report", *runs, "--measure", "trns"), "unknown measure 'trns'", "turns")


def test_plots_go_to_a_folder(command: Command, runs: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code, _, _ = command("report", *runs, "--plots", "here")
    assert code == 0
    assert {"success-steps.png", "success-budget.png", "recall-by-turn.png"} <= set(files(tmp_path / "here"))


def test_an_unresolved_run_is_shown_by_both_ends_and_in_the_exit_code(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    async def half(question: str, tools: Any) -> str:
        if "mason" in question:
            raise RuntimeError("the line is dead")
        return "Tarn"

    lrat_bench.run(str(task_folder), agent=half, retriever="none", out=tmp_path / "run")
    code, out, _ = command("report", "run")
    assert code == 3
    assert "50%–100%†" in out
    assert "1 of 2 rollouts" in out
    for shown in ("markdown", "latex"):
        _, text, _ = command("report", "run", "--format", shown)
        assert "50%" not in text.replace("\\%", "%").replace("--", "–").replace("50%–100%", "")


def test_mistakes_are_one_line(command: Command, runs: list[Path], tmp_path: Path) -> None:
    refused(command("report"), "Missing argument")
    refused(command("report", "nowhere"), "nowhere", "manifest.json")
    refused(command("report", runs[0], runs[0]), "given twice")
    refused(command("report", *runs, "--per-question"), "--format csv")
    refused(command("report", *runs, "--format", "parquet"), "-o FILE")
    refused(command("report", *runs, "--json", "--format", "csv"), "one of them")
    refused(command("report", *runs, "-o", "t.doc"), "--format")
    (tmp_path / "file").write_text("")
    refused(command("report", *runs, "-o", "file/t.md"), "cannot write")
    (runs[0] / "metrics.json").unlink()
    refused(command("report", *runs), "lrat-bench score")


def test_without_its_libraries_it_says_what_to_install(
    command: Command, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for library, words in (("pyarrow", ("-o", "t.parquet")), ("matplotlib", ("--plots", "here"))):
        for name in [name for name in sys.modules if name.partition(".")[0] == library]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, library, None)
        refused(command("report", *runs, *words), f"{library} is not installed", "pip install")
    assert command("report", *runs, "--format", "csv")[0] == 0


def test_a_table_needs_none_of_the_heavy_libraries(runs: list[Path]) -> None:
    code = (
        "import sys; from lrat_bench.cli.main import _run\n"
        f"assert _run(['report', {str(runs[0])!r}, '--format', 'csv']) == 0\n"
        "heavy = 'torch transformers litellm pyserini jnius faiss datasets pandas matplotlib jinja2'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
