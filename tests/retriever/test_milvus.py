"""`milvus:PLACE`: the same rankings as exact search, filled once, resumed after a kill, one process at a time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import make_encoder
from vector_sets import by_hand, some, store

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.progress import no_progress
from lrat_bench.retriever import milvus
from lrat_bench.retriever.base import BuildContext
from lrat_bench.retriever.dense import make_dense
from lrat_bench.retriever.milvus import MilvusSearch, check_milvus, open_milvus
from lrat_bench.retriever.milvus_place import MilvusIndex, connected
from lrat_bench.retriever.vectors import StoredVectors

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

MakeContext = Callable[..., BuildContext]

QUERIES = some(70, seed=2)
WORDS = "mason bridge river harbour town village kiln tower ferry market".split()


@pytest.fixture
def stored(tmp_path: Path) -> StoredVectors:
    """Six hundred vectors in blocks of a hundred, among them thirteen that are one and the same."""
    vectors = some(600)
    vectors[::50] = vectors[0]
    folder = tmp_path / "vectors-0123"
    folder.mkdir()
    return store(folder, vectors, block=100)


@pytest.fixture
def opened(stored: StoredVectors, tmp_path: Path) -> Iterator[Callable[..., MilvusSearch]]:
    """Opens the vectors in a folder of Milvus, and closes what was opened."""
    made: list[MilvusSearch] = []

    def open_in(place: str = "lite.db", **given: Any) -> MilvusSearch:
        index = MilvusIndex(str(tmp_path / place), **given)
        made.append(open_milvus(index, stored, tmp_path / "vectors-0123", progress=no_progress))
        return made[-1]

    yield open_in
    for search in made:
        search.close()


def in_another_process(script: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_every_vector_is_scored_and_ties_are_ordered_by_docid(
    opened: Callable[..., MilvusSearch], stored: StoredVectors
) -> None:
    search = opened()
    asked = np.concatenate([QUERIES, stored.rows(np.array([0])).astype(np.float32)])
    found = search.search(asked, 10)
    assert found == [by_hand(stored, query, 10) for query in asked]
    assert [search.search(query[None], 10)[0] for query in asked[-3:]] == found[-3:]
    assert search.search(asked[:0], 10) == []
    assert [len(ranking) for ranking in search.search(asked[:2], 1000)] == [600, 600]


def test_an_approximate_index_finds_nearly_all_of_the_same(
    opened: Callable[..., MilvusSearch], stored: StoredVectors
) -> None:
    search = opened(kind="HNSW", params={"M": 16, "efConstruction": 100})
    found = search.search(QUERIES, 10)
    exact = [by_hand(stored, query, 10) for query in QUERIES]
    same = [len(set(one) & set(other)) / 10 for one, other in zip(found, exact, strict=True)]
    assert np.mean(same) >= 0.99


def test_a_collection_survives_a_restart_and_is_not_filled_again(
    opened: Callable[..., MilvusSearch], stored: StoredVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from vector_sets import some, store
        from lrat_bench.retriever.milvus import open_milvus
        from lrat_bench.retriever.milvus_place import MilvusIndex
        vectors = some(600)
        vectors[::50] = vectors[0]
        folder = Path(sys.argv[1]) / "vectors-0123"
        stored = store(folder, vectors, block=100)
        open_milvus(MilvusIndex(sys.argv[1] + "/lite.db"), stored, folder, progress=lambda *_: None).close()
    """
    support = Path(__file__).parents[1] / "support"
    _, err = (process := in_another_process(script, tmp_path, support)).communicate(timeout=60)
    assert process.returncode == 0, err
    monkeypatch.setattr("pymilvus.MilvusClient.insert", lambda *_, **__: pytest.fail("filled again"))
    monkeypatch.setattr("pymilvus.MilvusClient.upsert", lambda *_, **__: pytest.fail("filled again"))
    assert opened().search(QUERIES, 10) == [by_hand(stored, query, 10) for query in QUERIES]


