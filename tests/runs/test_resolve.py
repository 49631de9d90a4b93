"""What a user typed becomes one run, or one clear line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.runs.resolve import Settings, customise, resolve
from lrat_bench.task.protocol import Protocol


def test_settings_are_sorted_into_rooms_and_read_as_yaml() -> None:
    given = Settings.parse(["protocol.k=5", "retriever.k1=0.5", "task.world=in-domain", "protocol.max_calls=null"])
    assert given.to_dict() == {
        "protocol": {"k": 5, "max_calls": None},
        "retriever": {"k1": 0.5},
        "task": {"world": "in-domain"},
    }
    assert Settings.of({"protocol.k": 5}).protocol == {"k": 5}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("k=5", "room.key"),
        ("protocol.k", "room.key=value"),
        ("protokol.k=5", "did you mean 'protocol'"),
        (".=1", "room"),
    ],
)
def test_settings_of_another_form_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        Settings.parse([text])


def test_a_changed_rollout_knob_makes_the_protocol_custom() -> None:
    changed = customise(Protocol(name="lrat-v1"), {"k": 3, "judge": "contains"})
    assert (changed.name, changed.rollout.k, changed.scoring.judge) == ("custom", 3, "contains")


def test_a_changed_scoring_knob_alone_leaves_the_rollout_its_name() -> None:
    before = Protocol(name="lrat-v1")
    changed = customise(before, {"judge": "contains"})
    assert changed.name == "lrat-v1+custom-scoring"
    assert changed.rollout.fingerprint == before.rollout.fingerprint
    assert changed.scoring.fingerprint != before.scoring.fingerprint


def test_a_knob_set_to_what_it_was_changes_nothing() -> None:
    assert customise(Protocol(), {"k": 10}) == Protocol()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"snippet_token": 5}, "did you mean 'snippet_tokens'"),
        ({"k": 0}, "protocol.k cannot be 0"),
        ({"k": "many"}, "protocol.k cannot be 'many'"),
        ({"tools": ["google"]}, "protocol.tools cannot be ['google']"),
    ],
)
def test_wrong_knobs_are_named_with_their_value(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        customise(Protocol(), changes)


def config(folder: Path, **changes: Any) -> Any:
    given: dict[str, Any] = {"task": str(folder), "agent": "heuristic", "retriever": "oracle", **changes}
    return resolve(**given)


def test_the_same_run_has_the_same_folder_and_another_run_another(task_folder: Path) -> None:
    base = config(task_folder).folder_name
    same: list[dict[str, Any]] = [
        {"concurrency": 1},
        {"repeats": 3},
        {"limit": 1},
        {"settings": Settings.parse(["protocol.judge=contains"])},
    ]
    other: list[dict[str, Any]] = [
        {"split": "train"},
        {"seed": 1},
        {"retriever": "none"},
        {"settings": Settings.parse(["protocol.k=3"])},
    ]
    assert {config(task_folder, **change).folder_name for change in same} == {base}
    assert len({base, *(config(task_folder, **change).folder_name for change in other)}) == len(other) + 1
    assert re.fullmatch(r"bridge-test-default-heuristic-oracle-[0-9a-f]{8}", base)


def test_every_rollout_has_a_seed_of_its_own(task_folder: Path) -> None:
    run = config(task_folder)
    seeds = {run.sampling_seed(qid, repeat) for qid in ("q1", "q2") for repeat in range(3)}
    assert len(seeds) == 6
    assert config(task_folder, seed=1).sampling_seed("q1", 0) not in seeds
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"task": "synth-wikki"}, UnknownName, "unknown task 'synth-wikki'"),
        ({"agent": "heuristics"}, UnknownName, "did you mean 'heuristic'"),
        ({"retriever": "bm52"}, UnknownName, "unknown retriever 'bm52'"),
        ({"split": "dev"}, UnknownName, "known: test, train"),
        ({"limit": 0}, UsageError, "limit must be at least 1, got 0"),
        ({"repeats": 0}, UsageError, "repeats must be at least 1, got 0"),
        ({"concurrency": -1}, UsageError, "concurrency must be at least 1, got -1"),
        ({"agent": "no_such_module:thing"}, UsageError, "cannot load 'no_such_module:thing'"),
        ({"agent": "json:dumps"}, UsageError, "gave a str"),
        ({"settings": Settings.parse(["agent.x=1"])}, UsageError, "has no settings; got 'x'"),
        ({"settings": Settings.parse(["retriever.x=1"])}, UsageError, "'x'"),
        ({"settings": Settings.parse(["task.x=1"])}, UsageError, "'x'"),
    ],
)
def test_what_does_not_exist_is_named(task_folder: Path, change: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        config(task_folder, **change)
