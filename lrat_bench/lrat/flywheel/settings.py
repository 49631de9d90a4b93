"""What a flywheel is: everything that its numbers depend on, and the folder that holds it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import write_json, writing
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.model.spec import Connection

__all__ = ["FlywheelSettings", "claim", "read_settings"]

_FILE = "flywheel.json"
_GROWING = ("iterations", "arms")
"""What may grow in a folder that is there: more turns, more arms beside the first."""

_PLACES: Mapping[str, Collection[str]] = {
    "agent": Connection.model_fields,
    "judge": Connection.model_fields,
    "filter": Connection.model_fields,
    "retriever": ("device", "batch_size", "threads"),
}
"""Settings by room that say where and how fast, and decide no number: a server that moved is the same flywheel."""


class FlywheelSettings(BaseModel):
    """The content of `flywheel.json`."""

    schema_: Literal["lrat-bench/flywheel/1"] = Field(default="lrat-bench/flywheel/1", alias="schema")
    task: str = Field(description="trajectories are collected on its train split, and its eval split is evaluated")
    train_split: str
    eval_split: str
    ood: tuple[str, ...] = Field(description="tasks that are evaluated beside it, on their default splits")
    agent: str
    base: str = Field(description="the model of iteration 0, as typed")
    base_fingerprint: str = Field(description="of its files")
    iterations: int = Field(ge=1)
    arms: tuple[str, ...] = Field(min_length=1, description="the first one turns the wheel")
    start: Literal["base", "previous"] = Field(description="what each iteration's training starts from")
    rule: Rule = Field(description="how browses are attributed to queries")
    outcome: Literal["correct", "incorrect", "all"] = Field(description="trajectories that are mined")
    relevance: str = Field(description="the filter")
    tokenizer: str = Field(description="that reasoning is measured with")
    recipe: Recipe = Field(description="of training; stage and shuffling are those of each arm")
    limit: int | None = Field(description="questions that trajectories are collected on; null is all of the split")
    eval_limit: int | None = Field(description="questions that are evaluated; null is all")
    repeats: int = Field(ge=1, description="how often each question is evaluated; it is collected on once")
    seed: int
    settings: dict[str, dict[str, Any]] = Field(description="what was set beside the names, room by room")

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    @property
    def identity(self) -> Mapping[str, Any]:
        """What a folder must share with a command that goes on in it."""
        values = self.model_dump(mode="json", by_alias=True, exclude={*_GROWING, "base", "settings"})
        deciding = {
            f"{room}.{key}": value
            for room, given in self.settings.items()
            for key, value in given.items()
            if key not in _PLACES.get(room, ())
        }
        return {**values, "set": deciding, "lead": self.arms[0]}


def read_settings(folder: Path) -> FlywheelSettings:
    """The settings of a flywheel's folder.

    Raises:
        UsageError: the folder holds none.
        DataError: the file is not what it must be.
    """
    file = folder / _FILE
    try:
        return FlywheelSettings.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{folder} is not a flywheel's folder: it has no {_FILE}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "content"
        raise DataError(f"not a flywheel of this version ({place}: {first['msg']})", file=file) from None


def claim(folder: Path, settings: FlywheelSettings) -> None:
    """Write the settings into a folder, new or of the same flywheel; what it holds of turns and arms is not forgotten.

    Raises:
        UsageError: it holds another flywheel (the message names what differs), or something else, or cannot be written.
    """
    if (folder / _FILE).exists():
        there = read_settings(folder)
        mine, other = settings.identity, there.identity
        if differing := sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key)):
            raise UsageError(
                f"{folder} holds another flywheel (differs in: {', '.join(_spelt(differing, mine, other))}): give "
                "another folder with -o"
            )
        grown = {
            "iterations": max(settings.iterations, there.iterations),
            "arms": tuple(dict.fromkeys((*there.arms, *settings.arms))),
        }
        settings = settings.model_copy(update=grown)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and holds no flywheel: give another folder with -o")
    with writing(f"the flywheel's folder {folder}"):
        write_json(folder / _FILE, settings.model_dump(mode="json", by_alias=True))


def _spelt(keys: list[str], mine: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys that differ; of a mapping, those inside it."""
    spelt: list[str] = []
    for key in keys:
        one, two = mine.get(key), other.get(key)
        if isinstance(one, dict) and isinstance(two, dict):
            spelt += [f"{key}.{name}" for name in sorted(one.keys() | two.keys()) if one.get(name) != two.get(name)]
        else:
            spelt.append(key)
    return spelt
