"""Batches are of fixed shapes, and each text is in exactly one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lrat_bench.retriever.fixed_shapes import can_be_fixed, run_fixed


def text(tokens: int) -> dict[str, Any]:
    ids = torch.arange(1, tokens + 1)[None]
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "modality": "text"}


@pytest.mark.parametrize("left", [False, True])
def test_every_batch_has_a_fixed_shape_and_a_row_of_padding(left: bool) -> None:
    shapes: list[tuple[int, ...]] = []

    def forward(batch: dict[str, Any]) -> Any:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        shapes.append(tuple(ids.shape))
        assert not mask.all()
        assert mask.any(dim=1).all()
        assert bool((ids[mask == 0] == 99).all())
        edge = mask[:, -1] if left else mask[:, 0]
        assert edge.all()
        return (ids * mask).sum(dim=1)

    lengths = [1, 15, 16, 17, 31, 32, 33, 40, 16, 16, 16, 16, 16, 16, 16]
    found = run_fixed([text(n) for n in lengths], forward, pad_id=99, left=left, longest=40, rows=4)
    assert [int(one) for one in found] == [n * (n + 1) // 2 for n in lengths]
    assert set(shapes) == {(4, 16), (4, 32), (4, 40)}


def test_a_text_beyond_the_longest_keeps_its_length() -> None:
    (found,) = run_fixed([text(50)], lambda batch: batch["input_ids"], pad_id=0, left=False, longest=40)
    assert found.shape == (50,)


def test_tensors_of_unknown_meaning_are_not_padded() -> None:
    assert can_be_fixed(text(3))
    assert not can_be_fixed(text(3) | {"position_ids": torch.arange(3)[None]})
    assert not can_be_fixed({"input_ids": torch.arange(3)[None]})
