"""FAISS proposes documents; scores, ties and independence of company are as in exact search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vector_sets import by_hand, some, store

from lrat_bench.errors import UsageError
from lrat_bench.progress import no_progress
from lrat_bench.retriever import faiss_index
from lrat_bench.retriever.faiss_index import FaissSearch, check_factory, open_index
from lrat_bench.retriever.vectors import StoredVectors

pytest.importorskip("faiss")

FACTORIES = [
    "Flat",
    "HNSW16",
    "HNSW16,SQfp16",
    "SQ8",
    "IVF8,Flat",
    "IVF8_HNSW8,SQ8",
    "PQ6x4",
    "IVF8,PQ6x4fs",
    "PCA12,Flat",
    "RaBitQ",
    "RaBitQfs,Refine(SQ8)",
    "IVF8,RaBitQfs,Refine(SQfp16)",
]
QUERIES = some(24, seed=2)


@pytest.fixture
def stored(tmp_path: Path) -> StoredVectors:
    vectors = some(600)
    vectors[::50] = vectors[0]
    return store(tmp_path, vectors, block=100)


def opened(factory: str, stored: StoredVectors, folder: Path, **search: float) -> FaissSearch:
    return open_index(factory, stored, folder / "set", search=search, progress=no_progress)


@pytest.mark.parametrize("factory", FACTORIES)
def test_every_kind_of_index_finds_with_exact_scores_alone_as_in_company(
    factory: str, stored: StoredVectors, tmp_path: Path
) -> None:
    search = opened(factory, stored, tmp_path)
    found = search.search(QUERIES, 10)
    assert [search.search(query[None], 10)[0] for query in QUERIES] == found
    hits = 0
    for query, ranking in zip(QUERIES, found, strict=True):
        scores = {hit.docid: hit.score for hit in by_hand(stored, query, 600)}
        assert all(scores[hit.docid] == hit.score for hit in ranking)
        assert ranking == sorted(ranking, key=lambda hit: (-hit.score, hit.docid))
        assert len(ranking) == 10
        hits += len({hit.docid for hit in ranking} & {hit.docid for hit in by_hand(stored, query, 10)})
    # A single list of eight, or four bits for four dimensions, finds a part; what ranks at random finds 4 of 240.
    assert hits > 60


def test_with_every_list_probed_the_ranking_is_the_exact_one(stored: StoredVectors, tmp_path: Path) -> None:
    exact = [by_hand(stored, query, 10) for query in QUERIES]
    assert opened("IVF8,Flat", stored, tmp_path, nprobe=8).search(QUERIES, 10) == exact
    assert opened("IVF8,Flat", stored, tmp_path, nprobe=1).search(QUERIES, 10) != exact
    assert opened("Flat", stored, tmp_path).search(QUERIES, 10) == exact
    assert opened("PCA12,IVF8,Flat", stored, tmp_path, nprobe=8, rescore=60).search(QUERIES, 10) == exact


def test_search_parameters_are_of_a_search_and_not_of_the_index(stored: StoredVectors, tmp_path: Path) -> None:
    wide = opened("IVF8,RaBitQfs,Refine(Flat)", stored, tmp_path, nprobe=8, k_factor=60, qb=8, rescore=1)
    narrow = FaissSearch(wide._index, stored, {"nprobe": 1, "rescore": 1}, "the same")
    expected = wide.search(QUERIES, 10)
    assert narrow.search(QUERIES, 10) != expected
    assert wide.search(QUERIES, 10) == expected
    assert expected == [by_hand(stored, query, 10) for query in QUERIES]


def test_more_documents_than_there_are_can_be_asked_for(stored: StoredVectors, tmp_path: Path) -> None:
    graph, flat = (opened(factory, stored, tmp_path).search(QUERIES, 1000) for factory in ("HNSW16", "Flat"))
    # A graph is searched from one place, and need not reach all of it.
    assert all(100 <= len({hit.docid for hit in ranking}) == len(ranking) <= 600 for ranking in graph)
    assert {len(ranking) for ranking in flat} == {600}


def test_an_index_is_built_once_and_reports_on_it(
    stored: StoredVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, int | None]] = []
    open_index("HNSW16", stored, tmp_path / "set", search={}, progress=lambda *said: told.append(said))
    assert told[0] == ("indexing 600 vectors as HNSW16", 0, 600)
    assert told[-1][1:] == (600, 600)
    monkeypatch.setattr(faiss_index, "_built", lambda *_: pytest.fail("built again"))
    opened("HNSW16", stored, tmp_path)
    with pytest.raises(pytest.fail.Exception, match="built again"):
        opened("HNSW8", stored, tmp_path)


def test_two_builds_are_the_same_byte_for_byte(stored: StoredVectors, tmp_path: Path) -> None:
    for factory in ("HNSW16", "IVF8,PQ6x4"):
        for place in ("a", "b"):
            opened(factory, stored, tmp_path / place)
    first, second = (sorted((tmp_path / place).glob("set/faiss-*/index.faiss")) for place in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len(first) == 2


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_index_names_the_folder_to_delete(
    content: bytes | None, stored: StoredVectors, tmp_path: Path
) -> None:
    opened("SQ8", stored, tmp_path)
    (path,) = tmp_path.glob("set/faiss-*/index.faiss")
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(UsageError, match=r"cannot be read .*: delete it to have it built anew"):
        opened("SQ8", stored, tmp_path)


def test_an_index_of_other_documents_is_refused(stored: StoredVectors, tmp_path: Path) -> None:
    opened("Flat", stored, tmp_path)
    (tmp_path / "other").mkdir()
    fewer = store(tmp_path / "other", some(500))
    with pytest.raises(UsageError, match="holds 600 of 500 documents"):
        opened("Flat", fewer, tmp_path)


@pytest.mark.parametrize("factory", ["", "HNWS", "IVF8", "PQ7", "LSH", "IVF8,Flat,", "Flat\nFlat", "é"])
def test_a_factory_string_that_faiss_does_not_understand_is_one_line(factory: str) -> None:
    with pytest.raises(UsageError, match=r"FAISS cannot make .*: give a factory string such as HNSW32") as error:
        check_factory(factory, 24, {})
    assert "/" not in str(error.value)


def test_an_index_that_needs_more_documents_is_one_line(stored: StoredVectors, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot build 'IVF9999,Flat' over 600 vectors .*another retriever\.index"):
        opened("IVF9999,Flat", stored, tmp_path)
    assert not list(tmp_path.glob("set/*.tmp"))


@pytest.mark.parametrize(
    ("factory", "search", "known"),
    [
        ("HNSW16", {"nprobe": 4}, "efSearch, rescore"),
        ("IVF8,Flat", {"efSearch": 4}, "max_codes, nprobe, rescore"),
        ("IVF8_HNSW8,Flat", {"k_factor": 4}, "max_codes, nprobe, quantizer_efSearch, rescore"),
        ("Flat", {"nprobe": 4}, "rescore"),
        ("RaBitQ,Refine(Flat)", {"nprobe": 4}, "k_factor, qb, rescore"),
    ],
)
def test_a_search_parameter_that_an_index_does_not_have_is_refused(
    factory: str, search: dict[str, float], known: str
) -> None:
    with pytest.raises(UsageError, match=f"known: {known}"):
        check_factory(factory, 24, search)
    check_factory(factory, 24, {"rescore": 2})


def test_only_a_bounded_part_of_the_vectors_is_trained_with(
    stored: StoredVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "_SAMPLE", 100)
    index = faiss_index._made("IVF4,Flat", 24)
    sample = faiss_index._sample(stored, index)
    assert sample.shape == (160, 24)
    everything = {row.tobytes() for row in stored.rows(np.arange(600)).astype(np.float32)}
    assert {row.tobytes() for row in sample} <= everything
    assert faiss_index._sample(stored, index).tobytes() == sample.tobytes()
