"""Batches: every row once an epoch, and the same joint batch whoever shares it."""

from __future__ import annotations

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.lrat.training.batches import Batches


def test_every_row_comes_once_an_epoch_and_one_process_keeps_the_tail() -> None:
    batches = Batches(rows=10, batch=4, epochs=3, seed=0)
    found = list(batches)
    assert len(found) == len(batches) == 9
    assert [len(batch) for batch in found] == [4, 4, 2] * 3
    for epoch in range(3):
        places = [place for batch in found[3 * epoch : 3 * epoch + 3] for place in batch]
        assert sorted(places) == [(epoch, row) for row in range(10)]
    orders = [[row for batch in found[3 * epoch : 3 * epoch + 3] for _, row in batch] for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2]


def test_the_order_depends_on_the_seed_alone() -> None:
    assert list(Batches(10, 4, 2, 5)) == list(Batches(10, 4, 2, 5))
    assert list(Batches(10, 4, 2, 5)) != list(Batches(10, 4, 2, 6))


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_the_batch_that_one_would_have(processes: int) -> None:
    alone = [batch for batch in Batches(18, 4, 2, 0) if len(batch) == 4]
    shares = [list(Batches(18, 4, 2, 0, rank, processes)) for rank in range(processes)]
    assert [[place for part in parts for place in part] for parts in zip(*shares, strict=True)] == alone


@pytest.mark.parametrize(("rows", "batch"), [(18, 4), (16, 4), (3, 4)])
def test_full_batches_are_told_from_the_rest_of_an_epoch(rows: int, batch: int) -> None:
    batches = Batches(rows, batch, 2, 0)
    assert [batches.is_full(step) for step in range(len(batches))] == [len(one) == batch for one in batches]


def test_what_cannot_be_shared_is_refused() -> None:
    with pytest.raises(UsageError, match="a batch of 32 rows cannot be shared by 3 processes"):
        Batches(100, 32, 1, 0, 0, 3)
    with pytest.raises(UsageError, match="5 rows do not fill one batch of 8"):
        Batches(5, 8, 1, 0, 0, 2)
    assert [len(batch) for batch in Batches(5, 8, 1, 0)] == [5]
