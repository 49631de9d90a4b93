"""Sides made of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum
from pathlib import Path

import pytest

from lrat_bench.compare.side import Column, Side, questions_digest
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.catalogue import MEASURES

KNOWN = {measure.name: measure for measure in MEASURES}

MakeSide = Callable[..., Side]


def column(name: str, values: Mapping[str, float]) -> Column:
    """A measure of the catalogue with these values; a key is a question, or a query of one, as `q1#0`."""
    measure = KNOWN[name]
    metric = Metric(
        name=name,
        value=fsum(values.values()) / len(values) if values else None,
        n=len(values),
        low=None,
        high=None,
        unit=measure.unit,
        direction=measure.direction,
        definition=measure.definition,
    )
    return Column(metric, dict(values), {key: key.partition("#")[0] for key in values}, measure.binary)


@pytest.fixture
def make_side() -> MakeSide:
    """A side of which each measure has these values, on q0, q1, … unless they are under names."""

    def make(
        name: str = "side",
        *,
        unresolved: int = 0,
        task: str = "t",
        **values: Sequence[float] | Mapping[str, float],
    ) -> Side:
        columns = {
            measure: column(
                measure,
                found if isinstance(found, Mapping) else {f"q{at}": value for at, value in enumerate(found)},
            )
            for measure, found in values.items()
        }
        asked = {found.clusters[key] for found in columns.values() for key in found.values}
        bound = 1.0 if unresolved else None
        return Side(
            name=name,
            path=Path(name),
            kind="run",
            shared={"task": task, "split": "test", "questions": questions_digest(asked), "repeats": "1"},
            free={"agent": "heuristic", "retriever": name, "seed": "0"},
            columns=columns,
            unresolved=unresolved,
            success_bound=bound,
        )

    return make
