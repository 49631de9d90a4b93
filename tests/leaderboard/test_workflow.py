"""The workflow of pull requests: what a stranger sends is neither run nor obeyed, and a required job always ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "leaderboard.yml").read_text())
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["validate"]["steps"]
EVENTS = WORKFLOW[True]  # YAML takes `on` for a truth


def step(name: str) -> dict[str, Any]:
    return next(one for one in STEPS if one.get("name", "").startswith(name))


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True).stdout


def given(script: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run as a runner does it."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=home,
        env={**os.environ, "GITHUB_OUTPUT": str(home / "output"), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def head(tmp_path: Path) -> Path:
    folder = tmp_path / "head"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "README.md").write_text("hello")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=x")
    return folder


def test_every_pull_request_has_an_answer_since_the_job_may_be_required() -> None:
    assert "pull_request" in EVENTS
    assert EVENTS["pull_request"] is None, "no filter of paths: what it leaves out waits for ever"
    assert "pull_request_target" not in EVENTS


def test_it_can_only_read_and_knows_no_secret() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    text = (ROOT / ".github" / "workflows" / "leaderboard.yml").read_text()
    assert "secrets." not in text
    for one in STEPS:
        if "checkout" in one.get("uses", ""):
            assert one["with"]["persist-credentials"] is False
        assert "${{" not in one.get("run", ""), "what a stranger names is never part of a script"
        assert "head/" not in one.get("run", ""), "and nothing of theirs is run"


@pytest.mark.parametrize(
    ("path", "touched"),
    [("docs/a.md", "false"), ("leaderboard/tracks.yaml", "false"), ("leaderboard/submissions/a/b", "true")],
)
def test_it_has_something_to_do_where_a_submission_is_touched(path: str, touched: str, head: Path) -> None:
    base = git(head, "rev-parse", "HEAD").strip()
    (head / path).parent.mkdir(parents=True, exist_ok=True)
    (head / path).write_text("changed")
    git(head, "add", "--all")
    git(head, "commit", "--quiet", "--message=x")
    done = given(step("See whether a submission")["run"], head.parent, BASE=base)
    assert done.returncode == 0, done.stderr
    assert (head.parent / "output").read_text() == f"any={touched}\n"
    assert all(one.get("if") == "steps.touched.outputs.any == 'true'" for one in STEPS[2:])


def test_what_cannot_be_seen_counts_as_touched(head: Path) -> None:
    assert given(step("See whether a submission")["run"], head.parent, BASE="0" * 40).returncode == 0
    assert (head.parent / "output").read_text() == "any=true\n"


def test_a_submodule_that_asks_to_be_overlooked_is_not(head: Path) -> None:
    (head / ".gitmodules").write_text(
        '[submodule "a"]\n\tpath = leaderboard/submissions/a\n\turl = https://example.org/a\n\tignore = all\n'
    )
    git(head, "add", "--all")
    git(head, "commit", "--quiet", "--message=x")
    base = git(head, "rev-parse", "HEAD").strip()
    git(head, "update-index", "--add", "--cacheinfo", f"160000,{base},leaderboard/submissions/a")
    git(head, "commit", "--quiet", "--message=x")
    (head / "leaderboard" / "submissions" / "a").mkdir(parents=True)
    given(step("See whether a submission")["run"], head.parent, BASE=base)
    assert (head.parent / "output").read_text() == "any=true\n"
    words = ["bash", str(ROOT / "leaderboard" / "changed.sh"), str(head), base]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a pull request with a submission changes nothing else" in done.stdout


@pytest.mark.parametrize("code", [0, 1])
def test_what_it_prints_of_a_submission_is_no_command_to_the_runner(code: int, tmp_path: Path) -> None:
    script = tmp_path / "base" / "leaderboard" / "changed.sh"
    script.parent.mkdir(parents=True)
    script.write_text(f"echo '::set-output name=attested::--attested'\nexit {code}\n")
    done = given(step("Validate every")["run"], tmp_path, BASE="x", ATTESTED="")
    first, hostile, last = done.stdout.splitlines()
    assert done.returncode == code
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
    assert len(last) > 30
    assert hostile.startswith("::set-output")
