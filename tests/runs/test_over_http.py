"""Whole runs against a model server on this machine: every wire format, every failure, nothing lost.

The server plays the heuristic agent, so a run over HTTP can be compared, step by step, with one in process.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endpoint import (
    Dialect,
    Endpoint,
    Fault,
    content_filter,
    not_found,
    overflow,
    rate_limited,
    server_error,
    unauthorized,
)

import lrat_bench
from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.model.heuristic import Heuristic
from lrat_bench.model.scripted import ScriptedModel, answers, calls, together
from lrat_bench.model.seam import Request, ToolCall, Turn
from lrat_bench.runs.run import Run
from lrat_bench.task.task import Task

LOCAL = "hosted_vllm/local"


@pytest.fixture(scope="module")
def wiki() -> Task:
    return lrat_bench.load_task("synth-wiki", set={"documents": 1000})


def over_http(task: Task | Path, endpoint: Endpoint, out: Path, *, agent: str = LOCAL, **more: Any) -> Run:
    settings = {"agent.api_base": endpoint.url, "agent.outage_seconds": 5, **more.pop("set", {})}
    given = str(task) if isinstance(task, Path) else task
    return lrat_bench.run(task=given, agent=agent, retriever="oracle", out=out, set=settings, **more)


def played(run: Run, *, without: tuple[str, ...] = ()) -> dict[tuple[str, int], Any]:
    """Status, answer and steps of each question; `without` leaves out steps of these kinds."""
    return {
        record.key: (
            record.status,
            record.answer,
            [step for step in record.content()["steps"] if step["kind"] not in without],
        )
        for record in run.trajectories
    }


PLACEMENTS = ("reasoning_content", "reasoning", "inline", "unopened")


@pytest.mark.parametrize("reasoning", [*PLACEMENTS, "none"])
def test_native_calls_give_the_run_that_the_same_model_gives_in_process(
    wiki: Task, tmp_path: Path, reasoning: Any
) -> None:
    with Endpoint(Heuristic(), dialect=Dialect(reasoning=reasoning)) as endpoint:
        there = over_http(wiki, endpoint, tmp_path / "there", limit=4)
    here = lrat_bench.run(task=wiki, agent="heuristic", retriever="oracle", out=tmp_path / "here", limit=4)
    without = ("think",) if reasoning == "none" else ()
    assert played(there, without=without) == played(here, without=without)
    thoughts = [step for _, _, steps in played(there).values() for step in steps if step["kind"] == "think"]
    # The server still counts what it withholds.
    assert {thought["source"] for thought in thoughts} == {"hidden" if without else "text"}


@pytest.mark.parametrize("reasoning", PLACEMENTS)
def test_calls_in_tags_give_the_run_that_the_same_model_gives_in_process(
    wiki: Task, tmp_path: Path, reasoning: Any
) -> None:
    with Endpoint(Heuristic(), dialect=Dialect(calls="tags", reasoning=reasoning)) as endpoint:
        there = over_http(wiki, endpoint, tmp_path / "there", limit=4, set={"agent.format": "tags"})
        assert all("tools" not in body for body in endpoint.bodies)
    here = lrat_bench.run(task=wiki, agent="heuristic", retriever="oracle", out=tmp_path / "here", limit=4)
    assert played(there) == played(here)


def test_raw_completions_give_the_run_that_the_same_model_gives_in_process(wiki: Task, tmp_path: Path) -> None:
    tools = {"protocol.tools": ["search"]}
    with Endpoint(Heuristic(), dialect=Dialect(calls="search_r1", reasoning="inline")) as endpoint:
        there = over_http(wiki, endpoint, tmp_path / "there", limit=4, set={"agent.format": "search_r1", **tools})
        assert all("prompt" in body and "messages" not in body for body in endpoint.bodies)
    here = lrat_bench.run(task=wiki, agent="heuristic", retriever="oracle", out=tmp_path / "here", limit=4, set=tools)
    assert played(there) == played(here)


def test_litellm_s_own_offline_plug_gives_the_trajectories_that_http_gives(wiki: Task, tmp_path: Path) -> None:
    import litellm
    from plug import heuristic_plug

    with Endpoint(Heuristic()) as endpoint:
        there = over_http(wiki, endpoint, tmp_path / "there", limit=3)
    known = litellm.custom_provider_map
    litellm.custom_provider_map = [*known, {"provider": "plugged", "custom_handler": heuristic_plug()}]
    try:
        here = lrat_bench.run(
            task=wiki, agent="plugged/heuristic", retriever="oracle", out=tmp_path / "here", limit=3, preflight=False
        )
    finally:
        litellm.custom_provider_map = known
    assert played(there) == played(here)


def flaky(fault: Fault, *, every: int = 3) -> Callable[[int, dict[str, Any]], Fault | None]:
    """A server that fails every third request; never the canary, which is the first."""
    return lambda number, body: fault if number % every == every - 1 else None


@pytest.mark.parametrize(
    "fault",
    [
        rate_limited(0.05),
        server_error(500),
        server_error(502),
        server_error(503),
        Fault(kind="drop"),
        Fault(kind="garbage"),
        Fault(kind="truncate"),
        Fault(kind="slow"),
    ],
    ids=["429", "500", "502", "503", "dropped", "html", "cut", "slow"],
)
def test_failures_that_pass_delay_a_run_and_change_nothing(task_folder: Path, tmp_path: Path, fault: Fault) -> None:
    with Endpoint(Heuristic(), faults=flaky(fault)) as endpoint:
        there = over_http(task_folder, endpoint, tmp_path / "there", set={"agent.outage_seconds": 30})
    here = lrat_bench.run(task=str(task_folder), agent="heuristic", retriever="oracle", out=tmp_path / "here")
    assert played(there) == played(here)
    if fault.kind != "slow":
        assert any(turn.attempts > 1 for record in there.trajectories for turn in record.turns)


def test_a_server_that_takes_four_calls_at_once_is_asked_for_no_more_than_it_takes(wiki: Task, tmp_path: Path) -> None:
    refused: list[int] = []

    def faults(number: int, body: dict[str, Any]) -> Fault | None:
        if endpoint.in_flight <= 4:
            return None
        refused.append(number)
        return rate_limited(0.1)

    with Endpoint(Heuristic(), seconds=0.02, faults=faults) as endpoint:
        there = over_http(
            wiki, endpoint, tmp_path / "there", limit=30, concurrency=24, set={"agent.outage_seconds": 30}
        )
        asked = endpoint.calls
    here = lrat_bench.run(task=wiki, agent="heuristic", retriever="oracle", out=tmp_path / "here", limit=30)
    assert played(there) == played(here)
    assert 0 < len(refused) < asked / 2


@pytest.mark.parametrize("wording", ["vllm", "vllm_max_tokens", "sglang", "sglang_requested", "openai", "llama_cpp"])
def test_a_context_overflow_in_any_wording_leads_to_the_forced_answer(
    task_folder: Path, tmp_path: Path, wording: Any
) -> None:
    def play(request: Request) -> Turn:
        if request.tool_choice == "none":
            return answers("Exact Answer: Tarn")
        return calls("search", query=f"bridge {len(request.messages)}")

    def faults(number: int, body: dict[str, Any]) -> Fault | None:
        full = sum("removed to save context" not in message["content"] for message in body["messages"])
        return overflow(wording) if full > 4 else None

    with Endpoint(ScriptedModel(play), faults=faults) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run")
    records = list(found.trajectories)
    assert [record.status for record in records] == ["forced", "forced"]
    assert all(sum(turn.removed for turn in record.turns) for record in records)


def test_what_a_model_gets_wrong_is_told_to_it_and_logged(task_folder: Path, tmp_path: Path) -> None:
    broken = Turn(calls=(ToolCall("", "search", '{"query": "bridge'),), finish_reason="tool_calls")
    unknown = Turn(calls=(ToolCall("", "google", '{"q": "bridge"}'),), finish_reason="tool_calls")
    cut = Turn(text="I was about to say", finish_reason="length")
    several = together(calls("search", query=["bridge", "mason"]), calls("get_document", docid="d1"))
    script = [several, broken, unknown, Turn(text=""), cut, answers("Exact Answer: Aldwin Marr")]
    with Endpoint(ScriptedModel(script)) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run", limit=1, set={"protocol.max_format_errors": 5})
    record = next(iter(found.trajectories))
    assert (record.status, record.answer) == ("answered", "Exact Answer: Aldwin Marr")
    kinds = [(step.kind, getattr(step, "call", None)) for step in record.steps if step.turn == 0]
    assert kinds == [("search", 0), ("search", 0), ("browse", 1)]
    assert record.turns[1].repaired == 1
    said = " ".join(step.text for step in record.steps if step.kind == "notice")
    assert "no tool 'google'" in said
    assert "empty" in said
    assert "cut off" in said


def test_a_refusal_is_final_and_typed(task_folder: Path, tmp_path: Path) -> None:
    with Endpoint(Heuristic(), faults=lambda number, body: content_filter() if number else None) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run")
        asked = endpoint.calls
        over_http(task_folder, endpoint, tmp_path / "run")
        assert endpoint.calls == asked
    assert [record.status for record in found.trajectories] == ["refused", "refused"]


@pytest.mark.parametrize(
    ("fault", "said"), [(unauthorized(), "401"), (not_found(), "404")], ids=["wrong key", "no such model"]
)
def test_an_endpoint_that_refuses_everything_is_found_before_anything_is_spent(
    task_folder: Path, tmp_path: Path, fault: Fault, said: str
) -> None:
    with Endpoint(Heuristic(), faults=lambda number, body: fault) as endpoint:
        with pytest.raises(UsageError, match=said):
            over_http(task_folder, endpoint, tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_an_endpoint_that_begins_to_refuse_everything_ends_the_run_and_loses_nothing(
    task_folder: Path, tmp_path: Path
) -> None:
    brain = Heuristic()
    expired = lambda number, body: unauthorized() if number > 10 else None  # noqa: E731
    with Endpoint(brain, faults=expired) as endpoint, pytest.raises(RunIncomplete, match="401"):
        over_http(task_folder, endpoint, tmp_path / "run", concurrency=1)
    kept = {key: value for key, value in played(Run(tmp_path / "run")).items() if value[0] != "error"}
    assert len(kept) == 1
    with Endpoint(brain) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run")
    assert not found.metrics.unresolved
    assert kept.items() <= played(found).items()


def at_call(number: int, deed: Callable[[], None]) -> tuple[Callable[[int, dict[str, Any]], None], threading.Thread]:
    """Something that happens to a server when it has been called so often, and the thread that it happens in."""
    thread = threading.Thread(target=deed)

    def watch(call: int, body: dict[str, Any]) -> None:
        if call == number:
            thread.start()

    return watch, thread


def test_a_server_that_is_down_for_a_while_delays_the_run_and_loses_nothing(wiki: Task, tmp_path: Path) -> None:
    here = lrat_bench.run(task=wiki, agent="heuristic", retriever="oracle", out=tmp_path / "here", limit=8)

    def outage() -> None:
        endpoint.stop()
        time.sleep(3)
        endpoint.start()

    watch, outage_thread = at_call(15, outage)
    with Endpoint(Heuristic(), seconds=0.02, faults=watch) as endpoint:
        # The clock of max_seconds stands while the server is down, or questions would end as time_limit.
        there = over_http(
            wiki,
            endpoint,
            tmp_path / "there",
            limit=8,
            concurrency=2,
            set={"agent.outage_seconds": 60, "protocol.max_seconds": 2.5},
        )
        outage_thread.join()
    assert {record.status for record in there.trajectories} == {"answered"}
    assert played(there) == played(here)
    assert any(turn.attempts > 1 for record in there.trajectories for turn in record.turns)


def test_a_server_that_is_gone_ends_the_run_with_everything_kept(wiki: Task, tmp_path: Path) -> None:
    def end() -> None:
        endpoint.stop()

    watch, killer = at_call(30, end)
    with Endpoint(Heuristic(), seconds=0.02, faults=watch) as endpoint:
        with pytest.raises(RunIncomplete, match="of 12 rollouts done"):
            over_http(wiki, endpoint, tmp_path / "run", limit=12, concurrency=2, set={"agent.outage_seconds": 1.5})
        killer.join()
        stopped = Run(tmp_path / "run")
        kept = {key: value for key, value in played(stopped).items() if value[0] != "error"}
        assert 0 < len(kept) < 12
        assert stopped.metrics.unresolved == 12 - len(kept)
        assert "time_limit" not in stopped.metrics.statuses
        with pytest.raises(RunIncomplete, match="cannot be reached"):
            over_http(wiki, endpoint, tmp_path / "run", limit=12, set={"agent.outage_seconds": 0.5})
        endpoint.start()
        found = over_http(wiki, endpoint, tmp_path / "run", limit=12)
    assert not found.metrics.unresolved
    assert kept.items() <= played(found).items()


def test_a_model_too_slow_for_the_protocol_is_a_time_limit_and_not_an_error(task_folder: Path, tmp_path: Path) -> None:
    with Endpoint(Heuristic(), seconds=0.4) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run", set={"protocol.max_seconds": 0.9})
    for record in found.trajectories:
        assert record.status == "time_limit"
        assert 2 <= len(record.turns) <= 3


def test_the_canary_finds_a_server_that_does_not_parse_calls(task_folder: Path, tmp_path: Path) -> None:
    with Endpoint(Heuristic(), dialect=Dialect(calls="tags")) as endpoint:
        text = 'Well.\n<tool_call>\n{"name": "search", "arguments": {"query": "test"}}\n</tool_call>'
        with Endpoint(lambda body: answers(text)) as unparsed, pytest.raises(UsageError, match="tool-call-parser"):
            over_http(task_folder, unparsed, tmp_path / "run")
        over_http(task_folder, endpoint, tmp_path / "run", set={"agent.format": "tags"})


def test_the_canary_finds_a_window_smaller_than_the_row_s(task_folder: Path, tmp_path: Path) -> None:
    said = r"agent\.context_tokens=4096"
    with Endpoint(Heuristic(), context_tokens=4096) as endpoint, pytest.raises(UsageError, match=said):
        over_http(task_folder, endpoint, tmp_path / "run", set={"agent.context_tokens": 131072})


def test_the_canary_finds_an_output_limit_larger_than_the_window(task_folder: Path, tmp_path: Path) -> None:
    full = overflow("vllm_max_tokens")
    with Endpoint(Heuristic(), faults=lambda number, body: full) as endpoint:
        with pytest.raises(UsageError, match=r"agent\.max_tokens"):
            over_http(task_folder, endpoint, tmp_path / "run")
        assert endpoint.calls == 1


def test_the_list_of_models_is_asked_for_with_the_key(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "sk-of-the-server")
    with Endpoint(Heuristic(), context_tokens=4096) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run")
        assert endpoint.listings[0]["Authorization"] == "Bearer sk-of-the-server"
    (invocation,) = found.manifest.invocations
    (served,) = invocation.endpoints
    assert (served.reported, served.context_tokens, served.address) == ("local", 4096, endpoint.url)


def test_the_manifest_says_what_is_really_sent(task_folder: Path, tmp_path: Path) -> None:
    pinned = {"protocol.sampling": {"temperature": 0.85, "top_p": 0.95, "presence_penalty": 1.1}}
    with Endpoint(Heuristic(), dialect=Dialect(calls="tags")) as endpoint:
        found = over_http(task_folder, endpoint, tmp_path / "run", set={"agent.format": "tags", **pinned})
        bodies = endpoint.bodies[1:]
    sent = dict(found.manifest.agent["sent"])
    sent |= sent.pop("extra_body", {})
    assert sent["temperature"] == 0.85
    for body in bodies:
        beside = {key: value for key, value in body.items() if key not in ("messages", "model", "seed")}
        assert beside == sent


def test_what_a_run_has_paid_is_known_when_a_wrong_key_ends_it(task_folder: Path, tmp_path: Path) -> None:
    prices = {"agent.input_price": 1000, "agent.output_price": 1000}
    expired = lambda number, body: unauthorized() if number > 5 else None  # noqa: E731
    with Endpoint(Heuristic(), faults=expired) as endpoint:
        with pytest.raises(RunIncomplete, match="401"):
            over_http(task_folder, endpoint, tmp_path / "run", set=prices)
        stopped = Run(tmp_path / "run")
        costs = (tmp_path / "run" / "costs.jsonl").read_text().splitlines()
        # The canary, and five turns of two questions of which one was not finished.
        assert len(costs) == 6
        assert stopped.folder.spent == pytest.approx(sum(json.loads(line)["usd"] for line in costs))
        assert "error" in {record.status for record in stopped.trajectories}
        assert sum(record.usage.llm_calls for record in stopped.trajectories) == 5


def test_a_run_is_not_continued_on_another_model(task_folder: Path, tmp_path: Path) -> None:
    with Endpoint(Heuristic(), model="local") as endpoint:
        over_http(task_folder, endpoint, tmp_path / "run", limit=1)
    with Endpoint(Heuristic(), model="local-v2") as endpoint, pytest.raises(UsageError, match="local-v2"):
        over_http(task_folder, endpoint, tmp_path / "run")


def test_cost_is_capped_over_all_invocations(task_folder: Path, tmp_path: Path) -> None:
    prices = {"agent.input_price": 1000, "agent.output_price": 1000}
    with Endpoint(Heuristic()) as endpoint:
        with pytest.raises(UsageError, match="price"):
            over_http(task_folder, endpoint, tmp_path / "run", max_cost=1)
        with pytest.raises(RunIncomplete, match="cost cap"):
            over_http(task_folder, endpoint, tmp_path / "run", max_cost=0.5, concurrency=1, set=prices)
        stopped = Run(tmp_path / "run")
        paid = stopped.folder.spent
        assert paid >= 0.5
        asked = endpoint.calls
        with pytest.raises(RunIncomplete, match="cost cap"):
            over_http(task_folder, endpoint, tmp_path / "run", max_cost=0.5, set=prices, preflight=False)
        assert endpoint.calls == asked
        found = over_http(task_folder, endpoint, tmp_path / "run", max_cost=1000, set=prices)
    assert not found.metrics.unresolved
    assert found.folder.spent > paid
    assert found.metrics.metric("cost_usd").n == 2


def test_under_a_cap_only_questions_start_that_it_will_pay_for(wiki: Task, tmp_path: Path) -> None:
    prices = {"agent.input_price": 2, "agent.output_price": 8}
    words: dict[str, Any] = {"limit": 40, "concurrency": 16, "set": prices}
    with Endpoint(Heuristic(), seconds=0.02) as endpoint:
        with pytest.raises(RunIncomplete, match="cost cap"):
            over_http(wiki, endpoint, tmp_path / "run", max_cost=0.3, **words)
        stopped = Run(tmp_path / "run")
        done = sum(record.status == "answered" for record in stopped.trajectories)
        spoilt = sum(record.status == "error" for record in stopped.trajectories)
        assert stopped.folder.spent < 0.35
        assert done >= 8
        assert spoilt <= 2
        found = over_http(wiki, endpoint, tmp_path / "run", max_cost=30, **words)
    assert not found.metrics.unresolved
    mean = found.metrics.metric("cost_usd").value
    assert mean is not None
    assert found.folder.spent < 40 * mean * 1.15


def judge_model(outcome: str = "yes") -> Callable[[dict[str, Any]], Turn]:
    return lambda body: answers(f"extracted_final_answer: x\nreasoning: y\n**correct:** {outcome}\nconfidence: 80")


def test_a_judge_that_is_down_leaves_answers_ungraded_and_score_fills_them_in(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    with Endpoint(judge_model()) as judge:
        reach = {"judge.api_base": judge.url, "judge.outage_seconds": 0.5}
        judge.stop()
        found = lrat_bench.run(
            task=str(task_folder),
            agent="heuristic",
            retriever="oracle",
            out=tmp_path / "run",
            preflight=False,
            judge=LOCAL,
            set=reach,
        )
        assert found.metrics.outcomes["ungraded"] == 2
        judge.start()
        _, _, scores = lrat_bench.api.rescore(tmp_path / "run", set=reach)
    assert scores.outcomes["correct"] == 2
    assert scores.metric("success_rate").value == 1


def test_what_is_graded_is_scored_again_without_the_judge_s_server(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    words: dict[str, Any] = {"task": str(task_folder), "agent": "heuristic", "retriever": "oracle", "judge": LOCAL}
    with Endpoint(judge_model()) as judge:
        reach = {"judge.api_base": judge.url, "judge.outage_seconds": 0.5, "judge.temperature": 0.5}
        lrat_bench.run(**words, out=tmp_path / "run", limit=1, set=reach)
        judge.stop()
        with pytest.raises(RunIncomplete, match="cannot be reached"):
            lrat_bench.run(**words, out=tmp_path / "run", set=reach)
        lrat_bench.run(**words, out=tmp_path / "run", set=reach, preflight=False)
        judge.start()
        # The address is the one of the run, unless another is given.
        _, manifest, scores = lrat_bench.api.rescore(tmp_path / "run")
        assert scores.outcomes["correct"] == 2
    _, _, again = lrat_bench.api.rescore(tmp_path / "run")
    assert again.outcomes["correct"] == 2
    assert again.judge_name == LOCAL
    assert manifest.judge["rubric"] == "browsecomp-plus-v1"
    assert "{question}" in manifest.judge["rubric_text"]
    assert manifest.judge["sent"]["temperature"] == 0.5


def test_a_judge_costs_apart_from_the_agent(task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A verdict that is in the cache costs nothing.
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    with Endpoint(judge_model()) as judge:
        prices = {"judge.api_base": judge.url, "judge.input_price": 10, "judge.output_price": 10}
        found = lrat_bench.run(
            task=str(task_folder), agent="heuristic", retriever="oracle", out=tmp_path / "run", judge=LOCAL, set=prices
        )
    assert (found.metrics.metric("judge_cost_usd").value or 0) > 0
    assert found.metrics.metric("cost_usd").value == 0


def test_a_cassette_replays_a_run_without_a_server(task_folder: Path, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    with Endpoint(Heuristic()) as endpoint:
        there = over_http(task_folder, endpoint, tmp_path / "a", cassette=tape, cassette_mode="record")
        asked = endpoint.calls
        again = over_http(task_folder, endpoint, tmp_path / "b", cassette=tape)
        assert endpoint.calls == asked
    strict = over_http(task_folder, endpoint, tmp_path / "c", cassette=tape, cassette_mode="strict")
    assert played(there) == played(again) == played(strict)
    with pytest.raises(UsageError, match="sampling"):
        over_http(task_folder, endpoint, tmp_path / "d", cassette=tape, cassette_mode="strict", seed=1)
    assert all("127.0.0.1" not in line for line in tape.read_text().splitlines())
    assert len({json.loads(line)["key"] for line in tape.read_text().splitlines()}) == asked - 1  # all but the canary
