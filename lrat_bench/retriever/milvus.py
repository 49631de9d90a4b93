"""Search in Milvus: embedded, in a folder (`milvus:vectors.db`), or a cluster (`milvus:http://HOST:19530`).

Either is reached through the same client. As with FAISS, an index only proposes documents: what it finds is scored
again from the stored vectors (`vectors.rank`), so that scores are cosines and ties are ordered by docid. A collection
holds the rows of the stored vectors by number, in the order of the corpus, and is filled block by block.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.files import locked
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked
from lrat_bench.retriever.milvus_place import (
    EXACT_KIND,
    PATIENCE,
    SEARCH_NAMES,
    MilvusIndex,
    connected,
    line_of,
    refuse_busy,
    said,
)
from lrat_bench.retriever.vectors import StoredVectors, rank

__all__ = ["MilvusSearch", "check_milvus", "open_milvus"]

_log = logging.getLogger("lrat_bench.retriever")

_RESCORE, _RESCORE_EXACT, _SPARE = 10, 2, 64
"""Rows that are asked for, for each document that is wanted; of an exact index; and how many more at least."""

_MOST_ROWS = 16_384  # Milvus answers no search with more
_MESSAGE = 8_000_000  # bytes of vectors in one insert; a cluster takes 64 MB
_AT_ONCE = 64  # queries of one search
_FIELDS = ("row", "vector")


def check_milvus(index: MilvusIndex, vectors: str, dimensions: int) -> None:
    """See that Milvus can be reached and takes such an index, by making the empty collection.

    Raises:
        UsageError: it cannot, or does not.
    """
    with connected(index) as client:
        _make_collection(client, index, index.collection(vectors), dimensions)


def open_milvus(index: MilvusIndex, stored: StoredVectors, folder: Path, *, progress: Progress) -> MilvusSearch:
    """Open the collection of some vectors, filled first as far as it is not.

    Args:
        index: where and how.
        stored: the vectors.
        folder: where they lie; its name tells them from others.
        progress: told how many are there.

    Raises:
        UsageError: Milvus cannot be reached, does not take the index, or holds something else under this name.
    """
    name = index.collection(folder.name)
    if index.embedded:
        refuse_busy(index)
    # Others that share the folder wait, and find it filled.
    with locked(folder / "locks" / name, wait=True):
        with connected(index) as client, said(index, f"fill collection {name!r} of"):
            _make_collection(client, index, name, stored.dimensions)
            _fill(client, index, name, stored, progress)
        # An embedded one builds its index behind our back, and is done with it when it is closed.
        connection = connected(index)
        client = connection.__enter__()
        try:
            with said(index, f"open collection {name!r} of"):
                _load(client, index, name)
                _refuse_others(client, index, name, stored)
        except BaseException:
            connection.__exit__(None, None, None)
            raise
    return MilvusSearch(connection, client, name, index, stored)


class MilvusSearch:
    """A collection that is open for search.

    Args:
        connection: left when it is closed.
        client: of pymilvus.
        collection: its name.
        index: where and how.
        stored: vectors that what it finds is scored by.
    """

    def __init__(
        self, connection: Any, client: Any, collection: str, index: MilvusIndex, stored: StoredVectors
    ) -> None:
        self._connection = connection
        self._client = client
        self._collection = collection
        self._index = index
        self._stored = stored
        given = index.search
        self._rescore = int(given.get("rescore", _RESCORE_EXACT if index.kind == EXACT_KIND else _RESCORE))
        self._given = {SEARCH_NAMES[name]: int(value) for name, value in given.items() if name in SEARCH_NAMES}

    def search(self, queries: npt.NDArray[np.float32], k: int) -> list[list[Ranked]]:
        """As `ExactSearch.search`, over what the index proposes; queries are searched together.

        Raises:
            UsageError: more is asked for than Milvus answers with.
            RolloutFailure: Milvus fails.
        """
        if k > _MOST_ROWS:
            raise UsageError(f"Milvus gives {_MOST_ROWS:,} documents at most, and k = {k:,}: ask for fewer")
        wanted = min(max(k * self._rescore, k + _SPARE), len(self._stored), _MOST_ROWS)
        found: list[list[Ranked]] = []
        for start in range(0, len(queries), _AT_ONCE):
            part = queries[start : start + _AT_ONCE]
            for query, rows in zip(part, self._rows(part, wanted), strict=True):
                found.append(rank(self._stored, query, np.unique(rows), k))
        return found

    def describe(self) -> dict[str, Any]:
        """What serves, for the manifest."""
        with suppress(Exception):  # a server need not say
            return {"milvus": self._client.get_server_version()}
        return {}

    def close(self) -> None:
        """Let go of the connection and of the files."""
        self._connection.__exit__(None, None, None)
        self._stored.close()

    def _rows(self, queries: npt.NDArray[np.float32], wanted: int) -> list[npt.NDArray[np.int64]]:
        given = dict(self._given)
        if "HNSW" in self._index.kind:
            # Fewer than the rows that are asked for is refused.
            given["ef"] = max(given.get("ef", 0), wanted)
        try:
            hits = self._client.search(
                self._collection,
                data=list(queries),
                anns_field="vector",
                limit=wanted,
                output_fields=["row"],
                search_params={"metric_type": "IP", "params": given},
                consistency_level="Strong",
                timeout=PATIENCE,
            )
        except Exception as error:
            raise RolloutFailure(f"Milvus at {self._index.place!r} fails: {line_of(error)}") from error
        rows = [np.fromiter((hit["row"] for hit in one), np.int64, len(one)) for one in hits]
        if len(rows) != len(queries) or any(
            len(one) and (one.min() < 0 or one.max() >= len(self._stored)) for one in rows
        ):
            raise RolloutFailure(f"Milvus at {self._index.place!r} gives rows that were never stored")
        return rows


def _make_collection(client: Any, index: MilvusIndex, name: str, dimensions: int) -> None:
    from pymilvus import DataType, MilvusClient

    with said(index, f"make an index {index.kind!r} of {dimensions} dimensions in"):
        if client.has_collection(name, timeout=PATIENCE):
            return
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(_FIELDS[0], DataType.INT64, is_primary=True)
        schema.add_field(_FIELDS[1], DataType.FLOAT_VECTOR, dim=dimensions)
        try:
            client.create_collection(
                name, schema=schema, index_params=_index(index), consistency_level="Strong", timeout=PATIENCE
            )
        except Exception:
            # Without its index it would pass for one that was made.
            with suppress(Exception):
                client.drop_collection(name, timeout=PATIENCE)
            raise


def _index(index: MilvusIndex) -> Any:
    from pymilvus import MilvusClient

    built = MilvusClient.prepare_index_params()
    built.add_index(
        field_name="vector", index_name="vector", index_type=index.kind, metric_type="IP", params=dict(index.params)
    )
    return built


def _load(client: Any, index: MilvusIndex, name: str) -> None:
    """Make a collection fit for search.

    The embedded one writes its index in place, and a kill leaves a part of it that nothing can read: it is built anew.
    """
    try:
        client.load_collection(name)
    except Exception as error:
        if not index.embedded:
            raise
        _log.warning("the index in %s cannot be read (%s), and is built anew", index.place, line_of(error))
        client.release_collection(name)
        client.drop_index(name, "vector")
        client.create_index(name, _index(index))
        client.load_collection(name)


def _fill(client: Any, index: MilvusIndex, name: str, stored: StoredVectors, progress: Progress) -> None:
    """Insert what is missing: rows go in in order, so that their number says which are there."""
    _load(client, index, name)
    there = _count(client, name)
    if there >= len(stored):
        return
    what = f"indexing {len(stored)} vectors in Milvus"
    step = max(1, _MESSAGE // (4 * stored.dimensions))
    torn = True
    for start, block in stored.blocks():
        for first in range(0, len(block), step):
            part = block[first : first + step]
            row = start + first
            if row + len(part) <= there:
                continue
            progress(what, row, len(stored))
            rows = [
                dict(zip(_FIELDS, (row + at, vector), strict=True))
                for at, vector in enumerate(np.ascontiguousarray(part, np.float32))
            ]
            # A kill may have left a part of the first: whoever is there is replaced, and not there twice.
            (client.upsert if torn else client.insert)(name, rows, timeout=PATIENCE)
            torn = False
    client.flush(name)
    progress(what, len(stored), len(stored))


def _refuse_others(client: Any, index: MilvusIndex, name: str, stored: StoredVectors) -> None:
    count = _count(client, name)
    rows = sorted({0, len(stored) // 2, len(stored) - 1}) if len(stored) else []
    found = (
        {hit["row"]: hit["vector"] for hit in client.get(name, ids=rows, output_fields=list(_FIELDS))} if rows else {}
    )
    same = all(
        row in found and np.allclose(np.asarray(found[row], np.float32), vector, atol=1e-6)
        for row, vector in zip(rows, stored.rows(np.asarray(rows, np.int64)), strict=True)
    )
    if count != len(stored) or not same:
        raise UsageError(
            f"collection {name!r} of Milvus at {index.place!r} holds {count:,} vectors, and not the {len(stored):,} of "
            "this corpus: drop it to have it filled anew"
        )


def _count(client: Any, name: str) -> int:
    (found,) = client.query(name, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=PATIENCE)
    return int(found["count(*)"])
