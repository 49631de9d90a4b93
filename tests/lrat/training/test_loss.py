"""The losses of sentence-transformers: every path uses the weights, and all paths agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from tiny_model import make_encoder
from torch import Tensor

from lrat_bench.errors import UsageError
from lrat_bench.lrat.training import loss
from lrat_bench.lrat.training.loss import Targets, make_loss
from lrat_bench.lrat.training.recipe import Recipe

QUERIES = ["bridge mason", "harbour town on the river", "kilns", "three bridges of tarn"]
DOCUMENTS = [
    ["the mason built the bridge", "a harbour town", "kilns of the village"],
    ["tarn is a harbour town", "three bridges", "the mason"],
    ["a village known for its kilns", "the river and the bridge", "town"],
    ["he raised three bridges in tarn", "a village", "harbour on the river of the town"],
]
WEIGHTS = [0.1, 2.5, 0.4, 1.0]
KINDS = ("bert", "qwen3")
PATHS = {"plain": None, "GradCache": 3}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    root = tmp_path_factory.mktemp("models")
    texts = [*QUERIES, *(text for group in DOCUMENTS for text in group)]
    return {
        "bert": make_encoder(root / "bert", texts=texts, dim=16),
        "qwen3": make_encoder(root / "qwen3", texts=texts, dim=16, kind="qwen3"),
    }


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, folders: Mapping[str, Path]) -> SentenceTransformer:
    # In evaluation mode, since dropout would draw other numbers on each path; in float64, so that equal is equal.
    return SentenceTransformer(str(folders[request.param]), device="cpu").double().eval()


def columns(model: SentenceTransformer, texts: list[list[str]] = DOCUMENTS) -> list[dict[str, Tensor]]:
    """A query column and one per place in the group."""
    return [dict(model.preprocess(QUERIES)), *(dict(model.preprocess(list(one))) for one in zip(*texts, strict=True))]


def loss_and_gradient(
    model: SentenceTransformer, recipe: Recipe, labels: Any, features: list[dict[str, Tensor]] | None = None
) -> tuple[float, Tensor]:
    model.zero_grad()
    loss = make_loss(model, recipe)(features or columns(model), labels)
    loss.backward()
    return loss.item(), torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])


@pytest.mark.parametrize("path", PATHS)
def test_unit_weights_give_the_loss_of_sentence_transformers(model: SentenceTransformer, path: str) -> None:
    recipe = Recipe(temperature=0.05, mini_batch=PATHS[path])
    loss, gradient = loss_and_gradient(model, recipe, torch.ones(4))
    model.zero_grad()
    theirs = MultipleNegativesRankingLoss(model, scale=20.0)(columns(model), torch.ones(4))
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), abs=1e-10)
    expected = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])
    assert torch.allclose(gradient, expected, atol=1e-10)


@pytest.mark.parametrize("in_batch", [True, False])
@pytest.mark.parametrize("normaliser", ["mean", "weight-sum"])
@pytest.mark.parametrize("path", PATHS)
def test_weights_change_loss_and_gradient_on_every_path(
    model: SentenceTransformer, path: str, normaliser: Any, in_batch: bool
) -> None:
    recipe = Recipe(temperature=0.05, mini_batch=PATHS[path], normaliser=normaliser, in_batch=in_batch)
    plain, plain_gradient = loss_and_gradient(model, recipe, torch.ones(4))
    weighted, weighted_gradient = loss_and_gradient(model, recipe, torch.tensor(WEIGHTS))
    assert abs(weighted - plain) > 0.01
    assert (weighted_gradient - plain_gradient).norm() > 0.05 * plain_gradient.norm()


@pytest.mark.parametrize("normaliser", ["mean", "weight-sum"])
@pytest.mark.parametrize("mini_batch", [1, 3, 64])
def test_gradcache_gives_the_plain_loss_and_gradient(
    model: SentenceTransformer, mini_batch: int, normaliser: Any
) -> None:
    labels = {
        "weight": torch.tensor(WEIGHTS),
        "docids": torch.arange(12).view(4, 3),
        "positives": torch.tensor([[0, 3], [3, 0], [6, -1], [9, -1]]),
    }
    plain, plain_gradient = loss_and_gradient(model, Recipe(normaliser=normaliser), labels)
    cached, cached_gradient = loss_and_gradient(model, Recipe(normaliser=normaliser, mini_batch=mini_batch), labels)
    assert cached == pytest.approx(plain, abs=1e-10)
    assert torch.allclose(cached_gradient, plain_gradient, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("path", PATHS)
def test_documents_in_one_column_are_those_in_several(model: SentenceTransformer, path: str) -> None:
    recipe = Recipe(temperature=0.05, mini_batch=PATHS[path])
    several, gradient = loss_and_gradient(model, recipe, torch.tensor(WEIGHTS))
    by_column = [group[at] for at in range(3) for group in DOCUMENTS]
    features = [dict(model.preprocess(QUERIES)), dict(model.preprocess(by_column))]
    one, same = loss_and_gradient(model, recipe, torch.tensor(WEIGHTS), features)
    assert one == pytest.approx(several, abs=1e-10)
    assert torch.allclose(gradient, same, atol=1e-10)


@pytest.mark.parametrize("path", PATHS)
def test_a_zero_weight_is_as_if_the_query_were_not_there(model: SentenceTransformer, path: str) -> None:
    recipe = Recipe(temperature=0.05, mini_batch=PATHS[path], in_batch=False)
    weights = torch.tensor([1.0, 0.0, 0.5, 2.0])
    loss, gradient = loss_and_gradient(model, recipe, weights)
    other = [group if at != 1 else ["kilns", "village", "mason"] for at, group in enumerate(DOCUMENTS)]
    features = columns(model, other)
    same, same_gradient = loss_and_gradient(model, recipe, weights, features)
    assert loss == pytest.approx(same, abs=1e-10)
    assert torch.allclose(gradient, same_gradient, atol=1e-10)


@pytest.mark.parametrize("path", PATHS)
def test_false_negatives_are_taken_out_on_every_path(model: SentenceTransformer, path: str) -> None:
    recipe = Recipe(temperature=0.05, mini_batch=PATHS[path])
    ids = torch.arange(12).view(4, 3)
    own = {"weight": torch.ones(4), "docids": ids, "positives": ids[:, :1]}
    shared = {**own, "positives": torch.tensor([[0, 3], [3, 0], [6, -1], [9, -1]])}
    assert loss_and_gradient(model, recipe, own)[0] > loss_and_gradient(model, recipe, shared)[0]
    assert loss_and_gradient(model, recipe, own)[0] == pytest.approx(
        loss_and_gradient(model, recipe, torch.ones(4))[0], abs=1e-10
    )


@pytest.mark.parametrize("path", PATHS)
def test_evaluation_gives_the_loss_without_gradients(model: SentenceTransformer, path: str) -> None:
    recipe = Recipe(temperature=0.05, mini_batch=PATHS[path])
    trained, _ = loss_and_gradient(model, recipe, torch.tensor(WEIGHTS))
    with torch.no_grad():
        assert make_loss(model, recipe)(columns(model), torch.tensor(WEIGHTS)).item() == pytest.approx(trained)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "without weights"),
        ({"docids": torch.zeros(1)}, "without weights"),
        ({"weight": torch.ones(1), "score": torch.ones(1)}, "would not use 'score'"),
    ],
)
def test_what_the_loss_would_not_use_is_refused(labels: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Targets.of(labels)


@pytest.mark.parametrize("path", PATHS)
def test_weights_of_another_number_are_refused(model: SentenceTransformer, path: str) -> None:
    with pytest.raises(UsageError, match="4 rows have weights of shape"):
        loss_and_gradient(model, Recipe(mini_batch=PATHS[path]), torch.ones(3))


def test_what_is_gathered_lies_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """NCCL takes nothing else, and gloo does."""
    given: list[Tensor] = []
    monkeypatch.setattr(loss, "_processes", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_gather", lambda found, own: given.extend([*found, own]))
    loss._gather(torch.zeros(2, 3, 4).transpose(0, 1))
    assert [(tuple(one.shape), one.is_contiguous()) for one in given] == [((3, 2, 4), True)] * 3


def test_the_loss_tells_sentence_transformers_what_it_is(model: SentenceTransformer) -> None:
    said = make_loss(model, Recipe(mini_batch=4)).get_config_dict()
    assert said == {"temperature": 0.02, "normaliser": "mean", "in_batch": True, "cross_device": True, "mini_batch": 4}
