"""`lrat-bench view`: a folder, or a server until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from said import Command, refused

import lrat_bench
from lrat_bench.runs.run import Run


@pytest.fixture
def run(task_folder: Path, tmp_path: Path) -> Run:
    found: Run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    return found


def test_it_says_which_page_to_open(command: Command, run: Run, tmp_path: Path) -> None:
    code, out, _ = command("view", run.path)
    assert code == 0
    first, second = out.splitlines()
    assert (tmp_path / first).is_file()
    assert first == "views/run/index.html"
    assert "2 trajectories" in second
    code, out, _ = command("view", run.path, "-o", "here", "--limit", 1, "--no-texts", "--json")
    found = json.loads(out)
    assert (code, found["index"], found["lines"], found["trajectories"]) == (0, "here/index.html", 1, 1)
    assert "--no-texts" in found["missing"]


def test_several_runs_have_a_folder_of_their_own(command: Command, run: Run, task_folder: Path) -> None:
    lrat_bench.run(str(task_folder), retriever="none", out="none")
    code, out, _ = command("view", run.path, "none", "--json")
    assert code == 0
    assert json.loads(out)["folder"].startswith("views/2-runs-")
    assert json.loads(out)["trajectories"] == 4


def test_a_task_that_is_gone_is_said_and_no_obstacle(command: Command, run: Run, task_folder: Path) -> None:
    task_folder.rename(task_folder.with_name("elsewhere"))
    code, out, err = command("view", run.path)
    assert (code, len(out.splitlines())) == (0, 2)
    assert "shown by ids alone" in err
    assert json.loads(command("view", run.path, "--task", "elsewhere", "--json")[1])["missing"] is None


def test_wrong_use_is_one_line(command: Command, run: Run, tmp_path: Path) -> None:
    refused(command("view"), "RUN")
    refused(command("view", "nowhere"), "not a run folder")
    refused(command("view", run.path, "--serve", "-o", "x"), "--serve writes nothing")
    refused(command("view", run.path, "--port", 9), "--port is of --serve")
    refused(command("view", run.path, "-o", run.path), "holds something else")
    refused(command("view", run.path, "--limit", 0), "--limit")
    assert not (tmp_path / "views").exists()


def test_it_serves_until_it_is_interrupted(run: Run, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "lrat_bench.cli", "view", str(run.path), "--serve"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert b"<!doctype html>" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert not (tmp_path / "views").exists()


def test_help_and_a_refusal_load_nothing_heavy(run: Run) -> None:
    heavy = ("torch", "transformers", "litellm", "pyserini", "jnius", "faiss", "datasets", "pandas", "jinja2")
    code = (
        "import sys; from lrat_bench.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        f"finally: print([one for one in {heavy!r} if one in sys.modules], file=sys.stderr)"
    )
    for words in (["view", "--help"], ["view", "nowhere"]):
        said = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, env=os.environ
        )
        assert said.stderr.splitlines()[-1] == "[]"
