"""Vectors on disk: made once, block by block, by several processes or one that is killed, and checked before use."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from lrat_bench.errors import UsageError
from lrat_bench.files import locked, write_atomic
from lrat_bench.progress import no_progress
from lrat_bench.retriever import embeddings as module
from lrat_bench.retriever.embeddings import Embeddings
from lrat_bench.retriever.encoder import Vectors
from lrat_bench.retriever.shard import Shard
from lrat_bench.retriever.vectors import StoredVectors
from lrat_bench.task.corpus import Document

BLOCK = 4
DIMENSIONS = 3


class Numbered:
    """A corpus of documents that are their own numbers."""

    name = "numbered"
    fingerprint = "f" * 64

    def __init__(self, documents: int, says: int | None = None) -> None:
        self._documents = documents
        self._says = documents if says is None else says

    def __len__(self) -> int:
        return self._says

    def __iter__(self) -> Iterator[Document]:
        return (Document(f"é{n}\n", "", str(n)) for n in range(self._documents))

    def __contains__(self, docid: object) -> bool:
        return False

    def get(self, docid: str) -> Document | None:
        return None


class Encode:
    """Makes a vector of a number, and says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: Sequence[str], done: Callable[[int], None]) -> Vectors:
        self.asked.append(list(texts))
        done(len(texts))
        return np.array([[int(text), 1, 0] for text in texts], np.float32)

    @property
    def texts(self) -> list[int]:
        return sorted(int(text) for texts in self.asked for text in texts)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", BLOCK)


def embeddings(folder: Path, documents: int = 11, *, says: int | None = None, storage: str = "float32") -> Embeddings:
    corpus = Numbered(documents, says)
    return Embeddings(folder / "set", corpus, dimensions=DIMENSIONS, storage=storage, meta={"model": "m"})


def content(stored: StoredVectors) -> list[tuple[str, list[float]]]:
    vectors = stored.rows(np.arange(len(stored)))
    return [(stored.docid(row), vector.tolist()) for row, vector in enumerate(vectors)]


EXPECTED = [(f"é{n}\n", [float(n), 1.0, 0.0]) for n in range(11)]


@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_vectors_come_back_as_they_were_made_in_the_order_of_the_corpus(storage: str, tmp_path: Path) -> None:
    encode = Encode()
    filled = embeddings(tmp_path, storage=storage).fill(encode, progress=no_progress)
    assert filled.complete
    assert (filled.blocks, filled.documents) == (3, 11)
    assert content(embeddings(tmp_path, storage=storage).open()) == EXPECTED
    assert np.load(tmp_path / "set" / "00000.npy").dtype == storage
    assert max(map(len, encode.asked)) == BLOCK
    assert json.loads((tmp_path / "set" / "meta.json").read_text())["model"] == "m"


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    again = Encode()
    assert embeddings(tmp_path).fill(again, progress=no_progress).complete
    assert not again.asked


@pytest.mark.parametrize(("trust", "made"), [(False, [4, 5, 6, 7]), (True, [])])
def test_a_complete_set_is_compared_with_its_checksums_unless_it_is_trusted(
    trust: bool, made: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    damaged = tmp_path / "set" / "00001.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    again = Encode()
    filled = embeddings(tmp_path).fill(again, trust=trust, progress=no_progress)
    assert filled.complete
    assert again.texts == made
    assert filled.mended == bool(made)
    assert ("vectors of numbered: 1 of 3 blocks was damaged and encoded anew" in caplog.messages) == bool(made)


def test_what_is_missing_is_not_damaged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    for name in ("00001.json", "00001.npy", "00002.json"):
        (tmp_path / "set" / name).unlink()
    assert embeddings(tmp_path).fill(Encode(), progress=no_progress).mended == 0
    assert not caplog.messages


def test_a_set_whose_mending_was_cut_short_is_not_trusted(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    damaged = tmp_path / "set" / "00001.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")

    def cut_short(texts: Sequence[str], done: Callable[[int], None]) -> Vectors:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embeddings(tmp_path).fill(cut_short, progress=no_progress)
    rest = Encode()
    embeddings(tmp_path).fill(rest, trust=True, progress=no_progress)
    assert rest.texts == [4, 5, 6, 7]


def test_a_complete_set_can_be_checked_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    monkeypatch.setattr(module, "write_atomic", lambda path, _: pytest.fail(f"writes {path}"))
    assert embeddings(tmp_path).fill(Encode(), progress=no_progress).complete


def test_the_last_shard_does_not_vouch_for_the_damaged_blocks_of_others(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), shard=Shard(0, 2), progress=no_progress)
    damaged = tmp_path / "set" / "00002.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    embeddings(tmp_path).fill(Encode(), shard=Shard(1, 2), progress=no_progress)
    rest = Encode()
    embeddings(tmp_path).fill(rest, trust=True, progress=no_progress)
    assert rest.texts == [8, 9, 10]
    assert content(embeddings(tmp_path).open()) == EXPECTED


