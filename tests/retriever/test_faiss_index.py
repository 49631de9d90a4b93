"""FAISS proposes documents; scores, ties and independence of company are as in exact search."""

from __future__ import annotations

from collections.abc import Iterator
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
    vectors = some(640)
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
        scores = {hit.docid: hit.score for hit in by_hand(stored, query, 640)}
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
    assert all(100 <= len({hit.docid for hit in ranking}) == len(ranking) <= 640 for ranking in graph)
    assert {len(ranking) for ranking in flat} == {640}


def test_an_index_is_built_once_and_reports_on_it(
    stored: StoredVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, int | None]] = []
    open_index("HNSW16", stored, tmp_path / "set", search={}, progress=lambda *said: told.append(said))
    assert told[0] == ("indexing 640 vectors as HNSW16", 0, 640)
    assert told[-1][1:] == (640, 640)
    monkeypatch.setattr(faiss_index, "_built", lambda *_: pytest.fail("built again"))
    opened("HNSW16", stored, tmp_path)
    with pytest.raises(pytest.fail.Exception, match="built again"):
        opened("HNSW8", stored, tmp_path)


@pytest.fixture
def four_threads() -> Iterator[None]:
    faiss = pytest.importorskip("faiss")
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(4)
    yield
    faiss.omp_set_num_threads(before)


@pytest.mark.parametrize("factory", ["HNSW8", "IVF8,PQ2x4"])
@pytest.mark.usefixtures("four_threads")
def test_two_builds_are_the_same_byte_for_byte(factory: str, tmp_path: Path) -> None:
    stored = store(tmp_path, some(3000), block=3000)
    for place in ("a", "b"):
        opened(factory, stored, tmp_path / place)
    first, second = (path.read_bytes() for path in tmp_path.glob("*/set/faiss-*/index.faiss"))
    assert first == second


@pytest.mark.parametrize(
    ("factory", "training", "adding"),
    [("HNSW8", None, 1), ("PCA12,HNSW8", 1, 1), ("IVF8_HNSW4,SQ8", 1, 4), ("IVF8,SQ8", 4, 4), ("PCA12,Flat", 4, 4)],
)
@pytest.mark.usefixtures("four_threads")
def test_a_graph_is_built_by_one_thread_and_all_else_by_as_many_as_there_are(
    factory: str, training: int | None, adding: int, stored: StoredVectors, tmp_path: Path
) -> None:
    import faiss

    used: dict[str, int] = {}

    def note(what: str, done: int, total: int | None) -> None:
        if done != total:
            used[what.split(maxsplit=1)[0]] = faiss.omp_get_max_threads()

    open_index(factory, stored, tmp_path / "set", search={}, progress=note)
    assert (used.get("training"), used["indexing"]) == (training, adding)
    assert faiss.omp_get_max_threads() == 4


def test_another_version_of_faiss_builds_its_own(
    stored: StoredVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened("Flat", stored, tmp_path)
    monkeypatch.setattr(faiss_index, "faiss_version", lambda: "another")
    opened("Flat", stored, tmp_path)
    assert len(list(tmp_path.glob("set/faiss-*/index.faiss"))) == 2


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
    with pytest.raises(UsageError, match="holds 640 of 500 documents"):
        opened("Flat", fewer, tmp_path)


@pytest.mark.parametrize(
    "factory", ["", "HNWS", "IVF8", "PQ7", "LSH", "IVF8,Flat,", "Flat\nFlat", "é", "IVF99999999999,Flat"]
)
def test_a_factory_string_that_faiss_does_not_understand_is_one_line(factory: str) -> None:
    with pytest.raises(UsageError, match=r"FAISS cannot make .*: give a factory string such as HNSW32") as error:
        check_factory(factory, 24, {})
    assert "/" not in str(error.value)


@pytest.mark.parametrize(
    "factory", ["HNSW0", "HNSW1", "PCA12,HNSW00", "IVF0,Flat", "IVF8_HNSW1,Flat", "PQ6x0", "PCA0,Flat", "NSG0", "NSG1"]
)
def test_what_would_end_the_process_or_never_end_is_one_line(factory: str) -> None:
    with pytest.raises(UsageError, match=r"FAISS cannot make .*a part has size 0, or a graph fewer than 2 neighbours"):
        check_factory(factory, 24, {})


@pytest.mark.parametrize("factory", ["HNSW10", "HNSW2", "IVF100,Flat", "PCA10,Flat", "NSG10", "IVF10_HNSW10,PQ6x4"])
def test_other_small_parts_are_made(factory: str) -> None:
    check_factory(factory, 24, {})


@pytest.mark.parametrize(
    ("factory", "least", "centroids"),
    [
        ("IVF99,Flat", 3861, 99),
        ("IVF17_HNSW8,SQ8", 663, 17),
        ("PQ6", 9984, 256),
        ("HNSW16_PQ6", 9984, 256),
        ("OPQ6_12,IVF8,PQ6x4fs", 9984, 256),
        ("IVF8,PRQ2x3x5", 1248, 32),
    ],
)
def test_an_index_that_needs_more_documents_is_one_line(
    factory: str, least: int, centroids: int, stored: StoredVectors, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = (
        rf"trains '{factory}' with {least} documents at least, 39 for each of {centroids} .* there are 640: give fewer"
    )
    with pytest.raises(UsageError, match=said):
        opened(factory, stored, tmp_path)
    assert not list(tmp_path.glob("set/*.tmp"))
    assert capfd.readouterr().err == ""


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


@pytest.mark.parametrize("factory", [*FACTORIES, "IVF8,RaBitQ", "IVF8,PQ6x4", "RaBitQ,Refine(Flat)", "PCA12,HNSW8"])
def test_every_search_parameter_that_an_index_has_can_be_searched_with(
    factory: str, stored: StoredVectors, tmp_path: Path
) -> None:
    index = opened(factory, stored, tmp_path)._index
    for name in faiss_index._known(index):
        found = FaissSearch(index, stored, {name: 4}, factory).search(QUERIES[:1], 3)
        assert len(found[0]) == 3


@pytest.mark.parametrize(("factory", "own"), [("IVF8,RaBitQfs", 8), ("IVF8,RaBitQ", 4)])
def test_what_is_not_set_stays_as_the_index_has_it(factory: str, own: int) -> None:
    index = faiss_index._made(factory, 24)
    assert faiss_index._parameters(index, {"nprobe": 4}, factory).qb == own
    assert faiss_index._parameters(index, {"nprobe": 4, "qb": 2}, factory).qb == 2
    assert faiss_index._parameters(index, {"qb": 2}, factory).nprobe == index.nprobe


def test_only_a_bounded_part_of_the_vectors_is_trained_with(
    stored: StoredVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "_SAMPLE", 100)
    sample = faiss_index._sample(stored, 4)
    assert sample.shape == (160, 24)
    everything = {row.tobytes() for row in stored.rows(np.arange(640)).astype(np.float32)}
    assert {row.tobytes() for row in sample} <= everything
    assert faiss_index._sample(stored, 4).tobytes() == sample.tobytes()
