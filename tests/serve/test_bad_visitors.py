"""Visitors that disconnect, repeat themselves, flood, send junk or try other doors: nothing is lost, nothing leaks."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mcp import Client

from lrat_bench.api.serve import Invitation
from lrat_bench.trajectory import Answer, Browse, Notice, Search

SECRET = "Aldwin"
WEB = httpx.Client(timeout=30)


def searches(run: Any, qid: str = "q1") -> list[str]:
    (record,) = (one for one in run.trajectories if one.question_id == qid)
    return [step.query for step in record.steps if isinstance(step, Search)]


def connect(seat: Invitation) -> None:
    """Begin a connection of MCP, as protocols before 2026-07-28 do."""
    words = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": words}
    WEB.post(seat.mcp_url, json=hello, headers={"Accept": "application/json, text/event-stream"})


def finish(*seats: Invitation) -> None:
    for seat in seats:
        assert WEB.post(f"{seat.url}/answer", json={"answer": "It is so."}).status_code == 200


def test_64_clients_at_a_time_get_their_own_questions(
    many_questions: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(many_questions, slow(0.01))
    seats = server.seats(64)
    assert len({seat.url for seat in seats}) == 64

    async def visit(client: httpx.AsyncClient, number: int, seat: Invitation) -> None:
        if number % 16 == 0:
            async with Client(seat.mcp_url) as own:
                for n in range(3):
                    await own.call_tool("search", {"query": f"{seat.question_id} over mcp, {n}"})
                await own.call_tool("get_document", {"docid": "d2"})
                await own.call_tool("answer", {"answer": f"answer of {seat.question_id}"})
            return
        about = (await client.get(f"{seat.url}/")).json()
        assert about["question"] == f"Which is number {seat.question_id[1:]}?"
        for n in range(3):
            await client.post(f"{seat.url}/search", json={"query": f"{seat.question_id} over http, {n}"})
        assert "Aldwin Marr" in (await client.get(f"{seat.url}/document/d2")).json()["text"]
        await client.post(f"{seat.url}/answer", json={"answer": f"answer of {seat.question_id}"})

    async def visit_all() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            await asyncio.gather(*(visit(client, number, seat) for number, seat in enumerate(seats)))

    asyncio.run(visit_all())
    records = {record.question_id: record for record in server.run().trajectories}
    assert len(records) == 64
    for qid, record in records.items():
        assert record.answer == f"answer of {qid}"
        assert [step.kind for step in record.steps] == ["search"] * 3 + ["browse", "answer"]
        queries = [step.query for step in record.steps if isinstance(step, Search)]
        assert [query.split()[0] for query in queries] == [qid] * 3
        assert [query[-1] for query in queries] == ["0", "1", "2"]


def test_a_call_whose_client_is_gone_is_finished_and_its_reply_is_kept(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    retriever = slow(0.4)
    server = serving(task_folder, retriever, limit=1)
    (seat,) = server.seats(1)
    call: dict[str, Any] = {"json": {"query": "the bridge"}, "headers": {"Idempotency-Key": "first"}}
    with pytest.raises(httpx.ReadTimeout):
        WEB.post(f"{seat.url}/search", **call, timeout=0.1)
    again = WEB.post(f"{seat.url}/search", **call)
    assert again.json()["results"][0]["docid"] == "d1"
    assert "note" not in again.json()
    assert WEB.post(f"{seat.url}/search", **call).text == again.text
    other = WEB.post(f"{seat.url}/search", json={"query": "the town"}, headers=call["headers"])
    assert (other.status_code, "another call" in other.text) == (422, True)
    finish(seat)
    # It was searched once, and it is one step.
    assert searches(server.run()) == ["the bridge"] == retriever.searched


def test_a_request_of_mcp_that_comes_again_is_no_second_call(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1)
    (seat,) = server.seats(1)

    def post(number: int, query: str) -> str:
        body = {"jsonrpc": "2.0", "id": number, "method": "tools/call"}
        params = {"name": "search", "arguments": {"query": query}}
        headers = {"Accept": "application/json, text/event-stream"}
        reply = WEB.post(seat.mcp_url, json={**body, "params": params}, headers=headers)
        (content,) = reply.json()["result"]["content"]
        return str(content["text"])

    connect(seat)
    first = post(1, "the bridge")
    assert post(1, "the bridge") == first
    assert json.loads(post(2, "the bridge"))["note"].startswith("Same query")
    post(1, "the town")
    connect(seat)
    # A new connection numbers its requests anew: this is another call.
    assert "note" in json.loads(post(1, "the bridge"))
    finish(seat)
    assert searches(server.run()) == ["the bridge", "the bridge", "the town", "the bridge"]


def test_calls_of_clients_that_never_say_that_they_connect_are_all_counted(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(0.3), limit=1)
    (seat,) = server.seats(1)

    async def call(query: str = "the bridge") -> str:
        async with Client(seat.mcp_url, mode="2026-07-28") as client:
            result = await client.call_tool("search", {"query": query})
        return str(getattr(result.content[0], "text", ""))

    async def visit() -> tuple[str, str, tuple[str, str]]:
        return await call(), await call(), await asyncio.gather(call("the town"), call("the town"))

    first, second, together = asyncio.run(visit())
    connect(seat)
    # Also after another client has said that it connects.
    assert "note" in json.loads(asyncio.run(call()))
    assert "note" in json.loads(asyncio.run(call()))
    assert "note" not in json.loads(first)
    assert "note" in json.loads(second)
    # What comes while the first one waits for its reply is that one, sent again.
    assert together[0] == together[1]
    finish(seat)
    assert searches(server.run()) == ["the bridge", "the bridge", "the town", "the bridge", "the bridge"]


def test_the_wait_for_a_visitor_is_not_in_the_seconds_of_its_record(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(0.2), limit=1)
    (seat,) = server.seats(1)
    time.sleep(1.0)
    WEB.post(f"{seat.url}/search", json={"query": "x"})
    finish(seat)
    (record,) = server.run().trajectories
    assert 0.2 <= record.seconds < 1.0


def test_a_flood_is_turned_away_and_others_do_not_wait_for_it(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(0.02))
    flooded, other = server.seats(2)

    async def visit() -> list[int]:
        limits = httpx.Limits(max_connections=300)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            flood = [
                asyncio.create_task(client.post(f"{flooded.url}/search", json={"query": f"number {n}"}))
                for n in range(100)
            ]
            await asyncio.sleep(0.2)
            async with httpx.AsyncClient(timeout=2) as calm:
                for n in range(5):
                    reply = await calm.post(f"{other.url}/search", json={"query": f"calm {n}"})
                    assert reply.status_code == 200
            return [(await one).status_code for one in flood]

    statuses = asyncio.run(visit())
    assert set(statuses) == {200, 429}
    finish(flooded, other)
    run = server.run()
    # Whoever was told that a call was carried out finds it in the record, and nothing else is there.
    assert len(searches(run)) == statuses.count(200) >= 32
    assert searches(run, "q2") == [f"calm {n}" for n in range(5)]


JUNK = {
    "no JSON": b"\xff\xfe{{{",
    "no object": b'["query"]',
    "no number": b'{"query": NaN}',
    "deep": b"[" * 200_000,
    "nothing": b"",
}


@pytest.mark.parametrize("junk", JUNK)
def test_junk_gets_one_line_and_is_no_call(
    junk: str, task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1)
    (seat,) = server.seats(1)
    for path in ("search", "answer", "document"):
        reply = WEB.post(f"{seat.url}/{path}", content=JUNK[junk])
        assert reply.status_code == 400
        assert list(reply.json()) == ["error"]
        assert "\n" not in reply.json()["error"]
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    reply = WEB.post(seat.mcp_url, content=JUNK[junk], headers=accept)
    assert 400 <= reply.status_code < 500
    assert "Traceback" not in reply.text
    finish(seat)
    (record,) = server.run().trajectories
    assert [step.kind for step in record.steps] == ["answer"]


def test_what_is_too_much_or_not_there_is_refused(task_folder: Path, serving: Callable[..., Any], slow: Any) -> None:
    server = serving(task_folder, slow(), limit=1)
    (seat,) = server.seats(1)
    base = seat.url.partition("/s/")[0]
    assert WEB.post(f"{seat.url}/search", content=b" " * 1_000_001).status_code == 413

    def endless() -> Any:
        for _ in range(64):
            yield b"x" * 65536

    assert WEB.post(f"{seat.url}/search", content=endless()).status_code == 413
    assert WEB.post(f"{seat.url}/search", json={"query": "x"}, headers={"Host": "evil.example"}).status_code == 421
    for origin in ("https://evil.example", "http://["):
        assert WEB.post(f"{seat.url}/search", json={"query": "x"}, headers={"Origin": origin}).status_code == 403
    assert WEB.get(f"{base}/").status_code == 404
    assert WEB.get(f"{seat.url}/search").status_code == 405
    assert WEB.put(seat.url).status_code == 405
    assert WEB.get(seat.mcp_url, headers={"Accept": "text/event-stream"}).status_code == 405
    assert WEB.get(f"{seat.url}/../../etc/passwd").status_code == 404
    for path in ("/docs", "/redoc", "/s/", "/s", "/static/app.py"):
        assert WEB.get(f"{base}{path}").status_code == 404
    assert WEB.get(f"{base}/health").json() == {"status": "ok"}
    # Half a request, and then nobody.
    place = urlsplit(seat.url)
    with socket.create_connection((place.hostname, place.port)) as half:
        half.sendall(
            b"POST " + place.path.encode() + b"/answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
        )
    finish(seat)
    (record,) = server.run().trajectories
    assert record.answer == "It is so."
    assert [step.kind for step in record.steps] == ["answer"]


def test_another_question_is_not_found_by_guessing(task_folder: Path, serving: Callable[..., Any], slow: Any) -> None:
    server = serving(task_folder, slow())
    mine, other = server.seats(2)
    base, _, token = other.url.partition("/s/")
    assert re.fullmatch(r"[\w-]{32}", token)
    near = [token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token.swapcase(), token + "x", "..", "%00", ""]
    for guess in near:
        for method, path in (("GET", "/"), ("GET", "/openapi.json"), ("POST", "/answer"), ("POST", "/mcp")):
            reply = WEB.request(method, f"{base}/s/{guess}{path}", json={"answer": "stolen"})
            assert reply.status_code in (404, 405), (guess, path)
            assert "town" not in reply.text
    own = WEB.get(f"{mine.url}/").text + WEB.get(f"{base}/metrics").text + WEB.get(f"{base}/health").text
    assert token not in own
    assert "town" not in own
    finish(mine, other)
    assert {record.answer for record in server.run().trajectories} == {"It is so."}


def test_a_question_that_is_over_says_so_and_takes_nothing_more(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow())
    first, second = server.seats(2)
    assert WEB.post(f"{first.url}/answer", json={"answer": "  "}).status_code == 400
    assert WEB.post(f"{first.url}/answer", json={"answer": 7}).status_code == 400
    finish(first)
    finish(first)
    late = [
        WEB.post(f"{first.url}/answer", json={"answer": "Another one."}),
        WEB.post(f"{first.url}/search", json={"query": "x"}),
        WEB.get(f"{first.url}/"),
    ]
    assert [one.status_code for one in late] == [410] * 3
    assert all("it has been answered" in one.json()["error"] for one in late)

    async def late_over_mcp() -> Any:
        async with Client(first.mcp_url) as client:
            return await client.call_tool("search", {"query": "x"})

    said = asyncio.run(late_over_mcp())
    assert said.is_error
    assert "this question is over" in said.content[0].text
    assert WEB.post(f"{second.url}/answer", json={"answer": None}).json() == {"status": "given up"}
    records = {record.question_id: record for record in server.run().trajectories}
    assert [(records[qid].status, records[qid].answer) for qid in ("q1", "q2")] == [
        ("answered", "It is so."), ("no_answer", None),
    ]  # fmt: skip


def test_the_server_enforces_the_budget_and_says_so_as_the_session_does(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1, set={"protocol.max_calls": 2})
    (seat,) = server.seats(1)
    assert WEB.get(f"{seat.url}/").json()["budget"]["calls_left"] == 2
    found = [WEB.post(f"{seat.url}/search", json={"query": ["bridge", "mason"]}) for _ in range(3)]
    assert [one.status_code for one in found] == [200, 200, 403]
    assert [len(one.json()) for one in found[:2]] == [2, 2]
    assert found[2].json() == {"error": "The budget of 2 tool calls is spent."}
    assert WEB.get(f"{seat.url}/").json()["budget"]["calls_left"] == 0
    finish(seat)
    (record,) = server.run().trajectories
    assert [step.kind for step in record.steps] == ["search"] * 4 + ["notice", "answer"]
    assert [step.call for step in record.steps if isinstance(step, Search)] == [0, 0, 1, 1]


def test_where_a_protocol_limits_turns_alone_there_are_as_many_calls(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1, set={"protocol.max_turns": 3})
    (seat,) = server.seats(1)
    assert WEB.get(f"{seat.url}/").json()["budget"]["calls"] == 3
    found = [WEB.post(f"{seat.url}/search", json={"query": "bridge"}).status_code for _ in range(5)]
    assert found == [200, 200, 200, 403, 403]
    finish(seat)
    run = server.run()
    assert run.manifest.agent["call_limit"] == "the protocol's max_calls, or its max_turns where it sets none"


def test_half_a_request_does_not_keep_its_connection(
    task_folder: Path, serving: Callable[..., Any], slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrat_bench.serve.host._WHOLE", 0.5)
    server = serving(task_folder, slow(0.8), limit=1)
    (seat,) = server.seats(1)
    address = urlsplit(seat.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as silent:
        with socket.create_connection((address.hostname, address.port), timeout=5) as slowly:
            slowly.sendall(b"GET / HTTP/1.1\r\n")
            with pytest.raises(OSError):  # noqa: PT012, PT011 -- whichever end notices first
                for n in range(50):
                    slowly.sendall(b"X-%d: y\r\n" % n)
                    time.sleep(0.1)
        assert silent.recv(10) == b""
    # One that is whole may take its time.
    assert WEB.post(f"{seat.url}/search", json={"query": "bridge"}).status_code == 200
    finish(seat)
    server.run()


def test_a_key_over_mcp_is_no_longer_than_over_http(task_folder: Path, serving: Callable[..., Any], slow: Any) -> None:
    server = serving(task_folder, slow(), limit=1)
    (seat,) = server.seats(1)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "search", "arguments": {"query": "bridge"}}}  # fmt: skip
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
    said = [
        WEB.post(seat.mcp_url, json=call, headers={**headers, "Idempotency-Key": "k" * many}).json()["result"]
        for many in (257, 256)
    ]
    assert [one["isError"] for one in said] == [True, False]
    assert "at most 256 characters" in said[0]["content"][0]["text"]
    finish(seat)
    assert searches(server.run()) == ["bridge"]


def test_calls_that_cannot_be_read_do_not_fill_the_record(
    task_folder: Path, serving: Callable[..., Any], slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrat_bench.serve.seat._REFUSALS", 20)
    server = serving(task_folder, slow(), limit=1)
    (seat,) = server.seats(1)
    statuses = [WEB.post(f"{seat.url}/search", json={"q": None}).status_code for _ in range(25)]
    assert statuses == [400] * 20 + [429] * 5
    finish(seat)
    (record,) = server.run().trajectories
    assert sum(isinstance(step, Notice) for step in record.steps) == 20


def test_the_seconds_of_the_protocol_begin_with_the_first_request_and_end_the_question(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1, set={"protocol.max_seconds": 0.5})
    (seat,) = server.seats(1)
    WEB.get(f"{seat.url}/")
    record = next(iter(server.run(seconds=10).trajectories))
    assert (record.status, record.answer) == ("time_limit", None)


def test_a_visitor_that_never_comes_back_is_an_error_where_that_was_asked_for(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1, timeout=0.3)
    (seat,) = server.seats(1)
    WEB.post(f"{seat.url}/search", json={"query": "x"})
    (record,) = server.run(seconds=10).trajectories
    assert record.status == "error"
    assert "no request for 0.3 seconds" in str(record.error)


def test_a_retriever_that_fails_ends_the_question_as_an_error(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    class Broken(slow):  # type: ignore[misc]
        def search(self, *given: Any, **more: Any) -> Any:
            raise OSError(f"/secret/path/{SECRET}")

    server = serving(task_folder, Broken(), limit=1)
    (seat,) = server.seats(1)
    reply = WEB.post(f"{seat.url}/search", json={"query": "x"})
    assert reply.status_code == 502
    assert SECRET not in reply.text
    (record,) = server.run().trajectories
    assert record.status == "error"
    assert SECRET in str(record.error)


def test_every_path_of_the_document_is_there(task_folder: Path, serving: Callable[..., Any], slow: Any) -> None:
    server = serving(task_folder, slow(), limit=1, set={"protocol.tools": ["search"]})
    (seat,) = server.seats(1)
    document = WEB.get(f"{seat.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    # The tools are those that the protocol offers.
    assert sorted(document["paths"]) == ["/", "/answer", "/search"]
    refused = WEB.post(f"{seat.url}/document", json={"docid": "d1"})
    assert (refused.status_code, "There is no tool 'get_document'" in refused.text) == (400, True)
    for path, methods in document["paths"].items():
        for method in methods:
            assert WEB.request(method, document["servers"][0]["url"] + path, json={}).status_code not in (404, 405)
    finish(seat)
    (record,) = server.run().trajectories
    assert not any(isinstance(step, Browse) for step in record.steps)
    assert isinstance(record.steps[-1], Answer)


def test_every_refusal_is_in_the_document(task_folder: Path, serving: Callable[..., Any], slow: Any) -> None:
    server = serving(task_folder, slow(), limit=1, set={"protocol.max_calls": 2})
    (seat,) = server.seats(1)
    paths = WEB.get(f"{seat.url}/openapi.json").json()["paths"]
    token = seat.url.rpartition("/")[2]
    seen: set[tuple[str, int]] = set()

    def ask(path: str, sent: Any, *, address: str = seat.url, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = WEB.post(f"{address}{path}", content=json.dumps(sent), headers=named)
        assert str(reply.status_code) in paths[path]["post"]["responses"]
        assert list(reply.json()) == ["error"]
        seen.add((path, reply.status_code))

    ask("/search", {"query": "x" * 1_000_001})
    ask("/search", {"query": "x"}, Host="another.example")
    ask("/search", {"query": "x"}, Origin="http://another.example")
    ask("/search", {"query": "x"}, address=seat.url.replace(token, "another"))
    WEB.post(f"{seat.url}/search", json={"query": "x"}, headers={"Idempotency-Key": "one"})
    ask("/search", {"query": "y"}, Idempotency_Key="one")
    ask("/answer", {"answer": 1})
    WEB.post(f"{seat.url}/search", json={"query": "y"})
    ask("/document", {"docid": "d1"})
    finish(seat)
    ask("/search", {"query": "z"})
    assert seen == {
        *(("/search", status) for status in (403, 404, 410, 413, 421, 422)),
        ("/answer", 400), ("/document", 403),
    }  # fmt: skip
    server.run()


@pytest.mark.parametrize(
    ("words", "headers"),
    [
        ({"url": "http://known.example"}, {}),
        ({"url": "http://known.example"}, {"Host": "127.0.0.1"}),
        ({}, {"X-Forwarded-For": "192.0.2.7"}),
        ({}, {"CF-Connecting-IP": "192.0.2.7"}),
    ],
)
def test_metrics_without_a_token_are_for_this_machine_alone(
    words: dict[str, str], headers: dict[str, str], task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    server = serving(task_folder, slow(), limit=1, port=port, **words)
    (seat,) = server.seats(1)
    base = f"http://127.0.0.1:{port}"
    assert WEB.get(f"{base}/metrics", headers=headers).status_code == 401
    assert WEB.get(f"{base}/metrics").status_code == (401 if words else 200)
    token = seat.url.rpartition("/")[2]
    assert WEB.post(f"{base}/s/{token}/answer", json={"answer": "so"}).status_code == 200
    server.run()


def test_metrics_are_numbers_for_whoever_runs_the_server(
    task_folder: Path, serving: Callable[..., Any], slow: Any
) -> None:
    server = serving(task_folder, slow(), limit=1, token="of-the-server")
    (seat,) = server.seats(1)
    base = seat.url.partition("/s/")[0]
    WEB.post(f"{seat.url}/search", json={"query": "the bridge of the mason"})
    assert WEB.get(f"{base}/metrics").status_code == 401
    shown = WEB.get(f"{base}/metrics", headers={"Authorization": "Bearer of-the-server"})
    assert shown.status_code == 200
    assert 'lrat_bench_calls_total{tool="search",result="done"} 1' in shown.text
    assert re.search(r"^lrat_bench_seats 1$", shown.text, flags=re.MULTILINE)
    assert "mason" not in shown.text
    assert all(re.match(r"# (HELP|TYPE) |lrat_bench_\w+(\{[^}]*\})? [\d.]+$", line) for line in shown.text.splitlines())
    finish(seat)
    server.run()


FLOOD = """
import resource, socket, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []
for n in range(1, 5001):
    held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20))
    if n % 500 == 0:
        print(n, flush=True)
sys.stdin.read()
"""


def test_thousands_of_connections_that_send_nothing_shut_nobody_out(
    task_folder: Path, serving: Callable[..., Any], slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrat_bench.serve.host.room", lambda: 256)
    server = serving(task_folder, slow(0.02), limit=1, set={"protocol.max_calls": 50})
    (seat,) = server.seats(1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    flood = subprocess.Popen(
        [sys.executable, "-c", FLOOD, str(urlsplit(seat.url).port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert flood.stdout is not None
    asked = 0
    with flood, httpx.Client(timeout=20) as kept:
        for line in flood.stdout:
            # On a connection that is there, and on a new one.
            for client, headers in ((kept, {}), (WEB, {"Connection": "close"})):
                reply = client.post(f"{seat.url}/search", json={"query": f"number {asked}"}, headers=headers)
                assert reply.status_code == 200
                asked += 1
            if int(line) == 5000:
                break
        # What the server holds is bounded, whoever holds the other ends.
        assert len(list(Path("/proc/self/fd").iterdir())) - before < 256
        flood.communicate()
    finish(seat)
    assert searches(server.run()) == [f"number {n}" for n in range(asked)]
