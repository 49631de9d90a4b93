"""What is sent is what was asked for: every sampling value but those that the provider refuses, and all reasoning."""

from __future__ import annotations

from typing import Any

import pytest

from lrat_bench.model.lite.payload import payload
from lrat_bench.model.seam import Message, Request, Sampling, Tool, ToolCall
from lrat_bench.model.spec import ModelSpec

ALL = Sampling(
    temperature=0.6, top_p=0.95, top_k=20, presence_penalty=1.1, max_tokens=8192, seed=7, stop=("<tool_response>",)
)
SEARCH = Tool("search", "finds", {"type": "object", "properties": {"query": {"type": "string"}}})
THOUGHT = Message("assistant", "", "Let me look.", (ToolCall("c0_0", "search", '{"query": "a"}'),))
SILENT = Message("assistant", "", None, (ToolCall("c1_0", "search", '{"query": "b"}'),))
LOOP = (
    Message("user", "Who?"),
    THOUGHT,
    Message("tool", "[]", call_id="c0_0"),
    SILENT,
    Message("tool", "[]", call_id="c1_0"),
)


def sent(spec: ModelSpec, messages: tuple[Message, ...] = LOOP) -> list[dict[str, Any]]:
    return list(payload(spec, Request(messages, (SEARCH,)))["messages"])


def test_every_sampling_value_is_sent() -> None:
    found = payload(ModelSpec(model="hosted_vllm/m", extra_body={"min_p": 0}), Request(LOOP, (SEARCH,), sampling=ALL))
    assert found["temperature"] == 0.6
    assert found["top_p"] == 0.95
    assert found["presence_penalty"] == 1.1
    assert found["max_tokens"] == 8192
    assert found["seed"] == 7
    assert found["stop"] == ["<tool_response>"]
    assert found["extra_body"] == {"min_p": 0, "top_k": 20}


def test_zero_is_a_value() -> None:
    found = payload(ModelSpec(model="hosted_vllm/m"), Request(LOOP, sampling=Sampling(temperature=0, seed=0)))
    assert (found["temperature"], found["seed"]) == (0, 0)


def test_what_the_provider_refuses_is_left_out_and_nothing_else() -> None:
    spec = ModelSpec(model="anthropic/claude", omit=("seed", "presence_penalty", "top_p"))
    found = payload(spec, Request(LOOP, sampling=ALL))
    assert not {"seed", "presence_penalty", "top_p", "extra_body"} & found.keys()
    assert found["top_k"] == 20  # Anthropic's own name for it, not a field of the body
    assert found["temperature"] == 0.6


def test_top_k_can_be_left_out() -> None:
    assert "extra_body" not in payload(ModelSpec(model="openai/m", omit=("top_k",)), Request(LOOP, sampling=ALL))


def test_tools_stay_in_a_request_that_may_not_call_them() -> None:
    found = payload(ModelSpec(model="openai/m"), Request(LOOP, (SEARCH,), "none"))
    assert found["tool_choice"] == "none"
    assert [tool["function"]["name"] for tool in found["tools"]] == ["search"]


def test_a_raw_request_is_a_prompt_and_has_no_messages() -> None:
    found = payload(ModelSpec(model="hosted_vllm/m"), Request((Message("user", "Once upon"),), raw=True, sampling=ALL))
    assert found["prompt"] == "Once upon"
    assert not {"messages", "tools", "tool_choice"} & found.keys()
    assert found["stop"] == ["<tool_response>"]


def test_reasoning_goes_back_under_both_names() -> None:
    _, first, result, second, _ = sent(ModelSpec(model="hosted_vllm/m"))
    assert first["reasoning_content"] == first["reasoning"] == "Let me look."
    assert result == {"role": "tool", "tool_call_id": "c0_0", "content": "[]"}
    assert "reasoning_content" not in second


def test_always_is_always() -> None:
    second = sent(ModelSpec(model="deepseek/m", passback="always"))[3]
    assert second["reasoning_content"] == ""


def test_inline_reasoning_stands_in_the_content() -> None:
    first = sent(ModelSpec(model="openai/m", passback="inline"))[1]
    assert first["content"] == "<think>\nLet me look.\n</think>\n\n"
    assert "reasoning" not in first


def test_no_reasoning_goes_back_where_none_is_wanted() -> None:
    assert "Let me look" not in str(sent(ModelSpec(model="openai/m", passback="none")))


PROVIDERS = {
    "role": "assistant",
    "content": None,
    "thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "SIG"}],
    "tool_calls": [{"id": "toolu_1", "type": "function", "function": {"name": "search", "arguments": "{oops"}}],
}


def test_a_provider_sees_its_own_message_again_with_signatures_and_ids() -> None:
    extra = {"message": PROVIDERS}
    said = Message("assistant", "", "Hm.", (ToolCall("c0_0", "search", "{}"),), extra=extra)
    spec = ModelSpec(model="anthropic/claude", passback="message")
    _, first, result = sent(spec, (Message("user", "Who?"), said, Message("tool", "[]", call_id="c0_0")))
    assert first["thinking_blocks"] == PROVIDERS["thinking_blocks"]
    assert first["tool_calls"][0]["id"] == result["tool_call_id"] == "toolu_1"
    # What was no JSON would be refused; the history says what stands in its place.
    assert first["tool_calls"][0]["function"]["arguments"] == "{}"
    assert PROVIDERS["tool_calls"][0]["function"]["arguments"] == "{oops"  # type: ignore[index]


@pytest.mark.parametrize("passback", ["fields", "always", "inline", "message", "none"])
def test_the_payload_is_a_function_of_the_request(passback: Any) -> None:
    spec = ModelSpec(model="openai/m", passback=passback)
    assert sent(spec) == sent(spec)
