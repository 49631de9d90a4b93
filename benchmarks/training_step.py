"""What a training step costs beside sentence-transformers' own loss.

The loss of `lrat-bench train` (weights, document numbers, masks) against `MultipleNegativesRankingLoss`, over the same
texts and the same encoder calls, in turns: forward pass, backward pass, AdamW. The encoder has random weights, which
cost as much as trained ones. With `--mini-batch`, GradCache against `CachedMultipleNegativesRankingLoss`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

WORDS = [f"word{number}" for number in range(500)]


def make_batch(model: Any, given: argparse.Namespace) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """The columns of theirs, those of ours, and our label: the same texts, padded to the same width."""
    import torch

    draw = random.Random(0)
    group, rows = given.group, given.batch
    queries = [" ".join(draw.choices(WORDS, k=given.query_words)) for _ in range(rows)]
    texts = [" ".join(draw.choices(WORDS, k=given.document_words)) for _ in range(rows * group)]
    together = dict(model.preprocess(texts))
    columns = [
        {
            key: value[at * rows : (at + 1) * rows] if hasattr(value, "shape") else value
            for key, value in together.items()
        }
        for at in range(group)
    ]
    label = {
        "weight": torch.rand(rows) + 0.5,
        "docids": torch.arange(rows * group).view(group, rows).T.contiguous(),
        "positives": torch.arange(rows)[:, None],
    }
    asked = dict(model.preprocess(queries))
    return [asked, *columns], [asked, together], label


def stepper(model: Any, loss: Any, features: list[Any], label: Any) -> Callable[[], float]:
    """Seconds of one step."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)

    def step() -> float:
        started = time.perf_counter()
        loss([dict(column) for column in features], label).backward()
        optimizer.step()
        optimizer.zero_grad()
        return time.perf_counter() - started

    return step


def calls_of(model: Any, step: Callable[[], float]) -> tuple[int, int]:
    """Encoder calls and tokens of one step, padding included."""
    seen: list[int] = []
    hook = model[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]["input_ids"].numel()))
    step()
    hook.remove()
    return len(seen), sum(seen)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--group", type=int, default=5)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--query-words", type=int, default=12)
    parser.add_argument("--document-words", type=int, default=60)
    parser.add_argument("--mini-batch", type=int)
    given = parser.parse_args()

    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import losses
    from tiny_model import make_encoder

    from lrat_bench.lrat.training.loss import make_loss
    from lrat_bench.lrat.training.recipe import Recipe

    with tempfile.TemporaryDirectory() as scratch:
        folder = make_encoder(Path(scratch) / "model", texts=WORDS, dim=given.dim, layers=given.layers)
        model = SentenceTransformer(str(folder), device="cpu")
    theirs: Any
    if given.mini_batch is None:
        theirs = losses.MultipleNegativesRankingLoss(model, scale=50.0)
    else:
        theirs = losses.CachedMultipleNegativesRankingLoss(model, scale=50.0, mini_batch_size=given.mini_batch)
    ours = make_loss(model, Recipe(mini_batch=given.mini_batch))
    columns, flat, label = make_batch(model, given)
    steps = {
        type(theirs).__name__: stepper(model, theirs, columns, torch.ones(given.batch)),
        type(ours).__name__: stepper(model, ours, flat, label),
    }
    work = {name: calls_of(model, step) for name, step in steps.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(given.steps):
        # Whoever goes first alternates.
        for name in list(steps) if turn % 2 else reversed(list(steps)):
            seconds[name].append(steps[name]())
    print(f"{given.batch} rows of {given.group} documents, {given.layers} layers of {given.dim}, random weights, CPU\n")
    print("| loss | encoder calls | tokens | ms a step, median | quartiles |")
    print("| --- | ---: | ---: | ---: | --- |")
    for name, found in seconds.items():
        low, middle, high = (1000 * cut for cut in statistics.quantiles(found, n=4))
        print(f"| {name} | {work[name][0]} | {work[name][1]:,} | {middle:.1f} | {low:.1f} – {high:.1f} |")
    first, second = seconds.values()
    ratios = sorted(mine / other for other, mine in zip(first, second, strict=True))
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"\nratio, ours to theirs: median {middle:.3f}, quartiles {low:.3f} – {high:.3f}, {len(ratios)} pairs of steps"
    )


if __name__ == "__main__":
    main()
