"""What two processes do in `test_two_processes.py`, in two acts: imports take most of the time, so acts are long.

RANK=0 WORLD_SIZE=2 … python joint_training.py ACT PAIRS BASE MODELS RUN OUT

first   they train together, take gradients of one joint batch, and train until the first of them is killed
second  they go on with that, refuse to do something else, and end because one of them cannot do its part
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lrat_bench.errors import RunIncomplete
from lrat_bench.lrat.training.recipe import Recipe

SMALL = {"epochs": 2, "lr": 1e-3, "batch": 8, "group": 3, "temperature": 0.05, "query_tokens": 16, "passage_tokens": 24}
TRAINED = {
    "plain": Recipe(**SMALL),  # type: ignore[arg-type]
    "GradCache": Recipe(**SMALL, mini_batch=3),  # type: ignore[arg-type]
    "checkpointed": Recipe(**SMALL, gradient_checkpointing=True, warmup=0.5),  # type: ignore[arg-type]
}
"""Trainings whose weights are compared; the last one is evaluated on a run."""


def cases() -> Iterator[tuple[str, str, Recipe]]:
    """Every way to the loss: kind of model, name, recipe."""
    for kind, mini_batch, normaliser, in_batch in itertools.product(
        ("bert", "qwen3"), (None, 2), ("mean", "weight-sum"), (True, False)
    ):
        recipe = Recipe.model_validate(
            {"temperature": 0.05, "mini_batch": mini_batch, "normaliser": normaliser, "in_batch": in_batch}
        )
        yield kind, f"{kind} {mini_batch} {normaliser} {in_batch}", recipe


def apart() -> Iterator[tuple[str, str, Recipe]]:
    """Ways to the loss in which no process sees the documents of another."""
    for kind, mini_batch in itertools.product(("bert", "qwen3"), (None, 2)):
        recipe = Recipe(temperature=0.05, mini_batch=mini_batch, cross_device=False)
        yield kind, f"{kind} {mini_batch} apart", recipe


def batch(model: Any, rows: slice, texts: list[str]) -> tuple[list[Any], dict[str, Any]]:
    """Rows of a joint batch of four, in groups of three."""
    import torch

    groups = [texts[at : at + 3] for at in range(0, 12, 3)][rows]
    queries = texts[12:16][rows]
    by_column = [group[at] for at in range(3) for group in groups]
    labels = {
        "weight": torch.tensor([0.1, 2.5, 0.4, 1.0])[rows],
        "docids": torch.arange(12).view(4, 3)[rows],
        "positives": torch.tensor([[0, 6], [3, -1], [6, 0], [9, -1]])[rows],
    }
    return [dict(model.preprocess(queries)), dict(model.preprocess(by_column))], labels


def gradient(model: Any, recipe: Recipe, rows: slice, texts: list[str]) -> Any:
    """Of the loss by all parameters, in one vector; the loss before it."""
    import torch

    from lrat_bench.lrat.training.loss import make_loss

    model.zero_grad()
    features, labels = batch(model, rows, texts)
    loss = make_loss(model, recipe)(features, labels)
    loss.backward()
    parts = [one.grad.flatten() for one in model.parameters() if one.grad is not None]
    return torch.cat([loss.detach().view(1), *parts])


def first(pairs: Path, base: Path, models: Path, run: Path, out: Path) -> None:
    """Train, take gradients, which the first process writes, and train until that one is killed."""
    import torch
    from sentence_transformers import SentenceTransformer
    from torch import distributed

    from lrat_bench.lrat.training.train import train

    for name, recipe in TRAINED.items():
        evals = [run] if name == "checkpointed" else []
        train(pairs=[pairs], base=str(base), out=out / name, recipe=recipe, evals=evals)
    texts = (models / "texts.txt").read_text().splitlines()
    loaded = {kind: SentenceTransformer(str(models / kind), device="cpu").double().eval() for kind in ("bert", "qwen3")}
    found = {}
    rank = distributed.get_rank()
    for kind, name, recipe in itertools.chain(cases(), apart()):
        mine = gradient(loaded[kind], recipe, slice(2 * rank, 2 * rank + 2), texts)
        distributed.all_reduce(mine)
        found[name] = mine / 2
    if rank == 0:
        torch.save(found, out / "gradients.pt")

    def pull(line: Any, _: int) -> None:
        if line.step == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        _cut(pairs, base, out, on_line=pull)
    except RunIncomplete as error:
        print(error, flush=True)  # noqa: T201
        os._exit(error.exit_code)  # torch would wait for the other one


def second(pairs: Path, base: Path, models: Path, run: Path, out: Path) -> None:
    """Go on, then refuse another training of that folder, then lack the base model in the second process alone."""
    from torch import distributed

    from lrat_bench.cli.main import main as command

    done = _cut(pairs, base, out)
    rank = distributed.get_rank()
    if rank == 0:
        (out / "resumed.txt").write_text(str(done.resumed_from))
    for model, where in ((base, "cut"), (base if rank == 0 else out / "nowhere", "never")):
        try:
            command(["train", str(pairs), "--base", str(model), "-o", str(out / where), "--batch", "8"])
        except SystemExit as end:
            print(f"{where} ended with {end.code}", flush=True)  # noqa: T201
    os._exit(0)


def _cut(pairs: Path, base: Path, out: Path, **more: Any) -> Any:
    from lrat_bench.lrat.training.train import train

    recipe = TRAINED["plain"]
    return train(pairs=[pairs], base=str(base), out=out / "cut", recipe=recipe, checkpoint_steps=2, **more)


if __name__ == "__main__":
    {"first": first, "second": second}[sys.argv[1]](*map(Path, sys.argv[2:]))
