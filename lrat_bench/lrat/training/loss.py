"""Weighted InfoNCE as losses of sentence-transformers: plain, and with GradCache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from sentence_transformers.base.losses.gradcache import CachedLossMixin
from sentence_transformers.base.losses.merged_forward import embed_columns
from torch import Tensor, autograd, distributed, nn

from lrat_bench.errors import UsageError
from lrat_bench.lrat.training.info_nce import false_negatives, weighted_info_nce
from lrat_bench.lrat.training.recipe import Recipe

__all__ = ["CachedWeightedInfoNCE", "Targets", "WeightedInfoNCE", "make_loss"]

Features = Iterable[dict[str, Tensor]]


@dataclass(frozen=True, slots=True)
class Targets:
    """What is known of a batch beside its texts.

    Attributes:
        weight: of each row, shape (rows,).
        docids: number of each document, shape (rows, group); None masks nothing.
        positives: of each row's question, shape (rows, any); None masks nothing.
    """

    weight: Tensor
    docids: Tensor | None = None
    positives: Tensor | None = None

    @classmethod
    def of(cls, labels: Tensor | Mapping[str, Tensor] | None) -> Targets:
        """Read the `label` of a batch: the weights alone, or a mapping of the three.

        Raises:
            UsageError: there are no weights, or something that the loss would not use.
        """
        if isinstance(labels, Tensor):
            return cls(labels)
        given = dict(labels or {})
        if "weight" not in given:
            raise UsageError("a batch without weights: give a label column of them (1 for all, where they are equal)")
        if unused := set(given) - {"weight", "docids", "positives"}:
            raise UsageError(f"the loss would not use {sorted(unused)[0]!r} of the batch: leave it out")
        return cls(**given)


class _Weighted(nn.Module):
    """What both losses share: from vectors and targets to the scalar."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.model: Any = model
        self.recipe = recipe

    def of_vectors(self, queries: Tensor, documents: Tensor, targets: Targets) -> Tensor:
        """The loss of vectors.

        Documents of all processes are negatives of each row; queries stay where they are, which saves memory and gives
        the same gradient. They are gathered with their gradient, which flows back to the process that encoded them; so
        the mean of the processes' losses has the gradient of the joint batch.

        Args:
            queries: shape (rows, dim).
            documents: column by column: the positives of all rows, then each one's first negative …,
                shape (group · rows, dim).
            targets: weights and document numbers.
        """
        rows, recipe = len(queries), self.recipe
        if len(targets.weight) != rows or targets.weight.ndim != 1:
            raise UsageError(f"{rows} rows have weights of shape {tuple(targets.weight.shape)}: give one per row")
        groups = documents.view(-1, rows, documents.shape[-1]).transpose(0, 1)  # (rows, group, dim)
        docids, first = targets.docids, 0
        joint = _processes() > 1
        if joint and recipe.in_batch and recipe.cross_device:
            groups = _gather(groups)
            docids = None if docids is None else _gather(docids)
            first = distributed.get_rank() * rows
        blocked = None
        if docids is not None and targets.positives is not None:
            blocked = false_negatives(docids, targets.positives, first=first)
        total = None
        if joint and recipe.normaliser == "weight-sum":
            # The gradients of the processes are averaged, hence their mean weight.
            total = targets.weight.detach().sum()
            distributed.all_reduce(total)
            total = total / _processes()
        return weighted_info_nce(
            queries,
            groups,
            targets.weight,
            temperature=recipe.temperature,
            normaliser=recipe.normaliser,
            blocked=blocked,
            in_batch=recipe.in_batch,
            first=first,
            total_weight=total,
        )

    def get_config_dict(self) -> dict[str, Any]:
        """What sentence-transformers says of a loss."""
        said = ("temperature", "normaliser", "in_batch", "cross_device", "mini_batch")
        return {name: getattr(self.recipe, name) for name in said}


class WeightedInfoNCE(_Weighted):
    """Weighted InfoNCE over (query, positive, negative …), with the whole batch encoded at once.

    1. Encode the queries, and all documents in a second call.
    2. Gather the documents of all processes.
    3. Take out false negatives: documents that are positives of the row's question.
    4. −log softmax of the cosines over τ, times the row's weight, over the number of rows (or Σw).

    With unit weights, no ids and `normaliser` "mean" it is `MultipleNegativesRankingLoss(scale=1/τ)`.

    Columns: a query, then documents in columns (positive, negative_1, …) or all in one, column by column. The label is
    the weight, or a mapping with `weight`, `docids` and `positives` (`Targets`).
    """

    def forward(self, sentence_features: Features, labels: Tensor | Mapping[str, Tensor] | None) -> Tensor:
        """The loss of a batch; a scalar."""
        targets = Targets.of(labels)
        queries, *documents = embed_columns(self.model, list(sentence_features))
        return self.of_vectors(queries, torch.cat(documents), targets)


class CachedWeightedInfoNCE(CachedLossMixin, _Weighted):
    """The same loss and gradients with GradCache: memory for `mini_batch` texts, at the price of one more forward pass.

    Encode without gradients; take the gradient of the loss by the vectors; encode again, mini-batch by mini-batch, and
    send that gradient on (L. Gao et al., 2021, "Scaling deep contrastive learning batch size under memory limited
    setup"). Columns and label as of `WeightedInfoNCE`.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        super().__init__(model, recipe)
        assert recipe.mini_batch is not None
        self.mini_batch_size = recipe.mini_batch

    def forward(self, sentence_features: Features, labels: Any) -> Tensor:
        """The loss of a batch; a scalar whose backward pass encodes again."""
        loss: Tensor = self.forward_cached(sentence_features, labels)
        return loss

    def calculate_loss(self, reps: list[list[Tensor]], labels: Any = None, *, with_backward: bool = False) -> Tensor:
        """The loss of vectors that come in mini-batches, one list per column."""
        targets = Targets.of(labels)
        queries, *documents = (torch.cat(parts) for parts in reps)
        loss = self.of_vectors(queries, torch.cat(documents), targets)
        if with_backward:
            loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
            loss = loss.detach()
        return loss


def make_loss(model: nn.Module, recipe: Recipe) -> WeightedInfoNCE | CachedWeightedInfoNCE:
    """The loss of a recipe: with GradCache where it names a mini-batch."""
    return WeightedInfoNCE(model, recipe) if recipe.mini_batch is None else CachedWeightedInfoNCE(model, recipe)


def _processes() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def _gather(tensor: Tensor) -> Tensor:
    """The tensors of all processes, one after the other, with their gradients."""
    found: Tensor = _Gather.apply(tensor)  # type: ignore[no-untyped-call]
    return found


class _Gather(autograd.Function):
    """Gathering, whose backward pass adds up what each process has for a part and hands it to its owner.

    torch's own is deprecated in one release and not there under its new name in the one before.
    """

    @staticmethod
    def forward(_: Any, tensor: Tensor) -> Tensor:
        # First: what is made like a transposed tensor is as scattered as that.
        tensor = tensor.contiguous()
        found = [torch.empty_like(tensor) for _ in range(_processes())]
        distributed.all_gather(found, tensor)
        return torch.cat(found)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total.chunk(_processes())[distributed.get_rank()]
