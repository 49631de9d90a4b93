"""A side of a comparison: a run, a retrieval or a baseline, as values per question under names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path
from typing import Literal

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.rows import Row

__all__ = ["LARGEST", "Column", "Side", "questions_digest", "read_side"]

Kind = Literal["run", "retrieval"]

LARGEST = 1e100
"""The square of a value up to it, times any number of questions, is finite."""

_UNKNOWN = "unknown"
"""Of an import, which cannot say."""

_RETRIEVAL_MARK = b'"lrat-bench/retrieval/'


@dataclass(frozen=True, slots=True)
class Column:
    """One measure of one side.

    Attributes:
        metric: its mean with interval, n, unit, direction and definition, as the side's own file holds it.
        values: key → value. A key is a question of a run, or a query or trajectory of a retrieval; what has no value
            is not there. The repeats of a question are averaged: which repeat is which means nothing.
        clusters: key → the question that it belongs to.
        binary: every value is 0 or 1.
    """

    metric: Metric
    values: Mapping[str, float] = field(repr=False)
    clusters: Mapping[str, str] = field(repr=False)
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """What one side brings to a comparison.

    Attributes:
        name: of the folder or file, for tables.
        path: where it lies.
        kind: what it was made by.
        shared: what must be equal on both sides for values to be paired, each under the name that a user knows it by.
        free: what may differ, and is as a rule what is compared: agent, retriever, seed; the names for people.
        columns: measure → values, in the order of the side's own tables.
        repeats: how often each question was asked.
        unresolved: how many rollouts are ungraded or errored; while there are any, no number is final.
        success_bound: the success rate if all of these were correct.
        names: what people call what is shared as a fingerprint, by the names of `shared`.
    """

    name: str
    path: Path
    kind: Kind
    shared: Mapping[str, str]
    free: Mapping[str, str]
    columns: Mapping[str, Column] = field(repr=False)
    repeats: int = 1
    unresolved: int = 0
    success_bound: float | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def read_side(path: Path) -> Side:
    """The run or retrieval in a folder.

    Neither the task nor its corpus is needed: a run's `per_question.jsonl` holds what is paired.

    Raises:
        UsageError: the folder holds neither.
        DataError: its files are damaged, or it was not scored by this version.
    """
    manifest = path / "manifest.json"
    if not manifest.is_file():
        raise UsageError(f"{path} is neither a run folder nor a retrieval folder: it has no manifest.json")
    return _of_retrieval(path) if _RETRIEVAL_MARK in manifest.read_bytes() else _of_run(path)


def questions_digest(questions: Collection[str]) -> str:
    """How many questions, and a fingerprint of their ids: equal where they are the same ones, in any order."""
    return f"{len(questions)} ({fingerprint(sorted(questions))[:12]})"


def _of_run(path: Path) -> Side:
    run = Run(path)
    manifest, scores, rows = run.manifest, run.metrics, run.rows
    identity = manifest.identity
    return Side(
        name=path.resolve().name,
        path=path,
        kind="run",
        shared={
            "task": str(identity["task"]),
            "judgements": str(scores.judgements),
            "split": manifest.split,
            "protocol": str(identity["protocol"]),
            "tokenizer": str(identity.get("tokenizer", _UNKNOWN)),
            "prompt": str(identity.get("prompt", _UNKNOWN)),
            "judge": scores.judge,
            "questions": questions_digest(manifest.questions),
            # Means of unequally many repeats spread unequally, and then p is wrong: flips of signs take the differences
            # to be symmetric. Of an event in 5 %, one repeat against five, they cry wolf in 17 % of comparisons.
            "repeats": str(manifest.repeats),
        },
        free={
            "agent": str(manifest.agent["name"]),
            "retriever": str(manifest.retriever["name"]),
            "seed": str(manifest.seed),
        },
        columns=_columns(rows, {metric.name: metric for metric in scores.metrics}),
        repeats=manifest.repeats,
        unresolved=scores.unresolved,
        success_bound=scores.success_bound,
        names={} if scores.judge_name is None else {"judge": scores.judge_name},
    )


def _of_retrieval(path: Path) -> Side:
    retrieval = Retrieval(path)
    manifest, scores = retrieval.manifest, retrieval.metrics
    columns: dict[str, Column] = {}
    for table in retrieval.measured():
        clusters = dict(zip(table.ids, table.questions, strict=True))
        for name in table.measures:
            metric = scores.metric(name)
            assert metric is not None
            columns[name] = Column(metric, table.column(name), clusters)
    order = [metric.name for metric in scores.metrics]
    return Side(
        name=path.resolve().name,
        path=path,
        kind="retrieval",
        shared={key: str(manifest.identity[key]) for key in ("task", "queries", "judgements")},
        free={"retriever": str(manifest.retriever["name"])},
        columns={name: columns[name] for name in order if name in columns},
    )


def _columns(rows: list[Row], metrics: Mapping[str, Metric]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for measure in MEASURES:
        if measure.name not in metrics:
            continue
        found: dict[str, list[float]] = {}
        for row in rows:
            value = row.values[measure.name]
            value = measure.absent if value is None else value
            if value is not None:
                found.setdefault(row.question_id, []).append(value)
        values = {qid: _mean(several) for qid, several in found.items()}
        columns[measure.name] = Column(metrics[measure.name], values, {qid: qid for qid in values})
    return columns


def _mean(several: list[float]) -> float:
    largest = max(several, key=abs)
    # Of what has no mean that a float could hold, the culprit, for whoever pairs it to refuse by name.
    return largest if abs(largest) > LARGEST else fsum(several) / len(several)
