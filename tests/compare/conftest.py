"""Sides made of values, as runs and retrievals give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import fsum
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.compare.side import Column, Side
from lrat_bench.score.metric import Metric
from lrat_bench.score.metrics.catalogue import MEASURES

MakeSide = Callable[..., Side]

SHARED = {"task": "t" * 64, "protocol": "p" * 64, "judge": "exact", "questions": "all"}


@pytest.fixture(scope="session")
def make_side() -> MakeSide:
    """A side of the values given: measure → key → value; a key `q7/2` belongs to question `q7`."""

    def make(name: str, columns: Mapping[str, Mapping[str, float]], **more: Any) -> Side:
        shared = {**SHARED, **more.pop("shared", {})}
        free = more.pop("free", {"agent": "heuristic", "retriever": name, "seed": "0"})
        return Side(
            name=name,
            path=Path("runs") / name,
            kind=more.pop("kind", "run"),
            shared=shared,
            free=free,
            columns={measure: column(measure, values) for measure, values in columns.items()},
            **more,
        )

    return make


def column(measure: str, values: Mapping[str, float]) -> Column:
    about = {one.name: one for one in MEASURES}.get(measure)
    metric = Metric(
        name=measure,
        value=fsum(values.values()) / len(values) if values else None,
        n=len(values),
        low=None,
        high=None,
        unit="share" if about is None else about.unit,
        direction="higher" if about is None else about.direction,
        definition="as the test says",
    )
    binary = all(value in (0.0, 1.0) for value in values.values())
    return Column(metric, values, {key: key.partition("/")[0] for key in values}, binary)
