"""What went wrong with a call, in the vocabulary of `lrat_bench.errors`."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrat_bench.errors import BadRequest, ContextOverflow, FatalModelError, ModelRefusal, RolloutError
from lrat_bench.model.lite.reply import EmptyReply
from lrat_bench.model.redact import redact

__all__ = ["Transient", "classify", "malformed"]

# One alternative for each server whose wording was met: vLLM (three), SGLang (two), OpenAI, its Responses API,
# llama.cpp, TGI, Anthropic, Gemini; and what is common to those that were not.
_OVERFLOW = re.compile(
    r"maximum context length|maximum model length|max_model_len|model'?s context length|context[ _]window|"
    r"context_length_exceeded|available context size|exceed_context_size|"
    r"`?inputs`? tokens \+ `?max_new_tokens`? must be|prompt is too long|"
    r"input token count \(?\d+\)? exceeds|exceeds the maximum number of (?:input )?tokens|"
    r"(?:input|prompt|request|conversation) (?:is |was )?too (?:long|large)|too many (?:input )?tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content[ _]?(?:management )?(?:policy|filter)|content_policy_violation|ResponsibleAIPolicyViolation|"
    r"safety (?:system|settings)|flagged as potentially|prohibited_content",
    re.IGNORECASE,
)
_EXHAUSTED = re.compile(r"insufficient_quota|credit balance|insufficient (?:balance|funds|credits?)", re.IGNORECASE)
_NO_CREDIT = re.compile(rf"{_EXHAUSTED.pattern}|billing[ _](?:hard_limit|not active)", re.IGNORECASE)
# Gemini and OpenAI say it in the body: `Please retry in 38.4s.`, `Please try again in 20s`, `"retryDelay": "38s"`.
_WAIT = re.compile(r"(?:(?:re)?try (?:again )?in|retryDelay\\?\"?:? ?\\?\"?) ?(\d+(?:\.\d+)?) ?(ms|s)\b", re.IGNORECASE)
# gpt-oss now and then writes a header that the server's own parser refuses; another sample of the turn is fine.
_UNPARSED = re.compile(r"unexpected tokens remaining in message header|HarmonyError|openai_harmony", re.IGNORECASE)
# LiteLLM and the clients below it say it without asking any server, each in its own words.
_NO_KEY = re.compile(
    r"missing credentials|api_key client option must be set|"
    r"(?:missing|no|provide (?:an?|your)) [\w .'\"]{0,40}API[ _]?key|"
    r"API[ _]?key[\w .'\"]{0,20}(?:is missing|not (?:set|found|provided)|is required|must be set)|"
    r"_API_KEY[\w .'\"]{0,20}(?:missing|not (?:set|found|provided)|is required|must be set)",
    re.IGNORECASE,
)
_NO_LIBRARY = re.compile(r"No module named '(\w+)")
_UNPAID, _REFUSED = 402, (401, 403, 404, 405, 410)
_BUSY = (429, 503, 529)
_GATEWAY = (408, 502, 503, 504, 529)
# `litellm.BadRequestError: ContextWindowExceededError: Hosted_vllmException - …`
_PREFIXES = re.compile(r"^(?:(?:litellm\.)?\w*(?:Error|Timeout): ?|Timeout Error: ?|\w+Exception - )+")
_MESSAGE = re.compile(r"^\{.*?\"message\": ?\"((?:[^\"\\]|\\.)*)\"")
_TLS = re.compile(r" ssl:(?:<[^>]*>|\w+)(?= \[)")
_AGES = 1e6
_LONGEST = 400
"""Characters of a server's words that are kept."""


@dataclass
class Transient(Exception):
    """A failure that may pass.

    Attributes:
        reason: one line, without secrets.
        busy: the server asked for less (429, 503): fewer calls at once.
        retry_after: seconds that it asked to wait; None where it did not say.
        answered: the server itself answered, if with an error; false where nothing was there.
        resample: the same request with the same seed would fail again.
    """

    reason: str
    busy: bool = False
    retry_after: float | None = None
    answered: bool = False
    resample: bool = False

    def __str__(self) -> str:
        return self.reason


