"""The small world of the tests of training."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from training_world import World, make_world, write_pairs

from lrat_bench.lrat.pair import Pair


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Task, pairs and base model."""
    made = make_world(tmp_path_factory.mktemp("world"))
    # accelerate collects garbage whenever a training begins; without this, among all that torch has imported.
    gc.collect()
    gc.freeze()
    return made


@pytest.fixture
def mined(world: World, tmp_path: Path) -> Callable[[Sequence[Pair]], Path]:
    """Writes other pairs over the same task."""
    return lambda kept: write_pairs(tmp_path / "mined", world.task, world.corpus.fingerprint, kept)
