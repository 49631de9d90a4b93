"""A training that is killed, wherever, ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from training_world import World, make_pair, write_pairs

from lrat_bench.lrat.training.folder import ModelFolder


@pytest.fixture(scope="module")
def left(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of trainings that were killed again and again, and of one that was not."""
    out = tmp_path_factory.mktemp("killed")
    kept = [make_pair(number, world.texts, weight=0.5 + number) for number in range(10)]
    other = write_pairs(out / "other", world.task, world.corpus.fingerprint, kept)
    script = Path(__file__).with_name("killed.py")
    words = [sys.executable, str(script), str(world.pairs), str(world.base), str(other), str(out)]
    done = subprocess.run(
        words, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.parametrize("name", ["killed", "fresh"])
def test_it_ends_as_if_it_had_not_been_killed(left: Path, name: str) -> None:
    ends = json.loads((left / "ends.json").read_text())
    assert ends[name].count(-signal.SIGKILL) >= 5
    assert ends[name][-1] == 0
    whole, found = ModelFolder(left / "whole"), ModelFolder(left / name)
    weights, others = load_file(whole.path / "model.safetensors"), load_file(found.path / "model.safetensors")
    assert all(weights[key].equal(others[key]) for key in weights)
    assert found.record is not None
    assert whole.record is not None
    assert found.record.loss == whole.record.loss
    assert {path.name for path in found.path.iterdir()} == {path.name for path in whole.path.iterdir()}
