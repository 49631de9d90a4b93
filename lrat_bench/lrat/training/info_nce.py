"""Weighted InfoNCE, as pure functions of vectors, weights and document numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lrat_bench.lrat.training.recipe import Normaliser

__all__ = ["NOTHING", "false_negatives", "row_losses", "weighted_info_nce"]

NOTHING = -1
"""Number of a document that is not there: the slot of a group that has too few."""


def weighted_info_nce(
    queries: Tensor,
    documents: Tensor,
    weights: Tensor,
    *,
    temperature: float,
    normaliser: Normaliser = "mean",
    blocked: Tensor | None = None,
    in_batch: bool = True,
    first: int = 0,
    total_weight: Tensor | None = None,
) -> Tensor:
    """The loss of one batch.

        L = −(1/N) Σᵢ wᵢ log softmax(s(qᵢ, ·) / τ)[dᵢ⁺]        normaliser "mean", the paper's
        L = −(1/Σwᵢ) Σᵢ wᵢ log softmax(s(qᵢ, ·) / τ)[dᵢ⁺]      normaliser "weight-sum", its code's

    with s the cosine. Under `weight-sum` the scale of the weights cancels, so that dividing them by their mean µ has no
    effect, and a batch of small weights takes as large a step as any.

    Source: "Learning to Retrieve from Agent Trajectories" (SIGIR 2026), Section 5; InfoNCE is that of A. van den Oord
    et al., 2018, "Representation learning with contrastive predictive coding", Eq. 4.

    Args:
        queries: vectors of any length, shape (rows, dim).
        documents: their groups, the positive first, shape (all rows, group, dim); with several processes those of all.
        weights: w, shape (rows,).
        temperature: τ.
        normaliser: what the sum is divided by.
        blocked: which documents are no negative of which row, shape (rows, all rows, group).
        in_batch: whether the groups of other rows are negatives.
        first: position of the first query's group in `documents`.
        total_weight: Σw, where it is more than these rows'.

    Returns:
        a scalar.
    """
    losses = row_losses(
        queries, documents, temperature=temperature, blocked=blocked, in_batch=in_batch, first=first
    )  # (rows,)
    weighted = weights.to(losses.dtype) * losses
    if normaliser == "mean":
        return weighted.sum() / len(losses)
    total = weights.detach().sum() if total_weight is None else total_weight
    # A batch of zero weights teaches nothing, rather than dividing by zero.
    return weighted.sum() / total.to(losses.dtype).clamp_min(torch.finfo(losses.dtype).tiny)


def row_losses(
    queries: Tensor,
    documents: Tensor,
    *,
    temperature: float,
    blocked: Tensor | None = None,
    in_batch: bool = True,
    first: int = 0,
) -> Tensor:
    """InfoNCE of each row, −log softmax(s(q, ·) / τ)[d⁺]; arguments as of `weighted_info_nce`.

    Computed in float32 whatever the vectors are in (float64 stays): at τ = 0.02 one step of bfloat16 in a cosine is a
    difference of 0.2 in a logit.

    Returns:
        shape (rows,); 0 where a row has no negative.
    """
    rows, (all_rows, group, _) = len(queries), documents.shape
    own = torch.arange(first, first + rows, device=queries.device)
    with torch.autocast(queries.device.type, enabled=False):
        unit_queries = _unit(queries)  # (rows, dim)
        unit_documents = _unit(documents)  # (all rows, group, dim)
        if in_batch:
            cosines = (unit_queries @ unit_documents.flatten(0, 1).T).view(rows, all_rows, group)
        else:
            cosines = torch.einsum("rd,rgd->rg", unit_queries, unit_documents[own])[:, None]  # (rows, 1, group)
            blocked = None if blocked is None else blocked[torch.arange(rows, device=own.device), own][:, None]
        logits = cosines / temperature
        if blocked is not None:
            logits = logits.masked_fill(blocked, -torch.inf)
        logits = logits.flatten(1)
        target = own * group if in_batch else torch.zeros_like(own)
        return functional.cross_entropy(logits, target, reduction="none")


def false_negatives(docids: Tensor, positives: Tensor, *, first: int = 0) -> Tensor:
    """Which documents must not be held against which row.

    Of other rows: those that are positives of this row's question, its own positive among them. One trajectory gives
    many rows, and FlagEmbedding and LRAT's code let the positive of one be a negative of the next. Of its own group:
    only empty slots, since its negatives were chosen for it.

    Args:
        docids: number of each document, `NOTHING` for an empty slot, shape (all rows, group).
        positives: numbers of the positives of each row's question, filled up with `NOTHING`, shape (rows, any).
        first: position of the first row's group in `docids`.

    Returns:
        bool, shape (rows, all rows, group); never true of a row's own positive.
    """
    rows = len(positives)
    same = torch.stack([torch.isin(docids, mine[mine != NOTHING]) for mine in positives])
    at = torch.arange(rows, device=docids.device)
    same[at, first + at] = False
    return same | (docids == NOTHING)


def _unit(vectors: Tensor) -> Tensor:
    wide = vectors if vectors.dtype == torch.float64 else vectors.float()
    return functional.normalize(wide, dim=-1)
