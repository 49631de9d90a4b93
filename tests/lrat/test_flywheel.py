"""The flywheel turns: runs, pairs, models and runs again, in one folder, wherever it was stopped."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from endpoint import Endpoint, Fault, server_error, unauthorized
from tiny_model import make_encoder

import lrat_bench
from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.lrat.flywheel.place import Place
from lrat_bench.lrat.flywheel.settings import FlywheelSettings, claim, read_settings
from lrat_bench.lrat.flywheel.table import FlywheelTable, read_table
from lrat_bench.lrat.training.base import find_base
from lrat_bench.lrat.training.recipe import make_recipe
from lrat_bench.model.seam import Turn
from lrat_bench.task.catalog import load_task

SMALL: dict[str, Any] = {"task.documents": 1000, "task.train": 10, "task.test": 6, "task.seed": 5}
RECIPE = {"epochs": 1, "batch": 8, "group": 3, "lr": 1e-3, "query_tokens": 32, "passage_tokens": 32}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder that knows the words of the encyclopedia."""
    task, _ = load_task("synth-wiki", settings={key.partition(".")[2]: value for key, value in SMALL.items()})
    texts = [one.contents for one in islice(task.corpus, 60)]
    return make_encoder(tmp_path_factory.mktemp("models") / "tiny", texts=texts)


def turned(model: Path, out: Path, **changes: Any) -> FlywheelTable:
    words: dict[str, Any] = {
        "base": str(model),
        "out": out,
        "outcome": "all",
        "recipe": RECIPE,
        "set": SMALL,
        **changes,
    }
    table: FlywheelTable = lrat_bench.flywheel("synth-wiki", **words)
    return table


WORDS: dict[str, Any] = {"ood": ["synth-wiki-ood"], "arms": ["filter", "shuffled-positives"], "repeats": 2}


