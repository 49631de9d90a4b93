"""Weighted InfoNCE: what the equations say, in float64, entry by entry."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import torch
from torch import Tensor

from lrat_bench.lrat.training.info_nce import NOTHING, false_negatives, row_losses, weighted_info_nce
from lrat_bench.lrat.training.recipe import Normaliser

ROWS, GROUP, DIM = 5, 4, 8


def vectors(seed: int, rows: int = ROWS) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    queries = torch.randn(rows, DIM, generator=random, dtype=torch.float64)
    return queries, torch.randn(rows, GROUP, DIM, generator=random, dtype=torch.float64)


def intensity(lengths: list[int]) -> list[float]:
    """Eq. 3 of the paper: w = (1 − exp(−ln 2 · l / β)) / µ."""
    beta = statistics.median(lengths)
    raw = [1 - math.exp(-math.log(2) * length / beta) for length in lengths]
    return [one / statistics.fmean(raw) for one in raw]


def reference(
    queries: Tensor,
    documents: Tensor,
    weights: list[float],
    temperature: float,
    normaliser: str,
    blocked: Tensor | None,
) -> float:
    """The loss, written out with loops over numpy's float64."""
    q, d = queries.numpy(), documents.numpy()
    total = 0.0
    for i, weight in enumerate(weights):
        scores = {}
        for j in range(len(d)):
            for g in range(d.shape[1]):
                if blocked is None or not blocked[i, j, g]:
                    cosine = q[i] @ d[j, g] / (np.linalg.norm(q[i]) * np.linalg.norm(d[j, g]))
                    scores[j, g] = cosine / temperature
        highest = max(scores.values())
        denominator = math.fsum(math.exp(score - highest) for score in scores.values())
        total += weight * -(scores[i, 0] - highest - math.log(denominator))
    return total / (len(weights) if normaliser == "mean" else math.fsum(weights))


@pytest.mark.parametrize("normaliser", ["mean", "weight-sum"])
@pytest.mark.parametrize("temperature", [0.02, 0.05, 1.0])
@pytest.mark.parametrize("masked", [False, True])
def test_the_loss_is_what_the_equations_say(normaliser: Normaliser, temperature: float, masked: bool) -> None:
    queries, documents = vectors(0)
    weights = intensity([3, 80, 150, 12, 400])
    blocked = None
    if masked:
        blocked = torch.rand(ROWS, ROWS, GROUP, generator=torch.Generator().manual_seed(1)) < 0.4
        blocked[torch.arange(ROWS), torch.arange(ROWS), 0] = False
    found = weighted_info_nce(
        queries,
        documents,
        torch.tensor(weights, dtype=torch.float64),
        temperature=temperature,
        normaliser=normaliser,
        blocked=blocked,
    )
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(
        reference(queries, documents, weights, temperature, normaliser, blocked), rel=1e-12
    )


def test_without_in_batch_negatives_a_row_sees_its_own_group_alone() -> None:
    queries, documents = vectors(2)
    alone = [row_losses(queries[at : at + 1], documents[at : at + 1], temperature=0.05).item() for at in range(ROWS)]
    together = row_losses(queries, documents, temperature=0.05, in_batch=False)
    assert together.tolist() == pytest.approx(alone, rel=1e-12)


def test_rows_that_are_a_part_of_a_larger_batch_find_their_own_group() -> None:
    queries, documents = vectors(3)
    whole = row_losses(queries, documents, temperature=0.05)
    part = row_losses(queries[2:4], documents, temperature=0.05, first=2)
    assert part.tolist() == pytest.approx(whole[2:4].tolist(), rel=1e-12)
    lone = row_losses(queries[2:4], documents, temperature=0.05, first=2, in_batch=False)
    assert lone.tolist() == pytest.approx(
        row_losses(queries, documents, temperature=0.05, in_batch=False)[2:4].tolist(), rel=1e-12
    )


@pytest.mark.parametrize("normaliser", ["mean", "weight-sum"])
def test_a_zero_weight_gives_no_gradient_to_its_query(normaliser: Normaliser) -> None:
    queries, documents = (one.requires_grad_() for one in vectors(4))
    weights = torch.tensor([1.0, 0.0, 2.0, 0.5, 1.5])
    weighted_info_nce(queries, documents, weights, temperature=0.05, normaliser=normaliser).backward()  # type: ignore[no-untyped-call]
    assert queries.grad is not None
    assert documents.grad is not None
    assert not queries.grad[1].any()
    assert queries.grad[[0, 2, 3, 4]].abs().sum(1).gt(0).all()
    assert documents.grad[1].any()  # others hold them against themselves


