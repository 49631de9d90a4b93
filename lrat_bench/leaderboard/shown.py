"""How the board is shown: cells of its tables, ready for a template. Texts are escaped there, not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lrat_bench.leaderboard.board import BoardTrack, Standing
from lrat_bench.leaderboard.measuring import Numbers
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.report import numbers
from lrat_bench.report.measures import label
from lrat_bench.score.metric import Metric

__all__ = [
    "RANKING_LINES",
    "ROLLOUT_LINES",
    "Cell",
    "Column",
    "Line",
    "cell",
    "columns",
    "lines",
    "parameters",
    "place_among",
    "place_text",
]

ROLLOUT_LINES = ("evidence_recall", "steps", "completion_tokens")
RANKING_LINES = ("evidence_nDCG@10", "evidence_R@100", "gold_nDCG@10")
"""Measures that each question is shown with."""

_SHOWN = 500
"""Characters of an answer, and of a judge's words, on a page; the records have all of them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One number.

    Attributes:
        text: as people read it.
        interval: its 95 % interval; empty where there is none.
        value: for sorting; empty where there is none.
        n: on how many it stands.
    """

    text: str
    interval: str = ""
    value: str = ""
    n: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers.

    Attributes:
        task: its name; empty of the mean over tasks.
        measure: its name.
        label: above it.
        ascending: whether small is better, and so comes first.
        n: on how many its numbers stand; empty where they do not agree.
    """

    task: str
    measure: str
    label: str
    ascending: bool
    n: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One question of one repeat, on the page of a submission.

    Attributes:
        task: its name.
        question: its id.
        repeat: from 0.
        outcome: what became of it; empty of a retriever alone.
        status: how it ended; empty of a retriever alone.
        cells: numbers.
        answer: what the judge took for the answer; None where the task is guarded, or there is none.
        said: the judge's own words; the same.
    """

    task: str
    question: str
    repeat: int
    outcome: str
    status: str
    cells: tuple[Cell, ...]
    answer: str | None = None
    said: str | None = None


def cell(metric: Metric | None) -> Cell:
    """A metric as a cell."""
    if metric is None or metric.value is None:
        return Cell(numbers.NULL)
    ends = numbers.interval(metric)
    return Cell(
        numbers.value(metric),
        "" if ends == numbers.NULL else ends,
        f"{metric.value:.12g}",
        numbers.count(metric.n) if metric.n else "",
    )


def columns(track: BoardTrack) -> list[Column]:
    """The columns of a track: for each task the measures that any row has."""
    found = []
    for task in (name.partition("@")[0] for name in track.tasks):
        for measure in track.columns:
            metrics = [result.metric(measure) for row in track.rows if (result := row.result(task)) is not None]
            known = [metric for metric in metrics if metric is not None and metric.value is not None]
            if known:
                ns = {metric.n for metric in known if metric.n}
                n = numbers.count(ns.pop()) if len(ns) == 1 else ""
                found.append(Column(task, measure, label(measure), known[0].direction == "lower", n))
    return found


def lines(task: str, numbers_of: Numbers, records: Sequence[RolloutRecord | RankingRecord]) -> Iterator[Line]:
    """The lines of one task: ids, outcomes and numbers, and of a task that is not guarded what was answered."""
    by_key = {record.key: record for record in records}
    if not numbers_of.rows:
        for record in records:
            found = [_plain(numbers_of.values, name, record.question_id) for name in RANKING_LINES]
            yield Line(task, record.question_id, 0, "", "", tuple(found))
        return
    for row in numbers_of.rows:
        record = by_key[row.question_id, row.repeat]
        open_text = isinstance(record, RolloutRecord) and record.canary is None
        said = record.verdict if isinstance(record, RolloutRecord) and open_text else None
        yield Line(
            task,
            row.question_id,
            row.repeat,
            row.outcome,
            row.status,
            tuple(_number(name, row.values.get(name)) for name in ROLLOUT_LINES),
            None if said is None else _clipped(said.extracted_answer),
            None if said is None else _clipped(said.reply),
        )


def parameters(row_parameters: float | None) -> Cell:
    """A number of parameters: `596 M`, `8 B`."""
    if row_parameters is None:
        return Cell(numbers.NULL)
    scale, unit = (1e9, "B") if row_parameters >= 1e9 else (1e6, "M") if row_parameters >= 1e6 else (1.0, "")
    shown = f"{float(f'{row_parameters / scale:.3g}'):g}"
    return Cell(f"{shown} {unit}".strip(), value=f"{row_parameters:.12g}")


def place_text(standing: Standing | None) -> str:
    """Where an entry stands: `1`, `2–4`; nothing of a published row, and of one that is held against no other."""
    if standing is None or standing.best_rank is None:
        return ""
    best, worst = standing.best_rank, standing.worst_rank
    return str(best) if best == worst else f"{best}–{worst}"


def place_among(standing: Standing | None) -> str:
    """Among whom: `2–4 of 7`, `1 of 3 under commit 0123456789ab`, `alone under commit 0123456789ab`."""
    if standing is None:
        return ""
    under = "" if standing.among is None else f" under commit {standing.among[:12]}"
    place = place_text(standing)
    return f"{place} of {standing.of}{under}" if place else f"alone{under}"


def _clipped(text: str | None) -> str | None:
    return text if text is None or len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _plain(values: Mapping[str, Mapping[str, float]], name: str, question: str) -> Cell:
    return _number(name, values.get(name, {}).get(question))


def _number(name: str, value: float | None) -> Cell:
    if value is None:
        return Cell(numbers.NULL)
    if name in ("evidence_recall", "evidence_R@100"):
        return Cell(numbers.rate(value, 1), value=f"{value:.12g}")
    return Cell(f"{value:,.0f}" if Fraction(value).denominator == 1 else f"{value:.3f}", value=f"{value:.12g}")
