"""`benchmarks/peers`: the model server, and harnesses side by side. The peers are played by stand-ins here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from doc_examples import REPOSITORY

PEERS = REPOSITORY / "benchmarks" / "peers"
QUESTIONS, STEPS = 6, 3


@pytest.fixture(scope="session")
def modules() -> Iterator[None]:
    """The scripts of the folder can be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PEERS))
        yield


@pytest.fixture
def server(modules: None) -> Iterator[Any]:
    """One that knows a single question."""
    script = import_module("script").Script({"q1": "Which mason built the bridge over the Ostrel?"}, steps=2)
    with import_module("model_server").ModelServer(script) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def _post(server: Any, path: str, body: Any) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{server.server_port}{path}", data)
    with urllib.request.urlopen(request, timeout=10) as reply:
        said: dict[str, Any] = json.loads(reply.read())
    return said


def _chat(results: int, tools: bool = True) -> dict[str, Any]:
    asked = "You search.\nQuestion: Which mason built the bridge over the Ostrel?"
    messages: list[dict[str, Any]] = [{"role": "user", "content": asked}]
    for number in range(results):
        result = {"role": "tool", "tool_call_id": f"call_{number}", "content": "[]"}
        messages += [{"role": "assistant", "content": ""}, result if tools else _tagged()]
    schema = {"type": "object", "properties": {"user_query": {"type": "string"}}}
    offered = [{"type": "function", "function": {"name": "local_retrieval", "parameters": schema}}]
    return {"model": "scripted", "messages": messages, **({"tools": offered} if tools else {})}


def _tagged() -> dict[str, Any]:
    return {"role": "user", "content": "<tool_response>\nnothing\n</tool_response>"}


def test_it_calls_the_tool_that_it_is_offered_and_then_answers(server: Any) -> None:
    calls = [_post(server, "/v1/chat/completions", _chat(done))["choices"][0] for done in range(3)]
    assert [choice["finish_reason"] for choice in calls] == ["tool_calls", "tool_calls", "stop"]
    functions = [choice["message"]["tool_calls"][0]["function"] for choice in calls[:2]]
    queries = [json.loads(function["arguments"])["user_query"] for function in functions]
    assert {function["name"] for function in functions} == {"local_retrieval"}
    assert queries[0].startswith("Which mason")
    assert queries[0] != queries[1]
    assert "Exact Answer" in calls[2]["message"]["content"]
    assert _post(server, "/v1/chat/completions", _chat(1)) == _post(server, "/v1/chat/completions", _chat(1))


def test_without_tools_it_writes_tags(server: Any) -> None:
    said = [_post(server, "/v1/chat/completions", _chat(done, tools=False)) for done in (0, 2)]
    texts = [one["choices"][0]["message"]["content"] for one in said]
    assert "<tool_call>" in texts[0]
    assert "<answer>" in texts[1]


def test_the_responses_api_is_that_of_the_official_client(server: Any) -> None:
    openai = pytest.importorskip("openai")
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    tool = {"type": "function", "name": "search", "parameters": schema, "strict": True}
    items: list[Any] = [{"role": "user", "content": "Question: Which mason built the bridge over the Ostrel?"}]
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        for _ in range(2):
            said = client.responses.create(model="scripted", input=items, tools=[tool])
            call = said.output[-1]
            assert (call.type, call.name) == ("function_call", "search")
            items += [*said.output, {"type": "function_call_output", "call_id": call.call_id, "output": "[]"}]
        said = client.responses.create(model="scripted", input=items, tools=[tool])
    assert said.status == "completed"
    assert "Exact Answer" in said.output_text


def test_a_call_fails_once_and_the_same_ones_for_everybody(server: Any) -> None:
    server.reset(faults=1.0)
    with pytest.raises((urllib.error.URLError, OSError)):
        _post(server, "/v1/chat/completions", _chat(0))
    assert _post(server, "/v1/chat/completions", _chat(0))["choices"]
    counted = server.counted()
    assert sum(counted["faults"].values()) == 1
    assert counted["questions"] == {"q1": 1}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": []}', b'{"messages": [{"role": "user"}]}', b"\xff"])
def test_what_is_no_request_is_refused_and_the_server_goes_on(server: Any, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        _post(server, "/v1/chat/completions", body)
    assert refused.value.code == 400
    refused.value.close()
    assert _post(server, "/v1/chat/completions", _chat(0))["choices"]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for both peers' repositories, at the commit that is meant of the first."""
    root = tmp_path_factory.mktemp("checkouts") / "peer"
    (root / "search_agent").mkdir(parents=True)
    for name in ("oss_client.py", "openai_client.py"):
        shutil.copy2(REPOSITORY / "tests" / "support" / "fake_peer.py", root / "search_agent" / name)
    for folder in ("objects", "refs"):
        (root / ".git" / folder).mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("97c637c" + "0" * 33 + "\n")
    return root


def _side_by_side(*words: object) -> subprocess.CompletedProcess[str]:
    sizes = ["--questions", QUESTIONS, "--documents", 1000, "--steps", STEPS, "--seconds", 0.05, "--concurrency", 3]
    command = [sys.executable, str(PEERS / "side_by_side.py"), *map(str, [*sizes, *words])]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ})


