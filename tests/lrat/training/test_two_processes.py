"""Two processes train as one does on the joint batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import joint_training
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tiny_model import make_encoder
from training_world import World

from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.loss import make_loss
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.train import train

CASES = {name: (kind, recipe) for kind, name, recipe in joint_training.cases()}


@pytest.fixture(scope="module")
def models(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    texts = list(world.texts.values())
    make_encoder(root / "bert", texts=texts, dim=16)
    make_encoder(root / "qwen3", texts=texts, dim=16, kind="qwen3")
    (root / "texts.txt").write_text("\n".join(texts))
    return root


@pytest.fixture(scope="module")
def by_two(world: World, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes under gloo leave behind."""
    out = tmp_path_factory.mktemp("by-two")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, joint_training.__file__, str(world.pairs), str(world.steady), str(models), str(out)]
    started = []
    for rank in range(2):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command, env={**os.environ, **place, **where}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    return out


@pytest.mark.parametrize("case", CASES)
def test_the_mean_of_their_gradients_is_that_of_the_joint_batch(by_two: Path, models: Path, case: str) -> None:
    kind, recipe = CASES[case]
    texts = (models / "texts.txt").read_text().splitlines()
    model = SentenceTransformer(str(models / kind), device="cpu").double().eval()
    alone = joint_training.gradient(model, recipe, slice(0, 4), texts)
    found: dict[str, Any] = torch.load(by_two / "gradients.pt")
    assert torch.allclose(found[case], alone, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_weights_count_in_two_processes(by_two: Path, models: Path, case: str) -> None:
    kind, recipe = CASES[case]
    texts = (models / "texts.txt").read_text().splitlines()
    model = SentenceTransformer(str(models / kind), device="cpu").double().eval()
    features, labels = joint_training.batch(model, slice(0, 4), texts)
    unweighted = make_loss(model, recipe)(features, {**labels, "weight": torch.ones(4)}).item()
    found: dict[str, Any] = torch.load(by_two / "gradients.pt")
    assert abs(found[case][0].item() - unweighted) > 0.01


@pytest.mark.parametrize("name", joint_training.TRAINED)
def test_they_train_the_model_that_one_process_trains(by_two: Path, world: World, tmp_path: Path, name: str) -> None:
    recipe: Recipe = joint_training.TRAINED[name]
    joined = load_file(by_two / name / "model.safetensors")
    alone = train(pairs=[world.pairs], base=str(world.steady), out=tmp_path / "alone", recipe=recipe)
    one, base = load_file(alone.path / "model.safetensors"), load_file(world.steady / "model.safetensors")
    moved = max(float((one[key] - base[key]).abs().max()) for key in base)
    apart = max(float((one[key] - joined[key]).abs().max()) for key in base)
    assert moved > 1e-3
    assert apart < 0.01 * moved  # rounding; Adam makes small gradients large


def test_one_of_them_writes_the_record(by_two: Path) -> None:
    record = ModelFolder(by_two / "plain").record
    assert record is not None
    assert (record.processes, record.per_epoch, record.steps) == (2, 3, 6)
    assert len(ModelFolder(by_two / "plain").read_log()) == 6
    assert not (by_two / "plain" / "checkpoints").exists()
