"""`lrat-bench tasks`: what there is, what a protocol is, in what two differ, and a benchmark fetched from a copy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hub_copy import browsecomp_card, write_browsecomp, write_card
from said import Command

from lrat_bench.task import catalog


def test_a_protocol_is_shown_by_itself(command: Command) -> None:
    code, out, _ = command("tasks", "show", "browsecomp-plus@standard-v1")
    assert code == 0
    assert re.findall(r"^@(\S+)", out, re.MULTILINE) == ["standard-v1"]
    assert "    snippet_tokens: 512" in out.splitlines()
    assert "      revision: 144cff8e35b5eaef7e526346aa60774a9deb941f" in out.splitlines()


def test_two_protocols_are_shown_by_what_differs(command: Command) -> None:
    words = ("tasks", "show", "browsecomp-plus@standard-v1", "browsecomp-plus@getdoc-v1")
    _, out, _ = command(*words)
    assert re.split(r"\s{2,}", out.splitlines()[1].strip()) == ["rollout.tools", "search", "search, get_document"]
    assert len(out.strip().splitlines()) == 2
    assert json.loads(command(*words, "--json")[1])["differences"] == {
        "rollout.tools": [["search"], ["search", "get_document"]]
    }


def test_one_protocol_under_two_tasks_is_the_same(command: Command) -> None:
    _, out, _ = command("tasks", "show", "browsecomp-plus", "infoseek-eval@lrat-v1")
    assert out == (
        "browsecomp-plus@lrat-v1 and infoseek-eval@lrat-v1 are the same protocol: their numbers can be compared\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("synth-wiki@nosuch",), "protocol of task 'synth-wiki'"),
        (("synth-wiki", "synth-wiki", "synth-wiki"), "two protocols at most"),
    ],
)
def test_what_cannot_be_shown_is_refused(command: Command, words: tuple[str, ...], said: str) -> None:
    code, _, err = command("tasks", "show", *words)
    assert code == 2
    assert said in err


def test_a_benchmark_is_prepared_from_a_copy(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    card = browsecomp_card()
    card["hub"]["takes"] = {"download_gb": 2.5, "disk_gb": 0.001, "minutes": 5}
    write_card(tmp_path / "cards", card)
    copy = write_browsecomp(tmp_path / "copy")
    code, out, err = command("tasks", "prepare", "browsecomp-copy", "--source", copy)
    assert code == 0
    assert out == "browsecomp-copy: 40 documents, questions: 6 test\n"
    said = (
        "preparing browsecomp-copy: download about 2.5 GB, 0.001 GB more on disk, about 5 minutes beside the download"
    )
    assert said in " ".join(err.split())
    code, out, err = command("tasks", "prepare", "browsecomp-copy", "--json")
    assert "download" not in err
    found = json.loads(out)
    assert (found["documents"], found["questions"], found["evidence"], found["gold"]) == (40, {"test": 6}, 12, 6)


LB = (sys.executable, "-c", "from lrat_bench.cli.main import main; main()")


@pytest.mark.parametrize("words", [("tasks", "list"), ("tasks", "list", "--json"), ("--help",)])
def test_a_disk_that_is_full_is_one_line_and_no_fault_of_ours(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*LB, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        3, "lrat-bench: cannot write what is printed: No space left on device\n",
    )  # fmt: skip


@pytest.mark.parametrize("words", [("tasks", "list"), ("tasks", "list", "--json"), ("--help",)])
def test_when_nobody_reads_on_it_stops_without_a_word(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*LB, *words], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (3, "")


def test_without_a_stdout_it_works() -> None:
    done = subprocess.run(["sh", "-c", '"$0" "$@" >&-', *LB, "tasks", "list"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_disk_that_is_too_small_is_said_before_documents_are_written(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    card = browsecomp_card()
    card["hub"]["takes"]["disk_gb"] = 10_000_000
    write_card(tmp_path / "cards", card)
    code, _, err = command("tasks", "prepare", "browsecomp-copy", "--source", write_browsecomp(tmp_path / "copy"))
    assert code == 2
    assert "takes 1e+07 GB" in err
    assert "set LRAT_BENCH_CACHE to a larger disk" in err
