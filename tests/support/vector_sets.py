"""Stored vectors of any kind, and what a search over them must find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrat_bench.retriever.base import Ranked
from lrat_bench.retriever.vectors import StoredVectors

__all__ = ["Array", "by_hand", "some", "store", "unit"]

Array = npt.NDArray[np.float32]


def unit(vectors: npt.NDArray[np.float64]) -> Array:
    """Rows of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def some(count: int, dimensions: int = 24, seed: int = 0) -> Array:
    """Random directions, the same for a seed."""
    return unit(np.random.default_rng(seed).normal(size=(count, dimensions)))


def store(
    folder: Path, vectors: npt.NDArray[np.floating[Any]], *, block: int = 50, docids: list[str] | None = None
) -> StoredVectors:
    """Vectors in files of `block` rows; docids are in another order than the rows, unless given."""
    ids = docids or [f"d{n:05d}" for n in np.random.default_rng(1).permutation(len(vectors))]
    files = []
    for start in range(0, len(vectors), block):
        files.append(folder / f"{start:05d}.npy")
        np.save(files[-1], vectors[start : start + block])
    return StoredVectors(files, [ids[start : start + block] for start in range(0, len(ids), block)], vectors.shape[1])


def by_hand(stored: StoredVectors, query: Array, k: int) -> list[Ranked]:
    """Every document scored in float64, and sorted."""
    scores = (stored.rows(np.arange(len(stored))) * query.astype(np.float64)).sum(axis=1)
    hits = [Ranked(stored.docid(row), float(score)) for row, score in enumerate(scores)]
    return sorted(hits, key=lambda hit: (-hit.score, hit.docid))[:k]
