"""LiteLLM's response as a turn of the seam."""

from __future__ import annotations

import json
from typing import Any, Literal

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
        return Turn(text=choice.text or "", reasoning_source="none", finish_reason=choice.finish_reason, usage=usage)
    reasoning = getattr(message, "reasoning_content", None)
    return Turn(
        text=message.content if isinstance(message.content, str) else "",
        reasoning=reasoning if isinstance(reasoning, str) and reasoning.strip() else None,
        reasoning_source=_source(reasoning, usage, spec),
        calls=tuple(map(_call, message.tool_calls or ())),
        finish_reason=_finish(choice, message),
        usage=usage,
        extra={"message": _plain(message)} if spec.passback == "message" else {},
    )


def reported_model(response: Any) -> str | None:
    """The model id that the reply carries."""
    hidden = getattr(response, "_hidden_params", None) or {}
    found = hidden.get("provider_response_model") or getattr(response, "model", None)
    return str(found) if found else None


def _call(call: Any) -> ToolCall:
    arguments = call.function.arguments
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(call.id or "", call.function.name or "", written or "{}")


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


def _source(reasoning: Any, usage: Usage, spec: ModelSpec) -> Literal["text", "summary", "hidden", "none"]:
    if isinstance(reasoning, str) and reasoning.strip():
        return spec.reasoning
    return "hidden" if usage.reasoning_tokens else "none"


def _usage(response: Any, spec: ModelSpec, connection: Connection) -> Usage:
    used = getattr(response, "usage", None)
    prompt, completion = getattr(used, "prompt_tokens", None), getattr(used, "completion_tokens", None)
    # LiteLLM writes zeros where the server said nothing.
    if not prompt and not completion:
        return Usage(llm_calls=1)
    details = getattr(used, "completion_tokens_details", None)
    reasoning = getattr(details, "reasoning_tokens", None)
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
    return float(cost) if cost else None


def _plain(message: Any) -> dict[str, Any]:
    """The message as JSON, for the provider to see again."""
    found: dict[str, Any] = json.loads(message.model_dump_json(exclude_none=True))
    return found
