"""BM25 over Lucene: every document can be found, every query is answered, and an index is built once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever import lucene as lucene_module
from lrat_bench.retriever.base import BuildContext, Ranked
from lrat_bench.retriever.bm25 import BM25, make_bm25
from lrat_bench.retriever.jvm import java_class

pytestmark = pytest.mark.usefixtures("lucene")

MakeContext = Callable[..., BuildContext]
Open = Callable[..., Any]

BRIDGES = {
    "d1": "The Ostrel Bridge was built by the mason Aldwin Marr in 1402.",
    "d2": "Aldwin Marr was a mason of Tarn. He raised three bridges.",
    "d3": "Tarn is a harbour town on the river Ostrel.",
    "d4": "Veyle is a village known for its kilns.",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for tests that do not look at building."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture
def opened(make_context: MakeContext) -> Open:
    """Opens BM25 over some texts, and closes it at the end of the `with` block."""

    @contextmanager
    def open_bm25(
        texts: Mapping[str, str], argument: str | None = None, *, progress: Progress = no_progress, **options: Any
    ) -> Iterator[BM25]:
        with closing(make_bm25(argument, make_context(texts, **options))) as retriever:
            retriever.prepare(progress)
            yield retriever

    return open_bm25


def docids(ranking: Sequence[Ranked]) -> list[str]:
    return [hit.docid for hit in ranking]


def folders(cache: Path) -> list[Path]:
    """The indexes that look finished."""
    return sorted(cache.glob("indexes/bm25-*"))


def test_words_find_documents_whatever_their_inflection_and_case(opened: Open) -> None:
    with opened(BRIDGES) as bm25:
        built, masons, towns = bm25.search(["Who BUILT the bridge?", "masons", "town of the kiln's"], 10)
    assert docids(built) == ["d1", "d2"]
    assert set(docids(masons)) == {"d1", "d2"}
    assert set(docids(towns)) == {"d3", "d4"}


def test_scores_fall_and_equal_documents_come_by_rising_docid_in_code_points(opened: Open) -> None:
    names = ["b", "a", "10", "9", "Z", "é", "\uffee", "😀", "z" * 500, " "]
    with opened(dict.fromkeys(names, "same text")) as bm25:
        (found,) = bm25.search(["text"], 10)
        (first,) = bm25.search(["text"], 4)
    assert docids(found) == sorted(names)
    assert first == found[:4]
    scores = [hit.score for hit in found]
    assert scores == sorted(set(scores), reverse=True)
    assert scores[0] - scores[-1] < 1e-4


def test_ties_of_high_scores_keep_their_order_when_sorted_again(opened: Open) -> None:
    """Above 32 a float32 cannot hold the 1e-6 that Anserini spreads ties by."""
    texts = {f"d{i:02d}": "alpha beta" for i in range(30)} | {f"x{i}": "gamma" for i in range(70)}
    with opened(texts) as bm25:
        (found,) = bm25.search(["alpha beta " * 60], 100)
    assert found[0].score > 32
    assert docids(found) == [f"d{i:02d}" for i in range(30)]
    assert sorted(found, key=lambda hit: -hit.score) == found
    assert len({hit.score for hit in found}) == 30


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "*",
        "a AND (b",
        '"x',
        "title:",
        "😀",
        "x" * 20_000,
        "\x00",
        "\ud800",
        "\udc00\ud83d",
        "the of and",
        "\n\t",
        "文",
    ],
    ids=lambda query: ascii(query)[:20],
)
def test_a_query_of_any_content_is_answered_and_here_finds_nothing(query: str, shared: Path, opened: Open) -> None:
    with opened(BRIDGES, cache=shared) as bm25:
        assert bm25.search([query], 5) == [[]]


@pytest.mark.parametrize(
    "query",
    ["kilns\x00", "\ud800 kilns", "kilns\n😀", "kilns AND (", "kilns^7~2", "kilns " + "y" * 20_000],
    ids=lambda query: ascii(query)[:20],
)
def test_odd_characters_do_not_hide_a_word(query: str, shared: Path, opened: Open) -> None:
    with opened(BRIDGES, cache=shared) as bm25:
        assert docids(bm25.search([query], 5)[0]) == ["d4"]


def test_a_query_may_have_thousands_of_terms(opened: Open) -> None:
    texts = {f"d{i:04d}": f"word{i}" for i in range(1500)}
    with opened(texts) as bm25:
        (found,) = bm25.search([" ".join(texts.values())], 5000)
    assert docids(found) == sorted(texts)


@pytest.mark.parametrize("k", [4, 5, 1000, 10**9, 10**12])
def test_k_may_exceed_the_corpus(k: int, shared: Path, opened: Open) -> None:
    with opened(BRIDGES, cache=shared) as bm25:
        assert set(docids(bm25.search(["ostrel marr kilns"], k)[0])) == set(BRIDGES)


def test_characters_beyond_the_basic_plane_are_searched_as_what_they_are(opened: Open) -> None:
    with opened({"grin": "😀 face", "cry": "😢 face", "private": "\uf600 face"}) as bm25:
        assert docids(bm25.search(["😀"], 5)[0]) == ["grin"]


def test_no_document_is_dropped_but_those_without_a_character(tmp_path: Path, opened: Open) -> None:
    texts = {
        "empty": "",
        "blank": " \n\t\x00\x1f",
        "punctuation": "...",
        "ideographic-space": "\u3000",
        "surrogate": "broken \ud800 quagga",
        "long": "quagga " * 300_000,
        "long-word": "quagga " + "y" * 100_000,
        "quoted": '"quagga" \\ {}',
    }
    with opened(texts, cache=tmp_path) as bm25:
        (found,) = bm25.search(["quagga"], 10)
    assert set(docids(found)) == {"surrogate", "long", "long-word", "quoted"}
    meta = json.loads((folders(tmp_path)[0] / "meta.json").read_text())
    assert (meta["corpus"]["documents"], meta["indexed"], meta["empty"]) == (8, 6, 2)


@pytest.mark.parametrize("texts", [{}, {"empty": ""}], ids=["no documents", "an empty one"])
def test_a_corpus_with_nothing_in_it_is_searched_in_vain(texts: dict[str, str], opened: Open) -> None:
    with opened(texts) as bm25:
        assert bm25.search(["anything", ""], 10) == [[], []]


@pytest.mark.parametrize(
    ("docid", "said"), [("x" * 40_000, "ids of up to 32,766 bytes"), ("\ud800", "not valid Unicode")]
)
def test_a_document_that_cannot_be_indexed_is_named_and_nothing_is_left(
    docid: str, said: str, tmp_path: Path, opened: Open
) -> None:
    with pytest.raises(UsageError, match=said) as caught, opened({docid: "text"}, cache=tmp_path):
        pass
    assert repr(docid)[:50] in str(caught.value)
    assert folders(tmp_path) == []


def test_an_index_is_built_once_and_reused_for_any_k1_and_b(tmp_path: Path, opened: Open) -> None:
    told: list[tuple[str, int, int | None]] = []
    texts = {f"d{i}": f"word{i} " * (1 + i % 7) + "word" for i in range(2500)}

    def progress(what: str, done: int, total: int | None) -> None:
        told.append((what, done, total))

    with opened(texts, cache=tmp_path, progress=progress) as first:
        (default,) = first.search(["word word3"], 5)
    assert told == [("indexing memory", done, 2500) for done in (0, 1000, 2000, 2500)]
    with opened(texts, cache=tmp_path, progress=progress, settings={"k1": "2", "b": 0}) as second:
        (other,) = second.search(["word word3"], 5)
    assert len(told) == 4
    assert len(folders(tmp_path)) == 1
    assert default != other
    assert first.fingerprint != second.fingerprint


def test_the_fingerprint_holds_what_changes_a_ranking_and_not_the_corpus(make_context: MakeContext) -> None:
    def fingerprint(texts: Mapping[str, str], **settings: object) -> str | None:
        with closing(make_bm25(None, make_context(texts, settings=settings))) as bm25:
            return bm25.fingerprint

    default = fingerprint(BRIDGES)
    assert fingerprint({"other": "corpus"}) == default
    assert fingerprint(BRIDGES, threads=1, k1=0.9) == default
    assert len({default, fingerprint(BRIDGES, k1=1.2), fingerprint(BRIDGES, b=0.75)}) == 3


def test_another_corpus_gets_another_index(tmp_path: Path, opened: Open) -> None:
    for texts in (BRIDGES, BRIDGES | {"d5": "more"}):
        with opened(texts, cache=tmp_path):
            pass
    assert len(folders(tmp_path)) == 2


def test_a_ranking_does_not_depend_on_how_the_index_was_written(
    tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = random.Random(0)
    texts = {f"d{i}": " ".join(f"w{words.randrange(50)}" for _ in range(20)) for i in range(300)}
    queries = [f"w{i} w{i + 1} w{i * 2}" for i in range(20)]
    with opened(texts, cache=tmp_path / "one", settings={"threads": 1}) as bm25:
        at_once = bm25.search(queries, 300)
    monkeypatch.setattr(lucene_module, "_BATCH_DOCUMENTS", 7)
    monkeypatch.setattr(lucene_module, "_SEGMENT_CHARACTERS", 6_000)
    with opened(texts, cache=tmp_path / "many", settings={"threads": 4}) as bm25:
        assert bm25.search(queries, 300) == at_once


def test_an_index_by_folder_ranks_as_the_cached_one_does(tmp_path: Path, opened: Open) -> None:
    with opened(BRIDGES, cache=tmp_path) as cached:
        expected = cached.search(["mason of Tarn"], 10)
    folder = str(folders(tmp_path)[0] / "lucene")
    with opened(BRIDGES, folder) as by_folder:
        assert by_folder.name == f"bm25:{folder}"
        assert by_folder.search(["mason of Tarn"], 10) == expected
        assert by_folder.fingerprint != cached.fingerprint


def test_the_fingerprint_of_an_index_by_folder_is_that_of_its_content(tmp_path: Path, opened: Open) -> None:
    seen = []
    for name, texts in (("a", BRIDGES), ("b", dict(reversed(BRIDGES.items()))), ("c", {**BRIDGES, "d4": "kiln"})):
        with opened(texts, cache=tmp_path / name):
            pass
        with opened(texts, str(folders(tmp_path / name)[0] / "lucene")) as bm25:
            seen.append(bm25.fingerprint)
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({**BRIDGES, "d5": "more", "d6": ""}, r"has 4 documents, corpus 'memory' has 6 \(1 of them empty\)"),
        ({"d1": "", "d2": "", "d3": ""}, "has a document 'd4', and corpus 'memory' has not"),
        ({f"e{i}": "text" for i in range(4)}, "has a document 'd[1-4]'"),
    ],
)
def test_an_index_of_other_documents_is_refused(texts: dict[str, str], said: str, tmp_path: Path, opened: Open) -> None:
    with opened(BRIDGES, cache=tmp_path):
        pass
    with pytest.raises(UsageError, match=said), opened(texts, str(folders(tmp_path)[0] / "lucene")):
        pass


def test_an_index_that_left_out_empty_documents_is_one_of_the_corpus(tmp_path: Path, opened: Open) -> None:
    with opened(BRIDGES, cache=tmp_path):
        pass
    with opened(BRIDGES | {"d5": ""}, str(folders(tmp_path)[0] / "lucene")) as bm25:
        assert docids(bm25.search(["kilns"], 5)[0]) == ["d4"]


def test_a_folder_without_an_index_is_refused(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "segments_1").write_bytes(b"nonsense")
    for folder, said in ((tmp_path / "none", "segments_N file"), (tmp_path / "broken", "cannot be opened: Index")):
        with pytest.raises(UsageError, match=said) as caught, opened(BRIDGES, str(folder)):
            pass
        assert "\n" not in str(caught.value)


def test_searches_from_many_threads_agree(opened: Open) -> None:
    texts = {f"d{i}": f"even {i}" if i % 2 else f"odd {i}" for i in range(200)}
    with opened(texts, settings={"threads": 3}) as bm25:
        expected = bm25.search(["even", "odd"], 50)
        found: list[list[list[Ranked]]] = []
        threads = [
            threading.Thread(target=lambda: found.extend(bm25.search(["even", "odd"], 50) for _ in range(10)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [expected] * 80


def test_closing_frees_the_threads_in_java_too_and_may_be_done_twice(opened: Open) -> None:
    java_threads = java_class("java.lang.management.ManagementFactory").getThreadMXBean()

    def open_and_search() -> None:
        with opened(BRIDGES, settings={"threads": 5}) as bm25:
            bm25.search(["mason"] * 20, 3)
            bm25.close()

    open_and_search()
    before = java_threads.getThreadCount()
    for _ in range(5):
        open_and_search()
    assert java_threads.getThreadCount() < before + 5


def test_searching_before_it_is_prepared_says_so(make_context: MakeContext) -> None:
    with closing(make_bm25(None, make_context(BRIDGES))) as bm25, pytest.raises(RuntimeError, match="prepare"):
        bm25.search(["mason"], 3)


KILLED_BUILD = """
import sys, time
from pathlib import Path
from lrat_bench.retriever.bm25 import _cached_index
from lrat_bench.task.corpus import Document

class Slow:
    name, fingerprint = "slow", sys.argv[2]
    def __len__(self):
        return 4
    def __iter__(self):
        yield from (Document(f"d{i}", "", "text") for i in range(1, 4))
        print("half way", flush=True)
        time.sleep(60)

_cached_index(Slow(), Path(sys.argv[1]), 1, lambda *_: None)
"""


def test_a_killed_build_leaves_nothing_that_looks_finished(
    tmp_path: Path, make_context: MakeContext, opened: Open
) -> None:
    corpus = make_context(BRIDGES).corpus
    arguments = [sys.executable, "-c", KILLED_BUILD, str(tmp_path), corpus.fingerprint]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as building:
        assert building.stdout is not None
        assert building.stdout.readline() == "half way\n"
        building.send_signal(signal.SIGKILL)
    assert folders(tmp_path) == []
    assert list(tmp_path.glob("indexes/.bm25-*.tmp"))
    with opened(BRIDGES, cache=tmp_path) as bm25:
        assert set(docids(bm25.search(["ostrel"], 5)[0])) == {"d1", "d3"}
    assert len(folders(tmp_path)) == 1
    assert not list(tmp_path.glob("indexes/.bm25-*.tmp"))
