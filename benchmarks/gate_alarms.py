"""How often the gate fails: on runs of equally good agents, which it should let pass, and of worse ones.

Runs are simulated, and held to each other by `check` itself under the five rules that a run gets by default. A question
is hard or easy for both runs; an agent of an ability on it succeeds, finds evidence, takes steps, pays for them and
fails as agents do, so that the measures hang together. A worse agent's success falls by so many points on average, on
questions in proportion to its ability, and what it finds falls with it. Repeats are drawn anew and averaged.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lrat_bench.compare.side import Column, Side
from lrat_bench.gate.baseline import baseline_of
from lrat_bench.gate.check import check
from lrat_bench.gate.rules import default_rules
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.catalogue import MEASURES

MEAN_SUCCESS = 0.7 / 1.3  # of abilities drawn from Beta(0.7, 0.6)


class Setting(NamedTuple):
    """What is simulated together."""

    questions: int
    repeats: int
    points: float
    simulations: int
    resamples: int
    seed: int


class Found(NamedTuple):
    """Shares of the simulations."""

    failed: float
    by_success: float
    better: float


def answered(rng: np.random.Generator, ability: NDArray[np.float64], repeats: int) -> dict[str, NDArray[np.float64]]:
    """Values of a run: measure → means of the repeats, shape (questions,)."""
    shape = (repeats, len(ability))
    success = (rng.random(shape) < ability).astype(float)
    recall = np.clip(np.round((ability + rng.normal(0, 0.2, shape)) * 4) / 4, 0, 1)
    steps = np.round(rng.gamma(4, 4, shape) * (1.3 - 0.5 * success)) + 1
    cost = steps * rng.lognormal(-5, 1, shape)
    failed = (rng.random(shape) < 0.02).astype(float)
    drawn = {
        "success_rate": success,
        "evidence_recall": recall,
        "steps": steps,
        "cost_usd": cost,
        "failure_rate": failed,
    }
    return {name: values.mean(axis=0) for name, values in drawn.items()}


def side(name: str, values: Mapping[str, NDArray[np.float64]], repeats: int) -> Side:
    """A run of these values."""
    columns = {}
    for measure in MEASURES:
        if measure.name in values:
            found = {f"q{at}": float(value) for at, value in enumerate(values[measure.name])}
            metric = Metric(
                name=measure.name,
                value=float(values[measure.name].mean()),
                n=repeats * len(found),
                low=None,
                high=None,
                unit=measure.unit,
                direction=measure.direction,
                definition=measure.definition,
            )
            columns[measure.name] = Column(metric, found, {key: key for key in found})
    return Side(
        name=name,
        path=Path(name),
        kind="run",
        shared={"repeats": str(repeats)},
        free={},
        columns=columns,
        repeats=repeats,
    )


def simulated(setting: Setting) -> Found:
    """How often the default rules fail, success among them; and how often any measure is called better."""
    rng = np.random.default_rng((setting.seed, setting.questions, setting.repeats, round(10 * setting.points)))
    failed = by_success = better = 0
    for at in range(setting.simulations):
        ability = rng.beta(0.7, 0.6, setting.questions)
        before = side("before", answered(rng, ability, setting.repeats), setting.repeats)
        worse = ability * (1 - setting.points / 100 / MEAN_SUCCESS)
        now = side("now", answered(rng, worse, setting.repeats), setting.repeats)
        baseline = baseline_of(before, default_rules(before), started="", versions={})
        # Each with its own draws: the simulations stand for runs that have nothing to do with one another.
        result = check(baseline, now, seed=at, resamples=setting.resamples)
        failed += result.outcome == "failed"
        by_success += any(one.rule.measure == "success_rate" for one in result.failed)
        better += any(one.verdict == "better" for one in result.rules)
    return Found(*(count / setting.simulations for count in (failed, by_success, better)))


def main() -> None:
    """Simulate each setting and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, nargs="+", default=(50, 300, 830))
    parser.add_argument("--repeats", type=int, nargs="+", default=(1, 3))
    parser.add_argument("--points", type=float, nargs="+", default=(0, 5, 10), help="by which success falls")
    parser.add_argument("--simulations", type=int, default=2_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    settings = [
        Setting(questions, repeats, points, arguments.simulations, arguments.resamples, arguments.seed)
        for points, repeats, questions in product(arguments.points, arguments.repeats, arguments.questions)
    ]
    print("| success falls by | repeats | questions | gate fails | success among what fails | something is better |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for setting, found in zip(settings, pool.map(simulated, settings), strict=True):
            shares = " | ".join(f"{100 * share:.1f} %" for share in found)
            print(f"| {setting.points:g} points | {setting.repeats} | {setting.questions} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