def test_shards_make_the_whole_in_any_order(tmp_path: Path) -> None:
    encode = Encode()
    for index in (2, 0, 1):
        filled = embeddings(tmp_path).fill(encode, shard=Shard(index, 3), progress=no_progress)
        assert filled.complete == (index == 1)
    assert encode.texts == list(range(11))
    assert content(embeddings(tmp_path).open()) == EXPECTED
    whole = embeddings(tmp_path / "whole")
    whole.fill(Encode(), progress=no_progress)
    for name in ("00000.npy", "00001.npy", "00002.json"):
        assert (tmp_path / "set" / name).read_bytes() == (tmp_path / "whole" / "set" / name).read_bytes()


def test_a_whole_that_follows_some_shards_makes_the_rest(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), shard=Shard(0, 2), progress=no_progress)
    with pytest.raises(UsageError, match=r"block 1 .* is missing"):
        embeddings(tmp_path).open()
    rest = Encode()
    embeddings(tmp_path).fill(rest, progress=no_progress)
    assert rest.texts == [4, 5, 6, 7]


def test_more_shards_than_blocks_leave_some_with_nothing(tmp_path: Path) -> None:
    encode = Encode()
    for index in range(5):
        embeddings(tmp_path).fill(encode, shard=Shard(index, 5), progress=no_progress)
    assert encode.texts == list(range(11))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "00001.npy").write_bytes((folder / "00001.npy").read_bytes()[:-4]),
        lambda folder: (folder / "00001.npy").write_bytes(b""),
        lambda folder: (folder / "00001.npy").write_bytes((folder / "00001.npy").read_bytes()[:-1] + b"?"),
        lambda folder: (folder / "00001.npy").unlink(),
        lambda folder: (folder / "00001.json").write_text("{"),
        lambda folder: (folder / "00001.json").write_text('{"sha256": 1, "docids": ["a"]}'),
    ],
)
def test_a_damaged_block_is_made_anew(damage: Callable[[Path], None], tmp_path: Path) -> None:
    for index in (0, 1):
        embeddings(tmp_path).fill(Encode(), shard=Shard(index, 3), progress=no_progress)
    damage(tmp_path / "set")
    rest = Encode()
    embeddings(tmp_path).fill(rest, progress=no_progress)
    assert rest.texts == [4, 5, 6, 7, 8, 9, 10]
    assert content(embeddings(tmp_path).open()) == EXPECTED


def test_a_block_that_is_cut_or_gone_from_a_complete_set_is_made_anew(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    (tmp_path / "set" / "00002.npy").write_bytes((tmp_path / "set" / "00002.npy").read_bytes()[:-4])
    (tmp_path / "set" / "00000.npy").unlink()
    rest = Encode()
    embeddings(tmp_path).fill(rest, progress=no_progress)
    assert rest.texts == [0, 1, 2, 3, 8, 9, 10]
    assert content(embeddings(tmp_path).open()) == EXPECTED


def test_damage_to_a_complete_set_names_the_folder_to_delete(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), progress=no_progress)
    (tmp_path / "set" / "00002.npy").write_bytes(b"")
    with pytest.raises(UsageError, match=r"block 2 .* damaged: delete .*set to have it made anew"):
        embeddings(tmp_path).open()


