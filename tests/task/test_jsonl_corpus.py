"""A corpus is read in place, by id, and says which line is wrong."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrat_bench.errors import DataError, UsageError
from lrat_bench.task.corpus import Corpus, Document
from lrat_bench.task.jsonl_corpus import JsonlCorpus


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(folder))
    return folder


def write(file: Path, records: Iterable[object]) -> Path:
    file.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return file


def numbered(n: int) -> list[dict[str, str]]:
    return [{"docid": f"d{i}", "title": f"Title {i}", "text": f"Text {i} — ünïcode 文"} for i in range(n)]


def indexes(cache: Path) -> list[Path]:
    return sorted(cache.rglob("offsets.sqlite"))


def test_a_corpus_gives_its_documents_in_order_and_by_id(tmp_path: Path) -> None:
    records = numbered(50)
    random.Random(0).shuffle(records)
    corpus = JsonlCorpus(write(tmp_path / "corpus.jsonl", records))
    expected = [Document(r["docid"], r["title"], r["text"]) for r in records]
    assert isinstance(corpus, Corpus)
    assert len(corpus) == 50
    assert list(corpus) == expected
    assert [corpus.get(r["docid"]) for r in records] == expected


def test_an_unknown_id_is_not_there_whatever_it_is(tmp_path: Path) -> None:
    corpus = JsonlCorpus(write(tmp_path / "corpus.jsonl", numbered(3)))
    for asked in ("", "d", "D0", "d0 ", "\x00", "\ud800", "d0' OR 1"):
        assert corpus.get(asked) is None
        assert asked not in corpus
    assert "d0" in corpus
    assert 0 not in corpus


def test_the_fingerprint_is_that_of_the_bytes_wherever_they_lie(tmp_path: Path) -> None:
    first = write(tmp_path / "corpus.jsonl", numbered(9))
    second = tmp_path / "elsewhere.jsonl"
    second.write_bytes(first.read_bytes())
    expected = hashlib.sha256(first.read_bytes()).hexdigest()
    assert JsonlCorpus(first).fingerprint == JsonlCorpus(second).fingerprint == expected


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.from_regex(r"[^\s\x00-\x1f\x7f-\x9f]+", fullmatch=True), st.text(), min_size=1, max_size=8))
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, documents: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    for escaped in (False, True):
        file = folder / f"{escaped}.jsonl"
        lines = [json.dumps({"docid": d, "text": t}, ensure_ascii=escaped) for d, t in documents.items()]
        file.write_bytes("\n".join(lines).encode())
        corpus = JsonlCorpus(file, cache=folder / "cache")
        assert {document.docid: document.text for document in corpus} == documents
        assert all(corpus.get(docid) == Document(docid, "", text) for docid, text in documents.items())


def test_blank_lines_extra_keys_null_titles_crlf_and_a_missing_last_line_break_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(
        b'\n{"docid": "a", "text": "one", "title": null, "url": 7}\r\n  \n{"text": "", "docid": "b", "title": "T"}'
    )
    corpus = JsonlCorpus(file)
    assert list(corpus) == [Document("a", "", "one"), Document("b", "T", "")]
    assert corpus.get("b") == Document("b", "T", "")


def test_a_document_may_be_long(tmp_path: Path) -> None:
    text = "long " * 400_000
    corpus = JsonlCorpus(write(tmp_path / "corpus.jsonl", [{"docid": "a", "text": text}, *numbered(1)]))
    assert corpus.get("a") == Document("a", "", text)
    assert corpus.get("d0") is not None


GOOD = b'{"docid": "a", "text": "t"}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"holds no documents"),
        (b"\n \n", r"holds no documents"),
        (GOOD + b'{"docid": "b", "text": "t"\n', r":2: not valid JSON: .* column 28; every line holds one"),
        (GOOD + b"[\n", r":2: not valid JSON"),
        (GOOD + b'["b", "t"]\n', r":2: holds a JSON list, not an object"),
        (GOOD + b"[" * 100_000 + b"\n", r":2: not readable as JSON"),
        (GOOD + b'{"id": "b", "contents": "t"}\n', r":2: 'docid' is missing; the line has 'id', 'contents'"),
        (GOOD + b"{}\n", r":2: 'docid' is missing; the line has no keys"),
        (GOOD + b'{"docid": "b"}\n', r":2: 'text' is missing; the line has 'docid'"),
        (GOOD + b'{"docid": 12, "text": "t"}\n', r":2: 'docid' must be a string, not 12: put it in quotes"),
        (GOOD + b'{"docid": null, "text": "t"}\n', r":2: 'docid' must be a string, not null"),
        (GOOD + b'{"docid": "b", "text": ["t"]}\n', r":2: 'text' must be a string, not \[\"t\"\]"),
        (GOOD + b'{"docid": "b", "text": "t", "title": 3}\n', r":2: 'title' must be a string, not 3"),
        (GOOD + b'{"docid": "", "text": "t"}\n', r":2: 'docid' is empty"),
        (GOOD + b'{"docid": "b c", "text": "t"}\n', r":2: 'docid' 'b c' holds ' ': .*TREC"),
        (GOOD + b'{"docid": "b\\u00a0", "text": "t"}\n', r":2: 'docid' .* holds '\\xa0'"),
        (GOOD + b'{"docid": "b\\u0000", "text": "t"}\n', r":2: 'docid' .* holds '\\x00'"),
        (GOOD + b'{"docid": "b", "text": "\\ud83d"}\n', r":2: 'text' holds an unpaired surrogate \(\\ud83d\)"),
        (GOOD + b'{"docid": "b", "text": "\xe9t\xe9"}\n', r":2: not UTF-8: byte 0xe9 at position 25; save"),
        (gzip.compress(GOOD, mtime=0), r"is compressed with gzip: unpack it"),
        (GOOD.decode().encode("utf-16"), r"is UTF-16: save it as UTF-8"),
        (GOOD.decode().encode("utf-8-sig"), r"byte order mark: save it as UTF-8 without"),
        (GOOD + b'\n{"docid": "b", "text": ""}\n' + GOOD * 2, r":4: docid 'a' is already on line 1: every docid"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(tmp_path: Path, cache: Path, content: bytes, message: str) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        JsonlCorpus(file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)
    assert [path.name for path in cache.rglob("*") if path.is_file()] in ([], [".offsets.sqlite.lock"])


def test_the_first_repetition_is_named_among_several(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", [{"docid": d, "text": ""} for d in "zyxaayz"])
    with pytest.raises(DataError, match=r":5: docid 'a' is already on line 4"):
        JsonlCorpus(file)


def test_a_missing_corpus_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        JsonlCorpus(tmp_path / "corpus.jsonl")
    with pytest.raises(DataError, match="Is a directory"):
        JsonlCorpus(tmp_path)


def test_the_index_is_built_once_and_used_again(tmp_path: Path, cache: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(30))
    first = JsonlCorpus(file)
    (index,) = indexes(cache)
    written = index.stat()
    said: list[str] = []
    again = JsonlCorpus(file, progress=lambda what, done, total: said.append(what))
    assert list(again) == list(first)
    assert index.stat().st_ino == written.st_ino
    assert said == []


def test_the_index_is_built_anew_for_changed_bytes_and_for_a_damaged_index(tmp_path: Path, cache: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(3))
    before = JsonlCorpus(file).fingerprint
    write(file, numbered(4))
    assert len(JsonlCorpus(file)) == 4
    assert JsonlCorpus(file).fingerprint != before
    (index,) = indexes(cache)
    for damage in (b"", b"not a database" * 100, index.read_bytes()[:5000]):
        index.write_bytes(damage)
        assert len(list(JsonlCorpus(file))) == 4


def test_an_index_of_another_format_is_built_anew(tmp_path: Path, cache: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(3))
    JsonlCorpus(file)
    (index,) = indexes(cache)
    connection = sqlite3.connect(index)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert JsonlCorpus(file).get("d2") is not None


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(20_001))
    seen: list[tuple[int, int | None]] = []
    JsonlCorpus(file, progress=lambda what, done, total: seen.append((done, total)))
    size = file.stat().st_size
    assert len(seen) == 3
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)


def test_a_file_written_to_while_open_is_noticed(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(5))
    corpus = JsonlCorpus(file)
    status = file.stat()
    write(file, reversed(numbered(5)))
    for _ in range(2):
        with pytest.raises(DataError, match="changed since it was opened"):
            corpus.get("d0")
        with pytest.raises(DataError, match="changed since it was opened"):
            list(corpus)
        # A writer that restores size and time is still caught by the id of the document.
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        write_in_place = file.read_bytes()[::-1]
        file.write_bytes(write_in_place)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_replaced_while_open_is_still_read_by_id_and_noticed_when_streamed(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(5))
    corpus = JsonlCorpus(file)
    write(tmp_path / "new.jsonl", numbered(6)).replace(file)
    assert corpus.get("d0") == Document("d0", "Title 0", "Text 0 — ünïcode 文")
    with pytest.raises(DataError, match="changed since it was opened"):
        list(corpus)


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(2))
    blocked = tmp_path / "a file"
    blocked.write_text("")
    with pytest.raises(UsageError, match=r"cannot write the index of .* set LRAT_BENCH_CACHE to a writable") as caught:
        JsonlCorpus(file, cache=blocked / "cache")
    assert "\n" not in str(caught.value)


def test_odd_paths_and_names_are_fine(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? ünï"
    folder.mkdir()
    file = write(folder / "corpus.jsonl", numbered(2))
    corpus = JsonlCorpus(file, name="a/b c", cache=folder / "cache dir")
    assert corpus.name == "a/b c"
    assert corpus.get("d1") is not None


def test_many_threads_read_what_one_reads(tmp_path: Path) -> None:
    records = numbered(200)
    corpus = JsonlCorpus(write(tmp_path / "corpus.jsonl", records))
    wrong: list[str] = []

    def read(seed: int) -> None:
        for record in random.Random(seed).sample(records, 200):
            found = corpus.get(record["docid"])
            if found is None or found.text != record["text"]:
                wrong.append(record["docid"])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_two_openings_at_once_build_one_index(tmp_path: Path, cache: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(2000))
    corpora: list[JsonlCorpus] = []
    built: list[int] = []

    def opened() -> None:
        corpora.append(JsonlCorpus(file, progress=lambda what, done, total: built.append(done)))

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(corpus) for corpus in corpora] == [2000] * 4
    assert len(built) == 1
    assert len(indexes(cache)) == 1


def test_a_corpus_lets_go_of_its_files(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", numbered(2))
    before = len(list(Path("/proc/self/fd").iterdir()))
    corpus = JsonlCorpus(file)
    corpus.get("d0")
    corpus.close()
    corpus.close()
    other = JsonlCorpus(file)
    other.get("d0")
    del other
    assert len(list(Path("/proc/self/fd").iterdir())) == before
