"""What a report is of: runs and retrievals as records, with what may be compared and what tells them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.compare.side import Side, read_side
from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import fingerprint
from lrat_bench.report.apart import Named, apart
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run
from lrat_bench.score.metric import Metric
from lrat_bench.score.score import Scores

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Names", "Report", "ReportedRetrieval", "ReportedRun", "read_report"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class ReportedRun(_Record):
    """One run: a row of a report."""

    run: str = Field(description="its folder")
    task: str
    split: str
    protocol: str
    judge: str
    agent: str
    retriever: str
    seed: int
    apart: dict[str, str] = Field(description="what else sets it apart from the other runs of the report: knob → value")
    comparable: str = Field(
        description="equal for runs whose numbers may be compared: fingerprint of task, judgements, split, rollout "
        "protocol, judge and questions"
    )
    questions: int = Field(ge=0)
    repeats: int = Field(ge=1)
    n: int = Field(ge=0, description="questions times repeats")
    unresolved: int = Field(ge=0, description="ungraded or errored; while there are any, no number is final")
    success_bound: float | None = Field(description="the success rate if all of these were correct; null without any")
    metrics: tuple[Metric, ...]
    peers: tuple[Metric, ...] = Field(description="the same run as other evaluators count")

    def metric(self, name: str) -> Metric | None:
        """A number by its name; None where the run's file holds no such one."""
        return next((metric for metric in (*self.metrics, *self.peers) if metric.name == name), None)


class ReportedRetrieval(_Record):
    """One retrieval without an agent: a row of a report."""

    retrieval: str = Field(description="its folder")
    task: str
    source: Literal["questions", "replay"]
    split: str | None
    retriever: str
    comparable: str = Field(description="equal where task, queries and judgements are")
    k: int = Field(ge=1)
    questions: int = Field(ge=0)
    queries: int = Field(ge=0)
    metrics: tuple[Metric, ...]

    def metric(self, name: str) -> Metric | None:
        """A number by its name; None where the retrieval has no such one."""
        return next((metric for metric in self.metrics if metric.name == name), None)


class Report(_Record):
    """Runs and retrievals, in the order given."""

    schema_: Literal["lrat-bench/report/1"] = Field(default="lrat-bench/report/1", alias="schema")
    runs: tuple[ReportedRun, ...] = ()
    retrievals: tuple[ReportedRetrieval, ...] = ()

    @property
    def rows(self) -> tuple[ReportedRun | ReportedRetrieval, ...]:
        """The runs, then the retrievals."""
        return (*self.runs, *self.retrievals)

    @property
    def unresolved(self) -> int:
        """How many rollouts of all runs are ungraded or errored."""
        return sum(run.unresolved for run in self.runs)

    def to_dataframe(self, *, measures: Sequence[str] = (), long: bool = False) -> pd.DataFrame:
        """One line a run and retrieval (`report.frame.lines`), or one a number.

        Raises:
            MissingLibrary: pandas is not installed.
            UnknownName: there is no such measure.
        """
        from lrat_bench.report.frame import lines, to_dataframe

        return to_dataframe(lines(self, measures=measures, long=long))


class Names(NamedTuple):
    """What the parts of a run are called, where it is not by their own names."""

    agent: str | None = None
    retriever: str | None = None


def read_report(
    paths: Sequence[Path], *, names: Mapping[Path, Names] | None = None, root: Path | None = None
) -> Report:
    """Read run folders and retrieval folders, scored.

    Args:
        paths: the folders, each once.
        names: what their parts are called, by folder.
        root: folder that the records name them from; as they were given unless there is one.

    Raises:
        UsageError: a folder holds neither, was not scored, or is given twice.
    """
    places = [path.resolve() for path in paths]
    if twice := [path for path, place in zip(paths, places, strict=True) if places.count(place) > 1]:
        raise UsageError(f"{twice[0]} is given twice: give each folder once")
    if not paths:
        raise UsageError("no folder is given: name at least one run folder or retrieval folder")
    sides = [_read(path) for path in paths]
    called = names or {}
    runs = [(side, Run(side.path)) for side in sides if side.kind == "run"]
    scores = [run.metrics for _, run in runs]
    named = [
        Named(
            manifest=run.manifest,
            agent=called.get(side.path, Names()).agent or side.free["agent"],
            retriever=called.get(side.path, Names()).retriever or side.free["retriever"],
            folder=side.name,
            judge=one.judge_name or one.judge[:12],
        )
        for (side, run), one in zip(runs, scores, strict=True)
    ]
    return Report(
        runs=tuple(
            _run(side, one, by, differing, root)
            for (side, _), one, by, differing in zip(runs, scores, named, apart(named), strict=True)
        ),
        retrievals=tuple(_retrieval(side, root) for side in sides if side.kind == "retrieval"),
    )


def _read(path: Path) -> Side:
    try:
        side = read_side(path)
        manifest = Run(path).manifest if side.kind == "run" else Retrieval(path).manifest
        _ = manifest.task["name"]
    except KeyError as missing:
        raise DataError(
            f"says nothing of {missing}: not a manifest of this version", file=path / "manifest.json"
        ) from None
    # Values per question are not kept: many runs would not fit into memory.
    return replace(side, columns={})


def _run(side: Side, scores: Scores, named: Named, differing: dict[str, str], root: Path | None) -> ReportedRun:
    manifest = named.manifest
    return ReportedRun(
        run=_place(side.path, root),
        task=named.task,
        split=manifest.split,
        protocol=manifest.protocol.name,
        judge=named.judge,
        agent=named.agent,
        retriever=named.retriever,
        seed=manifest.seed,
        apart=differing,
        comparable=fingerprint(dict(side.shared)),
        questions=scores.questions,
        repeats=scores.repeats,
        n=scores.n,
        unresolved=scores.unresolved,
        success_bound=scores.success_bound,
        metrics=scores.metrics,
        peers=scores.peers,
    )


def _retrieval(side: Side, root: Path | None) -> ReportedRetrieval:
    found = Retrieval(side.path)
    manifest, scores = found.manifest, found.metrics
    return ReportedRetrieval(
        retrieval=_place(side.path, root),
        task=str(manifest.task["name"]),
        source=manifest.source,
        split=manifest.split,
        retriever=str(manifest.retriever["name"]),
        comparable=fingerprint(dict(side.shared)),
        k=manifest.k,
        questions=scores.questions,
        queries=scores.queries,
        metrics=scores.metrics,
    )


def _place(path: Path, root: Path | None) -> str:
    return str(path if root is None else path.relative_to(root))
