"""The file of a sweep: what is run, as a user writes it down, strictly read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)

from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.files import canonical_json, read_yaml
from lrat_bench.runs.resolve import ROOMS, Settings
from lrat_bench.sweep.lines import Lines
from lrat_bench.task.protocol import Rollout, Scoring
from lrat_bench.values import said

__all__ = ["AXES", "Entry", "RetrieverEntry", "Rule", "SweepSpec", "TaskEntry", "read_spec"]

AXES = ("task", "agent", "retriever", "seed")
"""What a cell has beside its knobs."""


E = TypeVar("E", bound="Entry")

_KINDS = {int: "whole number", str: "name"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _setting(key: str) -> str:
    """The key of a setting, `room.key`, or a room of which several are set."""
    room, dot, name = key.partition(".")
    if room == "filter":
        raise ValueError("cannot be set: a run has no relevance filter, mining does")
    if room not in ROOMS or (dot and not name):
        rooms = ", ".join(one for one in ROOMS if one != "filter")
        raise ValueError(f"a setting is named room.key, as in protocol.k; rooms: {rooms}")
    fields = [*Rollout.model_fields, *Scoring.model_fields]
    if room == "protocol" and name and name not in fields:
        raise ValueError(str(UnknownName("protocol setting", name, fields)))
    return key


def _knob(key: str) -> str:
    if not _setting(key).partition(".")[2]:
        raise ValueError(f"a knob is named room.key, as in {key}.KEY")
    return key


def _axis(key: str) -> str:
    if key not in AXES and "." not in key:
        raise ValueError(f"must be {', '.join(AXES)} or a knob, as protocol.k")
    return key if key in AXES else _knob(key)


def _finite(value: Any) -> Any:
    try:
        canonical_json(value)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("must be finite numbers, texts, lists or mappings") from None
    return value


def _values(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("has no value: give one or several, or leave it out")
    _once(map(canonical_json, _finite(values)))
    return values


def _once(values: Iterable[str], *, mend: str = "keep one") -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value} stands there twice: {mend}")
        seen.add(value)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """Settings as `room.key: value`, whether written so or room by room."""
    try:
        given = Settings.of(value)
    except UsageError as error:
        raise ValueError(str(error)) from None
    return {f"{room}.{key}": inner for room, values in given.to_dict().items() for key, inner in values.items()}


Set = Annotated[
    dict[Annotated[str, AfterValidator(_setting)], Annotated[Any, AfterValidator(_finite)]], AfterValidator(_flat)
]
"""`room.key` → value; also taken room by room."""


class Entry(_Part):
    """An agent, or what tasks and retrievers share."""

    name: str = Field(min_length=1, description="as --task, --agent or --retriever takes it")
    label: str = Field(default="", description="what it is called in tables; its name unless given")
    set: Set = Field(default={}, description="settings of the cells that have it: {agent.api_base: …}")

    @property
    def called(self) -> str:
        """Its label, or its name."""
        return self.label or self.name


class TaskEntry(Entry):
    """A task."""

    split: str | None = Field(default=None, description="which questions, where it is not the sweep's split")
    limit: int | None = Field(
        default=None, strict=True, ge=1, description="how many of them, where it is not the sweep's limit"
    )


class RetrieverEntry(Entry):
    """A retriever."""

    training_size: int | None = Field(
        default=None,
        strict=True,
        ge=0,
        description="pairs or trajectories that it was trained on",
    )
    family: str = Field(default="", description="retrievers of one name make one line against training size")


def _entry(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


Rule = dict[
    Annotated[str, AfterValidator(_axis)],
    Annotated[tuple[Any, ...], BeforeValidator(_several), AfterValidator(_values)],
]
"""Axis or knob → values."""


class SweepSpec(_Part):
    """The content of a sweep's file."""

    tasks: tuple[Annotated[TaskEntry, BeforeValidator(_entry)], ...] = Field(min_length=1)
    agents: tuple[Annotated[Entry, BeforeValidator(_entry)], ...] = Field(min_length=1)
    retrievers: tuple[Annotated[RetrieverEntry, BeforeValidator(_entry)], ...] = Field(min_length=1)
    knobs: dict[Annotated[str, AfterValidator(_knob)], Annotated[tuple[Any, ...], AfterValidator(_values)]] = Field(
        default={}, description="room.key → the values that it takes in turn"
    )
    set: Set = Field(default={}, description="settings of every cell")
    seed: Annotated[tuple[StrictInt, ...], BeforeValidator(_several), AfterValidator(_values)] = (0,)
    split: str | None = None
    limit: int | None = Field(default=None, strict=True, ge=1)
    repeats: int = Field(default=1, strict=True, ge=1)
    judge: str | None = None
    rubric: str | None = None
    concurrency: int = Field(default=16, strict=True, ge=1)
    max_cost: float | None = Field(default=None, gt=0, description="USD, of the whole sweep, all its commands together")
    exclude: tuple[Rule, ...] = Field(default=(), description="combinations of the grid that are not run")
    include: tuple[Rule, ...] = Field(
        default=(), description="further grids: axes and knobs that one does not name take the values of the main grid"
    )

    @field_validator("tasks", "agents", "retrievers")
    @classmethod
    def _different(cls, value: tuple[E, ...]) -> tuple[E, ...]:
        _once((one.called for one in value), mend="give one of them a label")
        return value

    @field_validator("exclude", "include")
    @classmethod
    def _seeds_and_names(cls, value: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for rule in value:
            if not rule:
                raise ValueError("a rule names at least one of task, agent, retriever, seed or a knob")
            for key in AXES:
                kind = int if key == "seed" else str
                if wrong := [one for one in rule.get(key, ()) if not isinstance(one, kind)]:
                    raise ValueError(f"{key} cannot be {wrong[0]!r}: must be a {_KINDS[kind]}")
        return value

    @model_validator(mode="after")
    def _known_axes(self) -> SweepSpec:
        for rule in self.exclude:
            for key in rule:
                if key not in AXES and key not in self.knobs:
                    raise ValueError(f"exclude names {key}, which is no axis of this sweep")
        return self


def read_spec(file: Path) -> SweepSpec:
    """Read the file of a sweep.

    Raises:
        DataError: it cannot be read, or does not hold a sweep; the message names the line and the key.
    """
    content = read_yaml(file)
    lines = Lines(file)
    if not isinstance(content, dict):
        raise DataError(
            "must be a mapping: tasks, agents, retrievers, and knobs where there are any", file=file, line=1
        )
    try:
        return SweepSpec.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        # A key that is wrong itself stands behind "[key]".
        place = [part for part in first["loc"] if part != "[key]"]
        known = f"; known: {', '.join(_fields(place))}" if first["type"] == "extra_forbidden" else ""
        problem = f"{_path(place)}: {said(first)}{known}" if place else said(first)
        raise DataError(problem, file=file, line=lines.of(place)) from None


def _fields(place: Sequence[str | int]) -> list[str]:
    models: dict[str | int, type[BaseModel]] = {"tasks": TaskEntry, "agents": Entry, "retrievers": RetrieverEntry}
    return list((models[place[0]] if len(place) > 1 and place[0] in models else SweepSpec).model_fields)


def _path(place: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
