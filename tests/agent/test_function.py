"""An async function is an agent: what it does is logged, limited and ended as for any other."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.agent.catalog import load_agent
from lrat_bench.agent.episode import Episode
from lrat_bench.agent.function import BudgetSpent, Found, FunctionAgent, Tools, as_agent
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.errors import ContextOverflow, FatalModelError, Halt, ModelRefusal, RolloutFailure, UsageError
from lrat_bench.model.scripted import ScriptedModel, answers
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Browse, Notice, Search, Think

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()

Body = Callable[[str, Tools], Awaitable[Any]]


async def found(query: str, k: int, context: SearchContext) -> list[Ranked]:
    await asyncio.sleep(0.01)
    return [Ranked("d1", 2.0), Ranked("d2", 1.0)][:k]


async def broken(query: str, k: int, context: SearchContext) -> list[Ranked]:
    raise RolloutFailure("retriever: out of order")


def play(task: Task, function: Body, search: Any = found, **rules: Any) -> Episode:
    rollout = Rollout(**rules)
    session = Session("q1", rollout, search, Reader(task.corpus, rollout))
    return asyncio.run(FunctionAgent("test", function).play("Which mason built it?", session, seed=7))


def test_a_function_searches_reads_and_answers(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        tools.think("First, the bridge.")
        hits = await tools.search(question)
        assert hits[0] == Found("d1", 2.0, "Ostrel Bridge\nThe Ostrel", question)
        text = await tools.get_document(hits[1].docid)
        assert text is not None
        assert text.startswith("Aldwin Marr\n")
        assert tools.seed == 7
        return "Exact Answer: Aldwin Marr"

    episode = play(bridge, agent, snippet_tokens=4)
    assert (episode.status, episode.answer) == ("answered", "Exact Answer: Aldwin Marr")
    assert [step.kind for step in episode.steps] == ["think", "search", "browse", "answer"]
    assert [(step.turn, step.call) for step in episode.steps if isinstance(step, Search | Browse)] == [
        (None, 0),
        (None, 1),
    ]
    assert not episode.turns
    assert episode.usage.completion_tokens is None
    assert episode.usage.cost_usd is None


def test_queries_of_one_list_are_one_step_and_say_what_found_what(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        hits = await tools.search(["bridge", "mason", "too many"])
        assert [(hit.query, hit.docid) for hit in hits] == [
            ("bridge", "d1"), ("bridge", "d2"), ("mason", "d1"), ("mason", "d2")
        ]  # fmt: skip
        return "x"

    episode = play(bridge, agent, queries_per_call=2)
    assert [(step.call, step.query) for step in episode.steps if isinstance(step, Search)] == [
        (0, "bridge"),
        (0, "mason"),
    ]
    assert "first 2 of 3" in next(step.text for step in episode.steps if isinstance(step, Notice))


def test_calls_made_at_once_are_steps_of_their_own_and_repeats_are_known(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        async def later() -> None:
            await asyncio.sleep(0.005)
            tools.think("while it searches")

        await asyncio.gather(tools.search("a"), tools.search("b"), later(), tools.search("A"), tools.get_document("d3"))
        return "x"

    steps = play(bridge, agent).steps
    calls = [step for step in steps if isinstance(step, Search | Browse)]
    assert [step.call for step in calls] == [0, 1, 2, 3]
    assert isinstance(calls[2], Search)
    assert calls[2].duplicate_of is not None
    assert steps[calls[2].duplicate_of] == calls[0]
    assert sum(isinstance(step, Think) for step in steps) == 1


def test_a_call_gives_the_text_that_a_model_would_read(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        said = json.loads(await tools.call("visit", '{"url": ["d3"], "goal": "town"}'))
        assert said["docid"] == "d3"
        assert "no tool 'google'" in await tools.call("google", {"q": "x"})
        assert "no document" in await tools.call("get_document", {"docid": "d9"})
        assert await tools.get_document("d9") is None
        with pytest.raises(ValueError, match="empty"):
            await tools.search(" ")
        return "x"

    episode = play(bridge, agent)
    assert episode.status == "answered", episode.error


def test_spent_calls_end_a_function_only_if_it_lets_them(bridge: Task) -> None:
    async def careful(question: str, tools: Tools) -> str:
        assert tools.calls_left == 1
        await tools.search("a")
        assert tools.calls_left == 0
        assert "budget of 1 tool calls is spent" in await tools.call("search", {"query": "b"})
        with pytest.raises(BudgetSpent):
            await tools.search("b")
        return "x"

    async def careless(question: str, tools: Tools) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(tools.search("a"))
            group.create_task(tools.search("b"))
        return "x"

    assert play(bridge, careful, max_calls=1).status == "answered"
    episode = play(bridge, careless, max_calls=1)
    assert (episode.status, episode.answer, episode.error) == ("call_limit", None, None)
    assert [step.kind for step in episode.steps] == ["search", "notice"]


def test_reported_usage_is_added_up(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        tools.usage(prompt_tokens=10, completion_tokens=5, cost_usd=0.5)
        tools.usage(prompt_tokens=20, completion_tokens=5, cost_usd=0.25)
        return "x"

    usage = play(bridge, agent).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cost_usd, usage.llm_calls) == (30, 10, 0.75, 2)
    assert usage.reasoning_tokens is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"cost_usd": -5},
        {"cost_usd": float("nan")},
        {"cost_usd": float("inf")},
        {"cost_usd": "0.5"},
        {"prompt_tokens": -1},
        {"completion_tokens": 1.5},
        {"reasoning_tokens": float("-inf")},
        {"prompt_tokens": 10**400},
    ],
    ids=repr,
)
def test_usage_that_cannot_be_is_refused_in_one_line(bridge: Task, wrong: dict[str, Any]) -> None:
    async def agent(question: str, tools: Tools) -> str:
        tools.usage(prompt_tokens=10, cost_usd=0.5)
        with pytest.raises(ValueError, match=rf"^usage: {next(iter(wrong))} must be a [^\n]*$"):
            tools.usage(**wrong)
        return "x"

    episode = play(bridge, agent)
    assert (episode.error, episode.usage.prompt_tokens, episode.usage.cost_usd) == (None, 10, 0.5)


def raising(error: BaseException) -> Body:
    async def agent(question: str, tools: Tools) -> str:
        await tools.search("a")
        raise error

    return agent


def returning(value: Any) -> Body:
    async def agent(question: str, tools: Tools) -> Any:
        return value

    return agent


@pytest.mark.parametrize(
    ("function", "status", "error"),
    [
        (returning(None), "no_answer", None),
        (returning(" \n"), "no_answer", None),
        (returning(42), "error", "agent: TypeError: the function returned a int"),
        (raising(KeyError("x")), "error", "agent: KeyError: 'x'"),
        (raising(TimeoutError("slow")), "error", "agent: TimeoutError: slow"),
        (raising(ModelRefusal("no")), "refused", "no"),
        (raising(ContextOverflow("full")), "context_limit", None),
        (raising(Halt("down")), "error", "down"),
        (raising(SystemExit(0)), "error", "agent: the function raised SystemExit: 0"),
        (raising(KeyboardInterrupt()), "error", "agent: the function raised KeyboardInterrupt"),
        (raising(GeneratorExit()), "error", "agent: the function raised GeneratorExit"),
        (raising(asyncio.CancelledError("scope")), "error", "agent: the function raised CancelledError: scope"),
    ],
    ids=[
        *("none", "blank", "number", "bug", "its own time-out", "refusal", "overflow", "halt"),
        *("exit", "interrupt", "generator", "leaked cancellation"),
    ],
)
def test_every_end_has_its_status(bridge: Task, function: Body, status: str, error: str | None) -> None:
    episode = play(bridge, function)
    assert (episode.status, episode.answer) == (status, None)
    assert (episode.error or "").startswith(error or "")
    assert bool(episode.error) == bool(error)
    assert episode.halt == ("down" if error == "down" else None)


def test_a_function_may_say_that_nothing_can_be_answered(bridge: Task) -> None:
    fatal = play(bridge, raising(FatalModelError("wrong key")))
    assert (fatal.status, fatal.halt) == ("error", "the agent can answer nothing: wrong key")


def test_a_retriever_that_failed_is_an_error_even_if_the_function_goes_on(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        try:
            await tools.search("a")
        except Exception:  # noqa: BLE001 -- as frameworks do
            return "I could not search."
        return "x"

    episode = play(bridge, agent, broken)
    assert (episode.status, episode.answer, episode.error) == ("error", None, "retriever: out of order")


def test_seconds_are_those_of_the_function_and_not_of_its_tools(bridge: Task) -> None:
    async def slow(query: str, k: int, context: SearchContext) -> list[Ranked]:
        await asyncio.sleep(0.3)
        return [Ranked("d1", 1.0)]

    async def quick(question: str, tools: Tools) -> str:
        await tools.search("a")
        return "x"

    async def endless(question: str, tools: Tools) -> str:
        await tools.search("a")
        await asyncio.sleep(60)
        return "x"

    assert play(bridge, quick, slow, max_seconds=0.2).status == "answered"
    episode = play(bridge, endless, slow, max_seconds=0.2)
    assert (episode.status, episode.answer, episode.error) == ("time_limit", None, None)
    assert [step.kind for step in episode.steps] == ["search"]


def test_a_retriever_that_failed_is_an_error_even_if_the_time_is_up(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        for number in itertools.count():
            with suppress(RolloutFailure):
                await tools.search(f"attempt {number}")
            await asyncio.sleep(0.01)
        return "x"

    episode = play(bridge, agent, broken, max_seconds=0.1)
    assert (episode.status, episode.error) == ("error", "retriever: out of order")


def test_a_function_that_never_stops_asking_runs_out_of_time(bridge: Task) -> None:
    async def agent(question: str, tools: Tools) -> str:
        while True:
            with suppress(Exception):
                await tools.search("a")

    assert play(bridge, agent, max_calls=1, max_seconds=0.1).status == "time_limit"


class Stubborn:
    """Does not end when it is told to.

    Args:
        deaf_to: what it catches and forgets.
        times: how often.
    """

    def __init__(self, deaf_to: type[BaseException], times: float = float("inf")) -> None:
        self.deaf_to = deaf_to
        self.times = times
        self.told = 0
        self.ended = False
        self.said: set[str] = set()

    async def __call__(self, question: str, tools: Tools) -> str:
        await tools.search("before")
        try:
            while self.told < self.times:
                try:
                    await self.work(tools)
                except self.deaf_to:
                    self.told += 1
            await self.work(tools)
        finally:
            self.ended = True
        return "x"

    async def work(self, tools: Tools) -> None:
        if self.told:
            try:
                await tools.search("after")
            except RuntimeError as error:
                self.said.add(str(error))
        await asyncio.sleep(60)


@pytest.fixture
def little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrat_bench.agent.own_task._GRACE", 0.1)


@pytest.mark.usefixtures("little_grace")
@pytest.mark.parametrize(
    ("deaf_to", "times"),
    [(asyncio.CancelledError, 1), (asyncio.CancelledError, float("inf")), (BaseException, float("inf"))],
    ids=["once", "always", "to everything"],
)
def test_a_function_that_does_not_end_is_left_behind(
    bridge: Task, deaf_to: type[BaseException], times: float, caplog: pytest.LogCaptureFixture
) -> None:
    function = Stubborn(deaf_to, times)
    started = time.monotonic()
    # That this returns at all says that the event loop does not wait for it either.
    episode = play(bridge, function, max_seconds=0.1)
    assert time.monotonic() - started < 5
    assert (episode.status, episode.answer, episode.error) == ("time_limit", None, None)
    assert [step.query for step in episode.steps if isinstance(step, Search)] == ["before"]
    assert function.said == {"the question is over: no tool can be called any more"}
    assert function.ended == (deaf_to is not BaseException)
    with caplog.at_level(logging.ERROR, "asyncio"):
        gc.collect()
    assert not caplog.records


def test_a_function_that_fails_as_it_is_told_to_end_is_out_of_time(
    bridge: Task, caplog: pytest.LogCaptureFixture
) -> None:
    async def agent(question: str, tools: Tools) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            tools.think("Too late.")
            sys.exit(1)
        return "x"

    with caplog.at_level(logging.ERROR, "asyncio"):
        episode = play(bridge, agent, max_seconds=0.05)
        gc.collect()
    assert (episode.status, episode.error) == ("time_limit", None)
    assert [step.text for step in episode.steps if isinstance(step, Think)] == ["Too late."]
    assert not caplog.records


@pytest.mark.usefixtures("little_grace")
@pytest.mark.parametrize("function", [returning("x"), Stubborn(asyncio.CancelledError)], ids=["willing", "stubborn"])
def test_a_run_that_is_cancelled_ends_its_functions(bridge: Task, function: Body) -> None:
    async def waiting(question: str, tools: Tools) -> Any:
        await tools.search("a")
        await asyncio.sleep(0 if isinstance(function, Stubborn) else 60)
        return await function(question, tools)

    async def run() -> None:
        rollout = Rollout()
        session = Session("q1", rollout, found, Reader(bridge.corpus, rollout))
        playing = asyncio.create_task(FunctionAgent("test", waiting).play("Who?", session))
        await asyncio.sleep(0.1)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started < 5


def test_a_call_may_be_under_way_when_the_function_ends(bridge: Task) -> None:
    left: list[asyncio.Task[list[Found]]] = []

    async def agent(question: str, tools: Tools) -> str:
        left.extend(asyncio.create_task(tools.search(query)) for query in ("a", "b"))
        await asyncio.sleep(0)
        return "x"

    async def run() -> tuple[Episode, list[Any]]:
        rollout = Rollout(max_seconds=5)
        session = Session("q1", rollout, found, Reader(bridge.corpus, rollout))
        episode = await FunctionAgent("test", agent).play("Who?", session)
        return episode, await asyncio.gather(*left, return_exceptions=True)

    episode, (under_way, waiting) = asyncio.run(run())
    assert episode.status == "answered"
    assert [hit.docid for hit in under_way] == ["d1", "d2"]
    assert "over" in str(waiting)


def test_what_goes_wrong_tells_no_secret(bridge: Task) -> None:
    key = "sk-abcdefghijklmnop"
    failed = play(bridge, raising(RuntimeError(f"Incorrect API key: {key}")))
    assert failed.error == "agent: RuntimeError: Incorrect API key: [secret]"
    halted = play(bridge, raising(FatalModelError(f"Incorrect API key: {key}")))
    assert key not in f"{halted.error} {halted.halt}"


def test_tools_of_a_question_that_is_over_do_nothing(bridge: Task) -> None:
    kept: list[Tools] = []

    async def agent(question: str, tools: Tools) -> str:
        kept.append(tools)
        return "x"

    play(bridge, agent)
    with pytest.raises(RuntimeError, match="over"):
        asyncio.run(kept[0].search("a"))


async def module_agent(question: str, tools: Tools) -> str:
    return "x"


def test_what_is_an_agent_and_what_is_not() -> None:
    class Mine:
        name = "mine"
        fingerprint = "weights 7"

        async def __call__(self, question: str, tools: Tools) -> str:
            return "x"

    async def alone(question: str) -> str:
        return "x"

    def sync(question: str, tools: Tools) -> str:
        return "x"

    def factory(settings: dict[str, Any]) -> Any:
        return module_agent

    own = as_agent(Mine(), "m:Mine")
    assert own is not None
    assert (own.name, own.fingerprint) == ("mine", "weights 7")
    player = FunctionAgent("p", module_agent, "f")
    assert as_agent(player, "m:p") is player
    for other in (Mine, factory, ScriptedModel([answers("x")]), "text"):
        assert as_agent(other, "m:o") is None
    with pytest.raises(UsageError, match=r"'m:alone' must take two arguments, \(question, tools\)"):
        as_agent(alone, "m:alone")
    with pytest.raises(UsageError, match="'m:sync' must be async"):
        as_agent(sync, "m:sync")


def test_the_source_is_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))

    def fingerprint(text: str, target: str = "agent", **settings: Any) -> str | None:
        (tmp_path / "edited.py").write_text(text)
        sys.modules.pop("edited", None)
        return load_agent(f"edited:{target}", settings).fingerprint

    one = "async def agent(question, tools):\n    return 'x'\n\ndef make(settings):\n    return agent\n"
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(one.replace("'x'", "'y'"))
    assert fingerprint(one, "make", depth=1) != fingerprint(one, "make", depth=2)
    monkeypatch.delitem(sys.modules, "edited")
    names: dict[str, Any] = {"__name__": "edited"}
    exec(one, names)
    nowhere = as_agent(names["agent"], "notebook")
    assert nowhere is not None
    assert nowhere.fingerprint is None


def test_the_example_of_the_page_plays_a_run(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "my_package.py").write_text(block)
    monkeypatch.delitem(sys.modules, "my_package", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    words: dict[str, Any] = {"agent": "my_package:agent", "retriever": "oracle", "out": tmp_path / "run"}
    run = lrat_bench.run(str(task_folder), **words)
    assert {record.status for record in run.trajectories} == {"answered"}
    manifest = run.manifest
    assert (manifest.agent["kind"], manifest.agent["name"], manifest.rankable) == ("function", "my_package:agent", True)
    records = list(run.trajectories)
    steps = sum(isinstance(step, Search | Browse) for record in records for step in record.steps)
    assert run.metrics.metric("steps").value == steps / len(records)
    assert run.metrics.metric("evidence_recall").value == 1
    assert run.metrics.metric("completion_tokens").value is None
    assert run.metrics.metric("cost_usd").value is None
    again = [
        record.content() for record in lrat_bench.run(str(task_folder), concurrency=1, fresh=True, **words).trajectories
    ]
    assert sorted(map(str, again)) == sorted(str(record.content()) for record in records)


def test_a_caller_s_own_function_plays_a_run(bridge: Task, tmp_path: Path) -> None:
    run = lrat_bench.run(bridge, FunctionAgent("here", module_agent), "none", out=tmp_path / "run")
    assert not run.manifest.rankable
    assert {record.answer for record in run.trajectories} == {"x"}