def test_a_zero_weight_gives_none_to_its_passages_either_where_nobody_else_sees_them() -> None:
    queries, documents = (one.requires_grad_() for one in vectors(5))
    weights = torch.tensor([1.0, 0.0, 2.0, 0.5, 1.5])
    weighted_info_nce(queries, documents, weights, temperature=0.05, in_batch=False).backward()  # type: ignore[no-untyped-call]
    assert documents.grad is not None
    assert not documents.grad[1].any()
    assert documents.grad[[0, 2, 3, 4]].flatten(1).abs().sum(1).gt(0).all()


def test_a_batch_of_zero_weights_is_a_loss_of_zero() -> None:
    queries, documents = (one.requires_grad_() for one in vectors(6))
    loss = weighted_info_nce(queries, documents, torch.zeros(ROWS), temperature=0.02, normaliser="weight-sum")
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert queries.grad is not None
    assert not queries.grad.any()


def test_the_scale_of_the_weights_counts_under_the_mean_and_cancels_under_their_sum() -> None:
    queries, documents = vectors(7)
    weights = torch.tensor([0.2, 1.0, 3.0, 0.7, 1.1], dtype=torch.float64)

    def loss(scale: float, normaliser: Normaliser) -> float:
        return weighted_info_nce(queries, documents, scale * weights, temperature=0.05, normaliser=normaliser).item()

    assert loss(5, "mean") == pytest.approx(5 * loss(1, "mean"))
    assert loss(5, "weight-sum") == pytest.approx(loss(1, "weight-sum"))


def test_half_precision_vectors_are_compared_in_single_precision() -> None:
    queries, documents = vectors(8)
    narrow = row_losses(queries.bfloat16(), documents.bfloat16(), temperature=0.02)
    wide = row_losses(queries.bfloat16().float(), documents.bfloat16().float(), temperature=0.02)
    assert narrow.dtype == torch.float32
    assert torch.equal(narrow, wide)
    plain = row_losses(queries.float(), documents.float(), temperature=0.02)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (queries.float() @ queries.float().T).dtype == torch.bfloat16
        assert torch.equal(row_losses(queries.float(), documents.float(), temperature=0.02), plain)


def test_positives_of_a_rows_question_are_held_against_it_by_nobody() -> None:
    # Rows 0 and 1 are of one question, with positives 10 and 11; row 2 is of another.
    docids = torch.tensor([[10, 5, 6], [11, 7, 10], [8, 11, 10]])
    positives = torch.tensor([[10, 11], [10, 11], [8, NOTHING]])
    blocked = false_negatives(docids, positives)
    assert blocked.tolist() == [
        [[False, False, False], [True, False, True], [False, True, True]],
        [[True, False, False], [False, False, False], [False, True, True]],
        [[False, False, False], [False, False, False], [False, False, False]],
    ]


def test_the_same_document_as_another_rows_positive_is_no_negative() -> None:
    docids = torch.tensor([[4, 1], [4, 2]])
    blocked = false_negatives(docids, torch.tensor([[4], [4]]))
    assert blocked.tolist() == [[[False, False], [True, False]], [[True, False], [False, False]]]


def test_empty_slots_are_held_against_nobody() -> None:
    docids = torch.tensor([[4, NOTHING], [5, 2]])
    blocked = false_negatives(docids, torch.tensor([[4], [5]]))
    assert blocked.tolist() == [[[False, True], [False, False]], [[False, True], [False, False]]]
    queries, documents = torch.randn(2, 3), torch.randn(2, 2, 3)
    assert row_losses(queries, documents, temperature=1, blocked=blocked, in_batch=False)[0].item() == 0


def test_rows_of_a_later_process_are_masked_by_their_place_in_the_joint_batch() -> None:
    docids = torch.tensor([[10, 5], [11, 7], [10, 6], [12, 11]])
    positives = torch.tensor([[10, 11], [10, 11], [10, NOTHING], [12, NOTHING]])
    assert torch.equal(false_negatives(docids, positives[2:], first=2), false_negatives(docids, positives)[2:])
