"""What tells runs apart beside task, agent and retriever: the knobs, settings and seeds in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrat_bench.model.spec import Connection
from lrat_bench.runs.manifest import Manifest

__all__ = ["Named", "apart"]

_PLACES: Mapping[str, frozenset[str]] = {
    "agent": frozenset(Connection.model_fields),
    "retriever": frozenset(("device", "dtype", "batch_size", "threads", "storage")),
    "task": frozenset(),
}
"""Settings by room that say where and how fast, and set no run apart."""

_UNSET, _DEFAULT = "–", "default"
_FEW = 3
"""Knobs of the protocol that are told one by one; of more, the protocol's name is told where it says all of them."""


@dataclass(frozen=True, slots=True)
class Named:
    """A run and what it is called.

    Attributes:
        manifest: of the run.
        agent: its name in tables.
        retriever: the same.
        folder: name of the folder, for what nothing else tells apart.
        judge: name of the judge whose verdicts count.
    """

    manifest: Manifest
    agent: str
    retriever: str
    folder: str
    judge: str

    @property
    def task(self) -> str:
        """Its task's name."""
        return str(self.manifest.task["name"])


def apart(runs: Sequence[Named]) -> list[dict[str, str]]:
    """For each run, in what it differs from others of the same task: `{"k": "5", "seed": "1"}`.

    The keys are the same for all, so that they can be columns. Protocols differ from task to task, and settings from
    agent to agent, so that each is compared only with those of its like. Where nothing that is recorded by name sets
    two runs apart, the folder does.
    """
    knobs = [dict(_knobs(run)) for run in runs]
    likes = {"agent": [run.agent for run in runs], "retriever": [run.retriever for run in runs]}
    tasks = [run.task for run in runs]
    same = {room: _all_equal(runs, room, likes.get(room, tasks)) for room in _PLACES}
    found = [
        key
        for key in dict.fromkeys(key for one in knobs for key in one)
        if not same.get(_room(key), False) and _varies(knobs, key, likes.get(_room(key), tasks))
    ]
    if sum(_room(key) == "protocol" for key in found) > _FEW and _named_protocols(runs):
        found = ["protocol", *(key for key in found if _room(key) != "protocol")]
        knobs = [{**one, "protocol": run.manifest.protocol.name} for one, run in zip(knobs, runs, strict=True)]
    labels = _labels(found)
    unset = {key: _unset(knobs, key, likes.get(_room(key), tasks)) for key in found}
    told = [{labels[key]: one.get(key, unset[key][at]) for key in found} for at, one in enumerate(knobs)]
    places = [(run.task, run.agent, run.retriever, *one.values()) for run, one in zip(runs, told, strict=True)]
    if len(set(places)) < len(places):
        told = [{**one, "run": run.folder} for run, one in zip(runs, told, strict=True)]
    return told


def _unset(knobs: Sequence[Mapping[str, str]], key: str, likes: Sequence[str]) -> list[str]:
    """What stands for what a run was not given: the default of a setting that another of its like was given."""
    given = {like for one, like in zip(knobs, likes, strict=True) if key in one and _room(key) in _PLACES}
    return [_DEFAULT if like in given else _UNSET for like in likes]


def _knobs(run: Named) -> Iterator[tuple[str, str]]:
    manifest = run.manifest
    for key, value in manifest.protocol.rollout.model_dump(mode="json").items():
        if isinstance(value, dict):
            for inner, one in value.items():
                yield f"protocol.{key}.{inner}", _text(one)
        else:
            yield f"protocol.{key}", _text(value)
    given = manifest.settings.get("set")
    for room, places in _PLACES.items():
        values = given.get(room) if isinstance(given, dict) else None
        for key, value in values.items() if isinstance(values, dict) else ():
            if key not in places:
                yield f"{room}.{key}", _text(value)
    yield "split", manifest.split
    yield "judge", run.judge
    yield "seed", str(manifest.seed)


def _named_protocols(runs: Sequence[Named]) -> bool:
    """Whether the names of protocols tell them apart, task by task."""
    called: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        called.setdefault((run.task, run.manifest.protocol.name), set()).add(run.manifest.protocol.rollout.fingerprint)
    return all(len(found) == 1 for found in called.values())


def _all_equal(runs: Sequence[Named], room: str, likes: Sequence[str]) -> bool:
    """Whether what is called the same is the same, so that no setting of it need be told."""
    found: dict[str, set[str]] = {}
    for run, like in zip(runs, likes, strict=True):
        found.setdefault(like, set()).add(str(run.manifest.identity[room]))
    return all(len(one) == 1 for one in found.values())


def _varies(knobs: Sequence[Mapping[str, str]], key: str, likes: Sequence[str]) -> bool:
    found: dict[str, set[str | None]] = {}
    for one, like in zip(knobs, likes, strict=True):
        found.setdefault(like, set()).add(one.get(key))
    return any(len(one) > 1 for one in found.values())


def _room(key: str) -> str:
    return key.partition(".")[0]


def _labels(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each key; the whole of it where two end alike."""
    last = [key.rpartition(".")[2] for key in keys]
    return {key: short if last.count(short) == 1 else key for key, short in zip(keys, last, strict=True)}


def _text(value: Any) -> str:
    if value is None:
        return _UNSET
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
