"""`lrat-bench leaderboard`: exit codes, a line for each finding, one JSON document; and nothing heavy is imported."""

from __future__ import annotations

import json
import os
import shutil
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


def test_attestations_are_for_maintainers(home: Path, task_folder: Path, command: Command) -> None:
    lrat_bench.run(str(task_folder), retriever="none", out=home / "again")
    verify = ("leaderboard", "verify", "subs/mine", "--tracks", "tracks.yaml")
    code, out, _ = command(*verify, "--run", "again", "--attest", "A maintainer", "--json")
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


SUBMISSIONS = "leaderboard/submissions"


class Repository:
    """A repository with a board, a branch that changes it, and what CI says of that."""

    def __init__(self, home: Path) -> None:
        self.home, self.head, self.tools = home, home / "head", home / "tools"
        self.tools.mkdir()
        (self.tools / "lrat-bench").write_text('#!/bin/sh\necho VALIDATE "$@"\n')
        (self.tools / "lrat-bench").chmod(0o755)
        self.head.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(f"{SUBMISSIONS}/old/submission.json", "{}")
        self.write(f"{SUBMISSIONS}/old/attestations.json", "{}")
        self.commit()
        self.base = self.git("rev-parse", "HEAD").strip()

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", "-C", str(self.head), *who, *words], capture_output=True, text=True, check=True
        ).stdout

    def write(self, name: str, text: str = "changed") -> None:
        file = self.head / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")

    def said(self, *words: str, base: str | None = None) -> tuple[int, list[str]]:
        done = subprocess.run(
            ["bash", str(CHANGED), str(self.head), base or self.base, *words],
            cwd=self.home,
            env={**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, [line.replace(str(self.head), "HEAD") for line in done.stdout.splitlines()]


BOARD = CHANGED.parent / "submissions"
OURS = "changes an entry that is on the board, which those who keep it alone may do"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_ci_validates_what_a_pull_request_adds(repository: Repository) -> None:
    repository.write(f"{SUBMISSIONS}/mine/submission.json")
    repository.write(f"{SUBMISSIONS}/mine/records/a.jsonl")
    repository.commit()
    sent = f"VALIDATE leaderboard validate --board {BOARD} -- HEAD/{SUBMISSIONS}/mine"
    assert repository.said() == (0, [sent])
    (repository.tools / "lrat-bench").write_text("#!/bin/sh\nexit 1\n")
    assert repository.said() == (1, [])


@pytest.mark.parametrize(
    "name", ["lrat_bench/score.py", f"{SUBMISSIONS}/$(touch pwned)/submission.json", f"{SUBMISSIONS}/--json/a"]
)
def test_ci_refuses_what_a_submission_may_not_change(repository: Repository, name: str) -> None:
    repository.write(f"{SUBMISSIONS}/mine/submission.json")
    repository.write(name)
    repository.commit()
    code, lines = repository.said()
    assert code == 1
    assert lines[0].endswith("a pull request with a submission changes nothing else")
    assert not (repository.home / "pwned").exists()


def test_ci_fails_where_it_cannot_see_what_is_changed(repository: Repository) -> None:
    assert repository.said() == (1, [f"no submission is changed between {repository.base} and HEAD"])
    repository.write(f"{SUBMISSIONS}/mine/submission.json")
    repository.commit()
    assert repository.said(base="0" * 40) == (1, [f"{'0' * 40}: is no commit that this checkout has"])
    repository.git("checkout", "--quiet", "--orphan", "unrelated")
    repository.commit()
    assert repository.said()[0] != 0, "there is no common ancestor to compare with"


def test_ci_lets_none_but_its_keepers_change_an_entry(repository: Repository) -> None:
    repository.write(f"{SUBMISSIONS}/old/submission.json", "{}\n")
    repository.commit()
    checked = f"VALIDATE leaderboard validate --attested --board {BOARD} -- HEAD/{SUBMISSIONS}/old"
    assert repository.said() == (1, [f"old: {OURS}", checked]), "attestations that stay are nobody's claim"
    assert repository.said("--attested") == (0, [checked])
    repository.write(f"{SUBMISSIONS}/old/attestations.json", '{"more": 1}')
    repository.commit()
    assert repository.said() == (1, [f"old: {OURS}", checked.replace(" --attested", "")])


def test_ci_lets_none_but_its_keepers_take_an_entry_back_strip_or_rename_it(repository: Repository) -> None:
    (repository.head / SUBMISSIONS / "old" / "attestations.json").unlink()
    repository.commit()
    code, lines = repository.said()
    assert (code, lines[0]) == (1, f"old: {OURS}")
    (repository.head / SUBMISSIONS / "old").rename(repository.head / SUBMISSIONS / "new")
    repository.commit()
    code, lines = repository.said()
    assert code == 1
    assert {f"old: {OURS}", "old: was taken back"} < set(lines)
    assert repository.said("--attested")[0] == 0


def test_an_entry_that_no_longer_holds_stops_nobody_elses(home: Path, command: Command) -> None:
    (home / "subs" / "mine" / "more.txt").touch()
    words = ("leaderboard", "build", "subs", "-o", "site", "--tracks", "tracks.yaml", "--no-plots")
    assert command(*words)[0] == 1
    code, out, err = command(*words, "--keep-going")
    assert (code, out) == (0, "site/index.html: 0 entries, 0 published rows\n")
    assert err.splitlines()[-1] == "warning: 1 submission left out of the board"


def test_a_copy_of_what_is_on_the_board_does_not_hold(home: Path, command: Command) -> None:
    shutil.copytree(home / "subs" / "mine", home / "sent" / "puppet")
    change(home / "sent" / "puppet", lambda content: content.update(name="puppet"))
    words = ("leaderboard", "validate", "sent/puppet", "--tracks", "tracks.yaml")
    assert command(*words)[0] == 0
    code, out, _ = command(*words, "--board", "subs")
    assert code == 1
    assert out.startswith("sent/puppet/submission.json: stands on 2 trajectories that 'mine' stands on, too")
    assert command(*words[:2], "subs/mine", *words[3:], "--board", "subs")[0] == 0
