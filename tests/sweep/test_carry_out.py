"""A sweep runs every cell as an ordinary run, shares what can be shared, and goes on wherever it was stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lrat_bench
from lrat_bench.api.sweep import run_sweep
from lrat_bench.errors import UsageError
from lrat_bench.files import locked
from lrat_bench.runs.folder import RunFolder
from lrat_bench.sweep.outcome import SweepRecord


def write(tmp_path: Path, task: Path | str, retrievers: str, more: str = "") -> Path:
    file = tmp_path / "grid.yaml"
    file.write_text(f"tasks: [{json.dumps(str(task))}]\nagents: [heuristic]\nretrievers: {retrievers}\n{more}")
    return file


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, without locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def states(record: SweepRecord) -> list[str]:
    return [cell.state for cell in record.cells]


def test_a_cell_is_the_run_that_the_same_words_give(task_folder: Path, tmp_path: Path) -> None:
    more = "set: {retriever.k1: 1.3, protocol.max_turns: 7}\nknobs: {protocol.k: [2]}\nlimit: 1\nseed: 4\nrepeats: 2\n"
    found = run_sweep(write(tmp_path, task_folder, "[bm25]", more), tmp_path / "out")
    (cell,) = found.record.cells
    alone = lrat_bench.run(
        task=str(task_folder),
        agent="heuristic",
        retriever="bm25",
        set={"retriever.k1": 1.3, "protocol.max_turns": 7, "protocol.k": 2},
        limit=1,
        seed=4,
        repeats=2,
        out=tmp_path / "alone",
    )
    made = lrat_bench.load_run(tmp_path / "out" / str(cell.run))
    assert made.manifest.model_copy(update={"invocations": ()}) == alone.manifest.model_copy(update={"invocations": ()})
    assert [one.hash for one in made.trajectories] == [one.hash for one in alone.trajectories]


def test_a_retriever_is_made_opened_and_closed_once_for_all_cells_that_share_it(
    mine: ModuleType, task_folder: Path, tmp_path: Path
) -> None:
    file = write(
        tmp_path,
        task_folder,
        "['mine:Counting', none, {name: 'mine:Counting', label: other, set: {retriever.size: 2}}]",
        "knobs: {protocol.k: [1, 2]}\n",
    )
    found = run_sweep(file, tmp_path / "out")
    assert states(found.record) == ["done"] * 6
    assert mine.DONE.count("made") == 2
    assert mine.DONE.count("prepared") == 2
    # One is closed before the next one is opened: two indexes need not fit into memory.
    assert [one for one in mine.DONE if one != "made"][:3] == ["prepared", "closed", "prepared"]
    mine.DONE.clear()
    run_sweep(file, tmp_path / "out")
    assert "prepared" not in mine.DONE


def test_an_index_is_built_once(task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    told: list[str] = []
    run_sweep(
        write(tmp_path, task_folder, "[bm25]", "knobs: {protocol.k: [1, 2]}\n"),
        tmp_path / "out",
        progress=lambda what, done, total: told.append(what) if done == total else None,
    )
    assert told.count("indexing bridge") == 1
    assert len(list((tmp_path / "cache" / "indexes").glob("[!.]*"))) == 1


def test_the_same_command_again_changes_nothing_and_a_longer_axis_adds_its_cells(
    task_folder: Path, tmp_path: Path
) -> None:
    file = write(tmp_path, task_folder, "[oracle, none]", "knobs: {protocol.k: [1, 2]}\n")
    run_sweep(file, tmp_path / "out")
    before = contents(tmp_path / "out")
    assert states(run_sweep(file, tmp_path / "out").record) == ["done"] * 4
    assert contents(tmp_path / "out") == before
    write(tmp_path, task_folder, "[oracle, none]", "knobs: {protocol.k: [1, 2, 3]}\n")
    found = run_sweep(file, tmp_path / "out")
    assert states(found.record) == ["done"] * 6
    after = contents(tmp_path / "out")
    runs = {name: content for name, content in before.items() if name.startswith("runs/")}
    assert {name: after[name] for name in runs} == runs
    assert len(found.report.runs) == 6


def test_a_larger_selection_is_completed(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path, task_folder, "[oracle]", "limit: 1\n")
    assert run_sweep(file, tmp_path / "out").report.runs[0].n == 1
    write(tmp_path, task_folder, "[oracle]", "limit: 2\nrepeats: 2\n")
    assert run_sweep(file, tmp_path / "out").report.runs[0].n == 4


def test_a_cell_that_fails_stops_no_other(mine: ModuleType, task_folder: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        task_folder,
        "['mine:Broken', 'mine:Mute', 'dense:/no/such/model', none]",
        "knobs: {protocol.k: [1, 2]}\n"
        "exclude: [{retriever: ['mine:Mute', 'dense:/no/such/model', none], protocol.k: 2}]\n",
    )
    found = run_sweep(file, tmp_path / "out")
    by_retriever: dict[str, list[Any]] = {}
    for cell in found.record.cells:
        by_retriever.setdefault(cell.retriever, []).append(cell)
    assert [cell.state for cell in by_retriever["mine:Broken"]] == ["failed", "failed"]
    assert "no room for an index" in by_retriever["mine:Broken"][0].problem
    # What fails after an hour is not tried again for each of its cells.
    assert mine.DONE.count("failed") == 1
    assert [cell.state for cell in by_retriever["dense:/no/such/model"]] == ["failed"]
    assert [cell.state for cell in by_retriever["mine:Mute"]] == ["unresolved"]
    assert "2 of 2 are unresolved: " in by_retriever["mine:Mute"][0].problem
    assert "the line is dead" in by_retriever["mine:Mute"][0].problem
    assert [cell.state for cell in by_retriever["none"]] == ["done"]
    table = (tmp_path / "out" / "table.md").read_text()
    assert "Not done:" in table
    assert "no room for an index" in table
    mine.Broken.prepare = mine.Counting.prepare
    assert [cell.state for cell in run_sweep(file, tmp_path / "out").record.cells].count("done") == 3


def test_nothing_is_started_where_no_cell_can_be_run(task_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no cell can be run; .*unknown retriever 'bm52'"):
        run_sweep(write(tmp_path, task_folder, "[bm52]"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_cells_that_differ_in_the_judge_alone_are_refused(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path, task_folder, "[none, {name: none, label: closed book}]")
    with pytest.raises(UsageError, match=r"none and .*closed book are one run"):
        run_sweep(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_has_one_sweep_at_a_time(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path, task_folder, "[none]")
    with locked(tmp_path / "out" / ".lock"), pytest.raises(UsageError, match="another process runs the sweep"):
        run_sweep(file, tmp_path / "out")
    assert states(run_sweep(file, tmp_path / "out").record) == ["done"]


def test_only_runs_what_it_names_and_the_table_shows_all_there_is(task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path, task_folder, "[oracle, none]", "knobs: {protocol.k: [1, 2]}\n")
    found = run_sweep(file, tmp_path / "out", only=["retriever=none"])
    assert {(cell.retriever, cell.state) for cell in found.record.cells} == {("none", "done"), ("oracle", "owed")}
    assert len(found.report.runs) == 2
    found = run_sweep(file, tmp_path / "out", only=["retriever=oracle", "protocol.k=2"])
    assert sorted(states(found.record)) == ["done", "done", "done", "owed"]
    assert len(found.report.runs) == 3


def going_on(folder: Path) -> subprocess.Popen[str]:
    """The sweep as a process of its own, each search of which takes a while."""
    return subprocess.Popen(
        [sys.executable, "-m", "lrat_bench.cli", "sweep", "grid.yaml", "-o", "out"],
        cwd=folder,
        env={**os.environ, "MINE_SECONDS": "0.05", "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_records(folder: Path, many: int) -> None:
    for _ in range(400):
        lines = sum(len(file.read_bytes().splitlines()) for file in folder.glob("runs/*/trajectories.jsonl"))
        if lines >= many:
            return
        time.sleep(0.05)
    raise AssertionError("no question was finished in 20 seconds")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_was_stopped_goes_on_where_it_was(
    mine: ModuleType, task_folder: Path, tmp_path: Path, how: signal.Signals
) -> None:
    more = "knobs: {protocol.k: [1, 2]}\nrepeats: 3\nconcurrency: 1\n"
    write(tmp_path, task_folder, "['mine:Counting']", more)
    process = going_on(tmp_path)
    wait_for_records(tmp_path / "out", 8)
    process.send_signal(how)
    said = process.communicate(timeout=20)[1]
    if how == signal.SIGINT:
        assert process.returncode == 3
        assert "interrupted; out keeps every question that was finished" in said
    record = SweepRecord.model_validate_json((tmp_path / "out" / "sweep.json").read_bytes())
    assert states(record)[0] == "done"
    assert record.missing
    before = (tmp_path / "out" / str(record.cells[0].run) / "trajectories.jsonl").read_bytes()
    found = run_sweep(tmp_path / "grid.yaml", tmp_path / "out")
    assert states(found.record) == ["done"] * 2
    assert (tmp_path / "out" / str(record.cells[0].run) / "trajectories.jsonl").read_bytes() == before
    # Nothing was asked twice: a record for each question and repeat, 2 × 3 a cell.
    for cell in found.record.cells:
        assert len((tmp_path / "out" / str(cell.run) / "trajectories.jsonl").read_bytes().splitlines()) == 6


def test_the_cost_cap_is_over_all_cells_and_commands(mine: ModuleType, task_folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path, task_folder, "[oracle, none]", "knobs: {protocol.k: [1, 2]}\nconcurrency: 1\n")
    file.write_text(file.read_text().replace("[heuristic]", "['mine:Paid']"))
    found = run_sweep(file, tmp_path / "out", max_cost=4)
    paid = found.record.spent_usd
    folders = [RunFolder(tmp_path / "out" / str(cell.run)) for cell in found.record.cells]
    assert paid == pytest.approx(sum(folder.spent for folder in folders))
    assert 4 <= paid <= 4.25
    owed = [cell for cell in found.record.cells if cell.state == "owed"]
    assert owed
    assert str(owed[-1].problem) == f"the cost cap of $4.00 is reached (${paid:.2f} spent); a larger --max-cost goes on"
    asked = mine.Paid.calls
    assert run_sweep(file, tmp_path / "out", max_cost=4).record.spent_usd == paid
    assert mine.Paid.calls == asked
    found = run_sweep(file, tmp_path / "out", max_cost=1000)
    assert states(found.record) == ["done"] * 4
    assert found.record.spent_usd == pytest.approx(0.25 * mine.Paid.calls)


def test_the_plots_are_of_the_axes_that_the_grid_has(task_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    more = "knobs: {protocol.k: [1, 2], protocol.order: [ranked]}\n"
    file = write(
        tmp_path,
        task_folder,
        "[{name: none, training_size: 0, family: x}, {name: oracle, training_size: 10, family: x}]",
        more,
    )
    found = run_sweep(file, tmp_path / "out")
    assert [plot.name for plot in found.plots] == ["by-protocol.k.png", "by-training-size.png"]
    before = [plot.read_bytes() for plot in found.plots]
    assert [plot.read_bytes() for plot in run_sweep(file, tmp_path / "out").plots] == before
