"""Curves over the course of a question: how much is found by which turn, how much is answered within how many steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrat_bench.score.intervals import Interval, bootstrap
from lrat_bench.score.rows import Row
from lrat_bench.trajectory import Browse, Search, Trajectory

__all__ = ["Curve", "recall_by_turn", "success_by_budget"]

_RESAMPLES = 2_000
"""Of a band: its ends are drawn a pixel wide."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A mean over questions at each of several places.

    Attributes:
        places: turns or steps, rising.
        values: the means, between 0 and 1.
        bands: their 95 % intervals, by the bootstrap over questions.
        n: questions times repeats that they are means of.
    """

    places: tuple[int, ...]
    values: tuple[float, ...]
    bands: tuple[Interval, ...]
    n: int


def recall_by_turn(
    trajectories: Iterable[Trajectory], evidence: Mapping[str, frozenset[str]], *, selected: frozenset[tuple[str, int]]
) -> Curve | None:
    """Share of a question's evidence that was found by each turn, averaged as `evidence_recall` is.

    A document is found in the turn in which a search shows it or the agent reads it. A question that has ended keeps
    what it found, so that the last value is the run's evidence recall.

    Args:
        trajectories: read as a stream.
        evidence: question id → its evidence.
        selected: the (question id, repeat) that count.

    Returns:
        the curve over turns, from 1; None where nothing can be told: no evidence, lists that do not name documents,
        or steps whose turn nobody recorded.
    """
    found: dict[str, list[list[int]]] = {}
    sizes: dict[str, int] = {}
    last = 0
    for trajectory in trajectories:
        relevant = evidence.get(trajectory.question_id)
        if trajectory.key not in selected or trajectory.status == "error" or not relevant:
            continue
        if not trajectory.names_documents:
            continue
        turns = _found_in(trajectory, relevant)
        if turns is None:
            return None
        found.setdefault(trajectory.question_id, []).append(turns)
        sizes[trajectory.question_id] = len(relevant)
        last = max(last, len(trajectory.turns), *turns, 1)
    if not found:
        return None
    totals = np.zeros((len(found), last))
    for row, (qid, repeats) in enumerate(sorted(found.items())):
        for turns in repeats:
            for turn in turns:
                totals[row, turn - 1 :] += 1 / sizes[qid]
    counts = np.array([len(found[qid]) for qid in sorted(found)], dtype=np.float64)
    return _curve(tuple(range(1, last + 1)), totals, counts)


def success_by_budget(rows: Sequence[Row]) -> Curve | None:
    """Share of questions that were answered correctly within so many steps: what a smaller budget would have left.

    An agent that knew of a smaller budget might have answered sooner, so that this is a lower bound of what a protocol
    with fewer steps gives. The last value is the run's success rate.

    Args:
        rows: of a run.

    Returns:
        the curve over steps, from 0; None without rows.
    """
    if not rows:
        return None
    took = [(row, int(row.values.get("steps") or 0)) for row in rows]
    last = max(steps for _, steps in took)
    place = {qid: at for at, qid in enumerate(sorted({row.question_id for row in rows}))}
    totals = np.zeros((len(place), last + 1))
    counts = np.zeros(len(place))
    for row, steps in took:
        counts[place[row.question_id]] += 1
        if row.outcome == "correct":
            totals[place[row.question_id], steps:] += 1
    return _curve(tuple(range(last + 1)), totals, counts)


def _found_in(trajectory: Trajectory, relevant: frozenset[str]) -> list[int] | None:
    """The turn, from 1, in which each relevant document was found that was; None where turns are not recorded."""
    turns: dict[str, int] = {}
    for step in trajectory.steps:
        if not isinstance(step, Search | Browse) or step.error is not None:
            continue
        if isinstance(step, Search):
            docids = [hit.docid for hit in step.hits if hit.shown]
        else:
            docids = [step.docid] if step.found else []
        new = [docid for docid in docids if docid in relevant and docid not in turns]
        if new and step.turn is None:
            return None
        turns |= dict.fromkeys(new, (step.turn or 0) + 1)
    return list(turns.values())


def _curve(places: tuple[int, ...], totals: NDArray[np.float64], counts: NDArray[np.float64]) -> Curve:
    # (questions, places)
    columns = np.broadcast_to(counts[:, None], totals.shape)
    n = int(counts.sum())
    return Curve(
        places=places,
        values=tuple(map(float, totals.sum(axis=0) / n)),
        bands=tuple(bootstrap(totals, columns, seed=0, resamples=_RESAMPLES)),
        n=n,
    )
