"""A confined command finds its question and nothing else: no corpus, no answers, no web, no other process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.runs.run import Run
from lrat_bench.serve.confinement import _UNSHARE, STARTING, Confinement, parse_confinement
from lrat_bench.serve.visible import restricted


def permitted() -> str | None:
    """Why namespaces cannot be made here; None where they can."""
    try:
        parse_confinement("network", ()).check()
    except UsageError as refused:
        return str(refused)
    return None


WHY_NOT = permitted()
needs_namespaces = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

TRIES = """
import json, os, signal, socket, subprocess, sys, urllib.request
URL = os.environ["LRAT_BENCH_URL"]

def post(path, **body):
    request = urllib.request.Request(f"{URL}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))

def found(attempt):
    try:
        return repr(attempt())
    except BaseException as error:
        return None

def shell(line):
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout

GOALS = json.loads(sys.argv[1])
told = {
    "corpus": found(lambda: open(GOALS["corpus"]).read()),
    "answers": found(lambda: open(GOALS["answers"]).read()),
    "qrels": found(lambda: shell(f"cat {GOALS['qrels']}")),
    "run": found(lambda: os.listdir(GOALS["run"])),
    "cache": found(lambda: os.listdir(GOALS["cache"])),
    "other files beside the program": found(lambda: open(GOALS["beside"]).read()),
    "web by address": found(lambda: socket.create_connection(("1.1.1.1", 80), 1)),
    "web by name": found(lambda: socket.getaddrinfo("example.com", 80)),
    "server past the forwarder": found(lambda: socket.create_connection(("127.0.0.1", GOALS["port"]), 1)),
    "server's memory": found(lambda: open(f"/proc/{GOALS['pid']}/environ").read()),
    "forwarder's memory": found(lambda: open("/proc/1/mem", "rb").read(1)),
    "forwarder's root": found(lambda: os.listdir("/proc/1/root")),
    "writing to the system": found(lambda: open("/usr/.lrat", "w")),
    "mounting": found(lambda: shell("mount -o remount,rw /usr || umount /usr || umount /proc")),
    "a namespace within": found(lambda: shell("unshare --user --map-root-user --mount true")),
    "sockets of the machine": found(lambda: os.listdir("/run") or os.listdir("/var/run")),
    "passwords": found(lambda: open("/etc/shadow").read() or None.x),
}
privileges = [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm", "CapBnd"))]
hits = post("search", query="mason")["results"]
print(json.dumps({"told": told, "privileges": privileges, "hits": len(hits), "processes":
                  [one for one in os.listdir("/proc") if one.isdigit()], "own": os.listdir("."),
                  "scratch": open("/tmp/x", "w").write("x") + open("y", "w").write("y")}))
"""


@pytest.fixture
def attack(tmp_path: Path, task_folder: Path) -> Callable[..., dict[str, Any]]:
    """Runs the program above as the agent; gives what it has found."""
    program = tmp_path / "agent" / "tries.py"
    program.parent.mkdir()
    program.write_text(TRIES)
    (program.parent / "beside.txt").write_text("the answers, copied")
    goals = {
        "corpus": task_folder / "corpus.jsonl", "answers": task_folder / "questions.jsonl",
        "qrels": task_folder / "qrels.trec", "run": tmp_path / "run", "cache": os.environ["LRAT_BENCH_CACHE"],
        "beside": program.parent / "beside.txt", "pid": os.getpid(), "port": 22,
    }  # fmt: skip

    def run(**settings: Any) -> dict[str, Any]:
        given = json.dumps({name: goal if isinstance(goal, int) else str(goal) for name, goal in goals.items()})
        done = lrat_bench.run(
            str(task_folder),
            f"command:{sys.executable} -S {program} '{given}'",
            "oracle",
            limit=1,
            out=tmp_path / "run",
            set={f"agent.{name}": value for name, value in settings.items()},
        )
        (record,) = done.trajectories
        assert record.status == "answered", record.error
        return {**json.loads(str(record.answer)), "run": done}

    return run


@needs_namespaces
def test_it_finds_its_question_and_nothing_else(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(confine="network")
    assert {name: what for name, what in found["told"].items() if what is not None} == {}
    assert set(found["privileges"]) == {"0000000000000000"}
    assert found["hits"] == 4
    assert found["own"] == []
    assert len(found["processes"]) <= 2
    run: Run = found["run"]
    assert run.manifest.agent["confinement"]["mode"] == "network"
    assert run.manifest.agent["confinement"]["network"] == "the question's address alone"


@needs_namespaces
def test_what_it_is_shown_it_sees_but_for_tasks_and_runs_in_it(
    attack: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    found = attack(confine="network", show=[str(tmp_path)])["told"]
    assert "the answers, copied" in found.pop("other files beside the program")
    assert {name: what for name, what in found.items() if what not in (None, "[]")} == {}


def test_unconfined_it_finds_what_its_user_may_read_and_the_manifest_says_so(
    attack: Callable[..., dict[str, Any]],
) -> None:
    found = attack()
    assert "Aldwin Marr was a mason" in found["told"]["corpus"]
    assert found["run"].manifest.agent["confinement"]["files"] == "all that the user may read"
    assert found["run"].manifest.agent["scaffold"] == "custom"


@needs_namespaces
def test_a_confinement_that_fails_stops_the_run(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = tuple(word for word in _UNSHARE if word != "--mount")
    monkeypatch.setattr("lrat_bench.serve.confinement._UNSHARE", fewer)
    with pytest.raises(RunIncomplete, match="agent: cannot confine: Operation not permitted"):
        lrat_bench.run(str(task_folder), "command:true", "none", set={"agent.confine": "network"}, out=tmp_path / "run")


def test_the_command_line_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    confinement = parse_confinement("container:python:3.12", ())
    confinement.check()
    program, own, socket_file = tmp_path / "agent.py", tmp_path / "own", tmp_path / "socket"
    launch = confinement.launch(
        ["python3", str(program), "--fast"],
        own=own,
        socket_file=socket_file,
        files=[program],
        names=["PATH", "HOME", "OPENAI_API_KEY", "LRAT_BENCH_URL"],
    )
    words = list(launch.words)
    image = words.index("python:3.12")
    options, inside = words[1:image], words[image + 1 :]
    assert words[0] == str(engine)
    given = [f"{one} {other}" for one, other in pairwise(options) if one.startswith("--")]
    for expected in (
        "--network none", "--cap-drop ALL", "--security-opt no-new-privileges", f"--user {os.getuid()}:{os.getgid()}",
        "--workdir /agent", f"--volume {own}:/agent", f"--volume {socket_file}:/lrat-bench.sock",
        f"--volume {program}:{program}:ro", "--env OPENAI_API_KEY", "--env LRAT_BENCH_URL", "--env HOME=/agent",
    ):  # fmt: skip
        assert expected in given
    assert "--env PATH" not in given
    assert inside[:4] == ["python3", "-I", "-S", "/lrat-bench-inside.py"]
    assert json.loads(inside[4]) == {"socket": "/lrat-bench.sock", "port": 8017, "said": STARTING, "own": "/agent"}
    assert inside[5:] == ["python3", str(program), "--fast"]
    name = options[options.index("--name") + 1]
    assert launch.ended == (str(engine), "kill", name)
    assert launch.url == "http://127.0.0.1:8017"
    again = confinement.launch(["python3"], own=own, socket_file=socket_file, files=[], names=[])
    assert name not in again.words


def test_a_machine_that_cannot_is_told_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="wants docker or podman, and neither is installed"):
        Confinement("container", "image").check()
    with pytest.raises(UsageError, match="wants `unshare`"):
        Confinement("network").check()
    (engine := tmp_path / "docker").write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n")
    engine.chmod(0o755)
    with pytest.raises(UsageError, match=r"docker does not work here \(Cannot connect to the Docker daemon\)"):
        Confinement("container", "image").check()
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    refusing.chmod(0o755)
    with pytest.raises(UsageError, match=r"does not let us make namespaces .*not permitted.*: give --set"):
        Confinement("network").check()


@needs_namespaces
def test_a_program_in_a_bin_folder_shows_neither_its_project_nor_our_code(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    program = project / "bin" / "agent.sh"
    ours, task = project / "libraries" / "lrat_bench", project / "libraries" / "task"
    for folder in (program.parent, ours / "serve", task):
        folder.mkdir(parents=True)
    (ours / "__init__.py").touch()
    (ours / "synth.py").write_text("how to make the answers")
    (task / "questions.jsonl").write_text("the answers")
    (project / "notes.txt").write_text("the answers")
    program.write_text(f"#!/bin/sh\necho here: $(find {project} -type f)\n")
    program.chmod(0o755)

    def seen(out: str, **settings: Any) -> str:
        given = {f"agent.{name}": value for name, value in {"confine": "network", **settings}.items()}
        run = lrat_bench.run(str(task_folder), f"command:{program}", "none", set=given, limit=1, out=tmp_path / out)
        return str(next(run.trajectories.__iter__()).answer)

    assert seen("alone") == f"here: {program}"
    assert seen("shown", show=[str(project / "libraries")]) == f"here: {program}"
    monkeypatch.setattr("lrat_bench.serve.visible._LOOKED_AT", 3)
    with pytest.raises(UsageError, match=r"holds more than 3 files.*show a narrower folder \(agent.show\)"):
        seen("large", show=[str(project / "libraries")])


def test_a_container_is_shown_tasks_empty(task_folder: Path, tmp_path: Path) -> None:
    launch = Confinement("container", "image", (tmp_path,)).launch(
        ["true"], own=tmp_path / "own", socket_file=tmp_path / "socket", files=[], names=[]
    )
    assert f"--tmpfs {task_folder}:ro" in " ".join(launch.words)


def test_what_few_may_read_in_a_folder_is_found(tmp_path: Path) -> None:
    for name, mode in (("passwd", 0o644), ("gshadow-", 0o640), ("sudo", 0o750)):
        (tmp_path / name).touch() if name != "sudo" else (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    (tmp_path / "sudo" / "rules").touch()
    (tmp_path / "link").symlink_to("gshadow-")
    assert {path.name for path in restricted(tmp_path)} == {"gshadow-", "sudo"}


@pytest.mark.parametrize("confine", ["none", pytest.param("network", marks=needs_namespaces)])
def test_an_agent_cannot_stop_the_run_by_saying_what_we_would(confine: str, task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(
        str(task_folder), "command:sh -c 'echo cannot confine: me >&2; exit 126'", "none",
        set={"agent.confine": confine}, out=tmp_path / "run",
    )  # fmt: skip
    said = "agent: the command ended with exit code 126 and gave no answer: cannot confine: me"
    assert [record.error for record in run.trajectories] == [said] * 2
    assert "the agent starts" not in "".join(file.read_text() for file in (run.path / "logs").iterdir())
