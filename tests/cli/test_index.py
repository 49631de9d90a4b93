"""`lrat-bench index`: the whole or a part, by whoever says so, and what is there is checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from said import Command
from tiny_model import make_encoder

from lrat_bench.retriever import embeddings

WORDS = "mason bridge river harbour town village".split()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("models") / "tiny", vocabulary=WORDS)


@pytest.fixture
def words(task_folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """The words of a command over a corpus of four documents, in blocks of two."""
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embeddings, "BLOCK", 2)
    return ("index", "--task", task_folder, "--retriever", f"dense:{model}")


def test_a_damaged_block_of_a_complete_set_is_encoded_anew(
    words: tuple[object, ...], command: Command, tmp_path: Path
) -> None:
    assert command(*words)[0] == 0
    (path,) = tmp_path.glob("cache/embeddings/*/00001.npy")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    code, said, shown = command(*words, "--json")
    assert (code, json.loads(said)["complete"]) == (0, True)
    assert path.read_bytes() == whole
    assert json.loads(said)["encoded"]["mended"] == 1
    assert shown.count("1 of 2 blocks was damaged and encoded anew") == 1
    assert "damaged" not in command(*words)[2]


def test_a_part_that_a_launcher_says_is_told_and_named(
    words: tuple[object, ...], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, said, shown = command(*words, "--json")
    assert code == 0
    assert json.loads(said)["encoded"] == {"documents": 2, "blocks": 1, "of_blocks": 2, "mended": 0}
    assert "part 1/2, as RANK=1 and WORLD_SIZE=2 say; --shard 0/1 is the whole" in shown
    assert "RANK" not in command(*words, "--shard", "0/2")[2]


def test_what_has_no_parts_says_that_it_is_built_whole_whatever_a_launcher_says(
    command: Command, task_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("index", "--task", task_folder, "--retriever", "rrf:none+oracle")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    said = "the whole, whatever RANK=1 and WORLD_SIZE=2 say: retriever 'rrf:none+oracle' is built in one piece"
    assert said in command(*words)[2]
    assert "RANK" not in command(*words, "--shard", "0/1")[2]
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert "RANK" not in command(*words)[2]


def test_a_batch_script_of_slurm_encodes_the_whole(
    words: tuple[object, ...], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "2")
    assert "4 documents ready" in command(*words)[1]
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    assert "part 0/2 done" in command(*words)[1]


def test_a_launcher_that_says_nonsense_is_one_line_and_only_where_there_are_parts(
    words: tuple[object, ...], command: Command, task_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, _, shown = command(*words)
    assert code == 2
    assert "RANK=x and WORLD_SIZE=2 do not say which part" in shown
    assert command("index", "--task", task_folder, "--retriever", "none")[0] == 0


def test_parts_say_who_builds_the_index(words: tuple[object, ...], command: Command, tmp_path: Path) -> None:
    approximate = (*words, "--set", "retriever.index=HNSW4")
    first = command(*approximate, "--shard", "0/2")[1]
    assert "`index --shard 0/1` encodes what is missing, and builds HNSW4, once the other parts are done." in first
    second = command(*approximate, "--shard", "1/2")[1]
    assert "All parts are there. `index --shard 0/1` builds HNSW4." in second
    assert not list(tmp_path.glob("cache/embeddings/*/faiss-*"))
    assert "4 documents ready" in command(*approximate, "--shard", "0/1")[1]
    assert len(list(tmp_path.glob("cache/embeddings/*/faiss-*"))) == 1


@pytest.mark.parametrize("part", ["0/1", "0/2"])
def test_a_wrong_factory_string_costs_no_encoding(
    part: str, words: tuple[object, ...], command: Command, tmp_path: Path
) -> None:
    code, _, shown = command(*words, "--shard", part, "--set", "retriever.index=HNWS")
    assert code == 2
    assert "FAISS cannot make" in shown
    assert not (tmp_path / "cache" / "embeddings").exists()
