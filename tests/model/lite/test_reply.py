"""Replies are read whatever shape they have, and what cannot be read is the server's failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lrat_bench.model.lite.reply import EmptyReply, read_reply, reported_model
from lrat_bench.model.spec import Connection, ModelSpec

SPEC = ModelSpec(model="hosted_vllm/m")
PRICED = Connection(input_price=2, output_price=10)


def response(*, usage: Any = None, cost: Any = None, finish: str = "stop", **message: Any) -> Any:
    said = SimpleNamespace(**{"content": "", "tool_calls": None, **message})
    said.model_dump = lambda **_: {key: value for key, value in message.items() if value is not None}
    choice = SimpleNamespace(message=said, finish_reason=finish)
    return SimpleNamespace(choices=[choice], usage=usage, _hidden_params={"response_cost": cost}, model="m")


def tokens(prompt: Any, completion: Any, reasoning: Any = None) -> Any:
    details = SimpleNamespace(reasoning_tokens=reasoning)
    return SimpleNamespace(prompt_tokens=prompt, completion_tokens=completion, completion_tokens_details=details)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}, 3], "ab"),
        ({"text": "a"}, ""),
        (7, ""),
    ],
)
def test_content_of_any_shape(content: Any, text: str) -> None:
    assert read_reply(response(content=content), SPEC, Connection()).text == text


def test_a_reply_without_choices_is_none() -> None:
    with pytest.raises(EmptyReply):
        read_reply(SimpleNamespace(choices=[]), SPEC, Connection())


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        (None, (None, None, None)),
        (tokens(0, 0), (None, None, None)),
        (tokens(10, 5, 3), (10, 5, 3)),
        (tokens(-10, 5), (None, 5, None)),
        (tokens("10", 5.5), (None, None, None)),
        (tokens(True, 5), (None, 5, None)),
    ],
)
def test_what_is_no_count_is_unknown_and_never_nothing(usage: Any, known: tuple[int | None, ...]) -> None:
    used = read_reply(response(usage=usage), SPEC, Connection()).usage
    assert (used.prompt_tokens, used.completion_tokens, used.reasoning_tokens) == known
    assert used.llm_calls == 1


@pytest.mark.parametrize(
    ("cost", "connection", "usd"),
    [
        (None, Connection(), None),
        (0.0, Connection(), None),
        (0.25, Connection(), 0.25),
        (float("nan"), Connection(), None),
        (-1.0, Connection(), None),
        (0.25, PRICED, (1000 * 2 + 500 * 10) / 1e6),
    ],
)
def test_cost(cost: Any, connection: Connection, usd: float | None) -> None:
    assert read_reply(response(usage=tokens(1000, 500), cost=cost), SPEC, connection).usage.cost_usd == usd


def test_tokens_that_litellm_makes_up_for_claude_are_not_taken_for_the_provider_s() -> None:
    claude = ModelSpec(model="anthropic/claude-opus-4-5", reasoning="summary")
    turn = read_reply(response(usage=tokens(10, 50, 2), reasoning_content="Hm."), claude, Connection())
    assert (turn.usage.reasoning_tokens, turn.reasoning_source) == (None, "summary")


@pytest.mark.parametrize(
    ("message", "usage", "source"),
    [
        ({"reasoning_content": "Hm."}, None, "text"),
        ({"reasoning_content": "  "}, None, "none"),
        ({}, tokens(1, 9, 8), "hidden"),
        ({"thinking_blocks": [{"type": "redacted_thinking"}]}, None, "hidden"),
        ({"reasoning_items": [{"encrypted_content": "x"}]}, None, "hidden"),
    ],
)
def test_where_reasoning_stands(message: dict[str, Any], usage: Any, source: str) -> None:
    assert read_reply(response(usage=usage, **message), SPEC, Connection()).reasoning_source == source


def test_calls_of_any_shape() -> None:
    function = SimpleNamespace(name=None, arguments={"query": "a"})
    odd = [
        SimpleNamespace(id=5, function=function),
        SimpleNamespace(id=None, function=SimpleNamespace(name="s", arguments="")),
    ]
    calls = read_reply(response(tool_calls=odd), SPEC, Connection()).calls
    assert [(call.id, call.name, call.arguments) for call in calls] == [("5", "", '{"query": "a"}'), ("", "s", "{}")]


def test_a_refusal_is_one_however_it_is_said() -> None:
    assert read_reply(response(refusal="I cannot"), SPEC, Connection()).finish_reason == "content_filter"


def test_what_a_provider_wants_back_can_be_written_to_a_file() -> None:
    own = ModelSpec(model="anthropic/claude", passback="message")
    turn = read_reply(response(content="lone \ud800", thinking_blocks=[{"signature": "S"}]), own, Connection())
    assert turn.extra["message"] == {"content": "lone ?", "thinking_blocks": [{"signature": "S"}]}


def test_the_reported_name_holds_no_secret_and_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "very-private-value")
    named = SimpleNamespace(model="m-very-private-value-\ud800")
    assert reported_model(named) == "m-[secret]-?"
