"""Exact search is exact: to the last bit, through ties and near-ties, alone and among others."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from vector_sets import Array, by_hand, some, store, unit

from lrat_bench.errors import UsageError
from lrat_bench.retriever.vectors import ExactSearch


@pytest.mark.parametrize("k", [1, 7, 50, 51, 333, 1000])
@pytest.mark.parametrize("storage", [np.float32, np.float16])
def test_the_ranking_is_that_of_scoring_every_document_by_itself(k: int, storage: type, tmp_path: Path) -> None:
    stored = store(tmp_path, some(333).astype(storage))
    queries = some(9, seed=2)
    found = ExactSearch(stored).search(queries, k)
    assert found == [by_hand(stored, query, k) for query in queries]
    assert {len(ranking) for ranking in found} == {min(k, 333)}


def test_equal_documents_come_by_rising_docid_also_where_the_list_ends(tmp_path: Path) -> None:
    vectors = some(300)
    vectors[::3] = vectors[0]
    stored = store(tmp_path, vectors)
    queries = np.concatenate([vectors[:1], some(3, seed=3)])
    for k in (1, 5, 99, 100, 101):
        found = ExactSearch(stored).search(queries, k)
        assert found == [by_hand(stored, query, k) for query in queries]
    docids = [hit.docid for hit in ExactSearch(stored).search(queries, 20)[0]]
    assert docids == sorted(docids)


def test_what_float32_cannot_tell_apart_is_told_apart(tmp_path: Path) -> None:
    """A hundred documents whose scores differ by less than a float32 sum is off by."""
    rng = np.random.default_rng(5)
    center = rng.normal(size=(1, 768))
    near = unit(center + 1e-5 * rng.normal(size=(400, 768)))
    stored = store(tmp_path, near)
    queries = unit(center + 0.01 * rng.normal(size=(5, 768)))
    single = (near @ queries.T).T
    double = (near.astype(np.float64) @ queries.astype(np.float64).T).T
    assert any(list(np.argsort(-a)[:10]) != list(np.argsort(-b)[:10]) for a, b in zip(single, double, strict=True))
    assert ExactSearch(stored).search(queries, 10) == [by_hand(stored, query, 10) for query in queries]


@pytest.mark.parametrize("k", [1, 10, 60])
def test_scores_that_are_off_as_far_as_a_float32_sum_can_be_change_nothing(
    k: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best are underrated and all others overrated, by the bound of Higham (2002) for 768 products."""
    rng = np.random.default_rng(5)
    center = rng.normal(size=(1, 768))
    stored = store(tmp_path, unit(center + 1e-4 * rng.normal(size=(400, 768))))
    query = unit(center + 0.01 * rng.normal(size=(1, 768)))
    expected = by_hand(stored, query[0], k)
    best = {hit.docid for hit in expected}

    def worst(self: ExactSearch, queries: Array) -> Iterator[tuple[int, Array]]:
        for start, block in stored.blocks():
            scores = block.astype(np.float64) @ queries[0].astype(np.float64)
            signs = [-1 if stored.docid(start + row) in best else 1 for row in range(len(block))]
            yield start, (scores + 768 * 2.0**-24 * np.array(signs)).astype(np.float32)[None]

    monkeypatch.setattr(ExactSearch, "_scores", worst)
    assert ExactSearch(stored).search(query, k) == [expected]


def test_many_equal_documents_are_ordered_in_bounded_memory(tmp_path: Path) -> None:
    stored = store(tmp_path, np.repeat(some(1, 256), 60_000, axis=0), block=20_000)
    query = some(1, 256)
    tracemalloc.start()
    try:
        (found,) = ExactSearch(stored).search(query, 10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [hit.docid for hit in found] == [f"d{n:05d}" for n in range(10)]
    # All at once, in float64, they are 123 MB.
    assert peak < 30_000_000


def test_a_query_finds_the_same_to_the_last_bit_alone_and_among_others(tmp_path: Path) -> None:
    stored = store(tmp_path, some(500, 384))
    search = ExactSearch(stored)
    queries = some(64, 384, seed=7)
    together = search.search(queries, 10)
    assert [search.search(query[None], 10)[0] for query in queries] == together
    assert search.search(queries[::-1].copy(), 10) == together[::-1]


def test_it_is_the_same_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = store(tmp_path, some(333))
    queries = some(5, seed=2)
    expected = ExactSearch(stored).search(queries, 10)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert ExactSearch(stored).search(queries, 10) == expected


def test_nothing_asked_is_nothing_found(tmp_path: Path) -> None:
    assert ExactSearch(store(tmp_path, some(10))).search(np.zeros((0, 24), np.float32), 10) == []


def test_docids_are_kept_as_they_are(tmp_path: Path) -> None:
    docids = ["", " ", "a\nb", "é", "\ud800", "😀", "z" * 1000, "\x00"]
    stored = store(tmp_path, some(8), docids=docids, block=3)
    assert [stored.docid(row) for row in range(8)] == docids
    assert sorted(hit.docid for hit in ExactSearch(stored).search(some(1, seed=4), 8)[0]) == sorted(docids)


def test_more_blocks_than_are_held_open_can_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrat_bench.retriever.vectors._OPEN", 2)
    stored = store(tmp_path, some(100), block=10)
    query = some(1, seed=2)
    assert ExactSearch(stored).search(query, 5) == [by_hand(stored, query[0], 5)]


def test_a_file_that_has_gone_is_one_line(tmp_path: Path) -> None:
    stored = store(tmp_path, some(100))
    (tmp_path / "00050.npy").unlink()
    with pytest.raises(UsageError, match=r"00050\.npy cannot be read .*delete that folder"):
        ExactSearch(stored).search(some(1, seed=2), 5)
