"""Earlier reasoning is still before the model's eyes at the end of a long, bumpy question: under Qwen3's template.

The template's rule is in `qwen3_template`; what breaks it is shown beside what keeps it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from behind import Behind, play_on
from endpoint_replies import Dialect
from qwen3_template import render_qwen3

from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.formats.native import Native
from lrat_bench.agent.formats.tags import Tags
from lrat_bench.errors import ContextOverflow
from lrat_bench.model.scripted import ScriptedModel, answers, calls, together
from lrat_bench.model.seam import Message, Request, ToolCall, Turn
from lrat_bench.task.task import Task

BROKEN = ToolCall("", "search", '"no object"')
SCRIPT = [
    together(calls("search", query="bridge", reasoning="Thought 0."), calls("get_document", docid="d1")),
    Turn(calls=(BROKEN,), reasoning="Thought 1.", finish_reason="tool_calls"),
    calls("google", query="x", reasoning="Thought 2."),
    calls("search", query="BRIDGE", reasoning="Thought 3."),
    calls("get_document", docid="nowhere", reasoning="Thought 4."),
    calls("get_document", docid="d2", reasoning="Thought 5."),
    answers("Exact Answer: Aldwin Marr", reasoning="Thought 6."),
]
FORMATS = [pytest.param(Native(), Dialect(), id="native"), pytest.param(Tags(), Dialect(calls="tags"), id="tags")]


def thoughts(messages: tuple[Message, ...] | list[Message]) -> list[int]:
    rendered = render_qwen3(messages)
    return [number for number in range(len(SCRIPT)) if f"<think>\nThought {number}.\n</think>" in rendered]


def last_request(task: Task, wire_format: WireFormat, dialect: Dialect, script: Any, **rules: Any) -> Request:
    model = Behind(ScriptedModel(script), dialect)
    assert play_on(task, model, wire_format, **rules).status == "forced"
    return model.requests[-1]


@pytest.mark.parametrize(("wire_format", "dialect"), FORMATS)
def test_all_reasoning_is_in_the_last_prompt(bridge: Task, wire_format: WireFormat, dialect: Dialect) -> None:
    request = last_request(bridge, wire_format, dialect, SCRIPT, max_turns=6)
    rendered = render_qwen3(request.messages)
    for said in (
        "not a JSON object",
        "no tool 'google'",
        "Same query as in turn 1",
        "no document of this id",
        "One more turn with tools is left.",
        "Give your final answer now",
    ):
        assert said in rendered
    assert thoughts(request.messages) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("wire_format", "dialect"), FORMATS)
def test_a_user_message_in_its_place_would_cost_all_of_it(
    bridge: Task, wire_format: WireFormat, dialect: Dialect
) -> None:
    request = last_request(bridge, wire_format, dialect, SCRIPT, max_turns=6)
    assert thoughts([*request.messages, Message("user", "Give your final answer now.")]) == []


def test_one_letter_beside_the_blocks_would_cost_all_of_it(bridge: Task) -> None:
    request = last_request(bridge, Tags(), Dialect(calls="tags"), SCRIPT, max_turns=6)
    last = request.messages[-1]
    for content in (f"{last.content}\n", f"\n{last.content}", f"Note: {last.content}"):
        assert thoughts([*request.messages[:-1], replace(last, content=content)]) == []


def test_in_tags_even_an_empty_or_cut_reply_costs_nothing(bridge: Task) -> None:
    """There is no call to answer then; in `native` a user message cannot be avoided."""
    script = [
        SCRIPT[0],
        Turn(text="", reasoning="Thought 1."),
        Turn(text="I was", reasoning="Thought 2.", finish_reason="length"),
        *SCRIPT[3:],
    ]
    tags = last_request(bridge, Tags(), Dialect(calls="tags"), script, max_turns=6)
    assert thoughts(tags.messages) == [0, 1, 2, 3, 4, 5]
    native = last_request(bridge, Native(), Dialect(), script, max_turns=6)
    assert thoughts(native.messages) == [3, 4, 5]


@pytest.mark.parametrize(("wire_format", "dialect"), FORMATS)
def test_results_that_make_room_take_no_reasoning_with_them(
    bridge: Task, wire_format: WireFormat, dialect: Dialect
) -> None:
    def play(request: Request) -> Turn:
        if request.tool_choice == "none":
            return SCRIPT[-1]
        if len(request.messages) > 9:
            raise ContextOverflow
        return SCRIPT[sum(message.role == "assistant" for message in request.messages)]

    request = last_request(bridge, wire_format, dialect, play)
    assert "removed to save context" in request.messages[3].content
    assert thoughts(request.messages) == [0, 1, 2, 3]


@pytest.mark.parametrize("placement", ["reasoning_content", "reasoning", "inline", "unopened"])
@pytest.mark.parametrize(("wire_format", "dialect"), FORMATS)
def test_so_it_is_wherever_the_server_puts_reasoning(
    bridge: Task, wire_format: WireFormat, dialect: Dialect, placement: Any
) -> None:
    there = last_request(bridge, wire_format, replace(dialect, reasoning=placement), SCRIPT, max_turns=6)
    here = last_request(bridge, wire_format, dialect, SCRIPT, max_turns=6)
    assert there.fingerprint == here.fingerprint


@pytest.mark.parametrize(("wire_format", "dialect"), FORMATS)
def test_a_reply_that_speaks_of_the_tags_is_not_taken_apart_at_them(
    bridge: Task, wire_format: WireFormat, dialect: Dialect
) -> None:
    said = "The tag </think> ends it, <think> begins it."
    script = [replace(SCRIPT[0], text=said), SCRIPT[-1]]
    request = last_request(bridge, wire_format, dialect, script, max_turns=1)
    assert thoughts(request.messages) == [0]
    assert "ends it, " in render_qwen3(request.messages)
