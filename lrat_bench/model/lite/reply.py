"""LiteLLM's response as a turn of the seam."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Literal

from lrat_bench.files import encodable
from lrat_bench.model.redact import redact
from lrat_bench.model.seam import ToolCall, Turn
from lrat_bench.model.spec import Connection, ModelSpec
from lrat_bench.trajectory import Usage

__all__ = ["EmptyReply", "read_reply", "reported_model"]

_ESTIMATED = ("claude",)
"""Models for which LiteLLM counts the tokens of the summary that is shown where the provider reports no figure."""


class EmptyReply(Exception):
    """A reply without any choice: the server's failure, and not the model's silence."""


def read_reply(response: Any, spec: ModelSpec, connection: Connection) -> Turn:
    """The first choice of a response.

    Args:
        response: of a chat or text completion.
        spec: says what its reasoning is, and what must be kept to be sent back.
        connection: holds the prices, where the user gave them.

    Raises:
        EmptyReply: there is none.
    """
    if not getattr(response, "choices", None):
        raise EmptyReply("the reply holds no choice")
    choice = response.choices[0]
    usage = _usage(response, spec, connection)
    message = getattr(choice, "message", None)
    if message is None:
        text = _text(choice.text)
        return Turn(text=text, reasoning_source="none", finish_reason=choice.finish_reason, usage=usage)
    reasoning = _text(getattr(message, "reasoning_content", None))
    return Turn(
        text=_text(message.content),
        reasoning=reasoning if reasoning.strip() else None,
        reasoning_source=_source(message, reasoning, usage, spec),
        calls=tuple(map(_call, message.tool_calls or ())),
        finish_reason=_finish(choice, message),
        usage=usage,
        extra={"message": _plain(message)} if spec.passback == "message" else {},
    )


def reported_model(response: Any) -> str | None:
    """The model id that the reply carries."""
    hidden = getattr(response, "_hidden_params", None) or {}
    found = hidden.get("provider_response_model") or getattr(response, "model", None)
    return _shown(str(found)) if found else None


@lru_cache(maxsize=64)
def _shown(name: str) -> str:
    """A name that may be written anywhere; it is the same in every reply."""
    return redact(encodable(name))


def _text(content: Any) -> str:
    """Content as text: it may be missing, or a list of parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _call(call: Any) -> ToolCall:
    arguments = call.function.arguments
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(str(call.id or ""), str(call.function.name or ""), written or "{}")


def _finish(choice: Any, message: Any) -> str | None:
    # OpenAI says a refusal in a field, Anthropic in the reason that LiteLLM keeps beside its own.
    fields = getattr(choice, "provider_specific_fields", None) or {}
    if getattr(message, "refusal", None) or "refusal" in (
        fields.get("stop_reason"),
        fields.get("native_finish_reason"),
    ):
        return "content_filter"
    finish: str | None = choice.finish_reason
    return finish


def _source(
    message: Any, reasoning: str, usage: Usage, spec: ModelSpec
) -> Literal["text", "summary", "hidden", "none"]:
    if reasoning.strip():
        return spec.reasoning
    # Anthropic leaves empty or encrypted blocks where it shows no thoughts, OpenAI items.
    withheld = getattr(message, "thinking_blocks", None) or getattr(message, "reasoning_items", None)
    return "hidden" if withheld or usage.reasoning_tokens else "none"


def _usage(response: Any, spec: ModelSpec, connection: Connection) -> Usage:
    used = getattr(response, "usage", None)
    prompt, completion = _count(used, "prompt_tokens"), _count(used, "completion_tokens")
    # LiteLLM writes zeros where the server said nothing.
    if not prompt and not completion:
        return Usage(llm_calls=1)
    details = getattr(used, "completion_tokens_details", None)
    reasoning = _count(details, "reasoning_tokens")
    if any(name in spec.model for name in _ESTIMATED):
        reasoning = None
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=reasoning,
        llm_calls=1,
        cost_usd=_cost(response, prompt or 0, completion or 0, connection),
    )


def _cost(response: Any, prompt: int, completion: int, connection: Connection) -> float | None:
    if connection.input_price is not None and connection.output_price is not None:
        return (prompt * connection.input_price + completion * connection.output_price) / 1e6
    cost = (getattr(response, "_hidden_params", None) or {}).get("response_cost")
    # A price of 0 in the map says that none is known, or that the hardware is the user's own.
    return float(cost) if isinstance(cost, int | float) and 0 < cost < float("inf") else None


def _count(holder: Any, name: str) -> int | None:
    """A number of tokens; what is none is unknown."""
    found = getattr(holder, name, None)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _plain(message: Any) -> dict[str, Any]:
    """The message as JSON, for the provider to see again."""
    text = json.dumps(message.model_dump(exclude_none=True), ensure_ascii=False, default=str)
    found: dict[str, Any] = json.loads(encodable(text))
    return found
