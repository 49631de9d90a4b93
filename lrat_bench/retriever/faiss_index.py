"""Approximate search with FAISS, for corpora that are too large to be scored whole.

An index is named by its factory string, as in `IVF4096,RaBitQfs,Refine(SQ8)` (Douze et al. 2024, arXiv:2401.08281).
It only proposes documents: what it finds is scored again from the stored vectors (`vectors.rank`), so that scores are
cosines and ties are ordered by docid, as in exact search. How many more than k are scored again is `search.rescore`.
"""

from __future__ import annotations

import json
import os
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
_SAMPLE_PER_LIST = 40  # FAISS asks for 39 vectors a centroid
_LARGEST_SAMPLE = 1_000_000


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
    what = f"indexing {len(stored)} vectors as {factory}"
    index = _made(factory, stored.dimensions)
    try:
        if not index.is_trained:
            progress(f"training {factory}", 0, None)
            index.train(_sample(stored, index))
        # Who inserts first decides what a graph looks like: several threads would build another one every time.
        with _threads(1 if factory.startswith(("HNSW", "NSG")) else None):
            for start, block in stored.blocks():
                progress(what, start, len(stored))
                index.add(np.ascontiguousarray(block, np.float32))
    except RuntimeError as error:
        raise UsageError(
            f"FAISS cannot build {factory!r} over {len(stored)} vectors of {stored.dimensions} dimensions "
            f"({_line(error)}): give another retriever.index, or leave it out for exact search"
        ) from error
    progress(what, len(stored), len(stored))
    return index


def _sample(stored: StoredVectors, index: Any) -> npt.NDArray[np.float32]:
    """Vectors to train with, the same ones every time; bounded, whatever the corpus."""
    faiss = _faiss()
    inverted = faiss.try_extract_index_ivf(index)
    lists = inverted.nlist if inverted is not None else 0
    size = min(len(stored), max(_SAMPLE, min(_LARGEST_SAMPLE, _SAMPLE_PER_LIST * lists)))
    chosen = np.sort(np.random.default_rng(_SEED).choice(len(stored), size, replace=False))
    found = np.empty((size, stored.dimensions), np.float32)
    for start, block in stored.blocks():
        first, last = np.searchsorted(chosen, [start, start + len(block)])
        found[first:last] = block[chosen[first:last] - start]
    return found


def _made(factory: str, dimensions: int) -> Any:
    faiss = _faiss()
    try:
        return faiss.index_factory(dimensions, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise UsageError(
            f"FAISS cannot make retriever.index={factory!r} over {dimensions} dimensions ({_line(error)}): give a "
            "factory string such as HNSW32, or IVF1024,RaBitQfs,Refine(SQ8); or leave it out for exact search"
        ) from error


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
        own: dict[str, Any] = {"k_factor": float(given["k_factor"])} if "k_factor" in given else {}
        if inner is not None:
            own["base_index_params"] = inner
        return faiss.IndexRefineSearchParameters(**own) if own else None
    if isinstance(part, faiss.IndexIVF):
        rabitq = isinstance(part, (faiss.IndexIVFRaBitQ, faiss.IndexIVFRaBitQFastScan))
        own = dict(pick("nprobe", "max_codes", *(("qb",) if rabitq else ())))
        if "quantizer_efSearch" in given and isinstance(faiss.downcast_index(part.quantizer), faiss.IndexHNSW):
            taken.add("quantizer_efSearch")
            own["quantizer_params"] = faiss.SearchParametersHNSW(efSearch=int(given["quantizer_efSearch"]))
        kind = faiss.IVFRaBitQSearchParameters if rabitq else faiss.SearchParametersIVF
        return kind(**{"nprobe": part.nprobe, **own}) if own else None
    if isinstance(part, faiss.IndexHNSW):
        own = dict(pick("efSearch"))
        return faiss.SearchParametersHNSW(**own) if own else None
    if isinstance(part, (faiss.IndexRaBitQ, faiss.IndexRaBitQFastScan)):
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
