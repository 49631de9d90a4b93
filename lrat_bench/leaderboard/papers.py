"""Papers: figures that others published on the tasks of a track, so that a board is of use before its first entry.

They are what a paper prints: nobody recomputed them, their records are not here, and they have no part in ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lrat_bench.leaderboard.measuring import COLUMNS
from lrat_bench.leaderboard.tracks import Track
from lrat_bench.published.figure import Figure, Party
from lrat_bench.published.library import PublishedRow, load_table, protocol_of
from lrat_bench.score.intervals import Interval, wilson
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.catalogue import MEASURES

__all__ = ["TABLES", "PaperRow", "paper_rows"]

TABLES = ("lrat-table-2", "browsecomp-plus-table-1", "browsecomp-plus-retrieval")
"""The tables of `published/` that say how retrievers and agents compare."""

_ALSO = {"evidence_recall": ("evidence_recall_searched",)}
"""Column of the board → metrics whose published figures stand in it, too; their own name is in the definition."""

_LIKE = {measure.name: measure for measure in MEASURES}
"""Measures of runs, for their units; those of a retriever alone are shares, or nDCG."""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One row of a paper's table, as far as the track has columns for it.

    Attributes:
        name: table/agent/retriever.
        label: what would have been entered, as the paper names it.
        parameters: how many, where it is known.
        cited: paper and place.
        metrics: task → its figures, under the names of the board's columns, in our units.
    """

    name: str
    label: str
    parameters: float | None
    cited: str
    metrics: Mapping[str, tuple[Metric, ...]]


def paper_rows(track: Track) -> Iterator[PaperRow]:
    """What is published of a track, table by table."""
    if track.demonstration:
        return
    for table in (load_table(name) for name in TABLES):
        for row in table.rows:
            if not _is_of(track, row):
                continue
            metrics = {pin.task: tuple(_metrics(track, pin.name, row)) for pin in track.pins}
            known = {task: found for task, found in metrics.items() if found}
            if known:
                party = _entered(track, row)
                keys = (table.name, row.agent_key, row.retriever_key)
                yield PaperRow(
                    name="/".join(key for key in keys if key is not None),
                    label=party.label,
                    parameters=None if party.billions is None else party.billions * 1e9,
                    cited=f"{table.about.short}, {table.about.place}{_graded(row)}",
                    metrics=known,
                )


def _is_of(track: Track, row: PublishedRow) -> bool:
    if track.fixed is None:
        return row.agent is None
    if row.agent is None:
        return False
    return (row.retriever if track.kind == "agent" else row.agent).name == track.fixed.name


def _entered(track: Track, row: PublishedRow) -> Party:
    return row.agent if track.kind == "agent" and row.agent is not None else row.retriever


def _graded(row: PublishedRow) -> str:
    """Who graded the answers, where that is not the judge of the protocol."""
    others = {one.judge for one in row.figures if one.measures.judged and one.judge != protocol_of(one).scoring.judge}
    return f"; graded by {', '.join(sorted(others))}" if others else ""


def _metrics(track: Track, task: str, row: PublishedRow) -> Iterator[Metric]:
    by = "retrieval" if track.kind == "retrieval" else "run"
    for name in COLUMNS[track.kind]:
        for figure in row.figures:
            measures = figure.measures
            standing = f"{measures.task}@{measures.protocol}" == task and measures.by == by
            if standing and measures.metric in (name, *_ALSO.get(name, ())):
                yield _metric(name, figure)
                break


def _metric(name: str, figure: Figure) -> Metric:
    measures = figure.measures
    value = round(figure.value / figure.scale, 12)
    interval = Interval(None, None)
    if measures.rate and measures.n is not None:
        interval = wilson(value * measures.n, measures.n)
    like = _LIKE.get(name)
    return Metric(
        name=name,
        value=value,
        n=measures.n or 0,
        low=interval.low,
        high=interval.high,
        unit="nDCG" if like is None and "nDCG" in name else "share" if like is None else like.unit,
        direction="higher" if like is None else like.direction,
        definition=f"as published: {measures.header} ({measures.metric}), by {figure.paper}",
    )