@pytest.fixture(scope="session")
def taken(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[tuple[str, str], Any], str]:
    """What one run of all scenarios gave: (scenario, client) → row, and the report."""
    folder = tmp_path_factory.mktemp("side-by-side")
    peers = [f"--checkout={name}={checkout}" for name in ("browsecomp-plus", "lrat")]
    fakes = ["browsecomp-plus/oss", "lrat/openai"]
    rows, reports = [], []
    # Ours takes some seconds to start, and is started no more often than it has to be.
    for scenarios, clients in ((["clean", "faults", "kill"], fakes), (["both"], ["lrat-bench"])):
        numbers = folder / f"{scenarios[0]}.json"
        words = ["--faults", 0.4, "--work", folder, "--json", numbers, "--scenarios", *scenarios, "--clients", *clients]
        done = _side_by_side(*peers, "--any-commit", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        rows += json.loads(numbers.read_text())["rows"]
        reports.append(done.stdout)
    return {(row["scenario"], row["client"]): row for row in rows}, "\n".join(reports)


def test_ours_answers_every_question_whatever_happens(taken: Any) -> None:
    rows, _ = taken
    row = rows["both", "lrat-bench"]
    assert row["left"] == {"answered": QUESTIONS, "unfinished": 0, "lost": 0, "doubled": 0, "unreadable": 0}
    assert [one["killed"] for one in row["measured"]] == [True, False]
    failed = sum(row["stats"]["faults"].values())
    assert failed > 0
    # What was in flight when it was killed is asked again, and the endpoint is tried twice.
    assert row["needed"] < row["stats"]["requests"] - failed <= row["needed"] + 2 + 3 * (STEPS + 1)


def test_all_make_the_same_calls_over_either_api(taken: Any) -> None:
    rows, _ = taken
    for client in ("browsecomp-plus/oss", "lrat/openai"):
        row = rows["clean", client]
        assert row["left"]["answered"] == QUESTIONS
        assert row["stats"]["answered"] == row["needed"] == QUESTIONS * (STEPS + 1)
    everything = [rows["clean", "browsecomp-plus/oss"], rows["clean", "lrat/openai"], rows["both", "lrat-bench"]]
    asked = [set(row["stats"]["questions"]) - {""} for row in everything]
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == QUESTIONS


def test_what_a_client_loses_is_counted(taken: Any) -> None:
    rows, _ = taken
    # The stand-in of the chat client gives a question up at the first fault.
    left = rows["faults", "lrat/openai"]["left"]
    assert left["lost"] > 0
    assert left["answered"] + left["lost"] + left["unfinished"] == QUESTIONS


def test_what_was_killed_is_started_again(taken: Any) -> None:
    rows, _ = taken
    row = rows["kill", "browsecomp-plus/oss"]
    assert [one["killed"] for one in row["measured"]] == [True, False]
    assert row["measured"][0]["code"] == -9
    assert row["left"]["answered"] == QUESTIONS


def test_time_cpu_and_memory_are_of_the_whole_tree(taken: Any) -> None:
    rows, report = taken
    ours = rows["both", "lrat-bench"]["measured"][1]
    assert ours["peak_mb"] > 100
    assert ours["cpu"] > 0.5
    assert ours["seconds"] > 0.5
    for heading in ("### clean", "### faults", "### kill", "### both", "browsecomp-plus at 97c637c"):
        assert heading in report


def test_another_commit_is_refused(checkout: Path, tmp_path: Path) -> None:
    done = _side_by_side("--checkout", f"lrat={checkout}", "--work", tmp_path)
    assert done.returncode == 1
    assert "274d0ab is meant" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--checkout", "other=/nowhere"], "no checkout 'other' is known: browsecomp-plus, lrat"),
        (["--checkout", "lrat=/nowhere"], "/nowhere is no folder"),
        (["--clients", "lrat/oss"], "lrat/oss wants --checkout lrat=FOLDER"),
        (["--clients", "lrat/gemini"], "no client 'lrat/gemini' is known"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is(words: list[str], said: str) -> None:
    done = _side_by_side(*words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_every_client_can_be_filled_in(modules: None, tmp_path: Path) -> None:
    clients, checkouts = import_module("clients").known_clients()
    names = ("url", "port", "queries", "index", "task", "out", "concurrency", "k", "tokenizer")
    for client in clients.values():
        started = client.start(dict.fromkeys(names, "x"), root=tmp_path)
        assert not any("{" in word for word in [*started.words, *started.environment.values()])
        assert not {"OPENAI_API_KEY", "API_KEY"} & set(started.environment) or "none" in started.environment.values()
        assert client.checkout is None or client.checkout in checkouts
