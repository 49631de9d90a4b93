"""Scores: the numbers of a run, from its questions, trajectories and verdicts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from typing import Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import UnknownName
from lrat_bench.score.calibration import Stated, calibration
from lrat_bench.score.intervals import Interval, bootstrap, unanimous, wilson
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.metrics.confidence import STATED_CONFIDENCE
from lrat_bench.score.metrics.measure import Measure
from lrat_bench.score.peers import browsecomp_plus
from lrat_bench.score.peers.catalogue import BESIDE, PEER_MEASURES
from lrat_bench.score.rows import Outcome, Row, per_question
from lrat_bench.score.verdict import Verdict
from lrat_bench.task.question import Qrels, Question
from lrat_bench.trajectory import Status, Trajectory

__all__ = ["SCHEMA", "Metric", "Scores", "measure", "summarise"]

SCHEMA = "lrat-bench/metrics/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""


class Scores(BaseModel):
    """The content of `metrics.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    schema_: Literal["lrat-bench/metrics/1"] = Field(default="lrat-bench/metrics/1", alias="schema")
    questions: int = Field(ge=0, description="how many were selected")
    repeats: int = Field(ge=1)
    n: int = Field(ge=0, description="questions times repeats: the denominator of the success rate")
    judge: str = Field(description="fingerprint of the judge")
    judge_name: str | None = None
    judgements: str | None = Field(
        default=None, description="fingerprint of the accepted answers, evidence and gold that they were measured by"
    )
    outcomes: dict[Outcome, int] = Field(description="all four, adding up to n")
    statuses: dict[str, int] = Field(description="how the trajectories ended, adding up to n")
    success_bound: float | None = Field(
        description="the success rate if all that is ungraded or errored were correct; null when nothing is"
    )
    metrics: tuple[Metric, ...]
    rows: str | None = Field(
        default=None, description="SHA-256 of the `per_question.jsonl` that the numbers are means of"
    )
    peers: tuple[Metric, ...] = Field(
        default=(), description="the same run as other evaluators count; each under the evaluator's name and its own"
    )

    @property
    def unresolved(self) -> int:
        """How many are ungraded or errored; gates and submissions demand 0."""
        return self.outcomes["ungraded"] + self.outcomes["errored"]

    def metric(self, name: str) -> Metric:
        """The metric of that name, ours or a peer's.

        Raises:
            UnknownName: there is none.
        """
        by_name = {metric.name: metric for metric in (*self.metrics, *self.peers)}
        if name not in by_name:
            raise UnknownName("metric", name, by_name)
        return by_name[name]


def measure(
    questions: Sequence[Question],
    repeats: int,
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    *,
    judge_fingerprint: str,
    evidence: Qrels | None,
    gold: Qrels | None,
    seed: int = 0,
) -> Scores:
    """Score a run: `summarise` of `per_question`, which say what the arguments are."""
    rows = per_question(
        questions,
        repeats,
        trajectories,
        verdicts,
        judge_fingerprint=judge_fingerprint,
        evidence=evidence,
        gold=gold,
    )
    return summarise(rows, judge_fingerprint=judge_fingerprint, seed=seed)


def summarise(
    rows: Sequence[Row],
    *,
    judge_fingerprint: str,
    judge_name: str | None = None,
    judgements: str | None = None,
    seed: int = 0,
) -> Scores:
    """Means, intervals and counts of the rows of one run.

    A rate over questions asked once has Wilson's interval. Other means have the percentile bootstrap over questions,
    and so have rates over repeats, which are not independent. Where all values of a share are 0, or all are 1, the
    bootstrap has no width, and Wilson's interval is given for the number of questions instead.

    Args:
        rows: of every selected question and repeat.
        judge_fingerprint: whose verdicts they hold.
        judge_name: as it stands in tables.
        judgements: fingerprint of the accepted answers and judgements that they rest on.
        seed: of the bootstrap.
    """
    outcomes = Counter(row.outcome for row in rows)
    statuses = Counter(row.status for row in rows)
    questions = len({row.question_id for row in rows})
    unresolved = outcomes["ungraded"] + outcomes["errored"]
    return Scores(
        questions=questions,
        repeats=max((row.repeat + 1 for row in rows), default=1),
        n=len(rows),
        judge=judge_fingerprint,
        judge_name=judge_name,
        judgements=judgements,
        outcomes={outcome: outcomes[outcome] for outcome in get_args(Outcome)},
        statuses={name: statuses[name] for name in (*get_args(Status), "unknown", "missing") if statuses[name]},
        success_bound=(outcomes["correct"] + unresolved) / len(rows) if unresolved else None,
        metrics=(*_metrics(rows, MEASURES, seed, _ours), calibration(_stated(rows), seed=seed)),
        peers=_of_peers(rows, seed),
    )


def _stated(rows: Sequence[Row]) -> list[Stated]:
    return [
        Stated(row.question_id, confidence, row.outcome == "correct")
        for row in rows
        if (confidence := row.values.get(STATED_CONFIDENCE.name)) is not None
    ]


def _of_peers(rows: Sequence[Row], seed: int) -> tuple[Metric, ...]:
    means = _metrics(rows, PEER_MEASURES, seed, _peers)
    confident = [
        (confidence, row.outcome == "correct")
        for row in rows
        if (confidence := row.peers.get(browsecomp_plus.CONFIDENCE.name)) is not None
    ]
    by_name = {metric.name: metric for metric in (*means, browsecomp_plus.calibration(confident))}
    return tuple(by_name[name] for name in BESIDE)


def _ours(row: Row) -> Mapping[str, float | None]:
    return row.values


def _peers(row: Row) -> Mapping[str, float | None]:
    return row.peers


def _metrics(
    rows: Sequence[Row],
    measures: Sequence[Measure],
    seed: int,
    values_of: Callable[[Row], Mapping[str, float | None]],
) -> tuple[Metric, ...]:
    place = {qid: at for at, qid in enumerate(dict.fromkeys(row.question_id for row in rows))}
    totals = np.zeros((len(place), len(measures)))
    counts = np.zeros((len(place), len(measures)))
    values: list[list[float]] = [[] for _ in measures]
    for row in rows:
        for column, one in enumerate(measures):
            value = values_of(row).get(one.name)
            value = one.absent if value is None else value
            if value is not None:
                totals[place[row.question_id], column] += value
                counts[place[row.question_id], column] += 1
                values[column].append(value)
    resampled = bootstrap(totals, counts, seed=seed)
    return tuple(
        _metric(one, values[column], int(np.count_nonzero(counts[:, column])), resampled[column])
        for column, one in enumerate(measures)
    )


def _metric(one: Measure, values: Sequence[float], questions: int, resampled: Interval) -> Metric:
    if one.binary and questions == len(values):
        interval = wilson(int(fsum(values)), questions)
    else:
        interval = unanimous(values, questions, unit=one.unit) or resampled
    return Metric(
        name=one.name,
        value=fsum(values) / len(values) if values else None,
        n=len(values),
        low=interval.low,
        high=interval.high,
        unit=one.unit,
        direction=one.direction,
        definition=one.definition,
    )