def test_a_killed_process_costs_the_block_it_was_at(tmp_path: Path) -> None:
    script = f"""
import sys, time
sys.path[:0] = {[str(Path(__file__).parent)]!r}
import test_embeddings as here
here.module.BLOCK = here.BLOCK
encode = here.Encode()
def slow(texts, done):
    if encode.asked:
        print("second", flush=True)
        time.sleep(60)
    return encode(texts, done)
from pathlib import Path
here.embeddings(Path({str(tmp_path)!r})).fill(slow, progress=here.no_progress)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "second\n"
        process.send_signal(signal.SIGKILL)
    rest = Encode()
    embeddings(tmp_path).fill(rest, progress=no_progress)
    assert rest.texts == list(range(4, 11))
    assert content(embeddings(tmp_path).open()) == EXPECTED


def test_a_block_that_another_process_works_on_is_waited_for_and_not_made_twice(tmp_path: Path) -> None:
    first, second = Encode(), Encode()
    began, go_on = threading.Event(), threading.Event()

    def slow(texts: Sequence[str], done: Callable[[int], None]) -> Vectors:
        began.set()
        go_on.wait(10)
        return first(texts, done)

    with locked(tmp_path / "set" / "locks" / "00002"):  # held by nobody who makes it
        one = threading.Thread(target=lambda: embeddings(tmp_path).fill(slow, shard=Shard(0, 3), progress=no_progress))
        one.start()
        assert began.wait(10)
        other = threading.Thread(target=lambda: embeddings(tmp_path).fill(second, progress=no_progress))
        other.start()
        time.sleep(0.2)
        assert second.texts == [4, 5, 6, 7]
        go_on.set()
        one.join(10)
    other.join(10)
    assert not other.is_alive()
    assert (first.texts, second.texts) == ([0, 1, 2, 3], [4, 5, 6, 7, 8, 9, 10])
    assert content(embeddings(tmp_path).open()) == EXPECTED


def test_progress_counts_documents_and_begins_where_it_was(tmp_path: Path) -> None:
    embeddings(tmp_path).fill(Encode(), shard=Shard(0, 2), progress=no_progress)
    told: list[tuple[str, int, int | None]] = []
    embeddings(tmp_path).fill(Encode(), progress=lambda *said: told.append(said))
    assert told[:2] == [("checking vectors of numbered", 4, 11), ("checking vectors of numbered", 7, 11)]
    assert told[2] == ("encoding numbered", 7, 11)
    assert told[-1] == ("encoding numbered", 11, 11)
    told.clear()
    embeddings(tmp_path).fill(Encode(), progress=lambda *said: told.append(said))
    assert told[-1] == ("checking vectors of numbered", 11, 11)


@pytest.mark.parametrize(("documents", "says"), [(9, 11), (3, 11)])
def test_a_corpus_that_gives_fewer_documents_than_it_says_is_refused(documents: int, says: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"says it has {says} documents and gives {documents}"):
        embeddings(tmp_path, documents, says=says).fill(Encode(), progress=no_progress)


def test_a_full_disk_is_one_line_and_keeps_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: str | bytes) -> None:
        if path.name == "00001.npy":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_atomic(path, content)

    monkeypatch.setattr(module, "write_atomic", full)
    with pytest.raises(UsageError, match=r"cannot write vectors to .*No space left on device; set LRAT_BENCH_CACHE"):
        embeddings(tmp_path).fill(Encode(), progress=no_progress)
    monkeypatch.setattr(module, "write_atomic", write_atomic)
    assert embeddings(tmp_path).filled().documents == 4


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file")
    with pytest.raises(UsageError, match="cannot write vectors"):
        embeddings(tmp_path).fill(Encode(), progress=no_progress)
