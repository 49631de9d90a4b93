"""Whatever comes of serving a guarded task lies nowhere in the open inside a git work tree."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hub_copy import WORDS, browsecomp_card, write_browsecomp, write_card

import lrat_bench
from lrat_bench.errors import UsageError
from lrat_bench.guard import opened
from lrat_bench.task import catalog
from lrat_bench.trajectory import Search

TELLING = (b"gate of smiths", b"hangs", *(f"the {word}".encode() for word in WORDS))

AGENT = """
import json, os, sys, urllib.request
question = os.environ["LRAT_BENCH_QUESTION"]
open("notes.txt", "w").write(question)
body = json.dumps({"query": question}).encode()
request = urllib.request.Request(os.environ["LRAT_BENCH_URL"] + "/search", body, {"Content-Type": "application/json"})
found = json.load(urllib.request.urlopen(request))
print("asked:", question, file=sys.stderr)
print("Exact Answer:", found["results"][0]["snippet"])
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git work tree, in which commands start and temporary files go, and outside of it a prepared guarded task."""
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    write_card(tmp_path / "cards", browsecomp_card())
    catalog.prepare_task("browsecomp-copy", sources=[str(write_browsecomp(tmp_path / "copy", questions=6))])
    tree = tmp_path / "tree"
    (tree / ".git").mkdir(parents=True)
    (tree / "tmp").mkdir()
    monkeypatch.chdir(tree)
    monkeypatch.setattr("tempfile.tempdir", str(tree / "tmp"))
    return tree


def in_the_open(tree: Path) -> list[tuple[Path, bytes]]:
    files = [file for file in tree.rglob("*") if file.is_file()]
    assert files
    return [(file, text) for file in files for text in TELLING if text in file.read_bytes()]


def test_what_a_command_prints_and_writes(tree: Path) -> None:
    (tree / "agent.py").write_text(AGENT)
    run = lrat_bench.run("browsecomp-copy", f"command:{sys.executable} -S agent.py", "oracle", out=tree / "run")
    assert in_the_open(tree) == []
    records = list(run.trajectories)
    assert [record.status for record in records] == ["answered"] * 6
    assert any("smiths" in step.query for record in records for step in record.steps if isinstance(step, Search))
    log = next((run.path / "logs").iterdir()).read_text().splitlines()
    assert all(line.startswith('{"canary":') for line in log)
    assert "asked: " in "".join(map(opened, log))


def test_addresses_of_questions(tree: Path, serving: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="the addresses of questions of a guarded task would lie in plain text"):
        serving("browsecomp-copy", "oracle", out=tree / "run", seats=tree / "seats.jsonl").run()
    assert not (tree / "seats.jsonl").exists()
    outside = tree.parent / "seats.jsonl"
    server = serving("browsecomp-copy", "oracle", out=tree / "run", seats=outside)
    for seat in server.seats(6):
        question = httpx.get(seat.url + "/").json()["question"]
        httpx.post(f"{seat.url}/search", json={"query": question})
        httpx.post(f"{seat.url}/answer", json={"answer": f"Exact Answer: {question}"})
    server.run()
    assert in_the_open(tree) == []
    assert outside.stat().st_mode & 0o777 == 0o600
