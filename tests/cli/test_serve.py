"""`lrat-bench serve`: killed and told to end, it loses nothing; what it prints can be piped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from said import Command

from lrat_bench.runs.run import Run
from lrat_bench.trajectory import Search

RETRIEVER = """
import time
class Slow:
    name = fingerprint = "slow"
    def prepare(self, progress): pass
    def search(self, queries, k, *, contexts=None):
        open("searching", "w").close()
        time.sleep(0.8)
        return [[("d1", 1.0)] for _ in queries]
    def close(self): pass
"""


@contextmanager
def serving(folder: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "LRAT_BENCH_SERVE_TOKEN": "of-the-server"}
    process = subprocess.Popen(
        [sys.executable, "-m", "lrat_bench.cli", "serve", *map(str, words)],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def seat_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    found: dict[str, Any] = json.loads(line)
    return found


def answer_all(seats: Path, many: int) -> None:
    """Answer the questions of a file of seats, once there are so many."""
    while not (seats.exists() and len(seats.read_text().splitlines()) == many):
        time.sleep(0.05)
    for line in seats.read_text().splitlines():
        httpx.post(f"{json.loads(line)['url']}/answer", json={"answer": "nothing"}, timeout=20)


def test_it_is_told_to_end_and_killed_and_goes_on_with_what_is_left(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "slow_one.py").write_text(RETRIEVER)
    words = ("--task", task_folder, "--retriever", "slow_one:Slow", "--out", "run", "--port", 0)
    with serving(tmp_path, *words, "--repeats", 2) as process:
        first, second, third, _ = (seat_of(process) for _ in range(4))
        assert [first["question_id"], first["repeat"], third["question_id"], third["repeat"]] == ["q1", 0, "q1", 1]
        httpx.post(f"{first['url']}/answer", json={"answer": "Exact Answer: Aldwin Marr"})
        replies: list[httpx.Response] = []
        search = threading.Thread(
            target=lambda: replies.append(httpx.post(f"{second['url']}/search", json={"query": "kilns"}, timeout=20))
        )
        search.start()
        while not (tmp_path / "searching").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        search.join()
        _, said = process.communicate(timeout=20)
        # The call under way was finished; the question goes on from the start.
        assert replies[0].status_code == 200
        assert process.returncode == 3
        assert "interrupted; run keeps every question that was finished" in said
    with serving(tmp_path, *words, "--repeats", 2) as process:
        seats = [seat_of(process) for _ in range(3)]
        assert [(seat["question_id"], seat["repeat"]) for seat in seats] == [("q2", 0), ("q1", 1), ("q2", 1)]
        assert (
            httpx.get(f"{seats[0]['url'].partition('/s/')[0]}/s/{second['url'].rpartition('/')[2]}/").status_code == 404
        )
        httpx.post(f"{seats[0]['url']}/answer", json={"answer": "Exact Answer: Tarn"})
        httpx.post(f"{seats[1]['url']}/search", json={"query": "lost"}, timeout=20)
        process.kill()
    seats_file = tmp_path / "seats.jsonl"
    visitor = threading.Thread(target=answer_all, args=(seats_file, 2))
    visitor.start()
    code, out, _ = command("serve", *words, "--repeats", 2, "--json", "--seats", seats_file)
    visitor.join()
    assert code == 0
    assert json.loads(out)["manifest"]["agent"]["kind"] == "served"
    assert seats_file.stat().st_mode & 0o777 == 0o600
    run = Run(tmp_path / "run")
    records = {record.key: record for record in run.trajectories}
    assert sorted(records) == [("q1", 0), ("q1", 1), ("q2", 0), ("q2", 1)]
    assert run.metrics.outcomes["correct"] == 2
    assert not any(isinstance(step, Search) for record in records.values() for step in record.steps)


@pytest.mark.parametrize("ours", [True, False])
def test_addresses_of_an_earlier_server_are_gone_before_anything_takes_time(
    ours: bool, command: Command, task_folder: Path, tmp_path: Path
) -> None:
    seats = tmp_path / "seats.jsonl"
    names = ("question_id", "repeat", "url", "mcp_url") if ours else ("question_id", "url")
    seats.write_text(json.dumps(dict.fromkeys(names, "x")) + "\n")
    code, _, said = command("serve", "--task", task_folder, "--retriever", "no-such-one", "--seats", seats, "--port", 0)
    assert (code, "no-such-one" in said) == (2, True)
    assert seats.exists() is not ours


def test_a_retriever_alone(task_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "slow_one.py").write_text(RETRIEVER.replace("0.8", "0"))
    words = ("--task", task_folder, "--retriever", "slow_one:Slow", "--retriever-only", "--port", 0)
    with serving(tmp_path, *words) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if line.startswith("serving slow_one:Slow at "))
        base = said.split()[-1]
        health = httpx.get(f"{base}/health").json()
        assert (health["status"], health["retriever"], health["fingerprint"], health["documents"]) == (
            "ok", "slow", "slow", 4,
        )  # fmt: skip
        assert httpx.post(f"{base}/search", json={"queries": ["x"]}).status_code == 401
        headers = {"Authorization": "Bearer of-the-server"}
        with httpx.Client(base_url=base, headers=headers) as web:
            found = web.post("/search", json={"queries": ["x", "y"], "k": 2}).json()
            assert found == {"fingerprint": "slow", "rankings": [[["d1", 1.0]], [["d1", 1.0]]]}
            document = {
                "id": "d1",
                "contents": "Ostrel Bridge\nThe Ostrel Bridge was built by the mason Aldwin Marr in 1402.",
            }
            scored = web.post("/retrieve", json={"queries": ["x"], "topk": 1, "return_scores": True}).json()
            assert scored == {"result": [[{"document": document, "score": 1.0}]]}
            assert web.post("/retrieve", json={"queries": ["x"]}).json() == {"result": [[document]]}
            assert web.post("/search", json={"queries": []}).json()["rankings"] == []
            for body in (
                {},
                {"queries": "x"},
                {"queries": [1]},
                {"queries": ["x"], "k": 0},
                {"queries": ["x"], "topk": 1},
            ):
                refused = web.post("/search", json=body)
                assert (refused.status_code, list(refused.json())) == (400, ["error"])
            assert 'lrat_bench_calls_total{tool="search",result="done"} 4' in web.get("/metrics").text
            paths = web.get("/openapi.json").json()["paths"]
            assert paths.keys() == {"/health", "/search", "/retrieve"}
            assert "security" not in paths["/health"]["get"]
            assert paths["/search"]["post"]["security"] == [{"token": []}]
            assert {"401", "413", "502"} <= paths["/search"]["post"]["responses"].keys()
            assert "parameters" not in paths["/search"]["post"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0


def test_wrong_use_is_one_line(command: Command, task_folder: Path) -> None:
    task = ("--task", task_folder, "--retriever", "none")
    for words, expected in (
        ((*task, "--json"), "--json wants stdout for itself: give the addresses a file"),
        ((*task, "--no-token"), "--no-token goes with --retriever-only"),
        ((*task, "--timeout", "0"), "--timeout is a number of seconds above 0"),
        ((*task, "--port", "70000"), "--port is a number from 0 to 65535"),
        ((*task, "--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid"),
        ((*task, "--host", "0.0.0.0"), "say with --url under which one it is known"),
        ((*task, "--url", "my-machine"), "--url is an address like http://NAME:8765"),
        ((*task, "--set", "agent.model=x"), "agent.model cannot be set on an agent that comes over the network"),
        ((*task, "--set", "protocl.k=1"), "did you mean 'protocol'"),
        ((*task, "--retriever-only", "--no-token", "--host", "0.0.0.0"), "wants a token"),
        ((*task, "--retriever-only", "--set", "protocol.k=1"), "protocol.… cannot be set on a retriever"),
        (("--task", task_folder, "--retriever", "oracle", "--retriever-only", "--port", 0), "must know which question"),
    ):
        code, out, said = command("serve", *words)
        assert (code, out) == (2, "")
        (line,) = (line for line in said.splitlines() if not line.startswith("indexing"))
        assert line.startswith("lrat-bench: ")
        assert expected in line


def test_help_imports_no_server() -> None:
    code = (
        "import sys\nfrom lrat_bench.cli.main import main\n"
        "try:\n    main(['serve', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'mcp', 'starlette', 'uvicorn', 'torch', 'litellm'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
