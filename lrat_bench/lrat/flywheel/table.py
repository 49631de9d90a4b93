"""What a flywheel has brought: measures of every iteration, arm and task, and paired differences from the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import DataError
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task, rows_of
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.paired import Difference, paired_rows
from lrat_bench.score.rows import Row
from lrat_bench.score.score import Metric
from lrat_bench.task.task import Task

__all__ = ["MEASURES", "TABLE", "Change", "Entry", "FlywheelTable", "make_entry", "read_table", "rows_in"]

TABLE = "table.json"
"""The file of a flywheel's folder that holds its table."""

MEASURES = ("success_rate", "evidence_recall", "steps", "first_query_ndcg@10")
"""What a flywheel is judged by; the metrics of each run hold all others."""


class Change(BaseModel):
    """A paired difference from iteration 0 on the same questions; fields as in `score.paired.Difference`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: float | None
    low: float | None
    high: float | None
    n: int = Field(ge=0)
    clusters: int = Field(ge=0, description="questions")
    p: float | None

    @classmethod
    def of(cls, found: Difference) -> Change:
        """The record of a difference."""
        return cls(value=found.value, low=found.low, high=found.high, n=found.n, clusters=found.clusters, p=found.p)


class Entry(BaseModel):
    """One arm of one iteration on one task."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    iteration: int = Field(ge=0)
    arm: str
    task: str
    domain: Literal["ID", "OOD"] | None
    split: str
    run: str = Field(description="the run folder, below the flywheel's")
    pairs: int | None = Field(description="that the model was trained on; null for the base")
    unresolved: int = Field(ge=0, description="questions that are ungraded or errored")
    metrics: dict[str, Metric]
    change: dict[str, Change] = Field(description="measure → difference from iteration 0; empty for the base")

    @property
    def key(self) -> tuple[int, str, str]:
        """(iteration, arm, run): what identifies the entry."""
        return self.iteration, self.arm, self.run


class FlywheelTable(BaseModel):
    """The content of `table.json`."""

    schema_: Literal["lrat-bench/flywheel-table/1"] = Field(default="lrat-bench/flywheel-table/1", alias="schema")
    task: str
    agent: str
    base: str
    entries: tuple[Entry, ...]

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


def rows_in(run: Run, task: Task | None = None) -> list[Row]:
    """The rows of a run under its protocol's judge."""
    manifest = run.manifest
    return rows_of(run.folder, task or run.task or find_task(manifest), load_judge(manifest.protocol.scoring))


def make_entry(
    *, root: Path, iteration: int, arm: str, run: Run, pairs: int | None, base: Sequence[Row] | None
) -> Entry:
    """The entry of one run.

    Args:
        root: the flywheel's folder.
        iteration: 0 is the base.
        arm: what was trained.
        run: of the eval split.
        pairs: how many the model was trained on.
        base: rows of the base's run on the same questions; None where this is the base.
    """
    manifest, scores = run.manifest, run.metrics
    change: Mapping[str, Change] = {}
    if base is not None:
        rows = rows_in(run)
        change = {name: Change.of(paired_rows([(rows, base)], name)) for name in MEASURES}
    return Entry(
        iteration=iteration,
        arm=arm,
        task=str(manifest.task["name"]),
        domain=manifest.task["domain"],
        split=manifest.split,
        run=run.path.relative_to(root).as_posix(),
        pairs=pairs,
        unresolved=scores.unresolved,
        metrics={name: scores.metric(name) for name in MEASURES},
        change=dict(change),
    )


def read_table(folder: Path) -> FlywheelTable:
    """The table of a flywheel's folder.

    Raises:
        DataError: there is none, or not of this version.
    """
    file = folder / TABLE
    try:
        return FlywheelTable.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise DataError("there is no table yet: run `lrat-bench flywheel` on it", file=file) from None
    except ValueError as error:
        raise DataError(f"not a flywheel's table of this version: {str(error).splitlines()[0]}", file=file) from None
