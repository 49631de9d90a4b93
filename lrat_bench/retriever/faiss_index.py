"""Approximate search with FAISS, for corpora that are too large to be scored whole.

An index is named by its factory string, as in `IVF4096,RaBitQfs,Refine(SQ8)` (Douze et al. 2024, arXiv:2401.08281).
It only proposes documents: what it finds is scored again from the stored vectors (`vectors.rank`), so that scores are
cosines and ties are ordered by docid, as in exact search. How many more than k are scored again is `search.rescore`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrat_bench.errors import MissingLibrary, UnknownName, UsageError
from lrat_bench.files import CACHE_MEND, build_once, fingerprint, write_json, writing
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked
from lrat_bench.retriever.model_files import DENSE_EXTRA
from lrat_bench.retriever.vectors import StoredVectors, rank

__all__ = ["SEARCH_SETTINGS", "FaissSearch", "check_factory", "faiss_version", "open_index"]

SEARCH_SETTINGS = ("rescore", "nprobe", "max_codes", "quantizer_efSearch", "efSearch", "k_factor", "qb")
"""What can be set of a search: documents scored again for each that is wanted, and FAISS's own parameters."""

RESCORE = 10
"""How many documents FAISS is asked for, for each that is wanted, unless `search.rescore` says otherwise."""

_SEED = 20220312
_SAMPLE = 65_536
_LEAST_PER_CENTROID = 39  # with fewer, FAISS warns on the terminal
_LARGEST_SAMPLE = 1_000_000
_TOO_SMALL = re.compile(r"(?<!\d)0+(?!\d)|(?:HNSW|NSG)0*1(?!\d)")
"""What FAISS makes, and then ends the process by using it, or does not end."""


def faiss_version() -> str:
    """The version of the library: what it builds may change with it.

    Raises:
        MissingLibrary: it is not installed.
    """
    return str(_faiss().__version__)


def check_factory(factory: str, dimensions: int, search: Mapping[str, float]) -> None:
    """See that FAISS understands a factory string and that the index it stands for takes the search parameters.

    Raises:
        UsageError: it does not.
    """
    _parameters(_made(factory, dimensions), search, factory)


def open_index(
    factory: str, stored: StoredVectors, folder: Path, *, search: Mapping[str, float], progress: Progress
) -> FaissSearch:
    """Open the index that is kept in `folder`, built first where there is none.

    Args:
        factory: what FAISS builds.
        stored: the vectors of the documents.
        folder: where the vectors lie; the index goes beside them.
        search: `SEARCH_SETTINGS` → value.
        progress: told how many documents have been added.

    Raises:
        UsageError: it cannot be built or read.
    """
    faiss = _faiss()
    key = fingerprint({"factory": factory, "faiss": faiss_version(), "seed": _SEED})
    place = folder / f"faiss-{key[:16]}"

    def build(temporary: Path) -> None:
        index = _built(factory, stored, progress)
        # FAISS's own writer says nothing of a disk that is full when the file is closed.
        with (temporary / "index.faiss").open("wb") as stream:
            faiss.write_index(index, faiss.PyCallbackIOWriter(stream.write))
            stream.flush()
            os.fsync(stream.fileno())
        write_json(temporary / "meta.json", {"factory": factory, "faiss": faiss_version(), "documents": len(stored)})

    # A failure of the callback reaches us as FAISS's.
    with writing(f"the index to {folder}", errors=(OSError, RuntimeError), mend=CACHE_MEND):
        build_once(place, build)
    try:
        index = faiss.read_index(str(place / "index.faiss"))
        documents = json.loads((place / "meta.json").read_text())["documents"]
    except (RuntimeError, OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the index in {place} cannot be read ({_line(error)}): delete it to have it built anew"
        ) from error
    if not index.ntotal == documents == len(stored):
        raise UsageError(
            f"the index in {place} holds {index.ntotal} of {len(stored)} documents: delete it to have it built anew"
        )
    return FaissSearch(index, stored, search, factory)


