"""The project's own baseline: a broken retriever does not get past it. That the default does: test_action.py."""

from __future__ import annotations

from pathlib import Path

import pytest

import lrat_bench
from lrat_bench.api.gate import bless, check
from lrat_bench.gate.baseline import read_baseline
from lrat_bench.gate.result import GateResult
from lrat_bench.report.gate import gate_markdown

ROOT = Path(__file__).parent.parent.parent
BASELINE = ROOT / "baselines" / "synth-wiki.json"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def held(retriever: str, out: Path) -> GateResult:
    """The run that the baseline was made of, over this retriever."""
    return check(lrat_bench.run("synth-wiki", retriever=retriever, limit=100, out=out).path, BASELINE)


def test_a_retriever_that_shows_too_little_fails_and_the_summary_says_where(tmp_path: Path) -> None:
    result = held("cut_short:CutShort", tmp_path / "run")
    assert result.outcome == "failed"
    fell = {one.rule.measure for one in result.failed}
    assert {"success_rate", "evidence_recall"} <= fell
    text = gate_markdown(result, tmp_path / "run", BASELINE)
    assert "bm25-cut-short" in text
    for line in text.splitlines():
        name = line.removeprefix("| `").partition("`")[0]
        if line.startswith("| `"):
            assert ("**fails:" in line) == (name in fell)


def test_a_retriever_that_shuffles_its_hits_fails_without_any_agent(tmp_path: Path) -> None:
    for name, retriever in (("good", "bm25"), ("shuffled", "brackets:Shuffled")):
        lrat_bench.retrieve("synth-wiki", retriever=retriever, limit=100, k=10, out=tmp_path / name)
    bless(tmp_path / "good", tmp_path / "baseline.json")
    assert check(tmp_path / "good", tmp_path / "baseline.json").outcome == "held"
    result = check(tmp_path / "shuffled", tmp_path / "baseline.json")
    assert {one.rule.measure for one in result.failed} == {"evidence_nDCG@10", "evidence_R@5"}


def test_the_baseline_is_small_and_made_of_the_default() -> None:
    baseline = read_baseline(BASELINE)
    assert baseline.origin.free == {"agent": "heuristic", "retriever": "bm25", "seed": "0"}
    assert len(baseline.questions) == 100
    assert BASELINE.stat().st_size < 10_000
    assert BASELINE.read_text() == baseline.text()
