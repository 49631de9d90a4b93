"""Presets of LLM judges: which model judges, with what settings, by which rubric, as data (`presets.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.files import read_yaml
from lrat_bench.model.parameters import Body, Parameters
from lrat_bench.model.seam import Sampling
from lrat_bench.model.spec import Connection, ModelSpec
from lrat_bench.task.protocol import Scoring
from lrat_bench.values import merged, nested, said

__all__ = ["Preset", "is_model_id", "preset_of", "presets"]

_SAMPLING = ("temperature", "top_p", "top_k", "presence_penalty", "max_tokens", "seed")
_SETTINGS = (*_SAMPLING, "model", "revision", "parameters", "extra_body", "omit")
"""What `scoring.parameters` may hold; the rubric is a field of the protocol of its own."""


class Preset(BaseModel):
    """An LLM judge; the head of `presets.yaml` says what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    name: str
    summary: str = ""
    model: str = Field(pattern=r"^[^/\s]+/\S+$")
    revision: str | None = None
    rubric: str = "browsecomp-plus-v1"
    temperature: float | None = Field(default=0.0, ge=0)
    top_p: float | None = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    max_tokens: int | None = Field(default=4096, ge=1)
    seed: int | None = 0
    parameters: Parameters = Field(default_factory=dict)
    extra_body: Body = Field(default_factory=dict)
    omit: tuple[str, ...] = ()
    serving: str | None = None
    source: str = ""

    def spec(self) -> ModelSpec:
        """Which model is asked."""
        return ModelSpec(
            model=self.model,
            revision=self.revision,
            parameters=self.parameters,
            extra_body=self.extra_body,
            omit=self.omit,
        )

    def sampling(self) -> Sampling:
        """The sampling values; `omit` of the model leaves out what is refused."""
        return Sampling(**{name: getattr(self, name) for name in _SAMPLING})

    def with_settings(self, settings: Mapping[str, Any]) -> Preset:
        """A copy with other settings.

        A mapping is merged into the preset's own (`extra_body={a: 5}` and `extra_body.a=5` are the same), and null
        takes an entry out of it.

        Args:
            settings: `scoring.parameters` of a protocol.

        Raises:
            UsageError: there is no such setting, or it does not take the value.
        """
        values = self.model_dump()
        for place, given in settings.items():
            key, *path = place.split(".")
            if key not in _SETTINGS or (path and not isinstance(values[key], dict)):
                known = [*_SETTINGS, *Connection.model_fields]
                raise UnknownName("setting of the judge", place, known)
            values[key] = merged(values[key], nested(path, given))
        try:
            changed = Preset.model_validate(values)
            changed.spec()
        except ValidationError as error:
            key, problem = _first(error)
            # A mapping may hold what nobody should read.
            given = "" if key in ("parameters", "extra_body") else f" cannot be {values[key]!r}"
            raise UsageError(f"judge.{key}{given}: {problem}") from None
        for key in changed.omit:
            if settings.get(key) is not None:
                raise UsageError(
                    f"judge.{key} cannot be set: {changed.model} refuses it, says judge.omit "
                    "(--set judge.omit=[…] says otherwise)"
                )
        return changed


def is_model_id(judge: str) -> bool:
    """Whether the name of a judge is a LiteLLM id, and no `module:object` or plain name."""
    return "/" in judge.partition(":")[0]


@cache
def presets() -> Mapping[str, Preset]:
    """The presets by name."""
    return MappingProxyType({name: Preset(name=name, **row) for name, row in _file()["presets"].items()})


def preset_of(scoring: Scoring) -> Preset:
    """The LLM judge that a protocol names, a preset or any LiteLLM id, with the protocol's settings in place.

    Raises:
        UnknownName: it is neither.
        UsageError: a setting does not fit.
    """
    if is_model_id(scoring.judge):
        found = _default(scoring.judge)
    elif scoring.judge in presets():
        found = presets()[scoring.judge]
    else:
        hint = "Any model of LiteLLM judges, too, given with its provider: openai/gpt-4.1."
        raise UnknownName("LLM judge", scoring.judge, presets(), hint=hint)
    return found.with_settings(scoring.parameters)


def _default(model: str) -> Preset:
    wanted = model.lower()
    rows = (dict(row) for row in _file()["defaults"])
    fitting = (row for row in rows if any(fnmatchcase(wanted, pattern) for pattern in row.pop("match")))
    try:
        return Preset(name=model, model=model, **next(fitting, {}))
    except ValidationError:
        raise UsageError(f"judge {model!r} is no LiteLLM id, which is PROVIDER/MODEL, as in openai/gpt-4.1") from None


@cache
def _file() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(Path(str(resources.files("lrat_bench") / "score" / "judges" / "presets.yaml")))
    return content


def _first(error: ValidationError) -> tuple[str, str]:
    """The field of the first problem, and what it is."""
    first = error.errors()[0]
    return str(first["loc"][0]), said(first).replace("ROOM.", "judge.")
