"""Agreement: how far two judges grade the same answers alike."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.score.intervals import RESAMPLES, Interval, bootstrap, wilson
from lrat_bench.score.score import Metric
from lrat_bench.score.verdict import Grade

__all__ = ["Agreement", "agreement"]

Key = tuple[str, int, str]
"""`Verdict.key`: question, repeat, hash of the trajectory."""

_CELLS = (("correct", "correct"), ("correct", "incorrect"), ("incorrect", "correct"), ("incorrect", "incorrect"))


class Agreement(BaseModel):
    """How two judges grade the answers that both of them graded."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    judges: tuple[str, str]
    n: int = Field(ge=0, description="answers that both graded; what follows is of these")
    agree: Metric = Field(description="share that both grade alike")
    kappa: Metric = Field(description="Cohen's kappa; null where both give one and the same grade throughout")
    both_correct: int = Field(ge=0)
    only_first_correct: int = Field(ge=0, description="correct says the first judge, incorrect the second")
    only_second_correct: int = Field(ge=0)
    both_incorrect: int = Field(ge=0)
    only_first_graded: int = Field(ge=0, description="answers that the second judge has not graded")
    only_second_graded: int = Field(ge=0)
    differing: tuple[tuple[str, int], ...] = Field(description="(question_id, repeat) of the answers graded unlike")


def agreement(
    one: tuple[str, Mapping[Key, Grade]], other: tuple[str, Mapping[Key, Grade]], *, seed: int = 0
) -> Agreement:
    """Compare two judges on the same answers.

    With p_o the share of answers graded alike, and p_e the share that would be if each judge gave its grades, as often
    as it does, at random:

        κ = (p_o − p_e) / (1 − p_e)

    (J. Cohen, 1960, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement
    20:37–46). It is undefined where p_e = 1. Its interval is the percentile bootstrap over questions, which carry their
    repeats with them; resamples in which it is undefined are left out, and an interval without width, as perfect
    agreement has it, is not given. The share has Wilson's interval, or the bootstrap where questions have repeats, as
    other rates have (`score.summarise`).

    Args:
        one: name of a judge, and what it holds of each answer (`current_verdicts`).
        other: another one.
        seed: of the bootstrap.
    """
    graded = [{key: grade for key, grade in held.items() if grade != "ungraded"} for _, held in (one, other)]
    first, second = graded
    both = [key for key in first if key in second]
    cells = _cells(first, second, both)
    a, b, c, d = (int(total) for total in cells.sum(axis=0))
    return Agreement(
        judges=(one[0], other[0]),
        n=len(both),
        agree=_share(cells, seed),
        kappa=_kappa_metric(cells, seed),
        both_correct=a,
        only_first_correct=b,
        only_second_correct=c,
        both_incorrect=d,
        only_first_graded=len(first) - len(both),
        only_second_graded=len(second) - len(both),
        differing=tuple(key[:2] for key in both if first[key] != second[key]),
    )


def _cells(first: Mapping[Key, Grade], second: Mapping[Key, Grade], both: list[Key]) -> NDArray[np.int64]:
    """How often each pair of grades occurs in each question, shape (questions, 4)."""
    place = {qid: at for at, qid in enumerate(dict.fromkeys(qid for qid, _, _ in both))}
    cells = np.zeros((len(place), len(_CELLS)), dtype=np.int64)
    for key in both:
        cells[place[key[0]], _CELLS.index((first[key], second[key]))] += 1
    return cells


def _share(cells: NDArray[np.int64], seed: int) -> Metric:
    alike, n, questions = int(cells[:, [0, 3]].sum()), int(cells.sum()), len(cells)
    if n == questions:
        interval = wilson(alike, n)
    elif alike in (0, n):
        interval = wilson(questions if alike else 0, questions)
    else:
        totals = cells[:, [0, 3]].sum(axis=1, keepdims=True).astype(np.float64)
        (interval,) = bootstrap(totals, cells.sum(axis=1, keepdims=True).astype(np.float64), seed=seed)
    return Metric(
        name="agreement",
        value=alike / n if n else None,
        n=n,
        low=interval.low,
        high=interval.high,
        unit="share",
        direction="higher",
        definition="Share of the answers graded by both judges that they grade alike.",
    )


def _kappa_metric(cells: NDArray[np.int64], seed: int) -> Metric:
    value = float(_kappa(cells.sum(axis=0)))
    interval = Interval(None, None) if isnan(value) else _kappa_interval(cells, seed)
    return Metric(
        name="cohen_kappa",
        value=None if isnan(value) else value,
        n=int(cells.sum()),
        low=interval.low,
        high=interval.high,
        unit="kappa",
        direction="higher",
        definition="Cohen's kappa: agreement beyond what the judges' rates of correct would give by chance, of 1.",
    )


def _kappa(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cohen's κ of counts in the order of `_CELLS`, shape (…, 4) → (…); NaN where it is undefined."""
    a, b, c, d = (counts[..., at].astype(np.float64) for at in range(4))
    # Both sides of the fraction times n², so that p_e = 1 is met exactly.
    excess = 2 * (a * d - b * c)
    room = (a + b) * (b + d) + (a + c) * (c + d)
    kappas = np.full(np.shape(room), np.nan)
    np.divide(excess, room, out=kappas, where=room > 0)
    return kappas


def _kappa_interval(cells: NDArray[np.int64], seed: int) -> Interval:
    # κ knows only how often each row of counts was drawn, and there are few different ones.
    rows, times = np.unique(cells, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(times.sum(), times / times.sum(), size=RESAMPLES)
    kappas = _kappa(drawn @ rows)
    low, high = (float(end) for end in np.quantile(kappas[~np.isnan(kappas)], [0.025, 0.975]))
    return Interval(low, high) if low < high else Interval(None, None)
