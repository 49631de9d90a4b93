"""Measuring: every number of a submission, from its records alone, by the functions that `score` and `retrieve` use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord, judgements_of, stand_in
from lrat_bench.leaderboard.tracks import TrackKind
from lrat_bench.score.metric import Metric
from lrat_bench.score.retrieval import QUESTION_MEASURES, Kind, Query, score_retrieval, shallow, summarise_retrieval
from lrat_bench.score.rows import Outcome, Row, per_question
from lrat_bench.score.score import summarise
from lrat_bench.task.question import Qrels

__all__ = ["COLUMNS", "Numbers", "measure_rankings", "measure_rollouts"]

COLUMNS: Mapping[TrackKind, tuple[str, ...]] = {
    "retriever": ("success_rate", "evidence_recall", "steps", "completion_tokens", "cost_usd"),
    "agent": ("success_rate", "evidence_recall", "searches", "completion_tokens", "cost_usd"),
    "retrieval": ("evidence_nDCG@10", "evidence_R@5", "evidence_R@100", "evidence_R@1000", "gold_nDCG@10"),
}
"""Kind of track → the measures that its board shows; a submission holds them, and may hold others."""


@dataclass(frozen=True)
class Numbers:
    """What the records on one task come to.

    Attributes:
        metrics: means with intervals.
        values: measure → question → value, repeats averaged; what has no value is not there.
        outcomes: how many of each; empty of a retriever alone.
        statuses: how many ended how; empty of a retriever alone.
        rows: per (question, repeat); empty of a retriever alone.
    """

    metrics: tuple[Metric, ...]
    values: Mapping[str, Mapping[str, float]] = field(repr=False)
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[Row, ...] = field(default=(), repr=False)

    def metric(self, name: str) -> Metric | None:
        """The metric of that name; None where there is none."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def measure_rollouts(
    records: Sequence[RolloutRecord], *, questions: Sequence[str], repeats: int, judge: str
) -> Numbers:
    """Measure a run.

    Args:
        records: of every question and repeat, in the open (`RolloutRecord.opened`).
        questions: ids, in the order that the run has them in.
        repeats: how often each was asked.
        judge: fingerprint of the judge whose verdicts they hold.
    """
    evidence, gold = judgements_of(records)
    # One trajectory at a time: as objects, the documents of all of them would take many times what the records do.
    rows = per_question(
        [stand_in(qid) for qid in questions],
        repeats,
        (record.as_trajectory() for record in records),
        (verdict for record in records if (verdict := record.as_verdict(judge)) is not None),
        judge_fingerprint=judge,
        evidence=evidence,
        gold=gold,
    )
    scores = summarise(rows, judge_fingerprint=judge)
    return Numbers(
        metrics=scores.metrics,
        values={metric.name: _averaged(rows, metric.name) for metric in scores.metrics},
        outcomes=scores.outcomes,
        statuses=scores.statuses,
        rows=tuple(rows),
    )


def measure_rankings(records: Sequence[RankingRecord], *, k: int) -> Numbers:
    """Measure a retriever alone.

    Args:
        records: of every judged question, in the order that the retrieval has them in.
        k: documents that were asked for.
    """
    evidence, gold = judgements_of(records)
    judgements: dict[Kind, Qrels] = {}
    if evidence is not None:
        judgements["evidence"] = evidence
    if gold is not None:
        judgements["gold"] = gold
    found = [(Query(record.question_id, "", record.question_id), record.hits) for record in records]
    measured = score_retrieval(found, judgements=judgements, measures=shallow(QUESTION_MEASURES, k)).measured
    scores = summarise_retrieval([measured], k=k)
    return Numbers(
        metrics=scores.metrics, values={metric.name: measured.column(metric.name) for metric in scores.metrics}
    )


def _averaged(rows: Sequence[Row], measure: str) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for row in rows:
        value = row.values.get(measure)
        if value is None and measure == "success_rate":
            value = 0.0
        if value is not None:
            found.setdefault(row.question_id, []).append(value)
    return {qid: sum(values) / len(values) for qid, values in found.items()}
