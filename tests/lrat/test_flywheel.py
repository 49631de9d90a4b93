"""The flywheel turns: runs, pairs, models and runs again, in one folder, wherever it was stopped."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from tiny_model import make_encoder

import lrat_bench
from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.lrat.flywheel.table import FlywheelTable, read_table
from lrat_bench.lrat.training.base import find_base
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
    return lrat_bench.flywheel("synth-wiki", **words)


WORDS: dict[str, Any] = {"ood": ["synth-wiki-ood"], "arms": ["filter", "shuffled-positives"]}


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
    assert all(entry.metrics["success_rate"].n == 6 for entry in table.entries)
    base, trained = table.entries[0], table.entries[2]
    assert base.change == {}
    assert trained.change["steps"].n == 6
    difference = (trained.metrics["steps"].value or 0) - (base.metrics["steps"].value or 0)
    assert trained.change["steps"].value == pytest.approx(difference)
    collected = json.loads((wheel / "0/base/collect/manifest.json").read_text())
    assert (collected["split"], collected["split_role"]) == ("train", "train")
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
    assert longer.entries[:4] == first.entries[:4]
    assert [entry.iteration for entry in longer.entries[4:]] == [2, 2]
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


def test_trajectories_are_collected_on_a_train_split_only(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="collected on a train split"):
        turned(model, tmp_path / "a", train_split="test", split="train")
    with pytest.raises(UsageError, match="collect on another one"):
        turned(model, tmp_path / "b", split="train")
    with pytest.raises(UnknownName, match="arm"):
        turned(model, tmp_path / "c", arms=["reweigh"])
