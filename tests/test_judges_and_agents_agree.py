"""A model is spoken to alike as a judge and as an agent: neither sends what its provider refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from wall import Wall, standing

from lrat_bench.agent.backbones import backbones, matching
from lrat_bench.agent.catalog import find_backbone
from lrat_bench.model.lite.client import library
from lrat_bench.model.lite.payload import sent
from lrat_bench.model.seam import Message, Request, Sampling
from lrat_bench.model.spec import ModelSpec
from lrat_bench.score.judges.presets import preset_of
from lrat_bench.task.protocol import Scoring

REACHED = [
    "hosted_vllm/mine",
    "hosted_vllm/Qwen/Qwen3-32B",
    "openai/gpt-4.1-mini",
    "openai/gpt-4o",
    "openai/gpt-5-chat-latest",
    "openai/gpt-5-mini",
    "openai/gpt-5.1-chat-latest",
    "openai/gpt-5.6",
    "openai/gpt-6",
    "openai/o1",
    "openai/o3",
    "openai/o4-mini",
    "openai/responses/gpt-5.6",
    "openai/responses/o3",
    "anthropic/claude-3-haiku-20240307",
    "anthropic/claude-3-5-sonnet-20241022",
    "anthropic/claude-3-7-sonnet-20250219",
    "anthropic/claude-opus-4-0",
    "anthropic/claude-sonnet-4-20250514",
    "anthropic/claude-opus-4-1",
    "anthropic/claude-haiku-4-5",
    "anthropic/claude-opus-4-6",
    "anthropic/claude-opus-4-7",
    "anthropic/claude-opus-5-5",
    "anthropic/claude-haiku-5-5",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-3.1-pro-preview",
    "deepseek/deepseek-chat",
    "deepseek/deepseek-v4-pro",
    "zai/glm-4.5-air",
    "zai/glm-5",
    "minimax/MiniMax-M2",
    "minimax/MiniMax-M2.1",
]
"""Ids whose requests can be sent to a server on this machine."""
ELSEWHERE = [
    "azure/gpt-5",
    "azure/gpt-5-chat",
    "azure/o3",
    "bedrock/anthropic.claude-3-haiku-20240307-v1:0",
    "bedrock/anthropic.claude-sonnet-4-20250514-v1:0",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/anthropic.claude-opus-4-6-v1",
    "bedrock/us.anthropic.claude-opus-4-7-v1:0",
    "vertex_ai/claude-3-5-sonnet@20241022",
    "vertex_ai/claude-sonnet-4@20250514",
    "vertex_ai/claude-opus-4-5@20251101",
    "vertex_ai/claude-opus-5-5",
    "vertex_ai/gemini-2.5-pro",
]
"""Ids whose providers sign requests; what LiteLLM makes of their values is asked of it outright."""
HELLO = (Message("user", "hello"),)


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    with standing() as found:
        yield found


def as_agent(model: str) -> tuple[ModelSpec, Sampling]:
    row = find_backbone(model)
    assert row is not None
    return row.spec(), replace(row.sampling_values(), seed=3)


def as_judge(model: str) -> tuple[ModelSpec, Sampling]:
    preset = preset_of(Scoring(judge=model))
    return preset.spec(), preset.sampling()


@pytest.mark.parametrize("model", [*REACHED, *ELSEWHERE])
def test_a_judge_leaves_out_what_the_agent_leaves_out(model: str) -> None:
    row = matching(model)
    assert row is not None
    assert set(preset_of(Scoring(judge=model)).omit) == set(row.omit)


@pytest.mark.parametrize("row", backbones().values(), ids=lambda row: row.name)
def test_a_judge_is_compared_with_every_row(row: Any) -> None:
    if not row.match[0].startswith("hosted_vllm/"):
        assert row in [matching(model) for model in (*REACHED, *ELSEWHERE)]


@pytest.mark.parametrize("model", REACHED)
@pytest.mark.parametrize("role", [as_agent, as_judge])
def test_what_is_sent_leaves_the_house(wall: Wall, model: str, role: Any) -> None:
    spec, sampling = role(model)
    body = wall.body(spec, Request(HELLO, sampling=sampling))
    assert not set(spec.omit) & set(body)


@pytest.mark.parametrize("model", ELSEWHERE)
@pytest.mark.parametrize("role", [as_agent, as_judge])
def test_what_is_sent_is_taken_by_litellm(model: str, role: Any) -> None:
    spec, sampling = role(model)
    values = sent(spec, sampling)
    for apart in ("extra_body", "extra_headers"):
        values.pop(apart, None)
    name, provider, _, _ = library().get_llm_provider(model)
    made = library().utils.get_optional_params(model=name, custom_llm_provider=provider, **values)
    assert not set(spec.omit) & set(made)


@pytest.mark.parametrize("model", [model for model in REACHED if model.startswith("anthropic/")])
def test_a_claude_that_judges_is_asked_for_no_thoughts(wall: Wall, model: str) -> None:
    spec, sampling = as_judge(model)
    body = wall.body(spec, Request(HELLO, sampling=sampling))
    assert not {"thinking", "output_config"} & set(body)
    assert body["max_tokens"] == 4096
