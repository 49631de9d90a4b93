"""What FAISS finds of the documents that exact search finds, with each setting in force and without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vector_sets import Array, store, unit

from lrat_bench.progress import no_progress
from lrat_bench.retriever import faiss_index
from lrat_bench.retriever.faiss_index import open_index
from lrat_bench.retriever.vectors import ExactSearch, StoredVectors

pytest.importorskip("faiss")

K = 10
DIMENSIONS = 32
CLUSTERS = unit(np.random.default_rng(3).normal(size=(60, DIMENSIONS)))


def around_clusters(count: int, seed: int) -> Array:
    """Directions near some others, so that neighbours are many, and no list of an index holds all of them."""
    rng = np.random.default_rng(seed)
    return unit(CLUSTERS[rng.integers(len(CLUSTERS), size=count)] + 0.3 * rng.normal(size=(count, DIMENSIONS)))


QUERIES = around_clusters(40, seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def stored(folder: Path) -> StoredVectors:
    return store(folder, around_clusters(3000, seed=1), block=1000)


@pytest.fixture(scope="module")
def exact(stored: StoredVectors) -> list[set[str]]:
    return [{hit.docid for hit in ranking} for ranking in ExactSearch(stored).search(QUERIES, K)]


@pytest.mark.parametrize(
    ("factory", "search", "low", "high"),
    [
        ("HNSW4", {}, 0.3, 0.6),
        ("HNSW4", {"efSearch": 300}, 0.9, 1),
        ("SQ8", {"rescore": 1}, 0.95, 0.999),
        ("SQ8", {}, 1, 1),
        ("PQ8x4", {"rescore": 1}, 0.25, 0.45),
        ("PQ8x4", {}, 0.8, 0.95),
        ("PQ8x4", {"rescore": 30}, 0.95, 1),
        ("PCA16,Flat", {"rescore": 1}, 0.2, 0.35),
        ("PCA16,Flat", {}, 0.65, 0.85),
        ("RaBitQ", {"rescore": 1, "qb": 1}, 0.1, 0.23),
        ("RaBitQ", {"rescore": 1}, 0.24, 0.4),
        ("RaBitQ", {}, 0.75, 0.95),
        ("RaBitQ,Refine(SQ8)", {"rescore": 1}, 0.2, 0.4),
        ("RaBitQ,Refine(SQ8)", {"rescore": 1, "k_factor": 30}, 0.9, 1),
        ("IVF32,Flat", {}, 0.25, 0.5),
        ("IVF32,Flat", {"nprobe": 16}, 0.9, 0.99),
        ("IVF32,Flat", {"nprobe": 32}, 1, 1),
        ("IVF32,Flat", {"nprobe": 32, "max_codes": 200}, 0.2, 0.7),
        ("IVF32,RaBitQfs", {"nprobe": 32, "rescore": 30}, 0.8, 1),
        ("IVF32,RaBitQfs", {"nprobe": 32, "rescore": 30, "qb": 1}, 0, 0.65),
        ("IVF32,RaBitQfs,Refine(SQfp16)", {"nprobe": 32, "rescore": 1}, 0.1, 0.3),
        ("IVF32,RaBitQfs,Refine(SQfp16)", {"nprobe": 32, "rescore": 1, "k_factor": 30}, 0.85, 1),
        ("IVF32_HNSW8,SQ8", {"nprobe": 16, "quantizer_efSearch": 1}, 0.3, 0.7),
        ("IVF32_HNSW8,SQ8", {"nprobe": 16, "quantizer_efSearch": 64}, 0.9, 0.99),
    ],
)
def test_recall_is_what_the_settings_give(
    factory: str,
    search: dict[str, float],
    low: float,
    high: float,
    stored: StoredVectors,
    exact: list[set[str]],
    folder: Path,
) -> None:
    found = open_index(factory, stored, folder / "set", search=search, progress=no_progress).search(QUERIES, K)
    hits = [len({hit.docid for hit in ranking} & best) for ranking, best in zip(found, exact, strict=True)]
    assert low <= sum(hits) / (K * len(QUERIES)) <= high


@pytest.mark.parametrize("factory", ["IVF32,PQ4x4", "HNSW4,PQ4x4"])
def test_faiss_says_nothing_on_the_terminal(
    factory: str,
    stored: StoredVectors,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faiss_index, "_LARGEST_SAMPLE", 1000)
    monkeypatch.setattr(faiss_index, "_SAMPLE", 700)
    open_index(factory, stored, tmp_path / "set", search={}, progress=no_progress)
    assert capfd.readouterr() == ("", "")
