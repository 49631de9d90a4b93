"""The numbers of every question lie beside their means, and neither is read without the other."""

from __future__ import annotations

from math import fsum
from pathlib import Path

import pytest

import lrat_bench
from lrat_bench.errors import DataError
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task, rows_of
from lrat_bench.score.judges.registry import load_judge


@pytest.fixture
def run(task_folder: Path, tmp_path: Path) -> Run:
    return lrat_bench.run(task=str(task_folder), retriever="oracle", out=tmp_path / "run", repeats=2)


def test_rows_are_read_back_as_they_were_counted(run: Run) -> None:
    judge = load_judge(run.manifest.protocol.scoring)
    assert run.rows == rows_of(run.folder, find_task(run.manifest), judge)
    assert [(row.question_id, row.repeat) for row in run.rows] == [("q1", 0), ("q1", 1), ("q2", 0), ("q2", 1)]


def test_metrics_are_the_means_of_the_rows(run: Run) -> None:
    for name in ("success_rate", "evidence_recall", "steps", "failure_rate"):
        values = [value for row in run.rows if (value := row.values[name]) is not None]
        metric = run.metrics.metric(name)
        assert (metric.value, metric.n) == (fsum(values) / len(values), len(values))


@pytest.mark.parametrize("damage", [b"", b"{}\n", None])
def test_rows_that_the_metrics_were_not_taken_from_are_refused(run: Run, damage: bytes | None) -> None:
    file = run.path / "per_question.jsonl"
    file.unlink() if damage is None else file.write_bytes(damage)
    with pytest.raises(DataError, match="run `lrat-bench score` on the folder"):
        _ = run.rows
    lrat_bench.rescore(run.path)
    assert len(run.rows) == 4


def test_a_run_that_is_begun_anew_keeps_no_rows_of_the_old_one(run: Run) -> None:
    run.folder.discard()
    assert not (run.path / "per_question.jsonl").exists()
