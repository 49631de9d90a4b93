"""What two processes do in `test_two_processes.py`: train together, and take gradients of one joint batch.

RANK=0 WORLD_SIZE=2 … python joint.py PAIRS BASE OUT
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lrat_bench.lrat.training.recipe import Recipe

SMALL = {"epochs": 2, "lr": 1e-3, "batch": 8, "group": 3, "temperature": 0.05, "query_tokens": 16, "passage_tokens": 24}
TRAINED = {"plain": Recipe(**SMALL), "GradCache": Recipe(**SMALL, mini_batch=3)}  # type: ignore[arg-type]
"""Trainings whose weights are compared."""


def cases() -> Iterator[tuple[str, str, Recipe]]:
    """Every way to the loss: kind of model, name, recipe."""
    for kind, mini_batch, normaliser, in_batch in itertools.product(
        ("bert", "qwen3"), (None, 2), ("mean", "weight-sum"), (True, False)
    ):
        recipe = Recipe.model_validate(
            {"temperature": 0.05, "mini_batch": mini_batch, "normaliser": normaliser, "in_batch": in_batch}
        )
        yield kind, f"{kind} {mini_batch} {normaliser} {in_batch}", recipe


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


def main(pairs: Path, base: Path, models: Path, out: Path) -> None:
    """Train, then take gradients; the first process writes them."""
    import torch
    from sentence_transformers import SentenceTransformer
    from torch import distributed

    from lrat_bench.lrat.training.train import train

    for name, recipe in TRAINED.items():
        train(pairs=[pairs], base=str(base), out=out / name, recipe=recipe)
    texts = (models / "texts.txt").read_text().splitlines()
    found = {}
    rank = distributed.get_rank()
    for kind, name, recipe in cases():
        model = SentenceTransformer(str(models / kind), device="cpu").double().eval()
        mine = gradient(model, recipe, slice(2 * rank, 2 * rank + 2), texts)
        distributed.all_reduce(mine)
        found[name] = mine / 2
    if rank == 0:
        torch.save(found, out / "gradients.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
