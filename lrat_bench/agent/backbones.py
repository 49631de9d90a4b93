"""Backbone rows: all that is known of a model, as data (`backbones.yaml`, or a file of the user's).

A row says how a model is spoken to: wire format, names and arguments of the tools, sampling, what goes into the
request beside it, how its reasoning goes back; and how it is served. Settings of the command line change a copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.formats.registry import load_format
from lrat_bench.agent.presentation import CANONICAL, ToolForm
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.files import read_yaml
from lrat_bench.model.parameters import Body, Parameters
from lrat_bench.model.seam import Sampling
from lrat_bench.model.spec import Connection, ModelSpec
from lrat_bench.values import Texts, listed, merged, nested, plainly

__all__ = ["Backbone", "RowSampling", "backbones", "matching", "read_backbone"]

_ID = re.compile(r"[^/\s]+/\S+")
_NOT_SET = ("name", "summary", "match", "serving", "sources", "notes", "sampling")
"""Fields that a setting cannot change; the values of `sampling` are settings of their own."""


class RowSampling(BaseModel):
    """Sampling values, all sent as they stand; null leaves the server's own default in force."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    temperature: float | None = Field(default=1.0, ge=0)
    top_p: float | None = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1, description="-1 is no limit, in the words of vLLM and SGLang")
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    max_tokens: int | None = Field(default=8192, ge=1, description="of one completion, reasoning included")
    stop: Texts = Field(default=(), description="beside those of the wire format")


