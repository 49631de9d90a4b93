"""All plots of a report: which can be drawn is drawn, and of the rest it is said why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lrat_bench.errors import UsageError, foreign
from lrat_bench.files import writing
from lrat_bench.lrat.analysis.analysis import analyse
from lrat_bench.progress import Progress, no_progress
from lrat_bench.report.analysis_plots import plot_analysis
from lrat_bench.report.curves import Curve, recall_by_turn, success_by_budget
from lrat_bench.report.layout import in_order
from lrat_bench.report.picture import require_matplotlib
from lrat_bench.report.plots.lines import plot_curves
from lrat_bench.report.plots.tradeoff import plot_tradeoff
from lrat_bench.report.reported import Report, ReportedRun
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task
from lrat_bench.trajectory import Trajectory

__all__ = ["plot_report"]


def plot_report(
    report: Report,
    folder: Path,
    *,
    task: str | None = None,
    progress: Progress = no_progress,
    on_remark: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Draw what runs support, one PNG each; retrievals have no plots.

    `success-steps.png`, `success-cost.png` and `success-budget.png` take the scores alone; `recall-by-turn.png` and the
    figures of `lrat-bench analyze` take the trajectories and the task, which must be at hand.

    Args:
        report: read from folders as they lie now.
        folder: where the files go.
        task: where the task lies now; as the manifests name it unless given.
        progress: told how trajectories are read.
        on_remark: told what is left out, and why.

    Returns:
        the files that were written.

    Raises:
        MissingLibrary: matplotlib is not installed.
        UsageError: a file cannot be written.
    """
    require_matplotlib()
    runs = []
    for run in in_order(report.runs):
        if run.unresolved:
            on_remark(f"{run.run} has {run.unresolved} unresolved rollouts and is left out of the plots")
        else:
            runs.append(run)
    written: list[Path] = []
    if not runs:
        on_remark("no resolved run, so nothing is drawn")
        return written
    with writing(f"plots to {folder}"):
        for measure, axis, name in (
            ("steps", "steps a question", "success-steps.png"),
            ("cost_usd", "cost a question, USD", "success-cost.png"),
        ):
            if plot_tradeoff(runs, measure, axis, folder / name):
                written.append(folder / name)
        budgets = [(run, curve) for run in runs if (curve := success_by_budget(Run(Path(run.run)).rows)) is not None]
        if budgets:
            plot_curves(budgets, folder / "success-budget.png", x="steps", y="answered correctly within them, %")
            written.append(folder / "success-budget.png")
        at_hand = [run for run in runs if _is_at_hand(run, task, on_remark)]
        turns = [(run, curve) for run in at_hand if (curve := _recall(run, task, progress, on_remark)) is not None]
        if turns:
            plot_curves(turns, folder / "recall-by-turn.png", x="turn", y="evidence found so far, %")
            written.append(folder / "recall-by-turn.png")
        if at_hand:
            found = analyse([run.run for run in at_hand], task=task, progress=progress)
            written += plot_analysis(found, folder)
    return written


def _is_at_hand(run: ReportedRun, task: str | None, on_remark: Callable[[str], None]) -> bool:
    try:
        # A manifest that others wrote may hold anything where settings are.
        with foreign("its settings cannot be read"):
            find_task(Run(Path(run.run)).manifest, task=task)
    except UsageError as absent:
        on_remark(f"{run.run} is left out of plots that take its task: {absent}")
        return False
    return True


def _recall(run: ReportedRun, task: str | None, progress: Progress, on_remark: Callable[[str], None]) -> Curve | None:
    made = Run(Path(run.run))
    manifest = made.manifest
    evidence = find_task(manifest, task=task).evidence
    curve = None
    if evidence:
        selected = frozenset((qid, repeat) for qid in manifest.questions for repeat in range(manifest.repeats))

        def reading() -> Iterator[Trajectory]:
            for number, trajectory in enumerate(made.trajectories, 1):
                progress(f"reading {made.path.name}", number, len(selected))
                yield trajectory

        curve = recall_by_turn(reading(), evidence, selected=selected)
    if curve is None:
        on_remark(f"{run.run} is left out of recall-by-turn.png: its task names no evidence, or its turns are unknown")
    return curve
