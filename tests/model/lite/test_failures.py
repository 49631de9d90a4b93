"""Each failure of a call has one meaning, whoever words it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from endpoint import OVERFLOWS

from lrat_bench.errors import BadRequest, ContextOverflow, FatalModelError, ModelRefusal
from lrat_bench.model.lite.failures import Transient, classify


class HttpError(Exception):
    def __init__(self, status: int | None, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status
        self.litellm_response_headers = headers


@pytest.mark.parametrize("wording", OVERFLOWS)
def test_a_context_overflow_is_known_by_any_wording(wording: str) -> None:
    status, body = OVERFLOWS[wording]
    assert isinstance(classify(HttpError(status, str(body))), ContextOverflow)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Unknown parameter: top_k", BadRequest),
        (422, "field required", BadRequest),
        (401, "Incorrect API key", FatalModelError),
        (402, "Payment required", FatalModelError),
        (403, "Forbidden", FatalModelError),
        (404, "The model does not exist", FatalModelError),
        (429, "You exceeded your current quota (insufficient_quota)", FatalModelError),
        (400, "Your credit balance is too low", FatalModelError),
        (400, "triggering Azure OpenAI's content management policy", ModelRefusal),
        (429, "Rate limit reached", Transient),
        (408, "timed out", Transient),
        (409, "conflict", Transient),
        (500, "boom", Transient),
        (502, "Bad Gateway", Transient),
        (503, "Service Unavailable", Transient),
        (529, "Overloaded", Transient),
        (200, "Unable to get json response", Transient),
        (None, "Server disconnected", Transient),
    ],
)
def test_statuses(status: int | None, message: str, kind: type) -> None:
    assert type(classify(HttpError(status, message))) is kind


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("You exceeded your current quota, please check your plan and billing details. Please retry in 38.4s.", 38.4),
        ("Rate limit reached for gpt-4 on requests per min: Limit 3. Please try again in 20s. Visit /billing", 20),
        ('{"error": {"message": "exhausted", "details": [{"retryDelay": "38s"}]}}', 38),
        ("Please try again in 350ms.", 0.35),
        ("You exceeded your current quota, please check your plan and billing details.", None),
    ],
)
def test_a_rate_limit_that_speaks_of_billing_is_one_all_the_same(message: str, seconds: float | None) -> None:
    found = classify(HttpError(429, message))
    assert isinstance(found, Transient)
    assert (found.busy, found.retry_after) == (True, seconds)


def test_what_a_router_hides_in_its_own_words_is_found() -> None:
    raw = "x" * 600 + "This model's maximum context length is 8192 tokens"
    message = json.dumps({"error": {"message": "Provider returned error", "metadata": {"raw": raw}}})
    found = classify(HttpError(400, message))
    assert isinstance(found, ContextOverflow)
    assert str(found) == "Provider returned error"


def test_a_reply_that_cannot_be_read_is_drawn_again_and_said_in_short() -> None:
    traceback = "Invalid response object Traceback (most recent call last): File x.py ... TypeError: 'int' is no text"
    found = classify(HttpError(500, traceback))
    assert isinstance(found, Transient)
    assert (found.resample, found.answered) == (True, True)
    assert str(found) == "the reply is malformed: 'int' is no text"


def test_a_library_that_litellm_lacks_is_named() -> None:
    found = classify(HttpError(500, "litellm.APIConnectionError: APIConnectionError: No module named 'boto3.session'"))
    assert isinstance(found, FatalModelError)
    assert str(found).endswith("pip install boto3")


@pytest.mark.parametrize(
    "message",
    [
        "Missing credentials. Please pass an `api_key`, or set the `OPENAI_API_KEY` environment variable.",
        "Missing Anthropic API Key - A call is being made to anthropic but no key is set",
        "Missing Gemini API key. Set GEMINI_API_KEY or GOOGLE_API_KEY. Traceback (most recent call last): File x.py",
        "The api_key client option must be set either by passing api_key to the client or by setting X_API_KEY",
    ],
)
def test_a_key_that_is_missing_is_no_outage(message: str) -> None:
    found = classify(HttpError(500, message))
    assert isinstance(found, FatalModelError)
    assert "Traceback" not in str(found)


def test_an_address_that_is_wrong_is_hinted_at() -> None:
    assert "/v1" in str(classify(HttpError(405, "Method Not Allowed", {"a": "b"})))


def test_a_parameter_that_is_refused_says_how_to_leave_it_out() -> None:
    class UnsupportedParamsError(HttpError):
        pass

    found = classify(UnsupportedParamsError(400, "does not support parameters: ['presence_penalty']"))
    assert isinstance(found, BadRequest)
    assert "agent.omit" in str(found)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    found = classify(HttpError(429, "slow down", headers))
    assert isinstance(found, Transient)
    assert found.busy
    assert found.retry_after == seconds


def test_retry_after_as_a_date() -> None:
    found = classify(HttpError(503, "later", {"retry-after": formatdate(time.time() + 30, usegmt=True)}))
    assert isinstance(found, Transient)
    assert found.retry_after == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('litellm.BadRequestError: Hosted_vllmException - {"error": {"message": "no \\"x\\"", "code": 1}}', "no"),
        ("litellm.InternalServerError: InternalServerError: Hosted_vllmException - Server disconnected", "Server dis"),
        ("Cannot connect to host h:1 ssl:<ssl.SSLContext object at 0x7f> [refused]", "Cannot connect to host h:1 ["),
    ],
)
def test_messages_are_the_server_s_words_alone(message: str, shown: str) -> None:
    assert str(classify(HttpError(None, message))).startswith(shown)


def test_messages_are_one_line_and_not_endless() -> None:
    said = str(classify(HttpError(500, "a\nb\n" + "x" * 10_000)))
    assert "\n" not in said
    assert len(said) < 500


def test_a_key_that_the_server_repeats_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "very-private-value")
    for error in (HttpError(401, "bad key very-private-value"), HttpError(500, "key sk-abcdefghijklmnop")):
        said = str(classify(error))
        assert "[secret]" in said
        assert "very-private" not in said
        assert "abcdefgh" not in said


def test_a_sample_that_the_server_cannot_parse_is_drawn_again() -> None:
    found: Any = classify(HttpError(500, "unexpected tokens remaining in message header: to=functions", {"a": "b"}))
    assert found.resample