class FaissSearch:
    """An index that is open for search.

    Args:
        index: of FAISS.
        stored: vectors that what it finds is scored by.
        search: `SEARCH_SETTINGS` → value.
        factory: for messages.
    """

    def __init__(self, index: Any, stored: StoredVectors, search: Mapping[str, float], factory: str) -> None:
        self._index = index
        self._stored = stored
        self._rescore = int(search.get("rescore", RESCORE))
        self._parameters = _parameters(index, search, factory)

    def search(self, queries: npt.NDArray[np.float32], k: int) -> list[list[Ranked]]:
        """As `ExactSearch.search`, over what the index proposes."""
        if not len(queries):
            return []
        wanted = min(k * self._rescore, len(self._stored))
        # One query at a time: several of FAISS's kernels sum in another order for a batch.
        found = [self._index.search(query[None], wanted, params=self._parameters)[1][0] for query in queries]
        return [
            rank(self._stored, query, np.unique(rows[rows >= 0]).astype(np.int64), k)
            for query, rows in zip(queries, found, strict=True)
        ]

    def close(self) -> None:
        """Let go of the index and of the files."""
        self._index = None
        self._stored.close()


def _built(factory: str, stored: StoredVectors, progress: Progress) -> Any:
    faiss = _faiss()
    what = f"indexing {len(stored)} vectors as {factory}"
    index = _made(factory, stored.dimensions)
    centroids = _centroids(factory)
    least = _LEAST_PER_CENTROID * centroids
    if len(stored) < least:
        raise UsageError(
            f"FAISS trains {factory!r} with {least} documents at least, {_LEAST_PER_CENTROID} for each of {centroids} "
            f"centroids, and there are {len(stored)}: give fewer lists (IVF) or bits (PQ16x4), or leave "
            "retriever.index out for exact search"
        )
    # Who inserts first decides what a graph looks like: several threads would build another one every time. Where it
    # is a graph of lists, it is made in training.
    graph = re.search("HNSW|NSG", factory) is not None
    inverted = faiss.try_extract_index_ivf(index)
    try:
        if not index.is_trained:
            if inverted is not None:
                inverted.cp.min_points_per_centroid = 1  # there are enough; `_sample` decides how many are taken
            with _threads(1 if graph else None):
                progress(f"training {factory}", 0, None)
                index.train(_sample(stored, centroids))
        with _threads(1 if graph and inverted is None else None):
            for start, block in stored.blocks():
                progress(what, start, len(stored))
                index.add(np.ascontiguousarray(block, np.float32))
    except (RuntimeError, MemoryError) as error:
        raise UsageError(
            f"FAISS cannot build {factory!r} over {len(stored)} vectors of {stored.dimensions} dimensions "
            f"({_line(error)}): give another retriever.index, or leave it out for exact search"
        ) from error
    progress(what, len(stored), len(stored))
    return index


def _centroids(factory: str) -> int:
    """Centroids of the largest k-means that the index needs: of its lists, or of a code (8 bits unless it says)."""
    lists = map(int, re.findall(r"IVF(\d+)", factory))
    codes = (1 << int((found.split("x")[1:] or ["8"])[-1]) for found in re.findall(r"[PR]Q(\d+(?:x\d+)*)", factory))
    return max([0, *lists, *codes])


def _sample(stored: StoredVectors, centroids: int) -> npt.NDArray[np.float32]:
    """Vectors to train with, the same ones every time; bounded, whatever the corpus."""
    wanted = max(_SAMPLE, min(_LARGEST_SAMPLE, (_LEAST_PER_CENTROID + 1) * centroids))
    size = min(len(stored), wanted)
    chosen = np.sort(np.random.default_rng(_SEED).choice(len(stored), size, replace=False))
    found = np.empty((size, stored.dimensions), np.float32)
    for start, block in stored.blocks():
        first, last = np.searchsorted(chosen, [start, start + len(block)])
        found[first:last] = block[chosen[first:last] - start]
    return found