@pytest.fixture(scope="session")
def wheel(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flywheel that was turned once."""
    out = tmp_path_factory.mktemp("wheels") / "whole"
    turned(model, out, **WORDS)
    return out


def fingerprint_of(model: Path) -> str:
    return find_base(str(model)).fingerprint()


def test_it_turns_and_keeps_everything_in_one_folder(wheel: Path) -> None:
    table = read_table(wheel)
    seen = [(entry.iteration, entry.arm, entry.task) for entry in table.entries]
    tasks = ("synth-wiki", "synth-wiki-ood")
    arms = ((0, "base"), (1, "filter"), (1, "shuffled-positives"))
    assert seen == [(iteration, arm, task) for iteration, arm in arms for task in tasks]
    assert all(entry.metrics["success_rate"].n == 12 for entry in table.entries)
    base, trained = table.entries[0], table.entries[2]
    assert base.change == {}
    assert trained.change["steps"].n == 12
    difference = (trained.metrics["steps"].value or 0) - (base.metrics["steps"].value or 0)
    assert trained.change["steps"].value == pytest.approx(difference)
    collected = json.loads((wheel / "0/base/collect/manifest.json").read_text())
    assert (collected["split"], collected["split_role"], collected["repeats"]) == ("train", "train", 1)
    for name in ("table.md", "flywheel.png", "1/pairs/pairs.jsonl", "1/filter/model/lrat-bench.json"):
        assert (wheel / name).exists()


def test_the_same_command_does_nothing_again_and_more_turns_go_on(model: Path, wheel: Path, tmp_path: Path) -> None:
    out = tmp_path / "wheel"
    copytree(wheel, out)
    first = read_table(out)
    files = ("1/filter/model/lrat-bench.json", "0/base/collect/trajectories.jsonl")
    before = [(out / name).stat().st_mtime_ns for name in files]
    longer = turned(model, out, **{**WORDS, "arms": ["filter"], "iterations": 2})
    assert [(out / name).stat().st_mtime_ns for name in files] == before
    # The arm that was not asked for again is not forgotten.
    assert longer.entries[:6] == first.entries
    assert [entry.iteration for entry in longer.entries[6:]] == [2, 2]
    # The second turn goes on from the model of the first.
    record = json.loads((out / "2/filter/model/lrat-bench.json").read_text())
    assert record["base_fingerprint"] == fingerprint_of(out / "1/filter/model")


def test_it_goes_on_where_it_was_stopped(model: Path, wheel: Path, tmp_path: Path) -> None:
    for arrow in (3, 4, 6):
        told: list[str] = []

        def stopping(what: str, arrow: int = arrow, told: list[str] = told) -> None:
            told.append(what)
            if len(told) == arrow:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            turned(model, tmp_path / "parts", on_arrow=stopping, **WORDS)
    parts = turned(model, tmp_path / "parts", **WORDS)
    assert parts.entries == read_table(wheel).entries


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": {**RECIPE, "lr": 2e-3}}, "differs in: recipe.lr"),
        ({"seed": 1}, "differs in: recipe.seed, seed"),
        ({"arms": ["naive"]}, "differs in: lead"),
    ],
)
def test_another_flywheel_is_refused_with_what_differs(
    model: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    class Enough(Exception):
        pass

    def stop(what: str) -> None:
        raise Enough

    with pytest.raises(Enough):
        turned(model, tmp_path / "wheel", on_arrow=stop)
    with pytest.raises(UsageError, match=said):
        turned(model, tmp_path / "wheel", **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train_split": "test", "split": "train"}, "collected on a train split"),
        ({"split": "train"}, "collect on another one"),
        ({"arms": ["reweigh"]}, "unknown arm 'reweigh'"),
        ({"arms": ["naive", "naive"]}, "named twice"),
        ({"ood": ["nosuch"]}, "unknown task 'nosuch'"),
        ({"ood": ["synth-wiki"]}, "named twice"),
        ({"tokenizer": "nosuch"}, "tokenizer"),
        ({"filter": "nosuch"}, "unknown"),
        ({"agent": "nosuch"}, "unknown agent"),
        ({"recipe": {"stage": "naive"}}, "recipe.stage cannot be set of a flywheel: name the arm"),
        ({"recipe": {"keep": "best"}}, "recipe.keep cannot be set"),
        ({"recipe": {"precision": "float16"}}, "precision float16 needs a GPU"),
        ({"iterations": 0}, "iterations cannot be 0"),
        ({"outcome": "right"}, "outcome cannot be 'right'"),
        ({"set": {**SMALL, "filter.api_key": "sk-secret"}, "filter": "openai/gpt-4.1"}, "api_key"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    model: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        turned(model, tmp_path / "wheel", **changes)
    assert not (tmp_path / "wheel").exists()
    assert "sk-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "fault", "error", "said"),
    [
        ("RELEVANT", unauthorized(), UsageError, "relevance judge hosted_vllm/judge at http://127.0.0.1"),
        ("I would rather not say.", None, UsageError, "states no opinion on a plain case"),
        ("RELEVANT", server_error(), RunIncomplete, "cannot be reached, nothing was started"),
    ],
)
def test_a_filter_that_does_not_work_is_met_before_anything_is_run(
    model: Path, tmp_path: Path, answer: str, fault: Fault | None, error: type[Exception], said: str
) -> None:
    with Endpoint(lambda _: Turn(text=answer), faults=lambda *_: fault) as endpoint:
        reach = {**SMALL, "filter.api_base": endpoint.url, "filter.outage_seconds": 0}
        with pytest.raises(error, match=re.escape(said)):
            turned(model, tmp_path / "wheel", filter="hosted_vllm/judge", set=reach)
    assert not (tmp_path / "wheel").exists()


def test_a_filter_is_asked_no_more_once_it_has_judged_everything(model: Path, tmp_path: Path) -> None:
    with Endpoint(lambda _: Turn(text="RELEVANT")) as endpoint:
        words = {"filter": "hosted_vllm/judge", "set": {**SMALL, "filter.api_base": endpoint.url}}
        table = turned(model, tmp_path / "wheel", **words)
        assert endpoint.bodies
    assert turned(model, tmp_path / "wheel", **words) == table


def test_a_file_is_no_folder(model: Path, tmp_path: Path) -> None:
    (tmp_path / "wheel").write_text("mine")
    with pytest.raises(UsageError, match="holds no flywheel"):
        turned(model, tmp_path / "wheel")
    assert (tmp_path / "wheel").read_text() == "mine"


def settings_of(**changes: Any) -> FlywheelSettings:
    words: dict[str, Any] = {
        "task": "t",
        "train_split": "train",
        "eval_split": "test",
        "ood": (),
        "agent": "heuristic",
        "base": "m",
        "base_fingerprint": "f",
        "iterations": 1,
        "arms": ("reweight",),
        "start": "previous",
        "rule": "attributed",
        "outcome": "correct",
        "relevance": "rules",
        "tokenizer": "regex-v1",
        "recipe": make_recipe("small"),
        "limit": None,
        "eval_limit": None,
        "repeats": 1,
        "seed": 0,
        "settings": {},
        **changes,
    }
    return FlywheelSettings(**words)


def test_a_server_that_moved_is_the_same_flywheel_and_a_knob_is_another(tmp_path: Path) -> None:
    claim(tmp_path / "w", settings_of(settings={"agent": {"api_base": "http://a/v1"}, "retriever": {"device": "cpu"}}))
    claim(tmp_path / "w", settings_of(settings={"agent": {"api_base": "http://b/v1"}}))
    with pytest.raises(UsageError, match=re.escape("differs in: set.protocol.k")):
        claim(tmp_path / "w", settings_of(settings={"protocol": {"k": 3}}))


def test_a_folder_forgets_neither_arms_nor_turns(tmp_path: Path) -> None:
    claim(tmp_path / "w", settings_of(arms=("reweight", "naive"), iterations=3))
    claim(tmp_path / "w", settings_of(arms=("reweight", "filter")))
    there = read_settings(tmp_path / "w")
    assert (there.arms, there.iterations) == (("reweight", "naive", "filter"), 3)


@pytest.mark.parametrize(("one", "other"), [("../t", "t"), ("a/b", "a_b"), ("資料", "素材"), ("x" * 300, "x" * 301)])
def test_tasks_of_like_names_lie_apart(tmp_path: Path, one: str, other: str) -> None:
    place = Place(tmp_path, 1, "naive")
    assert place.evaluated(one) != place.evaluated(other)
    for task in (one, other):
        assert place.evaluated(task).parent == place.folder / "eval"
        assert len(place.evaluated(task).name) < 80
