"""The embedded default end to end: the agent works, retrieval decides how well, and the metrics notice a change.

The thresholds hold on other seeds too: `benchmarks/brackets.py`, figures in docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import lrat_bench
from lrat_bench.runs.run import Run

Play = Callable[..., Run]


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Runs a third of the test split of a world; each run once."""

    @cache
    def run(task: str, retriever: str, k1: float = 0.9, concurrency: int = 16, limit: int | None = 100) -> Run:
        settings = {"retriever.k1": k1} if retriever == "bm25" else {}
        out = tmp_path_factory.mktemp("run")
        return lrat_bench.run(task, retriever=retriever, limit=limit, concurrency=concurrency, set=settings, out=out)

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")
        yield run


def value(run: Run, metric: str) -> float:
    found = run.metrics.metric(metric).value
    assert found is not None
    return found


def test_the_default_task_has_its_brackets(play: Play) -> None:
    oracle, bm25, none = (play("synth-wiki", retriever) for retriever in ("oracle", "bm25", "none"))
    assert value(oracle, "success_rate") >= 0.85
    assert 0.2 <= value(bm25, "success_rate") <= 0.75
    assert value(none, "success_rate") <= 0.05
    assert value(oracle, "evidence_recall") > value(bm25, "evidence_recall") > value(none, "evidence_recall")
    assert {run.metrics.n for run in (oracle, bm25, none)} == {100}


@pytest.mark.parametrize("retriever", ["oracle", "bm25", "none"])
def test_the_out_of_domain_task_is_as_hard(play: Play, retriever: str) -> None:
    home, away = play("synth-wiki", retriever), play("synth-wiki-ood", retriever)
    assert abs(value(home, "success_rate") - value(away, "success_rate")) <= 0.1


def test_a_worse_retriever_has_lower_recall(play: Play) -> None:
    whole = {row.question_id: row.values["evidence_recall"] for row in play("synth-wiki", "bm25").rows}
    for retriever, k1, limit, least in (("bm25", 0.0, 100, 0.0), ("brackets:Shuffled", 0.9, 40, 0.2)):
        worse = play("synth-wiki", retriever, k1=k1, limit=limit)
        assert len(worse.rows) == limit
        recall = sum(whole[row.question_id] or 0.0 for row in worse.rows) / limit
        assert value(worse, "evidence_recall") < recall - least


def test_concurrency_changes_no_trajectory_over_bm25(play: Play) -> None:
    alone = play("synth-wiki", "bm25", concurrency=1, limit=30)
    together = {trajectory.key: trajectory.content() for trajectory in play("synth-wiki", "bm25").trajectories}
    assert value(alone, "success_rate") > 0
    assert all(trajectory.content() == together[trajectory.key] for trajectory in alone.trajectories)


def test_the_manifest_says_what_was_run_and_holds_no_path(play: Play, tmp_path: Path) -> None:
    run = play("synth-wiki", "none", limit=None)
    assert run.metrics.n == 300
    manifest = run.manifest.to_dict()
    assert manifest["rankable"]
    assert manifest["task"]["documents"] == 5_000
    assert manifest["invocations"][-1]["versions"]["pyserini"]
    assert str(Path.home()) not in (run.path / "manifest.json").read_text()
    assert str(tmp_path.parent) not in (run.path / "manifest.json").read_text()