def classify(error: Exception) -> RolloutError | Transient:
    """What to make of an exception of LiteLLM's call.

    Returns:
        `FatalModelError` (401, 403, 404, no credit left), `ContextOverflow`, `ModelRefusal`, `BadRequest` (another 4xx:
        this very request is refused), or `Transient` for all that may pass.
    """
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else None
    # Routers put the words of the server behind them deep into their own; so all of it is searched.
    whole, headers, kind = _text(error), _headers(error), type(error).__name__
    said = _words(whole)
    # LiteLLM gives a status of its own to what no server has answered.
    shown = headers and status not in (None, 200) and str(status) not in said
    reason = f"{said} (HTTP {status})" if shown else said
    retry_after = _retry_after(headers, whole)
    if kind == "ContextWindowExceededError" or (status in (400, 413, 422, 500) and _OVERFLOW.search(whole)):
        return ContextOverflow(reason)
    if kind == "ContentPolicyViolationError" or (status in (400, 403, 422) and _FILTERED.search(whole)):
        return ModelRefusal(reason)
    if not headers and (lacking := _NO_LIBRARY.search(whole)):
        return FatalModelError(
            f"LiteLLM needs a library for this model that is not installed: pip install {lacking[1]}"
        )
    if not headers and _NO_KEY.search(whole):
        return FatalModelError(f"{said.rstrip('.')} (or name another variable with api_key_env)")
    if "Invalid response object" in str(error):
        return malformed(str(error).rpartition("Error: ")[2] or "it cannot be read")
    if (
        status == _UNPAID
        or (status in (400, 403) and _NO_CREDIT.search(whole))
        or _exhausted(status, whole, retry_after)
    ):
        return FatalModelError(f"{reason}: no credit is left")
    if status in (404, 405):
        return FatalModelError(f"{reason}; check the model's name, and the address with its /v1")
    if status in _REFUSED or kind in ("AuthenticationError", "PermissionDeniedError", "NotFoundError"):
        return FatalModelError(reason)
    if kind == "UnsupportedParamsError":
        return BadRequest(f"{reason}; what a provider refuses is left out with --set agent.omit=[NAME], or judge.omit")
    if status is not None and 400 <= status < 500 and status not in (408, 409, 425, 429):
        return BadRequest(reason)
    return Transient(
        reason,
        busy=status in _BUSY or kind == "RateLimitError",
        retry_after=retry_after,
        answered=bool(headers) and status not in _GATEWAY and not isinstance(error, EmptyReply),
        resample=bool(_UNPARSED.search(whole)),
    )


def malformed(problem: str) -> Transient:
    """A reply that is there and cannot be read: another sample of it may be."""
    text = redact(" ".join(problem.split()))[:_LONGEST]
    return Transient(f"the reply is malformed: {text}", answered=True, resample=True)


def _exhausted(status: int | None, text: str, retry_after: float | None) -> bool:
    """Whether a 429 is for good. Most are not, though many speak of quotas and billing, too."""
    return status == 429 and retry_after is None and bool(_EXHAUSTED.search(text))


def _text(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", None) or error).split()) or type(error).__name__
    # Some of LiteLLM's messages hold its own traceback; what they say stands before it, or at its end.
    said, _, traceback = text.partition("Traceback (most recent call last)")
    text = said.strip() or traceback.rpartition("Error: ")[2].strip() or text
    return _PREFIXES.sub("", text)


def _words(text: str) -> str:
    """The server's words alone, without secrets, and not endless."""
    if found := _MESSAGE.match(text):
        text = found[1]
    text = redact(_TLS.sub("", text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _headers(error: Exception) -> Mapping[str, Any]:
    for holder in (error, getattr(error, "response", None)):
        for name in ("litellm_response_headers", "headers"):
            found = getattr(holder, name, None)
            if found:
                return {str(key).lower(): value for key, value in dict(found).items()}
    return {}


def _retry_after(headers: Mapping[str, Any], text: str) -> float | None:
    """Seconds to wait: as a number, in milliseconds, or until a date (RFC 9110, 10.2.3); else what the text says."""
    if (exact := headers.get("retry-after-ms")) is not None and (seconds := _number(exact)) is not None:
        return seconds / 1000
    value = headers.get("retry-after")
    if value is None:
        found = _WAIT.search(text)
        return float(found[1]) / (1000 if found[2].lower() == "ms" else 1) if found else None
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(str(value)).timestamp() - time.time())
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return min(seconds, _AGES) if 0 <= seconds < float("inf") else None
