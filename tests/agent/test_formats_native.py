"""Calls come and go in fields of their own, in a form that servers take back."""

from __future__ import annotations

import pytest

from lrat_bench.agent.formats.native import Native
from lrat_bench.agent.tools import offered
from lrat_bench.model.seam import Message, Sampling, ToolCall, Turn
from lrat_bench.task.protocol import Rollout

FORMAT = Native()


def history_of(turn: Turn, *results: str) -> list[Message]:
    history = FORMAT.start("Question: x", ())
    FORMAT.append(history, FORMAT.decode(turn, number=2), results)
    return history


def test_the_tools_stay_in_a_request_that_may_not_call_them() -> None:
    tools = offered(Rollout())
    request = FORMAT.request([], tools, may_call=False, sampling=Sampling(stop=("</s>",)))
    assert (request.tools, request.tool_choice, request.sampling.stop) == (tools, "none", ("</s>",))


def test_each_call_is_answered_under_an_id_that_replays() -> None:
    turn = Turn(text="Let me look.", reasoning="So.", calls=(ToolCall("call-x", "search", '{"query": "a"}'),) * 2)
    assert history_of(turn, "{}", "[]")[1:] == [
        Message(
            "assistant",
            "Let me look.",
            "So.",
            (ToolCall("c2_0", "search", '{"query": "a"}'), ToolCall("c2_1", "search", '{"query": "a"}')),
        ),
        Message("tool", "{}", call_id="c2_0"),
        Message("tool", "[]", call_id="c2_1"),
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "sent"),
    [
        ("search", '{"query": "a', ("search", "{}")),
        ("search<|channel|>commentary", '{"query": "a"}', ("search", '{"query": "a"}')),
        ("<|channel|>", "{}", ("unknown", "{}")),
        ("", "{}", ("unknown", "{}")),
    ],
)
def test_what_servers_would_choke_on_is_not_sent_back(name: str, arguments: str, sent: tuple[str, str]) -> None:
    call = history_of(Turn(calls=(ToolCall("x", name, arguments),)), "{}")[1].calls[0]
    assert (call.name, call.arguments) == sent


@pytest.mark.parametrize(
    "text", ["<think>\nSo.\n</think>\n\nLet me look.", "So.\n</think>\n\nLet me look."], ids=["inline", "unopened"]
)
def test_reasoning_that_the_server_left_in_the_text_is_moved(text: str) -> None:
    call = ToolCall("x", "search", "{}")
    said = history_of(Turn(text=text, calls=(call,), reasoning_source="none"), "{}")[1]
    assert (said.content, said.reasoning) == ("Let me look.", "So.")


def test_a_call_in_the_text_is_text() -> None:
    text = '<tool_call>\n{"name": "search", "arguments": {"query": "a"}}\n</tool_call>'
    turn = FORMAT.decode(Turn(text=text), number=0)
    assert (turn.text, turn.calls) == (text, ())
