"""Tables of reports: what is the same is said once, what differs has a column, and only what compares is compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import lrat_bench
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.report.grid import Grid
from lrat_bench.report.layout import Group, layout
from lrat_bench.report.reported import Report, read_report
from lrat_bench.report.terminal import FittingReport


def texts(grid: Grid) -> list[list[str]]:
    return [[cell.text + cell.mark for cell in row] for block in grid.blocks for row in block]


def best(grid: Grid) -> list[list[str]]:
    return [[cell.text for cell in row if cell.best] for block in grid.blocks for row in block]


def only(report: Report, **more: Any) -> Grid:
    (grid,) = layout(report, **more)
    return grid


def test_real_runs_have_a_row_each_with_what_sets_them_apart(runs: Path) -> None:
    report = read_report([runs / "oracle-10", runs / "none-10", runs / "oracle-2"])
    grid = only(report)
    assert grid.title == "task synth-wiki · split test · judge exact · repeats 2 · n 16"
    assert [column.heading for column in grid.columns] == ["agent", "retriever", "k", "success", "recall", "steps"]
    # Runs of one retriever stand together, smaller knobs first.
    assert [row[:3] for row in texts(grid)] == [
        ["heuristic", "oracle", "2"],
        ["heuristic", "oracle", "10"],
        ["heuristic", "none", "10"],
    ]
    assert [run.apart for run in report.runs] == [{"k": "10"}, {"k": "10"}, {"k": "2"}]


def test_several_tasks_stand_side_by_side_and_what_is_not_there_stays_empty(made_run: Any) -> None:
    report = Report(
        runs=(
            made_run(agent="a", retriever="r", task="wiki", steps=10.0),
            made_run(agent="b", retriever="r", task="wiki", steps=11.0),
            made_run(agent="a", retriever="q", task="wiki", steps=12.0),
            made_run(agent="a", retriever="r", task="news", comparable="other", n=100),
        )
    )
    grid = only(report)
    assert grid.groups == [("", 2), ("wiki, n = 300", 2), ("news, n = 100", 1)]
    assert texts(grid) == [
        ["a", "r", "50.0%", "10.00", "50.0%"],
        ["a", "q", "50.0%", "12.00", ""],
        ["b", "r", "50.0%", "11.00", ""],
    ]
    assert [len(block) for block in grid.blocks] == [2, 1]
    assert [row[0].text for block in grid.trimmed for row in block] == ["a", "", "b"]
    flat = only(report, group="runs")
    assert [column.heading for column in flat.columns][:4] == ["task", "agent", "retriever", "n"]
    assert len(texts(flat)) == 4
    assert only(Report(runs=report.runs[:3]), group="tasks").groups[1] == ("wiki, n = 300", 2)


def test_the_best_is_marked_among_what_may_be_compared(made_run: Any) -> None:
    grid = only(
        Report(
            runs=(
                made_run(retriever="r", success_rate=0.4, steps=12.0),
                made_run(retriever="s", success_rate=0.5, steps=14.0),
                made_run(retriever="t", success_rate=0.9, steps=1.0, comparable="other"),
            )
        )
    )
    assert best(grid) == [["12.00"], ["50.0%"], []]
    assert "compare" in grid.best_means


def test_floor_and_ceiling_and_what_is_unresolved_are_the_best_of_nothing(made_run: Any) -> None:
    grid = only(
        Report(
            runs=(
                made_run(retriever="oracle", success_rate=0.9),
                made_run(retriever="none", success_rate=0.0),
                made_run(retriever="r", success_rate=0.7, unresolved=30),
                made_run(retriever="s", success_rate=0.3),
                made_run(retriever="t", success_rate=0.2),
            )
        )
    )
    assert best(grid) == [[], [], [], ["30.0%"], []]


def test_numbers_that_look_the_same_are_equally_good_and_alone_nothing_is_best(made_run: Any) -> None:
    runs = [made_run(retriever=name, success_rate=value) for name, value in (("r", 0.5), ("s", 0.5001), ("t", 0.1))]
    assert best(only(Report(runs=tuple(runs)))) == [["50.0%"], ["50.0%"], []]
    assert best(only(Report(runs=tuple(runs[:2])))) == [[], []]
    assert best(only(Report(runs=(runs[0],)))) == [[]]


def test_where_agents_and_retrievers_differ_each_agent_has_its_best(made_run: Any) -> None:
    values = {("a", "r"): 0.1, ("a", "s"): 0.2, ("b", "r"): 0.8, ("b", "s"): 0.7}
    runs = tuple(
        made_run(agent=agent, retriever=retriever, success_rate=value) for (agent, retriever), value in values.items()
    )
    assert best(only(Report(runs=runs))) == [[], ["20.0%"], ["80.0%"], []]
    # One retriever: agents are compared with one another.
    assert best(only(Report(runs=(runs[0], runs[2])))) == [[], ["80.0%"]]


def test_a_measure_without_a_better_way_has_no_best(made_run: Any) -> None:
    runs = (made_run(retriever="r", searches=2.0), made_run(retriever="s", searches=9.0))
    assert best(only(Report(runs=runs), measures=["searches"])) == [[], []]


def test_an_unresolved_run_is_never_shown_by_a_bare_number(made_run: Any) -> None:
    grid = only(Report(runs=(made_run(success_rate=0.5, evidence_recall=0.25, unresolved=30),)))
    (row,) = texts(grid)
    assert row[2:] == ["50.0%–60.0%†", "25.0%†"]
    assert any("30 of 300 rollouts" in note for note in grid.notes)


def test_retrievals_and_replays_have_tables_of_their_own(runs: Path, tmp_path: Path) -> None:
    lrat_bench.retrieve(retriever="oracle", replay=[runs / "oracle-10"], out=tmp_path / "replay")
    report = read_report([runs / "oracle-10", runs / "retrieval", tmp_path / "replay"])
    tables = layout(report)
    assert [grid.title.partition(" · ")[0] for grid in tables] == [
        "task synth-wiki",
        "questions as queries",
        "queries of agents, replayed",
    ]
    assert "evidence nDCG@10" in [column.heading for column in tables[1].columns]
    assert [len(grid.columns) for grid in layout(report, measures=["gold_nDCG@10"])] == [2, 2, 2]


def test_what_cannot_be_reported_is_one_line(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="given twice"):
        read_report([runs / "oracle-2", runs / "none-10" / ".." / "oracle-2"])
    with pytest.raises(UsageError, match="neither a run folder nor a retrieval folder"):
        read_report([tmp_path])
    with pytest.raises(UsageError, match="no folder is given"):
        read_report([])
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError):
        read_report([tmp_path])
    (tmp_path / "manifest.json").unlink()
    shutil.copytree(runs / "oracle-2", tmp_path / "unnamed")
    manifest = json.loads((tmp_path / "unnamed" / "manifest.json").read_text())
    del manifest["task"]["name"]
    (tmp_path / "unnamed" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="says nothing of 'name'"):
        read_report([tmp_path / "unnamed"])
    with pytest.raises(UnknownName, match="did you mean 'success_rate'"):
        layout(read_report([runs / "oracle-2"]), measures=["sucess_rate"])


def test_what_nothing_tells_apart_is_told_apart_by_its_folder(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "oracle-2", tmp_path / "again")
    report = read_report([runs / "oracle-2", tmp_path / "again"])
    assert [run.apart for run in report.runs] == [{"run": "oracle-2"}, {"run": "again"}]


def test_settings_and_seeds_tell_runs_apart_and_places_do_not(task_folder: Path, tmp_path: Path) -> None:
    for name, seed, settings in (
        ("a", 0, {}),
        ("b", 1, {}),
        ("c", 0, {"protocol.sampling": {"temperature": 0.5}}),
    ):
        lrat_bench.run(str(task_folder), retriever="none", seed=seed, set=settings, out=tmp_path / name)
    report = read_report([tmp_path / name for name in "abc"])
    assert [run.apart for run in report.runs] == [
        {"temperature": "–", "seed": "0"},
        {"temperature": "–", "seed": "1"},
        {"temperature": "0.5", "seed": "0"},
    ]


def test_a_setting_that_was_not_given_is_called_the_default_among_its_like(task_folder: Path, tmp_path: Path) -> None:
    for name, retriever, settings in (("a", "bm25", {}), ("b", "bm25", {"retriever.k1": 1.6}), ("c", "none", {})):
        lrat_bench.run(str(task_folder), retriever=retriever, set=settings, out=tmp_path / name)
    report = read_report([tmp_path / name for name in "abc"])
    assert [run.apart for run in report.runs] == [{"k1": "default"}, {"k1": "1.6"}, {"k1": "–"}]


def test_tasks_stand_side_by_side_only_where_they_fit(made_run: Any) -> None:
    tasks = ("a task", "another", "a third one")
    report = Report(runs=tuple(made_run(task=task, comparable=task, steps=3.0) for task in tasks))

    def printed(width: int, group: Group) -> str:
        console = Console(width=width, color_system=None)
        with console.capture() as capture:
            console.print(FittingReport(report, (), group))
        return capture.get()

    assert [line for line in printed(120, "auto").splitlines() if "a task" in line and "a third one" in line]
    narrow = printed(60, "auto")
    assert narrow == printed(60, "runs")
    assert "…" not in narrow
    assert printed(60, "tasks") != narrow
