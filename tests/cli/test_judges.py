"""`lrat-bench judges`, and what the options of a judge say of themselves."""

from __future__ import annotations

import json

import pytest
from said import Command

from lrat_bench.score.judges.presets import presets
from lrat_bench.score.judges.registry import JUDGES
from lrat_bench.score.judges.rubrics import RUBRICS


def test_the_list_has_every_judge_with_its_model_and_every_rubric(command: Command) -> None:
    code, out, _ = command("judges", "list")
    assert code == 0
    found = json.loads(command("judges", "list", "--json")[1])
    assert [one["name"] for one in found["judges"]] == [*JUDGES, *presets()]
    assert [one["name"] for one in found["rubrics"]] == [*RUBRICS]
    for one in (*found["judges"], *found["rubrics"]):
        assert one["name"] in out
        assert one["summary"]
    (leaderboard,) = [one for one in found["judges"] if one["name"] == "qwen3-32b"]
    assert (leaderboard["model"], leaderboard["rubric"]) == ("hosted_vllm/Qwen/Qwen3-32B", "browsecomp-plus-v1")


def test_the_list_breaks_no_id(command: Command) -> None:
    said = command("judges", "list")[1]
    for row in presets().values():
        assert row.model in said


@pytest.mark.parametrize("verb", ["run", "score"])
def test_the_help_names_every_judge_and_every_rubric(command: Command, verb: str) -> None:
    said = " ".join(command(verb, "--help")[1].split()).replace("- ", "-")
    for name in (*JUDGES, *presets(), *RUBRICS):
        assert name in said


def test_an_unknown_rubric_is_answered_with_those_there_are(command: Command) -> None:
    code, _, err = command("run", "--rubric", "lenient", "--judge", "gpt-4.1", "--dry-run")
    assert code == 2
    for name in RUBRICS:
        assert name in err
