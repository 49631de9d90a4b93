"""`--peers` prints their numbers beside ours; without it the summary is as it was, and JSON always holds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

import lrat_bench
from lrat_bench.cli.main import main
from lrat_bench.report.peers import peers_table
from lrat_bench.score.peers.catalogue import BESIDE
from lrat_bench.score.score import Scores, summarise


def printed(scores: Scores) -> str:
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        console.print(peers_table(scores))
    return capture.get()


def command(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.fixture
def folder(task_folder: Path, tmp_path: Path) -> Path:
    """A run of two questions, both answered rightly."""
    return lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run").path


def test_score_prints_theirs_beside_ours_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, with_peers = command(capsys, "score", folder), command(capsys, "score", folder, "--peers")
    assert with_peers.startswith(plain)
    assert "BrowseComp-Plus" not in plain
    lines = with_peers[len(plain) :].splitlines()
    assert [line.strip() for line in lines if not line.startswith("  ")][1:3] == ["BrowseComp-Plus", "LRAT"]
    (accuracy,) = [line for line in lines if line.startswith("  accuracy")]
    assert accuracy.split()[:5] == ["accuracy", "100.00%", "2", "100%", "2"]
    assert "2 answers are few" in lines[-1]
    assert max(map(len, lines)) <= 100


def test_run_prints_them_too_and_json_always_holds_them(
    task_folder: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("run", "--task", task_folder, "--retriever", "oracle", "--out", folder)
    assert "LRAT" in command(capsys, *words, "--peers")
    held = json.loads(command(capsys, *words, "--json"))["scores"]["peers"]
    assert [metric["name"] for metric in held] == list(BESIDE)
    assert held == json.loads(command(capsys, *words, "--json", "--peers"))["scores"]["peers"]
    assert held == json.loads((folder / "metrics.json").read_text())["peers"]


def test_what_a_run_cannot_say_is_a_dash() -> None:
    (accuracy,) = [line for line in printed(summarise([], judge_fingerprint="j")).splitlines() if "accuracy" in line]
    assert accuracy.split()[:5] == ["accuracy", "–", "0", "–", "0"]


def test_scores_of_an_earlier_version_say_how_to_get_them() -> None:
    old = summarise([], judge_fingerprint="j").model_copy(update={"peers": ()})
    assert printed(old).strip() == "no peers' scores yet: give `lrat-bench score` the run"


def test_the_page_of_scores_defines_every_number() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scores.md").read_text()
    got = summarise([], judge_fingerprint="j")
    for metric in (*got.metrics, *got.peers):
        assert f"`{metric.name}`" in page
