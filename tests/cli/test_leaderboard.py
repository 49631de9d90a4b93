"""`lrat-bench leaderboard`: exit codes, a line for each finding, one JSON document; and nothing heavy is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from said import Command, refused
from submissions import ENTRY, change, pin_of, write_tracks

import lrat_bench
from lrat_bench.task.catalog import load_task

CHANGED = Path(__file__).parents[2] / "leaderboard" / "changed.sh"
HEAVY = (
    "torch transformers litellm pyserini jnius faiss datasets sentence_transformers pandas matplotlib jinja2 pyarrow"
).split()


@pytest.fixture
def home(task_folder: Path, tmp_path: Path, command: Command) -> Path:
    """A board with one track on a small task, and a submission to it."""
    fixed = {"name": "heuristic", "weights": False}
    pin = pin_of(load_task(str(task_folder))[0])
    write_tracks(tmp_path / "tracks.yaml", small={"pins": [pin], "fixed": fixed})
    (tmp_path / "entry.yaml").write_text(yaml.safe_dump(ENTRY))
    lrat_bench.run(str(task_folder), retriever="none", out=tmp_path / "run")
    words = ("--track", "small", "--config", "entry.yaml", "-o", "subs/mine", "--tracks", "tracks.yaml")
    code, out, err = command("leaderboard", "prepare", "run", *words)
    assert (code, out.splitlines()[1]) == (0, "next: lrat-bench leaderboard validate subs/mine"), err
    return tmp_path


def test_the_tracks_are_listed(command: Command) -> None:
    code, out, err = command("leaderboard", "tracks")
    assert (code, err) == (0, "")
    for name in ("retriever-tongyi-deepresearch", "agent-qwen3-embedding-8b", "retrieval", "demo"):
        assert name in out
    _, out, _ = command("leaderboard", "tracks", "--json")
    assert {track["name"] for track in json.loads(out)} > {"demo", "retrieval"}


def test_what_holds_is_a_line_and_what_does_not_one_for_each_finding(home: Path, command: Command) -> None:
    words = ("leaderboard", "validate", "subs/mine", "--tracks", "tracks.yaml")
    code, out, err = command(*words)
    assert (code, err) == (0, "")
    assert out == "mine, small: holds (self-reported). success_rate: bridge 0% [0, 66], n = 2\n"
    change(home / "subs" / "mine", lambda content: content["runs"][0]["metrics"][0].update(value=1.0) and None)
    (home / "subs" / "mine" / "more.txt").touch()
    code, out, err = command(*words)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "subs/mine/more.txt: is no file of a submission: remove it",
        "subs/mine/submission.json, bridge: success_rate: value is 1, and its records come to 0",
    ]
    code, out, _ = command(*words, "--json")
    (found,) = json.loads(out)
    assert (code, found["holds"], found["tier"], len(found["findings"])) == (1, False, None, 2)


def test_several_are_validated_and_one_bad_one_fails(home: Path, command: Command) -> None:
    code, out, _ = command("leaderboard", "validate", "subs/mine", "nowhere", "--tracks", "tracks.yaml", "--json")
    assert code == 1
    assert [one["holds"] for one in json.loads(out)] == [True, False]


def test_the_board_is_built(home: Path, command: Command) -> None:
    words = ("leaderboard", "build", "subs", "-o", "site", "--tracks", "tracks.yaml", "--no-plots")
    code, out, _ = command(*words)
    assert (code, out) == (0, "site/index.html: 1 entry, 0 published rows\n")
    assert "BM25 (Lucene)" in (home / "site" / "tracks" / "small.html").read_text()
    (home / "subs" / "mine" / "more.txt").touch()
    code, out, err = command(*words, "--json")
    assert (code, json.loads(out)["entries"]) == (1, 0)
    assert "more.txt: is no file of a submission" in err
    refused(command("leaderboard", "build", "nowhere", "-o", "site", "--tracks", "tracks.yaml"), "nowhere is no folder")
    refused(command("leaderboard", "build", "subs/mine", "-o", "site", "--tracks", "tracks.yaml"), "is a submission")


def test_attestations_are_for_maintainers(home: Path, command: Command) -> None:
    verify = ("leaderboard", "verify", "subs/mine", "--tracks", "tracks.yaml")
    code, out, _ = command(*verify, "--run", "run", "--attest", "A maintainer", "--json")
    assert (code, json.loads(out)["tier"]) == (0, "verified")
    validate = ("leaderboard", "validate", "subs/mine", "--tracks", "tracks.yaml")
    assert command(*validate)[0] == 1
    assert command(*validate, "--attested")[0] == 0
    refused(command(*verify), "give one of --judge, --retriever and --run")


def test_what_is_not_there_is_said(home: Path, command: Command) -> None:
    prepare = ("leaderboard", "prepare", "run", "--config", "entry.yaml", "-o", "subs/x", "--tracks", "tracks.yaml")
    refused(command(*prepare, "--track", "smal"), "unknown track 'smal'", "did you mean 'small'")
    refused(command(*prepare, "--track", "small", "--tracks", "nowhere.yaml"), "nowhere.yaml: cannot be read")
    (home / "entry.yaml").write_text("entry: {id: x}")
    refused(command(*prepare, "--track", "small"), "entry.yaml: entry.revision: is missing")


@pytest.mark.parametrize("words", [["leaderboard", "validate", "subs/mine"], ["leaderboard", "prepare", "--help"]])
def test_nothing_heavy_is_imported(home: Path, words: list[str]) -> None:
    tracks = ["--tracks", "tracks.yaml"] if "--help" not in words else []
    code = f"""
import sys
from lrat_bench.cli.main import main
try:
    main({[*words, *tracks]!r})
except SystemExit as stop:
    assert stop.code == 0
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (
            ["leaderboard/submissions/mine/submission.json", "leaderboard/submissions/mine/records/a.jsonl"],
            0,
            "VALIDATE",
        ),
        (["leaderboard/submissions/mine/submission.json", "lrat_bench/score/score.py"], 1, "changes nothing else"),
        (["leaderboard/submissions/../../x"], 1, "changes nothing else"),
        (["leaderboard/submissions/$(touch pwned)/submission.json"], 1, "changes nothing else"),
        (["leaderboard/submissions/--json/submission.json"], 1, "changes nothing else"),
        (["leaderboard/submissions/gone/submission.json"], 0, "was taken back"),
    ],
)
def test_ci_validates_what_a_pull_request_changes(tmp_path: Path, changed: list[str], code: int, said: str) -> None:
    tools, checkout = tmp_path / "tools", tmp_path / "head"
    (checkout / "leaderboard" / "submissions" / "mine").mkdir(parents=True)
    tools.mkdir()
    (tmp_path / "names").write_bytes("".join(f"{name}\0" for name in changed).encode())
    for name, line in (("git", f"cat {tmp_path / 'names'}"), ("lrat-bench", 'echo VALIDATE "$@"')):
        (tools / name).write_text(f"#!/bin/sh\n{line}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        ["bash", str(CHANGED), str(checkout), "base"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout) == (code, True), done
    assert not (tmp_path / "pwned").exists()
    if said == "VALIDATE":
        assert done.stdout == f"VALIDATE leaderboard validate -- {checkout}/leaderboard/submissions/mine\n"
