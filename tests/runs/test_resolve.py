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


def test_settings_may_be_nested_as_they_stand_in_a_manifest() -> None:
    nested = {"task": {"documents": 1000}, "agent": {"extra_body": {"min_p": 0.1}}, "protocol": {}}
    assert Settings.of(nested).to_dict() == {"task": {"documents": 1000}, "agent": {"extra_body": {"min_p": 0.1}}}
    given = Settings.parse(["protocol.k=5", "retriever.k1=1", "agent.extra_body.a=1"])
    assert Settings.of(given.to_dict()) == given
    assert Settings.parse(["protocol={k: 5, max_calls: null}"]).protocol == {"k": 5, "max_calls": None}


def test_of_two_values_of_a_setting_the_last_one_counts() -> None:
    assert Settings.parse(["protocol.k=1", "protocol={k: 2}"]).protocol == {"k": 2}
    assert Settings.parse(["protocol.k=1", "protocol={k: 2}", "protocol.k=3"]).protocol == {"k": 3}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("k=5", "room.key"),
        ("protocol.k", "room.key=value"),
        ("protokol.k=5", "did you mean 'protocol'"),
        (".=1", "room"),
        ("protocol=5", "protocol.KEY=VALUE or protocol={KEY: VALUE}"),
        ("protocol.=5", "protocol.KEY=VALUE"),
        ("protokol={k: 5}", "did you mean 'protocol'"),
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


def test_a_scoring_that_is_changed_twice_is_named_once() -> None:
    twice = customise(customise(Protocol(name="lrat-v1"), {"judge": "contains"}), {"judge": "gpt-4.1"})
    assert (twice.name, twice.scoring.judge) == ("lrat-v1+custom-scoring", "gpt-4.1")
    before = Protocol(name="default+custom-scoring+custom-scoring")
    assert customise(before, {"judge": "contains"}).name == "default+custom-scoring"


def test_a_lone_text_is_a_list_of_one() -> None:
    changed = customise(Protocol(), {"tools": "search", "sampling": {"stop": "END"}})
    assert (changed.rollout.tools, changed.rollout.sampling.stop) == (("search",), ("END",))
    assert changed == customise(Protocol(), {"tools": ["search"], "sampling": {"stop": ["END"]}})


def test_a_knob_set_to_what_it_was_changes_nothing() -> None:
    assert customise(Protocol(), {"k": 10}) == Protocol()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"snippet_token": 5}, "did you mean 'snippet_tokens'"),
        ({"k": 0}, "protocol.k cannot be 0: must be at least 1"),
        ({"k": "many"}, "protocol.k cannot be 'many': must be a whole number"),
        ({"tools": ["google"]}, "protocol.tools cannot be 'google': must be 'search' or 'get_document'"),
        ({"tools": []}, "protocol.tools cannot be []: must not be empty"),
        ({"notices": "perhaps"}, "protocol.notices cannot be 'perhaps': must be true or false"),
        ({"max_seconds": 0}, "protocol.max_seconds cannot be 0: must be more than 0"),
        ({"sampling": {"temprature": 1}}, "protocol.sampling.temprature: there is no such field"),
        ({"sampling": {"temperature": -1}}, "protocol.sampling.temperature cannot be -1: must be at least 0"),
        ({"prompt": 5}, "protocol.prompt cannot be 5: must be a text"),
        ({"parameters": "api_key=s3cret"}, "protocol.parameters: must be a mapping, as in {key: value}"),
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