def _made(factory: str, dimensions: int) -> Any:
    faiss = _faiss()
    if _TOO_SMALL.search(factory):
        raise _cannot_make(factory, dimensions, "a part has size 0, or a graph fewer than 2 neighbours")
    try:
        return faiss.index_factory(dimensions, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise _cannot_make(factory, dimensions, _line(error)) from error


def _cannot_make(factory: str, dimensions: int, reason: str) -> UsageError:
    return UsageError(
        f"FAISS cannot make retriever.index={factory!r} over {dimensions} dimensions ({reason}): give a factory string "
        "such as HNSW32, or IVF1024,RaBitQfs,Refine(SQ8); or leave it out for exact search"
    )


def _parameters(index: Any, search: Mapping[str, float], factory: str) -> Any:
    """FAISS's own parameters as an object of one search: set on an index they would hold for all who use it."""
    given = {name: value for name, value in search.items() if name != "rescore"}
    taken: set[str] = set()
    found = _of_part(index, given, taken)
    for name in given:
        if name not in taken:
            known = sorted({"rescore", *_known(index)})
            raise UnknownName(f"search parameter of {factory!r}", name, known)
    return found


def _of_part(index: Any, given: Mapping[str, float], taken: set[str]) -> Any:
    faiss = _faiss()
    part = faiss.downcast_index(index)

    def pick(*names: str) -> dict[str, int]:
        found = {name: int(given[name]) for name in names if name in given}
        taken.update(found)
        return found

    if isinstance(part, faiss.IndexPreTransform):
        inner = _of_part(part.index, given, taken)
        return None if inner is None else faiss.SearchParametersPreTransform(index_params=inner)
    if isinstance(part, faiss.IndexRefine):
        inner = _of_part(part.base_index, given, taken)
        taken.add("k_factor")
        if inner is None and "k_factor" not in given:
            return None
        factor = float(given.get("k_factor", part.k_factor))
        return faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=inner)
    if isinstance(part, faiss.IndexIVF):
        rabitq = isinstance(part, (faiss.IndexIVFRaBitQ, faiss.IndexIVFRaBitQFastScan))
        bounded = not isinstance(part, faiss.IndexIVFRaBitQFastScan)
        own: dict[str, Any] = dict(pick("nprobe", *(["max_codes"] if bounded else []), *(["qb"] if rabitq else [])))
        if "quantizer_efSearch" in given and isinstance(faiss.downcast_index(part.quantizer), faiss.IndexHNSW):
            taken.add("quantizer_efSearch")
            own["quantizer_params"] = faiss.SearchParametersHNSW(efSearch=int(given["quantizer_efSearch"]))
        if not own:
            return None
        # What was not set stays as the index has it: the defaults of the parameters are others.
        if rabitq:
            return faiss.IVFRaBitQSearchParameters(**{"nprobe": part.nprobe, "qb": part.qb, **own})
        return faiss.SearchParametersIVF(**{"nprobe": part.nprobe, **own})
    if isinstance(part, faiss.IndexHNSW):
        own = dict(pick("efSearch"))
        return faiss.SearchParametersHNSW(**own) if own else None
    if isinstance(part, faiss.IndexRaBitQ):
        own = dict(pick("qb"))
        return faiss.RaBitQSearchParameters(**own) if own else None
    return None


def _known(index: Any) -> list[str]:
    """The search parameters that an index takes."""
    taken: set[str] = set()
    _of_part(index, dict.fromkeys(SEARCH_SETTINGS, 1), taken)
    return sorted(taken)


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    if number is not None:
        faiss.omp_set_num_threads(number)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _line(error: Exception) -> str:
    """What FAISS has to say, without the place in its source."""
    text = " ".join(str(error).split())
    return text.partition("Error: ")[2] or text.rpartition(": ")[2] if "Error in" in text else text


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingLibrary("faiss, which approximate search needs,", install=DENSE_EXTRA) from None
    return faiss
