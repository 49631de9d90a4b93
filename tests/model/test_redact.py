"""No secret gets into what is written."""

from __future__ import annotations

import io
import logging

import pytest

from lrat_bench.model.redact import RedactingFilter, is_secret_name, redact, remember


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "api_key",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "password",
        "auth",
        "apikey",
        "extra_body.password",
        "extra_headers.X-Token",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "api_key_env",
        "max_tokens",
        "thinking_token_budget",
        "stop_token_ids",
        "prompt_cache_key",
        "tokenizer",
        "author",
        "keyboard",
        "monkey",
        "k1",
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "key sk-proj-abcdefghijkl",
        "Authorization: Bearer abcdef.ghijkl",
        "https://user:hunter22@example.org/v1",
        "GET /v1?api_key=abcdefgh&x=1",
        "GET /v1?access-token=abcdefgh",
        "https://abcdefgh@example.org/v1",
        "AIzaSyA1234567890123456789012",
        "hf_abcdefghijklmnop",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    found = redact(text)
    assert "[secret]" in found
    for part in ("abcdefgh", "hunter22", "abcdef.", "SyA12345"):
        assert part not in found


@pytest.mark.parametrize("text", ["task-oriented", "a risk-averse asker", "https://example.org:8000/v1", "tokens=12"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_values_of_the_environment_are_masked_even_where_one_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_API_KEY", "private-one")
    monkeypatch.setenv("B_API_KEY", "private-one-and-more")
    assert redact("x private-one-and-more y private-one") == "x [secret] y [secret]"


def test_a_value_that_was_told_is_masked() -> None:
    remember("told-you-so-1234")
    assert redact("(told-you-so-1234)", guess=False) == "([secret])"


def test_logs_hold_no_secret_not_even_in_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_API_KEY", "very-private-value")
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter())
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        int("very-private-value")
    except ValueError:
        log.exception("failed with %s", "very-private-value")
    assert "ValueError" in out.getvalue()
    assert "very-private" not in out.getvalue()
