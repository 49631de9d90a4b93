"""Parameters of a model are anybody's to read, and say nothing that is said elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lrat_bench.model.spec import Connection, ModelSpec

SECRETS: list[dict[str, Any]] = [
    {"api_key": "s3cret"},
    {"aws_secret_access_key": "s3cret"},
    {"vertex_credentials": {"private": "s3cret"}},
    {"azure_ad_token": "s3cret"},
    {"extra_headers": {"Authorization": "Bearer s3cret"}},
    {"extra_headers": {"X-API-Key": "s3cret"}},
    {"extra_headers": {"Cookie": "s3cret"}},
    {"extra_headers": {"X-Gateway": "Bearer s3cret-of-mine"}},
    {"tools_of_mine": [{"deep": {"clientSecret": "s3cret"}}]},
]
OPEN: list[dict[str, Any]] = [
    {"reasoning_effort": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
    {"thinking": {"type": "enabled", "budget_tokens": 16000}},
    {"extra_headers": {"anthropic-beta": "interleaved-thinking-2025-05-14"}},
    {"prompt_cache_key": "lrat"},
    {"thinking_token_budget": 4096, "stop_token_ids": [1], "skip_special_tokens": False},
]


@pytest.mark.parametrize("field", ["parameters", "extra_body"])
@pytest.mark.parametrize("value", SECRETS)
def test_a_secret_is_refused_however_deep_it_lies_and_is_not_repeated(field: str, value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="api_key_env") as refused:
        ModelSpec.model_validate({"model": "openai/m", field: value})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("field", ["parameters", "extra_body"])
@pytest.mark.parametrize("value", OPEN)
def test_what_only_sounds_like_a_secret_is_taken(field: str, value: dict[str, Any]) -> None:
    assert getattr(ModelSpec.model_validate({"model": "openai/m", field: value}), field) == value


@pytest.mark.parametrize("name", [*Connection.model_fields, "temperature", "max_completion_tokens", "base_url"])
def test_what_is_a_setting_is_no_parameter(name: str) -> None:
    with pytest.raises(ValidationError, match=r"is a setting of its own: --set ROOM\."):
        ModelSpec(model="openai/m", parameters={name: None})


@pytest.mark.parametrize("name", ["model", "messages", "stream", "seed", "num_retries", "drop_params", "extra_body"])
def test_what_is_decided_for_every_call_is_no_parameter(name: str) -> None:
    with pytest.raises(ValidationError, match="is decided elsewhere"):
        ModelSpec(model="openai/m", parameters={name: None})


@pytest.mark.parametrize("name", ["model", "messages", "stream", "tools"])
def test_the_body_cannot_stand_in_place_of_what_is_said_to_be_sent(name: str) -> None:
    with pytest.raises(ValidationError, match="decided elsewhere"):
        ModelSpec(model="openai/m", extra_body={name: []})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
def test_what_is_no_json_is_refused_before_it_is_sent(value: object) -> None:
    for part in ("parameters", "extra_body"):
        with pytest.raises(ValidationError, match="must be JSON"):
            ModelSpec.model_validate({"model": "openai/m", part: {"a": value}})
