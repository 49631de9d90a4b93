"""What a model is has a fingerprint; how it is reached has none, and no secret in it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.model.spec import Connection, ModelSpec


def test_every_field_of_a_model_changes_its_fingerprint() -> None:
    base = ModelSpec(model="openai/m")
    changes: list[dict[str, Any]] = [
        {"model": "openai/n"}, {"revision": "1"}, {"parameters": {"a": 1}}, {"extra_body": {"a": 1}},
        {"omit": ("seed",)}, {"passback": "none"}, {"reasoning": "summary"},
    ]  # fmt: skip
    assert {next(iter(change)) for change in changes} == set(ModelSpec.model_fields)
    others = {ModelSpec(**{"model": "openai/m", **change}).fingerprint for change in changes}
    assert len(others | {base.fingerprint}) == len(changes) + 1


def test_settings_are_told_apart() -> None:
    connection, rest = Connection.split({"api_base": "http://h:1/v1", "temperature": 1}, room="agent")
    assert connection.api_base == "http://h:1/v1"
    assert rest == {"temperature": 1}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"api_key": "sk-1"}, "api_key_env"),
        ({"api_base": "localhost:8000"}, "http://localhost:8000/v1"),
        ({"api_base": "http://h:99999/v1"}, "http://localhost:8000/v1"),
        ({"api_base": "http://h:port/v1"}, "http://localhost:8000/v1"),
        ({"api_base": "http://me:sk-1@h:1/v1"}, "no user or password"),
        ({"input_price": 1}, "given together"),
        ({"timeout_seconds": 0}, r"agent\.timeout_seconds cannot be 0"),
        ({"outage_seconds": "soon"}, r"agent\.outage_seconds"),
        ({"input_price": -1}, r"agent\.input_price"),
    ],
)
def test_wrong_settings_are_refused_in_a_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        Connection.split(settings, room="agent")
    assert "sk-1" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://h:1/v1?key=x", "http://h:1/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://api.example.org/v1/", "https://api.example.org/v1/"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert Connection(api_base=address).public_api_base == shown
