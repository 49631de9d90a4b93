"""The card of a task: what a YAML file says about it, beside questions and documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lrat_bench.errors import DataError
from lrat_bench.files import read_yaml
from lrat_bench.task.hub_card import HubCard
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.question import Role
from lrat_bench.values import said

__all__ = ["Expected", "FolderCard", "Setting", "TaskCard", "read_card"]

Setting = bool | int | float | str
"""A value of a task source's setting."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Record):
    """Counts that the card's own settings lead to."""

    documents: int | None = None
    documents_at_least: int | None = Field(default=None, description="where the exact number is not published")
    questions: int | None = None
    evidence: int | None = Field(default=None, description="judgements")
    gold: int | None = Field(default=None, description="judgements")


class FolderCard(_Record):
    """What a task folder's `task.yaml` may say; nothing is required."""

    name: str | None = Field(default=None, description="the folder's name unless given")
    summary: str = Field(default="", description="one line for listings")
    domain: Literal["ID", "OOD"] | None = Field(default=None, description="in-domain or out-of-domain")
    license: str | None = Field(default=None, description="of questions and documents")
    splits: dict[str, Role] | None = Field(default=None, description="split → role; found from the names unless given")
    default_split: str | None = Field(default=None, description="the one run when none is named")
    default_protocol: str | None = Field(default=None, description="the one used when none is named")
    protocols: dict[str, Protocol] = Field(default_factory=dict, description="name → what differs from the defaults")

    @field_validator("protocols", mode="before")
    @classmethod
    def _name_protocols(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            key: {**body, "name": key} if isinstance(body, dict) else {"name": key} if body is None else body
            for key, body in value.items()
        }

    @model_validator(mode="after")
    def _defaults_exist(self) -> FolderCard:
        if self.splits and self.default_split and self.default_split not in self.splits:
            raise ValueError(f"default_split {self.default_split!r} is not among splits: {', '.join(self.splits)}")
        if self.default_protocol and self.default_protocol not in self.protocols:
            raise ValueError(
                f"default_protocol {self.default_protocol!r} is not among protocols: {', '.join(self.protocols)}"
            )
        return self


class TaskCard(FolderCard):
    """A task of the catalog: where it comes from, with which settings, and the protocols it is run under."""

    name: str
    summary: str
    domain: Literal["ID", "OOD"] | None
    license: str
    source: str = Field(description="name of a registered task source, or hub")
    hub: HubCard | None = Field(default=None, description="where it lies on the Hugging Face hub, if it does")
    canary: str | None = Field(default=None, description="that guards questions and answers; null lets them lie open")
    settings: dict[str, Setting] = Field(default_factory=dict, description="what the source is told, all of it")
    splits: dict[str, Role] = Field(min_length=1)
    default_split: str
    default_protocol: str
    protocols: dict[str, Protocol] = Field(min_length=1)
    expected: Expected = Expected()

    @model_validator(mode="after")
    def _source_is_described(self) -> TaskCard:
        if (self.source == "hub") != (self.hub is not None):
            raise ValueError("a card of source hub, and no other, says under hub where the task lies")
        return self


CardT = TypeVar("CardT", bound=FolderCard)


def read_card(file: Path, kind: type[CardT]) -> CardT:
    """The card in a YAML file.

    Raises:
        DataError: the file is not YAML, has an unknown key, lacks one, or a value is not what it must be.
    """
    content = read_yaml(file)
    try:
        return kind.model_validate({} if content is None else content)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc'])) or 'card'}: {said(item)}" for item in error.errors()]
        raise DataError("; ".join(problems), file=file) from None
