"""Two processes train as one does on the joint batch."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import joint_training
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tiny_model import make_encoder
from training_world import World

import lrat_bench
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.loss import make_loss
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.record import Step
from lrat_bench.lrat.training.schedule import share_of_peak
from lrat_bench.lrat.training.train import train

Loaded = Mapping[str, SentenceTransformer]


class Acts(NamedTuple):
    """A folder, and how the processes ended."""

    out: Path
    first: list[tuple[int, str]]
    second: list[tuple[int, str]]


CASES = {name: (kind, recipe) for kind, name, recipe in joint_training.cases()}
APART = {name: (kind, recipe) for kind, name, recipe in joint_training.apart()}


@pytest.fixture(scope="module")
def models(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    texts = list(world.texts.values())
    make_encoder(root / "bert", texts=texts, dim=16)
    make_encoder(root / "qwen3", texts=texts, dim=16, kind="qwen3")
    (root / "texts.txt").write_text("\n".join(texts))
    return root


@pytest.fixture(scope="module")
def loaded(models: Path) -> Loaded:
    return {kind: SentenceTransformer(str(models / kind), device="cpu").double().eval() for kind in ("bert", "qwen3")}


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    return lrat_bench.run(str(world.task), "heuristic", "oracle", split="train", out=out).path


@pytest.fixture(scope="module")
def acts(world: World, models: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Acts:
    """What two processes under gloo leave behind."""
    out = tmp_path_factory.mktemp("by-two")
    places = [str(path) for path in (world.pairs, world.steady, models, run, out)]
    return Acts(out, _perform("first", places), _perform("second", places))


@pytest.fixture(scope="module")
def by_two(acts: Acts) -> Path:
    assert (acts.out / "gradients.pt").exists(), acts.first
    return acts.out


def _perform(act: str, places: list[str]) -> list[tuple[int, str]]:
    """Exit code and words of each process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    for rank in range(2):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, joint_training.__file__, act, *places],
            env={**os.environ, **place, **where},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
    said = [process.communicate(timeout=300)[0] for process in started]
    return [(process.returncode, words) for process, words in zip(started, said, strict=True)]


@pytest.mark.parametrize("case", CASES)
def test_the_mean_of_their_gradients_is_that_of_the_joint_batch(
    by_two: Path, models: Path, loaded: Loaded, case: str
) -> None:
    kind, recipe = CASES[case]
    texts = (models / "texts.txt").read_text().splitlines()
    model = loaded[kind]
    alone = joint_training.gradient(model, recipe, slice(0, 4), texts)
    found: dict[str, Any] = torch.load(by_two / "gradients.pt")
    assert torch.allclose(found[case], alone, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("case", APART)
def test_apart_each_holds_its_own_documents_alone_against_its_rows(
    by_two: Path, models: Path, loaded: Loaded, case: str
) -> None:
    kind, recipe = APART[case]
    texts = (models / "texts.txt").read_text().splitlines()
    model = loaded[kind]
    halves = [joint_training.gradient(model, recipe, slice(at, at + 2), texts) for at in (0, 2)]
    found: dict[str, Any] = torch.load(by_two / "gradients.pt")
    assert torch.allclose(found[case], sum(halves) / 2, rtol=1e-8, atol=1e-9)
    joint = joint_training.gradient(model, recipe, slice(0, 4), texts)
    assert not torch.allclose(found[case], joint, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_weights_count_in_two_processes(by_two: Path, models: Path, loaded: Loaded, case: str) -> None:
    kind, recipe = CASES[case]
    texts = (models / "texts.txt").read_text().splitlines()
    model = loaded[kind]
    features, labels = joint_training.batch(model, slice(0, 4), texts)
    unweighted = make_loss(model, recipe)(features, {**labels, "weight": torch.ones(4)}).item()
    found: dict[str, Any] = torch.load(by_two / "gradients.pt")
    assert abs(found[case][0].item() - unweighted) > 0.01


@pytest.mark.parametrize("name", joint_training.TRAINED)
def test_they_train_the_model_that_one_process_trains(
    by_two: Path, world: World, run: Path, tmp_path: Path, name: str
) -> None:
    recipe: Recipe = joint_training.TRAINED[name]
    joined = load_file(by_two / name / "model.safetensors")
    evals = [run] if name == "checkpointed" else []
    alone = train(pairs=[world.pairs], base=str(world.steady), out=tmp_path / "alone", recipe=recipe, evals=evals)
    one, base = load_file(alone.path / "model.safetensors"), load_file(world.steady / "model.safetensors")
    moved = max(float((one[key] - base[key]).abs().max()) for key in base)
    apart = max(float((one[key] - joined[key]).abs().max()) for key in base)
    assert moved > 1e-3
    assert apart < 0.01 * moved  # rounding; Adam makes small gradients large
    record = ModelFolder(by_two / name).record
    assert record is not None
    assert [one.step for one in record.evaluations] == ([0, 3, 6] if evals else [])
    for mine, theirs in zip(record.evaluations, alone.record.evaluations, strict=True):
        assert mine.measures == pytest.approx(theirs.measures, abs=1e-6)
    log = [line for line in ModelFolder(by_two / name).read_log() if isinstance(line, Step)]
    warmup = int(recipe.warmup * 6)
    rates = [recipe.lr * share_of_peak(step, warmup=warmup, steps=6) for step in range(6)]
    assert [line.lr for line in log] == pytest.approx(rates)


def test_one_of_them_writes_the_record(by_two: Path) -> None:
    record = ModelFolder(by_two / "plain").record
    assert record is not None
    assert (record.processes, record.per_epoch, record.steps) == (2, 3, 6)
    assert len(ModelFolder(by_two / "plain").read_log()) == 6
    assert not (by_two / "plain" / "checkpoints").exists()


def test_a_training_whose_first_process_was_killed_goes_on(acts: Acts) -> None:
    (killed, _), (left, said) = acts.first
    assert (killed, left) == (-signal.SIGKILL, 3), said
    assert "another process of this training has ended: see what it said" in said
    assert [code for code, _ in acts.second] == [0, 0], acts.second
    assert (acts.out / "resumed.txt").read_text() == "3"  # the end of an epoch; the plug was pulled before the fourth
    whole, resumed = (load_file(acts.out / name / "model.safetensors") for name in ("plain", "cut"))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_what_the_first_refuses_it_says_alone_and_what_another_meets_that_one_says(acts: Acts) -> None:
    (_, first), (_, other) = acts.second
    assert "cut ended with 2" in first
    assert "cut ended with 2" in other
    assert "holds another training" in first
    assert "holds another training" not in other
    assert "never ended with 2" in other
    (line,) = [line for line in other.splitlines() if line.startswith("lrat-bench:")]
    assert line.startswith("lrat-bench: rank 1: there is no model folder")
    assert "never ended with 3" in first
    assert "lrat-bench: another process of this training has ended" in first
