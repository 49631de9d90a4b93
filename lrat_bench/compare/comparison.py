"""How much better is one side than another on the same questions, and which can the data not tell apart?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import numpy as np

from lrat_bench.compare.aligned import Paired, align, question_ids
from lrat_bench.compare.contrast import ALPHA, Contrast, Pair, adjusted, contrasts
from lrat_bench.compare.pairing import differing_keys, labels, refuse_unpairable
from lrat_bench.compare.record import (
    Across,
    ComparedSide,
    Comparison,
    Flips,
    PairedDifference,
    TiedSide,
    Ties,
)
from lrat_bench.compare.side import Side
from lrat_bench.compare.ties import tie_letters
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.score.intervals import RESAMPLES
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.success import SUCCESS_RATE

__all__ = ["MAIN_MEASURES", "compare_sides"]

MAIN_MEASURES = (
    "success_rate",
    "evidence_recall",
    "steps",
    "searches",
    "browses",
    "completion_tokens",
    "cost_usd",
)
"""What is compared of runs unless measures are named; what nothing is known of is left out."""


def compare_sides(
    sides: Sequence[Side],
    *,
    across: Collection[str] = (),
    measures: Sequence[str] | None = None,
    all_pairs: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare sides over the same questions: each with the first, or every pair.

    Of each measure and pair: the mean difference over what both have a value for, the percentile bootstrap over
    questions, and a two-sided p-value: McNemar's mid-p where each question has one value on each side, 0 or 1, else the
    randomisation over questions, which carry their repeats with them. p is adjusted by Holm's method over the pairs
    that are compared by one measure. Tie groups stand on all pairs, whichever are compared.

    Args:
        sides: the first is the baseline.
        across: what may differ on purpose, by the names of `Side.shared`; of questions, those that both have count.
        measures: names of columns; the main ones of runs, or all of retrievals, unless given.
        all_pairs: compare every pair, not only each side with the first.
        seed: of the bootstrap and of the randomisation.
        resamples: of the bootstrap, and flips of the test at least.

    Raises:
        UsageError: the sides cannot be paired, or have nothing in common.
        UnknownName: a measure, or a key of `across`, does not exist.
    """
    refuse_unpairable(sides, across=across)
    chosen = _measures(sides, measures)
    questions = question_ids(sides)
    every = list(combinations(range(len(sides)), 2))
    pairs = every if all_pairs else [pair for pair in every if pair[0] == 0]
    aligned = {measure: align(sides, measure, questions) for measure in chosen}
    tested = contrasts(aligned, every, seed=seed, resamples=resamples)
    known = [name for name in chosen if any(tested[name][pair].found.n for pair in pairs)]
    if not known:
        raise UsageError(
            f"no question has a value on {sides[0].path} and on {sides[1].path} alike, by any measure that was asked "
            "for: nothing can be paired"
        )
    if measures is None:
        chosen = known
    names = labels(sides)
    metrics = {name: [side.columns[name].metric for side in sides] for name in chosen}
    differ = differing_keys(sides)
    return Comparison(
        kind=sides[0].kind,
        shared={key: value for key, value in sides[0].shared.items() if key not in differ},
        across=tuple(Across(key=key, values=tuple(side.shared.get(key) for side in sides)) for key in differ),
        seed=seed,
        resamples=resamples,
        all_pairs=all_pairs,
        unresolved=sum(side.unresolved for side in sides),
        sides=tuple(
            ComparedSide(
                name=name,
                path=str(side.path),
                free=dict(side.free),
                repeats=side.repeats,
                unresolved=side.unresolved,
                success_bound=side.success_bound,
                metrics=tuple(metrics[measure][at] for measure in chosen),
            )
            for at, (name, side) in enumerate(zip(names, sides, strict=True))
        ),
        differences=tuple(one for name in chosen for one in _differences(metrics[name][0], tested[name], pairs, names)),
        ties=tuple(
            _ties(metrics[name], tested[name], names) for name in chosen if metrics[name][0].direction != "neutral"
        ),
        flips=_flips(tested.get(SUCCESS_RATE.name), pairs, names),
    )


def _measures(sides: Sequence[Side], named: Sequence[str] | None) -> list[str]:
    if named is None:
        common = [name for name in sides[0].columns if all(name in side.columns for side in sides)]
        return [name for name in common if sides[0].kind != "run" or name in MAIN_MEASURES]
    known = dict.fromkeys(name for side in sides for name in side.columns)
    for name in named:
        if name not in known:
            raise UnknownName("measure", name, known)
        if lacking := [side for side in sides if name not in side.columns]:
            raise UsageError(
                f"{lacking[0].path} was not measured by {name}, so nothing can be compared by it: leave out --measure "
                f"{name}"
            )
    return list(dict.fromkeys(named))


def _differences(
    like: Metric, tested: Mapping[Pair, Contrast], pairs: Sequence[Pair], names: Sequence[str]
) -> list[PairedDifference]:
    corrected = adjusted(tested, pairs)
    # The first step of Holm's method: what is found there is found whatever the others show.
    level = ALPHA / max(1, sum(p is not None for p in corrected.values()))
    made = []
    for first, second in pairs:
        one = tested[first, second]
        binary, seen = one.paired.binary, one.counts
        made.append(
            PairedDifference(
                measure=like.name,
                unit=like.unit,
                direction=like.direction,
                baseline=names[first],
                other=names[second],
                value=one.found.value,
                low=one.found.low,
                high=one.found.high,
                n=one.found.n,
                questions=one.found.clusters,
                test="mcnemar" if binary else "randomisation",
                p=one.p,
                p_holm=corrected[first, second],
                effect=one.effect,
                effect_name="cohen_g" if binary else "cohen_dz",
                sd=one.sd,
                higher=seen.higher,
                equal=seen.equal,
                lower=seen.lower,
                detectable=one.detectable(level),
            )
        )
    return made


def _ties(metrics: Sequence[Metric], tested: Mapping[Pair, Contrast], names: Sequence[str]) -> Ties:
    sign = 1 if metrics[0].direction == "higher" else -1
    beats: set[tuple[str, str]] = set()
    for (first, second), p in adjusted(tested, list(tested)).items():
        value = tested[first, second].found.value
        if p is not None and p <= ALPHA and value:
            better, worse = (second, first) if sign * value > 0 else (first, second)
            beats.add((names[better], names[worse]))
    measured = [(name, metric.value) for name, metric in zip(names, metrics, strict=True) if metric.value is not None]
    order = [name for name, value in sorted(measured, key=lambda one: -sign * one[1])]
    letters = tie_letters(order, {frozenset(pair) for pair in beats})
    return Ties(
        measure=metrics[0].name,
        sides=tuple(
            TiedSide(
                name=name,
                letters=letters[name],
                best_rank=1 + sum((other, name) in beats for other in order),
                worst_rank=len(order) - sum((name, other) in beats for other in order),
            )
            for name in order
        ),
    )


def _flips(tested: Mapping[Pair, Contrast] | None, pairs: Sequence[Pair], names: Sequence[str]) -> tuple[Flips, ...]:
    if tested is None:
        return ()
    return tuple(
        Flips(
            baseline=names[first],
            other=names[second],
            only_baseline=_where(tested[first, second].paired, -1),
            only_other=_where(tested[first, second].paired, 1),
        )
        for first, second in pairs
    )


def _where(paired: Paired, sign: int) -> tuple[str, ...]:
    return tuple(paired.keys[int(at)] for at in np.flatnonzero(sign * paired.differences > 0))