def test_a_fill_that_was_killed_goes_on_where_it_was(
    opened: Callable[..., MilvusSearch], stored: StoredVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
        import sys, time
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from vector_sets import some, store
        from lrat_bench.retriever import milvus
        from lrat_bench.retriever.milvus_place import MilvusIndex
        milvus._MESSAGE = 4 * 24 * 30
        vectors = some(600)
        vectors[::50] = vectors[0]
        folder = Path(sys.argv[1]) / "vectors-0123"
        stored = store(folder, vectors, block=100)
        def tell(what, done, total):
            if done >= 230:
                print(done, flush=True)
                time.sleep(60)
        milvus.open_milvus(MilvusIndex(sys.argv[1] + "/lite.db"), stored, folder, progress=tell)
    """
    process = in_another_process(script, tmp_path, Path(__file__).parents[1] / "support")
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "230"
    with pytest.raises(UsageError, match=r"another process has .*lite\.db open.*milvus-lite server"):
        opened()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    began: list[int] = []
    index = MilvusIndex(str(tmp_path / "lite.db"))
    monkeypatch.setattr(milvus, "_MESSAGE", 4 * 24 * 50)
    with closing(
        open_milvus(index, stored, tmp_path / "vectors-0123", progress=lambda _, done, __: began.append(done))
    ) as search:
        assert search.search(QUERIES, 10) == [by_hand(stored, query, 10) for query in QUERIES]
    assert began[0] == 200


def test_an_index_that_a_kill_left_in_pieces_is_built_anew(
    opened: Callable[..., MilvusSearch], stored: StoredVectors, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened().close()
    (file,) = tmp_path.glob("lite.db/**/*.idx")
    file.write_bytes(file.read_bytes()[:-500])
    assert opened().search(QUERIES, 10) == [by_hand(stored, query, 10) for query in QUERIES]
    assert "is built anew" in caplog.text


def test_two_users_of_a_folder_in_one_process_share_it(opened: Callable[..., MilvusSearch], tmp_path: Path) -> None:
    one, other = opened(), opened(kind="HNSW", params={"M": 8, "efConstruction": 64})
    one.close()
    assert len(other.search(QUERIES, 3)) == len(QUERIES)
    other.close()
    again = opened()
    assert len(again.search(QUERIES, 3)) == len(QUERIES)


def test_what_lies_under_the_name_and_is_something_else_is_refused(
    opened: Callable[..., MilvusSearch], tmp_path: Path
) -> None:
    opened().close()
    index = MilvusIndex(str(tmp_path / "lite.db"))
    name = index.collection("vectors-0123")
    with connected(index) as client:
        client.upsert(name, [{"row": 300, "vector": QUERIES[0]}])
    with pytest.raises(UsageError, match=f"collection '{name}' .* drop it"):
        opened()
    with connected(index) as client:
        client.insert(name, [{"row": 600, "vector": QUERIES[0]}])
    with pytest.raises(UsageError, match="holds 601 vectors, and not the 600"):
        opened()


def test_an_index_type_is_checked_before_anything_is_encoded(tmp_path: Path) -> None:
    index = MilvusIndex(str(tmp_path / "lite.db"))
    check_milvus(index, "vectors", 24)
    check_milvus(index, "vectors", 24)
    with connected(index) as client:
        assert client.list_collections() == [index.collection("vectors")]
    with pytest.raises(UnknownName, match="did you mean 'HNSW'"):
        MilvusIndex("http://127.0.0.1:19530", kind="HNWS")
    with pytest.raises(UsageError, match="milvus-lite has no index 'DISKANN'"):
        MilvusIndex("lite.db", kind="DISKANN")


@pytest.mark.parametrize(
    "place",
    ["", "vectors", "ftp://host/x.db", "http://", "http://host:1/db", "http://me:secret@host:1", "http://h?token=x"],
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(UsageError, match="is no place of Milvus"):
        MilvusIndex(place)


def test_what_cannot_be_reached_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lrat_bench.retriever.milvus_place.PATIENCE", 1.0)
    with pytest.raises(UsageError, match=r"cannot open Milvus at 'http://127.0.0.1:1'"):
        check_milvus(MilvusIndex("http://127.0.0.1:1"), "vectors", 8)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot open Milvus"):
        check_milvus(MilvusIndex(str(tmp_path / "file" / "x.db")), "vectors", 8)
    with pytest.raises(UsageError, match=r"'NOT_THERE', which retriever.milvus_token_env names, is not set"):
        check_milvus(MilvusIndex("http://127.0.0.1:1", token_env="NOT_THERE"), "vectors", 8)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_dense_retriever_finds_the_same_and_says_where_it_looked(make_context: MakeContext, tmp_path: Path) -> None:
    model = make_encoder(tmp_path / "tiny", vocabulary=WORDS)
    rng = np.random.default_rng(3)
    texts = {f"d{n:03d}": " ".join(rng.choice(WORDS, n % 9 + 1)) for n in range(150)}
    queries = [" ".join(rng.choice(WORDS, 3)) for _ in range(20)]
    told = []
    for settings in ({}, {"index": f"milvus:{tmp_path}/a.db"}, {"index": f"milvus:{tmp_path}/b.db"}):
        with closing(make_dense(str(model), make_context(texts, settings=settings))) as dense:
            dense.prepare(no_progress)
            told.append((dense.search(queries, 10), dense.fingerprint, json.dumps(dense.describe())))
    exact, one, other = told
    assert one[0] == exact[0] == other[0]
    assert exact[1] != one[1] == other[1]
    assert str(tmp_path) not in one[2]
    assert json.loads(one[2])["milvus"].startswith("milvus_lite")


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"index": "milvus:a"}, UsageError, "no place of Milvus"),
        ({"index": "milvus:a.db", "search.efsearch": 1}, UnknownName, "efSearch"),
        ({"index": "milvus:a.db", "search.qb": 1}, UnknownName, "search parameter of Milvus"),
        ({"index": "milvus:a.db", "milvus_index": "hnsw"}, UnknownName, "index type of Milvus"),
        ({"index": "milvus:a.db", "milvus_params": 16}, UsageError, "must be a mapping"),
        ({"index": "HNSW32", "milvus_index": "HNSW"}, UsageError, "is of Milvus, and retriever.index is 'HNSW32'"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_the_model_is_loaded(
    settings: dict[str, Any], kind: type[Exception], words: str, make_context: MakeContext, tmp_path: Path
) -> None:
    model = make_encoder(tmp_path / "tiny", vocabulary=WORDS)
    with pytest.raises(kind, match=words):
        make_dense(str(model), make_context({"a": "mason"}, settings=settings))
