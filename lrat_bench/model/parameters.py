"""What may stand among the parameters of a model: nothing that is decided elsewhere, and no secret.

They are written into manifests and records as they stand, so a key among them would lie in the open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from lrat_bench.model.redact import is_secret_name, redact

__all__ = ["Body", "Parameters"]

_SETTINGS = {
    **{
        name: name
        for name in (
            *("temperature", "top_p", "top_k", "presence_penalty", "max_tokens"),
            *("api_base", "api_key_env", "timeout_seconds", "outage_seconds", "input_price", "output_price"),
        )
    },
    "max_completion_tokens": "max_tokens",
    "base_url": "api_base",
    "timeout": "timeout_seconds",
    "request_timeout": "timeout_seconds",
    "input_cost_per_token": "input_price",
    "output_cost_per_token": "output_price",
}
"""Parameter → the setting that says the same."""
_OURS = frozenset(
    "model messages prompt tools tool_choice functions function_call stream stream_options n seed stop extra_body "
    "custom_llm_provider num_retries max_retries retry_policy drop_params additional_drop_params fallbacks "
    "context_window_fallback_dict model_list mock_response mock_tool_calls mock_timeout cache caching client".split()
)
"""Parameters of LiteLLM that are set for every call, or never."""

_HEADERS = ("extra_headers", "headers")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COUNTED = re.compile(r"(?:^|(?<=[_-]))tokens?(?=[_-])", re.IGNORECASE)
"""In `thinking_token_budget` and `stop_token_ids` it is a word of the model's."""
_MORE = frozenset({"cookie", "set-cookie"})
_HARMLESS = frozenset({"prompt_cache_key"})


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    _plain(value)
    for name in value:
        if name in _SETTINGS:
            raise ValueError(f"{name!r} is a setting of its own: --set ROOM.{_SETTINGS[name]}=VALUE")
        if name in _OURS:
            raise ValueError(f"{name!r} is decided elsewhere and cannot be a parameter")
    return _open(value)


def _body(value: dict[str, Any]) -> dict[str, Any]:
    _plain(value)
    # The body is laid over what is sent: these would stand in place of what we say we send.
    for name in ("model", "messages", "prompt", "tools", "tool_choice", "stream", "n"):
        if name in value:
            raise ValueError(f"{name!r} is decided elsewhere and cannot stand in the body")
    return _open(value)


def _plain(value: dict[str, Any]) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(
            "what is sent must be JSON: texts, finite numbers, true, false, null, lists, mappings"
        ) from None


def _open(value: dict[str, Any]) -> dict[str, Any]:
    """The mapping, if anybody may read it."""
    if (found := _secret(value)) is not None:
        raise ValueError(
            f"{found!r} would lie in the open: put the key into an environment variable, and name that with "
            "--set ROOM.api_key_env=NAME"
        )
    return value


def _secret(value: Any, *, among_headers: bool = False) -> str | None:
    """The name under which a secret stands, however deep."""
    if isinstance(value, list | tuple):
        return next((found for one in value if (found := _secret(one)) is not None), None)
    if not isinstance(value, Mapping):
        return None
    for name, inner in value.items():
        if _is_secret(str(name)) or (among_headers and redact(str(inner)) != str(inner)):
            return str(name)
        if (found := _secret(inner, among_headers=name in _HEADERS)) is not None:
            return found
    return None


def _is_secret(name: str) -> bool:
    if name.lower() in _HARMLESS:
        return False
    return name.lower() in _MORE or is_secret_name(_COUNTED.sub("", _WORDS.sub("_", name)))


Parameters = Annotated[dict[str, Any], AfterValidator(_checked)]
"""Further LiteLLM parameters. In messages, `ROOM` stands for the room that they are set in (agent, judge)."""

Body = Annotated[dict[str, Any], AfterValidator(_body)]
"""What is sent in the body as it stands."""
