"""Every way a question can end has its status, and what the agent is told and allowed is what the protocol says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.episode import Episode
from lrat_bench.agent.loop import play
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.errors import ContextOverflow, FatalModelError, ModelRefusal, RolloutFailure, UnknownName
from lrat_bench.model.scripted import ScriptedModel, answers, calls, together
from lrat_bench.model.seam import Request, Sampling, ToolCall, Turn
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Answer, Notice, Search, Think, Usage

SEARCH = calls("search", query="bridge")
ANSWER = "Explanation: it says so [d1]\nExact Answer: Aldwin Marr\nConfidence: 90%"


async def found(query: str, k: int, context: SearchContext) -> list[Ranked]:
    return [Ranked("d1", 2.0), Ranked("d2", 1.0)][:k]


class Watched(ScriptedModel):
    """A scripted model that keeps the requests it got."""

    def __init__(self, *script: Any, **more: Any) -> None:
        super().__init__(list(script), **more)
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Turn:
        self.requests.append(request)
        return await super().complete(request)


def rollout(task: Task, model: Any, *, context_tokens: int | None = None, search: Any = found, **rules: Any) -> Episode:
    protocol = Rollout(**rules)
    at = Session("q1", protocol, search, Reader(task.corpus, protocol))
    agent = Agent("test", model, context_tokens=context_tokens)
    return asyncio.run(play("Which mason built it?", agent, at, seed=7))


def kinds(episode: Episode) -> list[str]:
    return [step.kind for step in episode.steps]


def test_an_agent_that_searches_reads_and_answers(bridge: Task) -> None:
    model = Watched(
        calls("search", query="bridge", reasoning="First, the bridge."),
        calls("get_document", docid="d1", reasoning="d1 looks right."),
        answers(ANSWER, reasoning="It says Aldwin Marr."),
    )
    episode = rollout(bridge, model)
    assert (episode.status, episode.answer) == ("answered", ANSWER)
    assert kinds(episode) == ["think", "search", "think", "browse", "think", "answer"]
    assert [turn.finish_reason for turn in episode.turns] == ["tool_calls", "tool_calls", "stop"]
    assert len({turn.request for turn in episode.turns}) == 3
    assert episode.usage.llm_calls == 3

    last = model.requests[-1]
    assert [message.role for message in last.messages] == ["user", "assistant", "tool", "assistant", "tool"]
    assert last.messages[0].content.endswith("\n\nQuestion: Which mason built it?")
    assert last.messages[1].reasoning == "First, the bridge."
    assert [last.messages[2].call_id, last.messages[4].call_id] == ["c0_0", "c1_0"]
    assert [tool.name for tool in last.tools] == ["search", "get_document"]
    assert last.sampling.seed == 7


def test_parallel_calls_are_all_carried_out_and_answered_in_order(bridge: Task) -> None:
    model = Watched(
        together(calls("get_document", docid="d3"), SEARCH, calls("get_document", docid="d9")), answers("x")
    )
    episode = rollout(bridge, model)
    assert kinds(episode) == ["browse", "search", "browse", "answer"]
    results = [json.loads(message.content) for message in model.requests[-1].messages if message.role == "tool"]
    assert [sorted(result)[0] for result in results] == ["docid", "query", "docid"]


def test_the_turn_limit_grants_one_answer_without_tools(bridge: Task) -> None:
    model = Watched(SEARCH, calls("search", query="two"), answers(ANSWER))
    episode = rollout(bridge, model, max_turns=2)
    assert episode.status == "forced"
    assert [request.tool_choice for request in model.requests] == ["auto", "auto", "none"]
    assert model.requests[-1].tools == model.requests[0].tools
    # The last word is a tool result with the request inside it, not a user message.
    final = model.requests[-1].messages[-1]
    assert final.role == "tool"
    assert "final answer now" in json.loads(final.content)["notice"]
    assert "One more turn" in json.loads(model.requests[1].messages[-1].content)["notice"]
    assert [step.turn for step in episode.steps if isinstance(step, Notice)] == [0, 1]


@pytest.mark.parametrize("last", [SEARCH, answers("  ")])
def test_a_forced_turn_without_text_is_no_answer(bridge: Task, last: Turn) -> None:
    episode = rollout(bridge, ScriptedModel([SEARCH, last]), max_turns=1)
    assert (episode.status, episode.answer) == ("no_answer", None)
    assert sum(isinstance(step, Search) for step in episode.steps) == 1


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ({"max_turns": 2}, "turn_limit"),
        ({"max_calls": 2}, "call_limit"),
        ({"max_tokens": 60}, "token_limit"),
    ],
)
def test_without_a_forced_answer_each_limit_is_its_own_status(bridge: Task, rules: Any, status: str) -> None:
    turn = Turn(calls=SEARCH.calls, finish_reason="tool_calls", usage=Usage(completion_tokens=30, llm_calls=1))
    episode = rollout(bridge, ScriptedModel(lambda _: turn), forced_answer=False, **rules)
    assert (episode.status, len(episode.turns)) == (status, 2)
    assert [s.text for s in episode.steps if isinstance(s, Notice)] == (
        ["Your next turn is the last: give your final answer in it."] if status == "turn_limit" else []
    )


@pytest.mark.parametrize("rules", [{"max_calls": 1}, {"max_tokens": 1}])
def test_other_limits_force_an_answer_too(bridge: Task, rules: Any) -> None:
    turn = Turn(calls=SEARCH.calls, finish_reason="tool_calls", usage=Usage(completion_tokens=30, llm_calls=1))
    assert rollout(bridge, ScriptedModel([turn, answers(ANSWER)]), **rules).status == "forced"


def test_seconds_run_out_in_the_middle_of_a_completion(bridge: Task) -> None:
    class Slow(ScriptedModel):
        async def complete(self, request: Request) -> Turn:
            await asyncio.sleep(0.2 if len(request.messages) > 1 else 0)
            return await super().complete(request)

    episode = rollout(bridge, Slow([SEARCH, answers(ANSWER)]), max_seconds=0.05)
    assert (episode.status, kinds(episode)) == ("time_limit", ["search"])


def test_a_timeout_of_the_models_own_is_not_the_time_limit(bridge: Task) -> None:
    assert rollout(bridge, ScriptedModel([TimeoutError("socket")]), max_seconds=60).status == "error"


def test_unreadable_calls_are_answered_and_the_agent_may_recover(bridge: Task) -> None:
    broken = Turn(calls=(ToolCall("x", "search", "not json"),), finish_reason="tool_calls")
    model = Watched(broken, SEARCH, answers(ANSWER))
    episode = rollout(bridge, model)
    assert episode.status == "answered"
    sent = model.requests[1].messages
    assert sent[1].calls[0].arguments == "{}"
    assert "not a JSON object" in json.loads(sent[2].content)["error"]
    assert "not a JSON object" in next(step.text for step in episode.steps if isinstance(step, Notice))


def test_mended_calls_are_counted(bridge: Task) -> None:
    broken = Turn(calls=(ToolCall("x", "search", "{'query': 'bridge'}"),), finish_reason="tool_calls")
    episode = rollout(bridge, ScriptedModel([broken, answers(ANSWER)]))
    assert [turn.repaired for turn in episode.turns] == [1, 0]


@pytest.mark.parametrize("forced", [True, False])
def test_format_errors_in_a_row_end_it(bridge: Task, forced: bool) -> None:
    wrong = [calls("google", query="x"), answers(""), Turn(text="half a sent", finish_reason="length")]
    model = Watched(*wrong, answers(ANSWER))
    episode = rollout(bridge, model, forced_answer=forced)
    assert episode.status == ("forced" if forced else "format_error")
    texts = [step.text for step in episode.steps if isinstance(step, Notice)]
    assert "no tool 'google'" in texts[0]
    assert "empty" in texts[1]
    assert "cut off" in texts[2]


def test_a_readable_turn_forgives_format_errors(bridge: Task) -> None:
    model = ScriptedModel([answers(""), answers(""), SEARCH, answers(""), answers(""), answers(ANSWER)])
    assert rollout(bridge, model).status == "answered"


def test_a_foreseen_overflow_asks_for_the_answer_first(bridge: Task) -> None:
    heavy = Turn(calls=SEARCH.calls, finish_reason="tool_calls", usage=Usage(prompt_tokens=2500, llm_calls=1))
    model = Watched(heavy, answers(ANSWER))
    assert rollout(bridge, model, context_tokens=3600).status == "forced"
    assert model.requests[-1].tool_choice == "none"


def test_a_refused_conversation_loses_its_oldest_results_and_never_a_pair(bridge: Task) -> None:
    script = [calls("search", query=str(n)) for n in range(4)]
    model = Watched(*script)

    async def complete(request: Request) -> Turn:
        model.requests.append(request)
        if len(request.messages) < 9:
            return await ScriptedModel(script).complete(request)
        if sum("removed" in message.content for message in request.messages) < 3:
            raise ContextOverflow
        return answers(ANSWER)

    model.complete = complete  # type: ignore[method-assign]
    episode = rollout(bridge, model)
    assert episode.status == "forced"
    last = model.requests[-1]
    assert [m.role for m in last.messages[1:]] == ["assistant", "tool"] * 4
    assert ["removed" in m.content for m in last.messages if m.role == "tool"] == [True, True, True, False]
    assert last.messages[-1].content.endswith("in the form asked for.")
    assert sum(turn.removed for turn in episode.turns) == 3


@pytest.mark.parametrize(("overflow", "status"), [("end", "context_limit"), ("force", "context_limit")])
def test_a_conversation_that_never_fits_ends(bridge: Task, overflow: str, status: str) -> None:
    model = ScriptedModel([SEARCH, ContextOverflow()])
    assert rollout(bridge, model, overflow=overflow).status == status


def test_a_refusal_is_final_and_an_outage_is_an_error(bridge: Task) -> None:
    refused = rollout(bridge, ScriptedModel([SEARCH, ModelRefusal("content filter")]))
    assert (refused.status, refused.error) == ("refused", "content filter")
    failed = rollout(bridge, ScriptedModel([SEARCH, RolloutFailure("502")]))
    assert (failed.status, failed.error) == ("error", "502")
    crashed = rollout(bridge, ScriptedModel([SEARCH, KeyError("choices")]))
    assert crashed.status == "error"
    assert "model: KeyError" in (crashed.error or "")


def test_a_model_that_can_answer_nothing_stops_the_run(bridge: Task) -> None:
    episode = rollout(bridge, ScriptedModel([SEARCH, FatalModelError("wrong key")]))
    assert (episode.status, episode.error) == ("error", "wrong key")
    assert episode.halt == "the model can answer nothing: wrong key"
    assert episode.usage.llm_calls == 1


def test_reasoning_is_logged_with_where_it_comes_from(bridge: Task) -> None:
    hidden = Turn(calls=SEARCH.calls, reasoning_source="hidden", usage=Usage(reasoning_tokens=400, llm_calls=1))
    cut = Turn(text="", reasoning="I was going to", finish_reason="length")
    thoughts = [s for s in rollout(bridge, ScriptedModel([hidden, cut, answers("x")])).steps if isinstance(s, Think)]
    assert [(t.text, t.source, t.tokens, t.censored) for t in thoughts] == [
        ("", "hidden", 400, False),
        ("I was going to", "text", None, True),
    ]


def test_text_beside_calls_is_kept(bridge: Task) -> None:
    episode = rollout(bridge, ScriptedModel([Turn(text="Let me look.", calls=SEARCH.calls), answers("x")]))
    assert [turn.text for turn in episode.turns] == ["Let me look.", None]


def test_text_that_no_file_can_hold_is_made_harmless(bridge: Task) -> None:
    model = ScriptedModel([Turn(calls=(ToolCall("x", "search", '{"query": "\\ud800"}'),)), answers("a \ud800 b")])
    episode = rollout(bridge, model)
    assert episode.answer == "a ? b"
    for step in episode.steps:
        step.model_dump_json()
    assert isinstance(episode.steps[-1], Answer)


def test_unknown_usage_is_null_and_not_zero(bridge: Task) -> None:
    known = Usage(prompt_tokens=10, completion_tokens=5, llm_calls=1)
    script = [Turn(calls=SEARCH.calls, usage=known), answers("x")]
    assert rollout(bridge, ScriptedModel(script)).usage == Usage(llm_calls=2)


def test_sampling_is_the_agents_but_for_what_the_protocol_pins() -> None:
    agent = Agent("test", ScriptedModel([]), sampling=Sampling(temperature=0.2, max_tokens=4096))
    pinned = Rollout.model_validate({"sampling": {"temperature": 0.85, "stop": ["</s>"]}})
    assert agent.sampling_under(pinned, seed=7) == Sampling(temperature=0.85, max_tokens=4096, stop=("</s>",), seed=7)
    assert agent.sampling_under(Rollout(), seed=None) == agent.sampling


def test_time_that_tools_take_is_not_the_agents(bridge: Task) -> None:
    async def slow(query: str, k: int, context: SearchContext) -> list[Ranked]:
        await asyncio.sleep(0.3)
        return [Ranked("d1", 1.0)]

    episode = rollout(bridge, ScriptedModel([SEARCH, answers(ANSWER)]), search=slow, max_seconds=0.2)
    assert episode.status == "answered"


def test_what_the_harness_says_is_logged(bridge: Task) -> None:
    many = calls("search", query=list("abcdefg"))
    script = [together(many, SEARCH, calls("search", query="z")), answers(ANSWER)]
    episode = rollout(bridge, ScriptedModel(script), max_calls=2)
    said = [step.text for step in episode.steps if isinstance(step, Notice)]
    assert said[0].startswith("Only the first 5 of 7 entries")
    assert said[1] == "The budget of 2 tool calls is spent."
    assert "final answer now" in said[2]


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"content": "x"},
        Turn(text=5),  # type: ignore[arg-type]
        Turn(reasoning=3),  # type: ignore[arg-type]
        Turn(reasoning_source="lol"),  # type: ignore[arg-type]
        Turn(finish_reason=3),  # type: ignore[arg-type]
        Turn(usage=None),  # type: ignore[arg-type]
        Turn(calls=({"name": "search"},)),  # type: ignore[arg-type]
        Turn(calls=(ToolCall("c", "search", {"query": "x"}),)),  # type: ignore[arg-type]
        Turn(calls=(ToolCall(None, None, None),)),  # type: ignore[arg-type]
    ],
)
def test_a_model_that_gives_no_turn_has_failed_and_nothing_more(bridge: Task, given: Any) -> None:
    class Wrong(ScriptedModel):
        async def complete(self, request: Request) -> Any:
            return given

    episode = rollout(bridge, Wrong([]))
    assert episode.status == "error"
    assert (episode.error or "").startswith("model: ")


def test_errors_and_reasons_that_no_file_can_hold_are_made_harmless(bridge: Task) -> None:
    failed = rollout(bridge, ScriptedModel(lambda _: (_ for _ in ()).throw(RuntimeError("\ud800 boom"))))
    assert failed.error == "model: RuntimeError: ? boom"
    assert rollout(bridge, ScriptedModel([Turn(text="x", finish_reason="\ud800")])).turns[0].finish_reason == "?"


def test_the_date_is_told_only_when_the_protocol_has_one(bridge: Task) -> None:
    model = Watched(answers("x"))
    rollout(bridge, model)
    assert "Today" not in model.requests[0].messages[0].content
    rollout(bridge, model, current_date="2026-01-31")
    assert "Today is 2026-01-31." in model.requests[1].messages[0].content


def test_an_unknown_prompt_is_refused(bridge: Task) -> None:
    with pytest.raises(UnknownName, match="did you mean 'research-v1'"):
        rollout(bridge, ScriptedModel([]), prompt="research-v2")
