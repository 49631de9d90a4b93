"""What LiteLLM makes of a row on the wire: each value where its provider reads it, and none that it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from wall import Wall, standing

from lrat_bench.agent.catalog import find_backbone
from lrat_bench.agent.presentation import present
from lrat_bench.agent.tools import offered
from lrat_bench.task.protocol import Rollout

SAMPLING = {"temperature": 1.0, "top_p": 0.95, "presence_penalty": 0.0, "seed": 3}


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    with standing() as found:
        yield found


def body_of(wall: Wall, agent: str) -> dict[str, Any]:
    """The body of one call, without the conversation and the tools."""
    row = find_backbone(agent)
    assert row is not None
    written, rollout = row.wire_format(), Rollout()
    tools = present(written.offer(offered(rollout)), row.presentation)
    sampling = replace(row.sampling_values(), seed=3)
    request = written.request(written.start("hello", tools), tools, may_call=True, sampling=sampling)
    body = wall.body(row.spec(), request)
    for talk in ("messages", "input", "contents", "system", "tools", "prompt"):
        body.pop(talk, None)
    return body


@pytest.mark.parametrize(
    ("agent", "has"),
    [
        (
            "glm-4.7",
            {**SAMPLING, "top_k": -1, "chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}},
        ),
        ("gpt-oss-120b", {"reasoning_effort": "high", "top_p": 1.0, "tool_choice": "auto"}),
        ("minimax-m2.1", {**SAMPLING, "top_k": 40, "max_tokens": 16384}),
        ("tongyi-deepresearch", {"presence_penalty": 1.1, "top_k": -1, "max_tokens": 10000}),
        ("search-r1", {"include_stop_str_in_output": True, "temperature": 0.7, "path": "/v1/completions"}),
        (
            "openai/responses/gpt-5.6",
            {
                "path": "/v1/responses",
                "store": False,
                "include": ["reasoning.encrypted_content"],
                "reasoning": {"effort": "high", "summary": "auto"},
                "max_output_tokens": 32768,
            },
        ),
        ("openai/o3", {"reasoning_effort": "high", "max_completion_tokens": 32768}),
        ("openai/gpt-4.1", {**SAMPLING, "top_p": 1.0, "max_tokens": 8192}),
        (
            "anthropic/claude-opus-5-5",
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}},
        ),
        (
            "anthropic/claude-opus-4-5",
            {
                "thinking": {"type": "enabled", "budget_tokens": 16000},
                "beta": "interleaved-thinking-2025-05-14",
                "temperature": 1.0,
            },
        ),
        ("deepseek/deepseek-v4-pro", {"thinking": {"type": "enabled"}, "temperature": 1.0}),
        ("anthropic/claude-3-haiku-20240307", {"temperature": 1.0, "max_tokens": 4096, "thinking": None, "beta": None}),
        ("openai/gpt-5-chat-latest", {"temperature": 1.0, "max_tokens": 8192, "reasoning_effort": None}),
        ("minimax/MiniMax-M2.1", {"temperature": 1.0, "top_p": 0.95, "top_k": 40, "max_tokens": 16384}),
        ("zai/glm-4.7", {"thinking": {"type": "enabled", "clear_thinking": False}, "top_p": 0.95}),
    ],
)
def test_a_row_s_values_reach_the_wire(wall: Wall, agent: str, has: dict[str, Any]) -> None:
    body = body_of(wall, agent)
    assert {key: body.get(key) for key in has} == has
    row = find_backbone(agent)
    assert row is not None
    assert not set(row.omit) & set(body)


def test_gemini_is_asked_for_its_thoughts(wall: Wall) -> None:
    config = body_of(wall, "gemini/gemini-3.1-pro-preview")["generationConfig"]
    assert config["thinkingConfig"] == {"thinkingLevel": "high", "includeThoughts": True}
    assert (config["temperature"], config["seed"]) == (1.0, 3)
