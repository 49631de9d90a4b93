"""Ranking: entries of a track in order, and which of them the questions cannot tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path

import numpy as np

from lrat_bench.compare.comparison import compare_sides
from lrat_bench.compare.side import Column, Side
from lrat_bench.leaderboard.measuring import Numbers
from lrat_bench.leaderboard.tracks import Track
from lrat_bench.score.intervals import Interval, bootstrap, wilson
from lrat_bench.score.metric import Metric

__all__ = ["Contender", "Place", "ranked"]


@dataclass(frozen=True, slots=True)
class Contender:
    """One entry.

    Attributes:
        name: of the submission.
        numbers: task → what its records come to; every task of the track.
        pool: only contenders of the same pool are held against each other: the commit of what the track fixes.
    """

    name: str
    numbers: Mapping[str, Numbers]
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands.

    Attributes:
        name: of the submission.
        score: mean over tasks of the measure that the track ranks by, with its interval over questions.
        letters: two entries of a pool that share one do not differ significantly; none of one that is alone in it.
        best_rank: 1, and one more for each entry of the pool that is significantly better; None of one that is alone.
        worst_rank: size of the pool, less one for each that is significantly worse; None of one that is alone.
        of: size of the pool.
        pool: of the contender.
    """

    name: str
    score: Metric
    letters: tuple[str, ...]
    best_rank: int | None
    worst_rank: int | None
    of: int
    pool: str | None = None


def ranked(track: Track, contenders: Sequence[Contender]) -> list[Place]:
    """The entries of a track, best first; of several pools the largest first.

    Whoever names a commit of their own is alone in a pool: that is no place, however many others there are.

    Entries answer the same questions, so they are compared question by question: by McNemar's mid-p where each was
    asked once on one task, else by the randomisation over questions, with Holm's correction over all pairs
    (`compare.comparison`). Where a track has several tasks each counts the same, however many questions it has.

    Args:
        track: what they are ranked by.
        contenders: measured on every task of the track.
    """
    pools: dict[str | None, list[Contender]] = {}
    for one in contenders:
        pools.setdefault(one.pool, []).append(one)
    places = [place for pool in pools.values() for place in _pool(track, pool)]
    sign = -1 if places and places[0].score.direction == "higher" else 1
    groups = {name: (-len(pool), name or "") if len(pool) > 1 else (-1, "") for name, pool in pools.items()}
    return sorted(places, key=lambda place: (groups[place.pool], sign * (place.score.value or 0.0), place.name))


def _pool(track: Track, pool: Sequence[Contender]) -> list[Place]:
    sides = [_side(track, one) for one in pool]
    if len(sides) == 1:
        metric, only = sides[0].columns[track.rank].metric, pool[0]
        if only.pool is not None:
            return [Place(only.name, metric, (), None, None, 1, only.pool)]
        return [Place(only.name, metric, ("a",), 1, 1, 1)]
    ties = compare_sides(sides, measures=[track.rank]).ties
    found = {side.name: side for side in ties[0].sides} if ties else {}
    return [
        Place(
            one.name,
            side.columns[track.rank].metric,
            found[one.name].letters,
            found[one.name].best_rank,
            found[one.name].worst_rank,
            len(pool),
            one.pool,
        )
        for one, side in zip(pool, sides, strict=True)
        if one.name in found
    ]


def _side(track: Track, contender: Contender) -> Side:
    by_task = {pin.task: contender.numbers[pin.task].values.get(track.rank, {}) for pin in track.pins}
    total = sum(map(len, by_task.values()))
    # The mean of all values is then the mean of the tasks' means.
    values = {
        f"{task}/{qid}": value * total / (len(by_task) * len(found))
        for task, found in by_task.items()
        for qid, value in found.items()
    }
    binary = len(by_task) == 1 and all(value in (0.0, 1.0) for value in values.values())
    like = contender.numbers[track.pins[0].task].metric(track.rank)
    assert like is not None
    plain = [value for found in by_task.values() for value in found.values()]
    interval = _interval(list(values.values()), plain)
    metric = like.model_copy(
        update={
            "value": fsum(values.values()) / len(values) if values else None,
            "n": len(values),
            "low": interval.low,
            "high": interval.high,
        }
    )
    return Side(
        name=contender.name,
        path=Path(contender.name),
        kind="retrieval" if track.kind == "retrieval" else "run",
        shared={"track": track.name},
        free={"entry": contender.name},
        columns={track.rank: Column(metric, values, {key: key for key in values}, binary)},
    )


def _interval(values: Sequence[float], plain: Sequence[float]) -> Interval:
    """Of the mean of values, which are the plain ones weighted by task."""
    # Zeros and ones that are all the same have no spread to draw from, however few they are.
    if set(plain) <= {0.0, 1.0} and (len(set(plain)) == 1 or set(values) <= {0.0, 1.0}):
        return wilson(fsum(plain), len(plain))
    if len(set(values)) < 2:
        return Interval(None, None)
    (interval,) = bootstrap(np.array(values)[:, None], np.ones((len(values), 1)), seed=0)
    return interval
