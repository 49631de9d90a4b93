"""Plots of reports: what runs support is drawn, equally for equal runs, and whatever a run is called."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.report.plots.draw import plot_report
from lrat_bench.report.plots.series import names_of
from lrat_bench.report.plots.style import drawable, looks
from lrat_bench.report.plots.tradeoff import plot_tradeoff
from lrat_bench.report.reported import Report, read_report

pytest.importorskip("matplotlib")


def test_everything_that_runs_support_is_drawn_and_equal_runs_give_equal_bytes(runs: Path, tmp_path: Path) -> None:
    report = read_report([runs / name for name in ("oracle-2", "none-10", "retrieval")])
    written = plot_report(report, tmp_path / "a")
    assert [file.name for file in written] == [
        "success-steps.png",
        "success-budget.png",
        "recall-by-turn.png",
        "transitions.png",
        "evidence.png",
        "positions.png",
        "reasoning.png",
    ]
    again = plot_report(report, tmp_path / "b")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in written]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in written)


def test_without_the_task_what_takes_it_is_left_out_and_said(task_folder: Path, tmp_path: Path) -> None:
    lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    task_folder.rename(tmp_path / "moved")
    report = read_report([tmp_path / "run"])
    said: list[str] = []
    written = plot_report(report, tmp_path / "plots", on_remark=said.append)
    assert [file.name for file in written] == ["success-steps.png", "success-budget.png"]
    assert len(said) == 1
    assert "left out of plots that take its task" in said[0]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({**manifest, "settings": {"set": [1]}}))
    plot_report(report, tmp_path / "plots", on_remark=said.append)
    assert "its settings cannot be read" in said[1]
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    found = plot_report(report, tmp_path / "plots", task=str(tmp_path / "moved"))
    assert "recall-by-turn.png" in [file.name for file in found]


def test_unresolved_runs_are_left_out(task_folder: Path, tmp_path: Path) -> None:
    async def dead(question: str, tools: Any) -> str:
        raise RuntimeError("the line is dead")

    lrat_bench.run(str(task_folder), agent=dead, retriever="none", out=tmp_path / "run")
    said: list[str] = []
    report = read_report([tmp_path / "run"])
    assert report.unresolved == 2
    assert plot_report(report, tmp_path / "plots", on_remark=said.append) == []
    assert "2 unresolved rollouts" in said[0]
    assert not (tmp_path / "plots").exists()


def test_names_of_all_kinds_can_be_drawn(made_run: Any, tmp_path: Path) -> None:
    names = ["$x^2", "$a$ $", "_hidden", "日本語 😀", r"\$ \frac{", "a\nb\x00", "", " ", "x" * 200, "<b>&amp;"]
    runs = tuple(
        made_run(run=str(at), retriever=name, success_rate=0.05 * at + 0.1, steps=3.0 * at + 1)
        for at, name in enumerate(names)
    )
    assert plot_tradeoff(runs, "steps", "steps", tmp_path / "many.png")
    assert plot_tradeoff(runs[:3], "steps", "steps", tmp_path / "few.png")
    assert len(drawable("x" * 200)) < 50
    assert not drawable("_hidden").startswith("_")


def test_a_cost_that_nobody_knows_or_that_is_nothing_is_not_drawn(made_run: Any, tmp_path: Path) -> None:
    for cost in (None, 0.0):
        assert not plot_tradeoff([made_run(cost_usd=cost)], "cost_usd", "USD", tmp_path / "x.png")
    assert plot_tradeoff([made_run(cost_usd=0.5)], "cost_usd", "USD", tmp_path / "x.png")


def test_series_are_called_by_what_differs_and_look_different() -> None:
    series = [("a", "bm25", "k 1"), ("a", "bm25", "k 5"), ("a", "dense", "k 5")]
    assert names_of(series) == ["bm25, k 1", "bm25, k 5", "dense, k 5"]
    assert names_of([("a", "bm25", "")]) == ["bm25"]
    found = looks(series)
    assert len({(look.colour, look.marker, str(look.stroke)) for look in found}) == 3
    assert len({look.colour for look in found}) == 3
    many = [(f"agent {at % 5}", f"retriever {at // 5}", "") for at in range(30)]
    assert len({(look.colour, look.marker) for look in looks(many)}) == 30
    knobs = [("agent", f"retriever {at % 4}", f"k {at // 4}") for at in range(16)]
    assert len({(look.colour, look.marker) for look in looks(knobs)}) == 16


def test_a_disk_that_refuses_is_one_line(runs: Path, tmp_path: Path) -> None:
    from lrat_bench.errors import UsageError

    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write plots to"):
        plot_report(read_report([runs / "none-10"]), tmp_path / "file" / "below")


def test_damaged_rows_are_named(runs: Path, tmp_path: Path) -> None:
    from lrat_bench.errors import DataError

    shutil.copytree(runs / "none-10", tmp_path / "run")
    (tmp_path / "run" / "per_question.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="lrat-bench score"):
        read_report([tmp_path / "run"])
    assert Report().unresolved == 0