class Backbone(BaseModel):
    """One row."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    name: str = Field(min_length=1, description="what --agent takes")
    summary: str = Field(default="", description="one line for listings")
    model: str | None = Field(
        default=None, description="LiteLLM id (provider/name); null for a family, whose member is chosen"
    )
    revision: str | None = Field(default=None, description="of the weights, where you serve them yourself")
    match: Texts = Field(
        default=(),
        description="LiteLLM ids that the row's settings hold for, as patterns (openai/gpt-4*), in any case of letters",
    )
    format: str = Field(default="native", description="wire format: native, tags, search_r1, or a plug-in's")
    format_options: dict[str, Any] = Field(default_factory=dict, description="options of the wire format")
    presentation: dict[str, ToolForm] = Field(
        default_factory=lambda: dict(CANONICAL),
        description="canonical tool → name and arguments it is offered under; what is not given is canonical",
    )
    sampling: RowSampling = RowSampling()
    context_tokens: int | None = Field(
        default=None, ge=1, description="window: an overflow is foreseen by it; null asks only when the server refuses"
    )
    parameters: Parameters = Field(
        default_factory=dict, description="further LiteLLM parameters: reasoning_effort, thinking, extra_headers"
    )
    extra_body: Body = Field(default_factory=dict, description="sent in the body as it stands: top_k, …")
    omit: Annotated[
        tuple[Literal["temperature", "top_p", "top_k", "presence_penalty", "max_tokens", "seed", "stop"], ...],
        BeforeValidator(listed),
    ] = Field(default=(), description="sampling values that the provider refuses: never sent")
    passback: Literal["fields", "always", "inline", "message", "none"] = Field(
        default="fields", description="how earlier reasoning goes back; see lrat_bench.model.spec"
    )
    reasoning: Literal["text", "summary"] = Field(
        default="text", description="whether the reasoning that comes back is the text itself or a summary of it"
    )
    serving: dict[Literal["vllm", "sglang"], str] = Field(
        default_factory=dict, description="server → the command that serves the model under the name that `model` says"
    )
    notes: Texts = Field(default=(), description="what is good to know, one line each")
    sources: Texts = Field(default=(), description="where the values come from, and what is unverified")

    @field_validator("model")
    @classmethod
    def _with_provider(cls, value: str | None) -> str | None:
        if value is not None and not _ID.fullmatch(value):
            raise ValueError("must be a LiteLLM id with its provider, as in hosted_vllm/my-model")
        return value

    @field_validator("presentation", mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if unknown := sorted(map(str, set(value) - set(CANONICAL))):
            raise ValueError(f"unknown tool {unknown[0]!r}; known: {', '.join(CANONICAL)}")
        forms: dict[str, Any] = {}
        for name, canonical in CANONICAL.items():
            given = value.get(name, {})
            forms[name] = {**canonical.model_dump(), **given} if isinstance(given, Mapping) else given
        return forms

    @model_validator(mode="before")
    @classmethod
    def _one_place(cls, data: Any) -> Any:
        """A sampling value is one, also where it was written into the body."""
        if not isinstance(data, Mapping):
            return data
        moved: dict[str, Any] = {}
        changed: dict[str, Any] = {}
        for key in ("parameters", "extra_body"):
            if isinstance(given := data.get(key), Mapping):
                moved.update({name: value for name, value in given.items() if name in RowSampling.model_fields})
                changed[key] = {name: value for name, value in given.items() if name not in RowSampling.model_fields}
        if moved:
            changed["sampling"] = {**dict(data.get("sampling") or {}), **moved}
        return {**data, **changed}

    def spec(self) -> ModelSpec:
        """What is asked of the model seam.

        Raises:
            UsageError: the row is one of a family, and no member was chosen; or the LiteLLM id is none.
        """
        if self.model is None:
            raise UsageError(
                f"{self.name!r} is a family of models: give the LiteLLM id of one, as --agent PROVIDER/MODEL or "
                "--set agent.model=PROVIDER/MODEL"
            )
        try:
            return ModelSpec(**{key: value for key, value in dict(self).items() if key in ModelSpec.model_fields})
        except ValidationError:
            raise UsageError(
                f"{self.model!r} is no LiteLLM id: it names its provider and the model, as in openai/gpt-4.1"
            ) from None

    def wire_format(self) -> WireFormat:
        """How the conversation is written.

        Raises:
            UsageError: there is no such format, or it refuses the options.
        """
        return load_format(self.format, self.format_options)

    def sampling_values(self) -> Sampling:
        """What is sent; what the provider refuses is left out."""
        values = {key: value for key, value in dict(self.sampling).items() if key not in self.omit}
        return Sampling(**values)

    def with_settings(self, settings: Mapping[str, Any]) -> tuple[Backbone, Connection]:
        """A copy with what `--set agent.key=value` gave, and how the model is reached.

        A mapping is merged into the row's own (`extra_body={top_k: 5}` and `extra_body.top_k=5` are the same); null
        takes an entry out of it.

        Raises:
            UsageError: there is no such setting, it does not take the value, or no model was chosen.
        """
        connection, own = Connection.split(settings, room="agent")
        row = self._merged(own) if own else self
        row.spec()
        return row, connection

    def _merged(self, settings: Mapping[str, Any]) -> Backbone:
        fields = [key for key in type(self).model_fields if key not in _NOT_SET]
        values = self.model_dump()
        for place, value in settings.items():
            key, *path = place.removeprefix("sampling.").split(".")
            if key in RowSampling.model_fields and not path:
                values["sampling"][key] = value
            elif key in fields and (not path or isinstance(values[key], dict)):
                values[key] = merged(values[key], nested(path, value))
            else:
                known = [*RowSampling.model_fields, *fields, *Connection.model_fields]
                raise UnknownName("setting of an agent", place, known)
        try:
            row = Backbone.model_validate(values)
        except ValidationError as error:
            raise UsageError(f"agent.{_problem(error).removeprefix('sampling.')}") from None
        for key in row.omit:
            if settings.get(key, settings.get(f"sampling.{key}")) is not None:
                raise UsageError(
                    f"agent.{key} cannot be set: {row.model or 'the provider'} refuses it, says the row {self.name!r} "
                    "(--set agent.omit=[…] says otherwise)"
                )
        return row


@cache
def backbones() -> Mapping[str, Backbone]:
    """The rows that lrat-bench knows, by name."""
    file = Path(str(resources.files("lrat_bench") / "agent" / "backbones.yaml"))
    content: dict[str, dict[str, Any]] = read_yaml(file)
    rows: dict[str, Backbone] = {}
    for name, body in content.items():
        rows[name] = _read({"name": name, **body}, rows, file=file, place=f"{name}.")
    return MappingProxyType(rows)


def matching(litellm_id: str) -> Backbone | None:
    """The row whose settings hold for a LiteLLM id: the one with the most specific pattern that fits it."""
    wanted = litellm_id.lower()
    fitting = [
        (len(pattern) - pattern.count("*"), row)
        for row in backbones().values()
        for pattern in row.match
        if fnmatchcase(wanted, pattern.lower())
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def read_backbone(path: Path) -> Backbone:
    """The row in a YAML file: the fields of `Backbone`, and `base: ROW` to start from a known one.

    Args:
        path: the file; its stem is the name unless it says another.

    Raises:
        DataError: the file is no row; the message names the field.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise DataError("a backbone is a mapping of fields to values, as in model: hosted_vllm/my-model", file=path)
    row = _read({"name": path.stem, **content}, backbones(), file=path)
    if row.model is None:
        raise DataError("model: missing; give a LiteLLM id, as in model: hosted_vllm/my-model", file=path)
    return row


def _read(content: Mapping[str, Any], known: Mapping[str, Backbone], *, file: Path, place: str = "") -> Backbone:
    """A row, on its base where it names one."""
    values = dict(content)
    base = values.pop("base", None)
    if base is not None:
        if base not in known:
            raise DataError(f"{place}base: no row {base!r}; known: {', '.join(known)}", file=file)
        # What names and finds the base is not handed on; a command serves the base's model only.
        dropped = {"name", "summary", "match", *(["serving", "notes"] if "model" in values else [])}
        start = known[base].model_dump(exclude=dropped)
        if isinstance(sampling := values.get("sampling"), Mapping):
            values["sampling"] = {**start["sampling"], **sampling}  # null is a value here: not sent
            del start["sampling"]
        values = merged(start, values)
    try:
        return Backbone.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{place}{_problem(error)}", file=file) from None


def _problem(error: ValidationError) -> str:
    return plainly(error).replace("ROOM.", "agent.")
