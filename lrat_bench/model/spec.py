"""Which language model is meant, and how it is reached.

`ModelSpec` is all that changes what the model says, and makes its fingerprint. `Connection` is the way to it: an
address, patience, prices; it may differ from one invocation to the next without changing what a run is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.model.parameters import Body, Parameters
from lrat_bench.model.redact import redact
from lrat_bench.values import said as plainly

__all__ = ["Connection", "ModelSpec"]


class ModelSpec(BaseModel):
    """A language model as LiteLLM names it, and the settings that change what it says."""

    # Errors name what is wrong, and do not repeat what may be a key.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    model: str = Field(pattern=r"^[^/\s]+/\S+$", description="LiteLLM id with its provider: openai/gpt-4.1")
    revision: str | None = Field(default=None, description="of the weights, where you serve them yourself")
    parameters: Parameters = Field(
        default_factory=dict, description="further LiteLLM parameters: reasoning_effort, thinking, extra_headers"
    )
    extra_body: Body = Field(default_factory=dict, description="sent in the body as it stands: min_p, …")
    omit: tuple[str, ...] = Field(
        default=(), description="sampling values that the provider refuses, and that are therefore never sent"
    )
    passback: Literal["fields", "always", "inline", "message", "none"] = Field(
        default="fields",
        description=(
            "how earlier reasoning goes back: as reasoning_content and reasoning (fields; always: even when empty), "
            "as <think> in the content (inline), with the provider's own message, signatures included (message), "
            "or not at all (none)"
        ),
    )
    reasoning: Literal["text", "summary"] = Field(
        default="text", description="whether the reasoning that comes back is the text itself or a summary of it"
    )

    @field_validator("omit")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = {"temperature", "top_p", "top_k", "presence_penalty", "max_tokens", "seed", "stop"}
        if unknown := sorted(set(value) - known):
            raise ValueError(f"unknown sampling value {unknown[0]!r}; known: {', '.join(sorted(known))}")
        return value

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every field."""
        return fingerprint(self.model_dump(mode="json"))


class Connection(BaseModel):
    """How a model is reached; no part of any fingerprint."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    api_base: str | None = Field(default=None, description="address of an OpenAI-compatible server, with its /v1")
    api_key_env: str | None = Field(
        default=None, description="environment variable that holds the key; unset, the provider's usual one is read"
    )
    timeout_seconds: float = Field(default=600, gt=0, description="for one call")
    outage_seconds: float = Field(default=600, ge=0, description="how long failing calls are tried again")
    input_price: float | None = Field(default=None, ge=0, description="USD per million prompt tokens")
    output_price: float | None = Field(default=None, ge=0, description="USD per million completion tokens")

    @field_validator("api_base")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise ValueError("must be an address such as http://localhost:8000/v1")
        if "@" in urlsplit(value).netloc:
            raise ValueError("must hold no user or password: put the key into an environment variable (api_key_env)")
        return value

    @model_validator(mode="after")
    def _both_prices(self) -> Connection:
        if (self.input_price is None) != (self.output_price is None):
            raise ValueError("input_price and output_price are given together")
        return self

    @classmethod
    def split(cls, settings: Mapping[str, Any], *, room: str) -> tuple[Connection, dict[str, Any]]:
        """Take the settings of a connection out of others.

        Args:
            settings: what `--set room.key=value` gave.
            room: for messages.

        Returns:
            the connection, and the settings that are not its own.

        Raises:
            UsageError: a value does not fit, or a key stands in the open.
        """
        if "api_key" in settings:
            raise UsageError(
                f"{room}.api_key would lie in the open: put the key into an environment variable, and name that with "
                f"--set {room}.api_key_env=NAME"
            )
        own = {key: value for key, value in settings.items() if key in cls.model_fields}
        try:
            connection = cls.model_validate(own)
        except ValidationError as error:
            first = error.errors()[0]
            said = plainly(first)
            if not first["loc"]:
                raise UsageError(f"{room}: {said}") from None
            key = str(first["loc"][0])
            raise UsageError(f"{room}.{key} cannot be {redact(repr(own[key]))}: {said}") from None
        return connection, {key: value for key, value in settings.items() if key not in own}

    @classmethod
    def of_manifest(cls, settings: Mapping[str, Any], *, room: str) -> dict[str, Any]:
        """The settings of a connection among those that a manifest keeps of an earlier command."""
        kept = settings.get("set", {}).get(room, {})
        return {key: value for key, value in kept.items() if key in cls.model_fields}

    @property
    def public_api_base(self) -> str | None:
        """The address without what may be a secret in it: user, password, query."""
        if self.api_base is None:
            return None
        parts = urlsplit(self.api_base)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path, "", ""))
