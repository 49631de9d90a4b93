"""The same calls leave the same steps, over MCP, over plain HTTP, and in our own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import httpx
import pytest
from mcp import Client

import lrat_bench
from lrat_bench.api.serve import Invitation
from lrat_bench.runs.run import Run
from lrat_bench.trajectory import Answer, Browse, Search, Trajectory

WORLD = {"task.documents": 1000}
QUESTIONS = 4

Call = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def in_our_loop(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("loop") / "run"
    return lrat_bench.run("synth-wiki", "heuristic", "bm25", limit=QUESTIONS, set=WORLD, out=out)


def calls_of(record: Trajectory) -> list[Call]:
    """What the agent called, call by call, and its answer last."""
    calls: list[Call] = []
    steps = [step for step in record.steps if isinstance(step, Search | Browse)]
    for _, entries in groupby(steps, key=lambda step: (step.turn, step.call)):
        first, *others = entries
        values = [one.query if isinstance(one, Search) else one.docid for one in (first, *others)]
        name, argument = ("search", "query") if isinstance(first, Search) else ("get_document", "docid")
        calls.append((name, {argument: values if others else values[0]}))
    return [*calls, ("answer", {"answer": record.answer})]


def told(record: Trajectory) -> list[Any]:
    """Searches, browses and the answer, without what only one of the two can know: turns, and the places of steps."""
    steps = [step for step in record.steps if isinstance(step, Search | Browse | Answer)]
    place = {record.steps.index(step): n for n, step in enumerate(steps)}
    found = []
    for step in steps:
        shown = step.model_dump(exclude={"turn", "call", "seconds", "duplicate_of"})
        first = None if isinstance(step, Answer) else step.duplicate_of
        found.append({**shown, "duplicate_of": None if first is None else place[first]})
    return found


async def over_http(seat: Invitation, calls: Sequence[Call]) -> list[str]:
    replies = []
    async with httpx.AsyncClient(base_url=seat.url, timeout=30) as client:
        for name, arguments in calls:
            if name == "get_document" and isinstance(arguments["docid"], str):
                reply = await client.get(f"/document/{arguments['docid']}")
            else:
                reply = await client.post({"get_document": "/document"}.get(name, f"/{name}"), json=arguments)
            assert reply.status_code == 200, reply.text
            replies.append(reply.text)
    return replies


async def over_mcp(seat: Invitation, calls: Sequence[Call], mode: str) -> list[str]:
    replies = []
    async with Client(seat.mcp_url, mode=mode) as client:
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == ["search", "get_document", "answer"]
        for name, arguments in calls:
            reply = await client.call_tool(name, arguments)
            assert not reply.is_error, reply
            (content,) = reply.content
            replies.append(content.text)  # type: ignore[union-attr]
    return replies


@pytest.mark.parametrize("way", ["http", "mcp", "mcp of 2025"])
def test_the_recorded_steps_are_those_of_the_loop(
    way: str, in_our_loop: Run, in_this_process: dict[str, list[str]], serving: Callable[..., Any]
) -> None:
    here = {record.question_id: record for record in in_our_loop.trajectories}
    server = serving("synth-wiki", "bm25", limit=QUESTIONS, set=WORLD)
    replies: dict[str, list[str]] = {}

    async def visit(seat: Invitation) -> None:
        calls = calls_of(here[seat.question_id])
        mode = "legacy" if way == "mcp of 2025" else "auto"
        visited = over_http(seat, calls) if way == "http" else over_mcp(seat, calls, mode)
        replies[seat.question_id] = await visited

    async def visit_all() -> None:
        await asyncio.gather(*map(visit, server.seats(QUESTIONS)))

    asyncio.run(visit_all())
    run = server.run()
    there = {record.question_id: record for record in run.trajectories}
    assert there.keys() == here.keys()
    for qid, record in there.items():
        assert told(record) == told(here[qid])
        assert record.status == "answered"
        assert all(step.turn is None for step in record.steps)
    assert sum(len(record.steps) for record in there.values()) > 3 * QUESTIONS
    same = ("success_rate", "evidence_recall", "steps", "searches", "browses")
    assert [run.metrics.metric(name).value for name in same] == [
        in_our_loop.metrics.metric(name).value for name in same
    ]
    # The texts that came over the network are those that an agent in this process is given.
    assert replies == in_this_process


@pytest.fixture(scope="module")
def in_this_process(in_our_loop: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The texts of the same calls, made by a function."""
    replies: dict[str, list[str]] = {}
    calls = {record.question_id: calls_of(record) for record in in_our_loop.trajectories}
    task = lrat_bench.load_task("synth-wiki", set={"documents": 1000})
    texts = {question.text: question.qid for question in task.questions}

    async def agent(question: str, tools: Any) -> str:
        qid = texts[question]
        *made, (_, answer) = calls[qid]
        replies[qid] = [await tools.call(name, arguments) for name, arguments in made] + ['{"status": "answered"}']
        return str(answer["answer"])

    out = tmp_path_factory.mktemp("function") / "run"
    lrat_bench.run("synth-wiki", agent, "bm25", limit=QUESTIONS, set=WORLD, out=out)
    return replies
