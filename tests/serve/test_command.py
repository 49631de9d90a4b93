"""An agent that is a command gets its question, an address and little else, and is ended for certain."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.agent.catalog import load_agent
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.runs.run import Run
from lrat_bench.serve.command import CommandAgent
from lrat_bench.trajectory import Notice, Search

PRELUDE = """\
import json, os, sys, time, urllib.request
URL = os.environ["LRAT_BENCH_URL"]
def call(path, **body):
    request = urllib.request.Request(f"{URL}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))
"""


@pytest.fixture
def command(tmp_path: Path, task_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Runs a Python program as the agent, on both questions."""
    monkeypatch.chdir(tmp_path)

    def run(body: str, *, name: str = "agent.py", text: str | None = None, **settings: Any) -> Run:
        (tmp_path / name).write_text(PRELUDE + body)
        given = settings.pop("run", {})
        # Without the packages of an environment, it starts in no time.
        command = text or f"{sys.executable} -S {name}"
        changes = {f"agent.{key}": value for key, value in settings.items()}
        changes |= given.pop("set", {})
        words = {"out": tmp_path / "run", "limit": 1, **given}
        return lrat_bench.run(str(task_folder), f"command:{command}", "oracle", set=changes, **words)

    return run


def only(run: Run) -> Any:
    (record,) = run.trajectories
    return record


def log(run: Run) -> str:
    return "".join(file.read_text() for file in (run.path / "logs").iterdir())


def test_it_searches_reads_and_answers(command: Callable[..., Run]) -> None:
    run = command(
        'found = call("search", query=os.environ["LRAT_BENCH_QUESTION"])["results"]\n'
        'text = call("document", docid=found[1]["docid"])["text"]\n'
        'call("answer", answer="Exact Answer: " + text.splitlines()[0])\n',
        run={"limit": 2},
    )
    records = {record.question_id: record for record in run.trajectories}
    assert [step.kind for step in records["q1"].steps] == ["search", "browse", "answer"]
    (search,) = (step for step in records["q1"].steps if isinstance(step, Search))
    assert search.query == "Which mason built the bridge over the Ostrel?"
    assert records["q1"].answer == "Exact Answer: Aldwin Marr"
    assert run.metrics.outcomes["correct"] >= 1
    assert run.manifest.rankable
    said = run.manifest.agent
    assert (said["kind"], said["scaffold"], said["confinement"]["mode"]) == ("command", "custom", "none")
    assert list(said["files"]) == ["agent.py"]


def test_it_starts_in_an_empty_folder_with_the_variables_that_are_listed(
    command: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-user-12345")
    monkeypatch.setenv("MY_MODEL", "small")
    monkeypatch.setenv("AWS_SECRET", "not-for-agents")
    run = command(
        'print(json.dumps([dict(os.environ), os.listdir("."), os.getcwd()]))\n'
        'print("my key is", os.environ["OPENAI_API_KEY"], file=sys.stderr)\n',
        env=["OPENAI_API_KEY", "MY_MODEL"],
    )
    variables, files, folder = json.loads(only(run).answer)
    assert sorted(set(variables) - {"LC_CTYPE"}) == [
        "HOME", "LANG", "LRAT_BENCH_MCP_URL", "LRAT_BENCH_PROMPT", "LRAT_BENCH_QUESTION", "LRAT_BENCH_SEED",
        "LRAT_BENCH_URL", "MY_MODEL", "OPENAI_API_KEY", "PATH", "TMPDIR",
    ]  # fmt: skip
    assert files == []
    assert variables["HOME"] == variables["TMPDIR"] == folder
    assert not Path(folder).exists()
    assert variables["LRAT_BENCH_MCP_URL"] == variables["LRAT_BENCH_URL"] + "/mcp"
    assert variables["LRAT_BENCH_PROMPT"].endswith(variables["LRAT_BENCH_QUESTION"])
    # A key is in no file of the run but where the agent itself has put it into its answer.
    assert "key-of-the-user" not in log(run) + (run.path / "manifest.json").read_text()
    assert "my key is [secret]" in log(run)
    assert run.manifest.agent["variables"] == ["MY_MODEL", "OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("answer", "printed", "sent", "expected"),
    [
        ("either", "Exact Answer: printed", None, "Exact Answer: printed"),
        ("either", "thinking aloud", "sent", "sent"),
        ("endpoint", "thinking aloud", None, None),
        ("endpoint", "thinking aloud", "sent", "sent"),
        ("stdout", "Because.\n\nExact Answer: printed", None, "Because.\n\nExact Answer: printed"),
        ("stdout", "", None, None),
    ],
)
def test_the_answer_is_taken_from_where_it_was_asked_for(
    answer: str, printed: str, sent: str | None, expected: str | None, command: Callable[..., Run]
) -> None:
    body = f"print({printed!r})\n" + (f"call('answer', answer={sent!r})\n" if sent else "")
    record = only(command(body, answer=answer))
    assert (record.status, record.answer) == ("answered" if expected else "no_answer", expected)


def test_a_seat_whose_answer_is_printed_takes_none(command: Callable[..., Run]) -> None:
    run = command(
        "try:\n    call('answer', answer='sent')\nexcept urllib.error.HTTPError as error:\n    print(error.code)\n",
        answer="stdout",
    )
    assert only(run).answer == "400"


def test_what_it_leaves_behind_does_not_keep_its_answer_back(command: Callable[..., Run]) -> None:
    began = time.monotonic()
    record = only(command("", text="sh -c 'sleep 300 & echo Exact Answer: Tarn'", timeout=12))
    assert (record.status, record.answer) == ("answered", "Exact Answer: Tarn")
    assert time.monotonic() - began < 10


def test_an_answer_that_is_the_end_of_what_was_printed_is_marked(command: Callable[..., Run]) -> None:
    record = only(command("print('x' * 600_000)\nprint('Exact Answer: Tarn')\n"))
    assert record.answer.endswith("x\nExact Answer: Tarn")
    assert ["its beginning is gone" in step.text for step in record.steps if isinstance(step, Notice)] == [True]


def test_a_command_that_fails_is_an_error_and_is_asked_again(command: Callable[..., Run]) -> None:
    run = command("print('half an answer')\nsys.exit('no model there')\n")
    record = only(run)
    assert record.status == "error"
    assert record.error == "agent: the command ended with exit code 1 and gave no answer: no model there"
    assert run.metrics.unresolved == 1
    assert only(command("print('half an answer')\nsys.exit('no model there')\n")).attempts == 2


def test_what_was_answered_counts_however_the_command_ends(command: Callable[..., Run]) -> None:
    record = only(command("call('answer', answer='done')\nos.kill(os.getpid(), 9)\n"))
    assert (record.status, record.answer) == ("answered", "done")


WITH_CHILD = """
import subprocess
stubborn = "import signal, time; signal.signal(15, lambda *_: 0); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-S", "-c", stubborn])
open(MARK, "w").write(f"{os.getpid()} {child.pid}")
time.sleep(60)
"""


def gone(mark: Path) -> bool:
    """Whether the agent and the program that it started have ended."""
    pids = mark.read_text().split()
    assert len(pids) == 2
    return not any(alive(pid) for pid in pids)


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_time_that_is_up_ends_it_and_all_that_it_started(command: Callable[..., Run], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    began = time.monotonic()
    run = command(f"MARK = {str(mark)!r}\n" + WITH_CHILD, run={"set": {"protocol.max_seconds": 1.5}})
    assert (only(run).status, only(run).answer) == ("time_limit", None)
    assert time.monotonic() - began < 30
    assert gone(mark)


def test_a_command_that_hangs_is_an_error_in_the_end(command: Callable[..., Run], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    run = command(f"MARK = {str(mark)!r}\n" + WITH_CHILD, timeout=1.5)
    assert "no answer within 1.5 seconds (agent.timeout)" in only(run).error
    assert gone(mark)


def test_one_that_goes_on_after_its_answer_is_ended(
    command: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrat_bench.serve.command._LEAVING", 0.2)
    mark = tmp_path / "mark"
    run = command(f"MARK = {str(mark)!r}\ncall('answer', answer='done')\n" + WITH_CHILD)
    assert only(run).answer == "done"
    assert gone(mark)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="environments of programs are not shown here")
def test_what_has_left_its_group_is_ended_too(command: Callable[..., Run], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = WITH_CHILD.replace("stubborn])", "stubborn], start_new_session=True)").replace("time.sleep(60)\n", "", 2)
    assert "start_new_session" in child
    run = command(f"MARK = {str(mark)!r}\ncall('answer', answer='done')\n" + child)
    assert only(run).answer == "done"
    assert gone(mark)


def test_what_it_prints_is_kept_within_bounds(command: Callable[..., Run]) -> None:
    run = command("sys.stdout.write('x' * 3_000_000 + '\\nthe end')\nsys.stderr.write('y' * 3_000_000 + 'last')\n")
    answer = only(run).answer
    assert answer.endswith("x\nthe end")
    assert len(answer) <= 512 * 1024
    assert len(log(run)) < 700_000
    assert "ylast" in log(run)


def test_an_answer_that_cites_what_was_never_asked_for_is_flagged(
    command: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    record = only(command("print('It says so in [d2].')\n"))
    (notice,) = (step for step in record.steps if isinstance(step, Notice))
    assert "cites documents of the corpus, and no tool was called" in notice.text
    assert "though no tool was called: 1" in caplog.text
    searched = only(command("call('search', query='x')\nprint('It says so in [d2].')\n", run={"fresh": True}))
    assert not any(isinstance(step, Notice) for step in searched.steps)


def test_it_is_another_agent_once_its_file_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL", "small")
    monkeypatch.setenv("API_KEY", "one-key-of-today")
    agent = tmp_path / "agent.py"
    agent.write_text("1")

    def made(text: str = "python3 agent.py", **settings: Any) -> str | None:
        return load_agent(f"command:{text}", settings).fingerprint

    first = made()
    assert first == made() == made(timeout=5)
    others = [made(answer="stdout"), made(version="2"), made(env=["MODEL"]), made(env=["API_KEY"]), made("sh agent.py")]
    assert len({first, *others}) == 6
    before = made(env=["MODEL", "API_KEY"])
    monkeypatch.setenv("API_KEY", "one-key-of-tomorrow")
    assert made(env=["MODEL", "API_KEY"]) == before
    monkeypatch.setenv("MODEL", "large")
    assert made(env=["MODEL", "API_KEY"]) != before
    agent.write_text("2")
    assert made() != first
    # Nothing says what these are.
    assert made("true") is None
    names = [load_agent("command:true", settings).name for settings in ({}, {"timeout": 5}, {"answer": "stdout"})]
    assert names[:2] == ["command:true"] * 2
    assert re.fullmatch(r"command:true #[0-9a-f]{8}", names[2])
    assert made("true", version=2.1) is not None


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("", {}, "names no program"),
        ("'", {}, "cannot be taken apart"),
        ("no-such-program --now", {}, "there is no program 'no-such-program'"),
        ("true", {"env": ["NOT_SET_ANYWHERE"]}, "agent.env: 'NOT_SET_ANYWHERE' is not set"),
        ("true", {"env": ["LRAT_BENCH_URL"]}, "is set by us"),
        ("true", {"timeout": 0}, "agent.timeout cannot be 0: must be more than 0"),
        ("true", {"answer": "mail"}, "agent.answer cannot be 'mail'"),
        ("true", {"confine": "jail"}, "none, network or container:IMAGE, got 'jail'"),
        ("true", {"confine": "container:"}, "none, network or container:IMAGE"),
        ("true", {"show": ["/"]}, "agent.show is of use with"),
        ("true", {"confine": "network", "show": ["/no/such"]}, "agent.show: there is no /no/such"),
    ],
)
def test_what_cannot_be_started_is_refused_before_anything_is_spent(
    text: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        load_agent(f"command:{text}", settings)
    assert said in str(refused.value)


def test_a_setting_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(UnknownName, match="did you mean 'timeout'"):
        load_agent("command:true", {"timeuot": 3})


def test_the_same_agent_serves_one_run_after_the_other(task_folder: Path, tmp_path: Path) -> None:
    agent = load_agent("command:echo Exact Answer: Tarn", {"version": "1"})
    assert isinstance(agent, CommandAgent)
    for name in ("a", "b"):
        run = lrat_bench.run(str(task_folder), agent, "none", out=tmp_path / name)
        assert run.metrics.outcomes["correct"] == 1
        assert [record.answer for record in run.trajectories] == ["Exact Answer: Tarn"] * 2
    assert os.listdir(tmp_path / "a" / "logs")  # noqa: PTH208 -- there is something
    asyncio.run(agent.close())
