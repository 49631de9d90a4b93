"""Real runs of the bridge task, and records of made-up ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.report.reported import ReportedRun
from lrat_bench.score.metric import Metric

MakeRun = Callable[..., ReportedRun]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of the heuristic over `oracle` (k 2 and 10, two repeats) and `none`, and a retrieval."""
    home = tmp_path_factory.mktemp("runs")
    for retriever, k in (("oracle", 2), ("oracle", 10), ("none", 10)):
        words: dict[str, Any] = {"limit": 8, "repeats": 2, "set": {"task.documents": 1000, "protocol.k": k}}
        lrat_bench.run("synth-wiki", retriever=retriever, out=home / f"{retriever}-{k}", **words)
    lrat_bench.retrieve("synth-wiki", "oracle", limit=8, set={"task.documents": 1000}, out=home / "retrieval")
    return home


@pytest.fixture
def made_run() -> MakeRun:
    """Makes a record of a run: `made_run(task=…, success=0.5, …)`."""

    def make(
        *,
        run: str = "run",
        task: str = "wiki",
        agent: str = "a",
        retriever: str = "r",
        apart: dict[str, str] | None = None,
        comparable: str = "same",
        n: int = 300,
        unresolved: int = 0,
        **values: float | None,
    ) -> ReportedRun:
        metrics = tuple(_metric(name, value, n) for name, value in {"success_rate": 0.5, **values}.items())
        return ReportedRun(
            run=run,
            task=task,
            split="test",
            protocol="default",
            judge="exact",
            agent=agent,
            retriever=retriever,
            seed=0,
            apart=apart or {},
            comparable=comparable,
            questions=n,
            repeats=1,
            n=n,
            unresolved=unresolved,
            success_bound=(values.get("success_rate") or 0.5) + unresolved / n if unresolved else None,
            metrics=metrics,
            peers=(),
        )

    return make


def _metric(name: str, value: float | None, n: int) -> Metric:
    share = name in ("success_rate", "evidence_recall")
    half = 0.05 if share else 0.5
    near = None if value is None else (max(0.0, value - half), value + half)
    return Metric(
        name=name,
        value=value,
        n=0 if value is None else n,
        low=None if near is None else near[0],
        high=None if near is None else near[1],
        unit="share" if share else "steps",
        direction="lower" if name == "steps" else "neutral" if name == "searches" else "higher",
        definition="A number.",
    )
