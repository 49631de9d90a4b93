"""Sweeps from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrat_bench.api.parts import access
from lrat_bench.model.access import Access
from lrat_bench.model.budget import Budget
from lrat_bench.model.cassette import CassetteMode
from lrat_bench.progress import Progress, no_progress
from lrat_bench.report.reported import Report
from lrat_bench.report.sweep import plot_sweep, report_of_sweep, write_tables
from lrat_bench.runs.plan import plan
from lrat_bench.runs.tally import OnTally
from lrat_bench.sweep.outcome import SweepRecord
from lrat_bench.sweep.sweep import Going, Sweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SweepResult", "plan_sweep", "run_sweep"]


@dataclass(frozen=True)
class SweepResult:
    """What a sweep has brought.

    Attributes:
        folder: where everything lies.
        record: what became of each cell.
        report: the runs that were scored.
        plots: files that were drawn.
    """

    folder: Path
    record: SweepRecord
    report: Report
    plots: tuple[Path, ...]

    def to_dataframe(self) -> pd.DataFrame:
        """One line a run, exact numbers."""
        return self.report.to_dataframe()


def run_sweep(
    file: str | Path,
    out: str | Path | None = None,
    *,
    only: Sequence[str] = (),
    concurrency: int | None = None,
    max_cost: float | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode = "replay",
    preflight: bool = True,
    progress: Progress = no_progress,
    on_tally: OnTally = lambda _: None,
    on_going: Callable[[Going], None] = lambda _: None,
) -> SweepResult:
    """Run a grid, or complete it: every cell that is not there yet.

    Args:
        file: the YAML file that says what is run.
        out: the sweep's folder; `sweeps/<name of the file>` unless given.
        only: `KEY=VALUE` of the cells that are to be run, as `retriever=bm25`; several of one key are alternatives.
        concurrency: questions in flight; the file's unless given.
        max_cost: cap in USD on what all cells together may cost, in all calls; the file's unless given.
        cassette: file of recorded model calls.
        cassette_mode: `record`, `replay` or `strict`.
        preflight: try each model with one call before anything is spent.
        progress: told how tasks and indexes are prepared.
        on_tally: told after each question.
        on_going: told when a cell begins, and after each question.

    Returns:
        what became of each cell; `.record.missing` are those that are not done.

    Raises:
        UsageError: the file is wrong, or no cell can be run; nothing was started.
        RunIncomplete: it was interrupted; what is done is kept, and the same call goes on.
    """
    folder = _folder(file, out)

    def keep(record: SweepRecord) -> None:
        write_tables(record, report_of_sweep(record, folder), folder)

    sweep = Sweep(
        Path(file),
        folder,
        only=only,
        max_cost=max_cost,
        concurrency=concurrency,
        access=_reach(max_cost, cassette, cassette_mode),
        preflight=preflight,
        progress=progress,
        on_tally=on_tally,
        on_going=on_going,
        on_outcome=keep,
    )
    record = sweep.carry_out()
    report = report_of_sweep(record, folder)
    return SweepResult(folder, record, report, tuple(plot_sweep(record, report, folder)))


def plan_sweep(
    file: str | Path,
    out: str | Path | None = None,
    *,
    only: Sequence[str] = (),
    max_cost: float | None = None,
    progress: Progress = no_progress,
) -> list[dict[str, Any]]:
    """What a sweep would do: for each cell its run's folder, rollouts to do, and upper bounds of calls and cost.

    Tasks are prepared in the cache by then; no index is built, no model is asked, no folder is touched.

    Raises:
        UsageError: the file is wrong, or no cell can be run.
    """
    reach = _reach(max_cost, None, "replay")
    sweep = Sweep(Path(file), _folder(file, out), only=only, max_cost=max_cost, access=reach, progress=progress)
    return [
        {
            "cell": one.name,
            "chosen": sweep.is_chosen(one),
            "problem": one.problem or None,
            "retriever": one.retriever,
            **({} if one.config is None or one.folder is None else _take(plan(one.config, one.folder.path))),
        }
        for one in sweep.plan()
    ]


def _take(planned: dict[str, Any]) -> dict[str, Any]:
    most = planned["at most"]
    return {
        "run": planned["run"],
        "rollouts": planned["rollouts"]["selected"],
        "to do": planned["rollouts"]["to do"],
        "calls at most": most["completions"],
        "USD at most": most["cost in USD"],
    }


def _folder(file: str | Path, out: str | Path | None) -> Path:
    return Path("sweeps") / Path(file).stem if out is None else Path(out)


def _reach(max_cost: float | None, cassette: str | Path | None, mode: CassetteMode) -> Callable[[Budget], Access]:
    # Values are checked, and the tape is read, once for all cells.
    tape = access(max_cost=max_cost, cassette=cassette, cassette_mode=mode).cassette
    return lambda budget: Access(budget=budget, cassette=tape)
