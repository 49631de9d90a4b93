"""Curves end where the scores are: recall by turn at the run's recall, success by budget at its success rate."""

from __future__ import annotations

from pathlib import Path

import pytest

import lrat_bench
from lrat_bench.report.curves import recall_by_turn, success_by_budget
from lrat_bench.runs.scoring import find_task
from lrat_bench.score.rows import Row
from lrat_bench.trajectory import Hit, Search, Trajectory

EVIDENCE = {"q": frozenset({"a", "b"}), "p": frozenset({"a"})}


def searched(qid: str, *lists: str, repeat: int = 0, turn: int | None = 0, status: str = "answered") -> Trajectory:
    """A search a turn, which shows the documents that its letters name; capital ones are not shown."""
    return Trajectory(
        task="t",
        protocol="p",
        question_id=qid,
        repeat=repeat,
        agent="a",
        retriever="r",
        status=status,  # type: ignore[arg-type]
        steps=tuple(
            Search(
                turn=None if turn is None else at,
                call=0,
                query="x",
                hits=tuple(
                    Hit(docid=one.lower(), score=None, rank=rank, shown=one.islower())
                    for rank, one in enumerate(found, 1)
                ),
            )
            for at, found in enumerate(lists)
        ),
    )


def selected(*keys: tuple[str, int]) -> frozenset[tuple[str, int]]:
    return frozenset(keys or {("q", 0), ("q", 1), ("p", 0)})


def test_what_is_found_stays_found_and_unshown_hits_are_not_found() -> None:
    curve = recall_by_turn(
        [searched("q", "x", "aB", "a", "b"), searched("p", "a"), searched("q", "ab", repeat=7)],
        EVIDENCE,
        selected=selected(),
    )
    assert curve is not None
    assert curve.places == (1, 2, 3, 4)
    assert curve.values == (0.5, 0.75, 0.75, 1.0)
    assert curve.n == 2


def test_what_cannot_be_told_has_no_curve() -> None:
    assert recall_by_turn([], EVIDENCE, selected=selected()) is None
    assert recall_by_turn([searched("q", "a", turn=None)], EVIDENCE, selected=selected()) is None
    assert recall_by_turn([searched("q", "a", status="error")], EVIDENCE, selected=selected()) is None
    assert recall_by_turn([searched("q", "a")], {}, selected=selected()) is None
    assert success_by_budget([]) is None


@pytest.mark.parametrize("name", ["oracle-2", "none-10"])
def test_of_real_runs_curves_end_at_the_scores(runs: Path, name: str) -> None:
    run = lrat_bench.load_run(runs / name)
    evidence = find_task(run.manifest).evidence
    assert evidence is not None
    keys = frozenset((row.question_id, row.repeat) for row in run.rows)
    recall = recall_by_turn(run.trajectories, evidence, selected=keys)
    success = success_by_budget(run.rows)
    assert recall is not None
    assert success is not None
    assert recall.values[-1] == pytest.approx(run.metrics.metric("evidence_recall").value)
    assert success.values[-1] == pytest.approx(run.metrics.metric("success_rate").value)
    for curve in (recall, success):
        assert list(curve.values) == sorted(curve.values)
        assert curve.n == 16
        for value, (low, high) in zip(curve.values, curve.bands, strict=True):
            assert low is not None
            assert high is not None
            assert low - 1e-9 <= value <= high + 1e-9


def test_success_within_a_budget_counts_what_was_answered_within_it() -> None:
    def row(qid: str, outcome: str, steps: float) -> Row:
        return Row(qid, 0, outcome, "answered", {"steps": steps})  # type: ignore[arg-type]

    curve = success_by_budget([row("q", "correct", 2), row("p", "incorrect", 1), row("o", "correct", 4)])
    assert curve is not None
    assert curve.places == (0, 1, 2, 3, 4)
    assert curve.values == pytest.approx((0, 0, 1 / 3, 1 / 3, 2 / 3))
