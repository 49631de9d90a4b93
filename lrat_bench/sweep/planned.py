"""A cell with what it takes: its run, resolved; its folder; what is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.files import canonical_json
from lrat_bench.model.access import Access
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.resolve import Settings, customise, resolve
from lrat_bench.runs.resume import kept_of, owed
from lrat_bench.runs.run import Run
from lrat_bench.sweep.grid import Cell
from lrat_bench.sweep.shelf import Shelf
from lrat_bench.sweep.spec import SweepSpec

__all__ = ["Planned", "plan_cells"]

RUNS = "runs"
"""Where in the sweep's folder the run folders lie."""


@dataclass(frozen=True)
class Planned:
    """A cell, ready to be run or known not to be.

    Attributes:
        cell: what it is.
        name: of it, for people.
        config: the run; None where it cannot be run.
        folder: of the run; None where it cannot be run.
        retriever: key of the retriever, equal for cells that share it.
        problem: why it cannot be run.
    """

    cell: Cell
    name: str
    config: RunConfig | None = None
    folder: RunFolder | None = None
    retriever: str = ""
    problem: str = ""

    @property
    def total(self) -> int:
        """Rollouts of the cell."""
        return 0 if self.config is None else len(self.config.questions) * self.config.repeats

    def is_complete(self) -> bool:
        """Whether the run is there with every rollout, judged and measured as the cell would."""
        config, folder = self.config, self.folder
        if config is None or folder is None or not (folder.path / "metrics.json").exists():
            return False
        try:
            run = Run(folder.path)
            manifest, scores, _ = run.manifest, run.metrics, run.rows
        except UsageError:
            return False
        return (
            manifest.identity == config.identity
            and manifest.questions == tuple(question.qid for question in config.questions)
            and manifest.repeats == config.repeats
            and manifest.scoring == config.protocol.scoring.fingerprint
            and scores.judge == config.judge.fingerprint
            and scores.judgements == config.task.judgements_fingerprint
            and scores.n == self.total
            and not scores.unresolved
        )

    def owed(self) -> int:
        """How many rollouts are missing or errored; reads the trajectories."""
        if self.config is None or self.folder is None:
            return 0
        kept = kept_of(self.folder.trajectories.scan())
        return len(owed(self.config.questions, self.config.repeats, kept))


def plan_cells(
    spec: SweepSpec, cells: Sequence[Cell], folder: Path, shelf: Shelf, access: Callable[[], Access]
) -> list[Planned]:
    """Resolve every cell before anything is spent; those that share a retriever come one after the other.

    Args:
        spec: of the sweep.
        cells: of it.
        folder: of the sweep.
        shelf: holds what cells share.
        access: makes the models' access of each cell.

    Raises:
        UsageError: two cells are one run.
    """
    seeds = len({cell.seed for cell in cells}) > 1
    found = [_plan(spec, cell, cell.name(with_seed=seeds), folder, shelf, access) for cell in cells]
    _refuse_twins(found)
    first: dict[str, int] = {}
    for planned in found:
        first.setdefault(planned.retriever, len(first))
    return sorted(found, key=lambda planned: first[planned.retriever])


def _plan(spec: SweepSpec, cell: Cell, name: str, folder: Path, shelf: Shelf, access: Callable[[], Access]) -> Planned:
    try:
        given = Settings.of(cell.settings(spec))
        task = shelf.task(cell.task.name, given.task)
        protocol = customise(task.protocol(), given.protocol)
        key, retriever = shelf.retriever(
            cell.retriever.name, given.retriever, task=task, passage_tokens=protocol.rollout.passage_tokens
        )
        config = resolve(
            task=task,
            agent=cell.agent.name,
            retriever=retriever,
            judge=spec.judge,
            rubric=spec.rubric,
            split=cell.task.split or spec.split,
            limit=cell.task.limit or spec.limit,
            repeats=spec.repeats,
            seed=cell.seed,
            concurrency=spec.concurrency,
            settings=replace(given, task={}, retriever={}),
            access=access(),
        )
        # As `run` with the same words writes them down: the manifest must lead back to the task and retriever.
        words = {"task": cell.task.name, "retriever": cell.retriever.name, "set": given.to_dict()}
        config = replace(config, settings={**(config.settings or {}), **words})
        _ = config.questions
    except UsageError as error:
        return Planned(cell, name, problem=str(error))
    return Planned(cell, name, config, RunFolder(config.folder_in(folder / RUNS)), key)


def _refuse_twins(found: Sequence[Planned]) -> None:
    """See that no two cells would write to one folder."""
    runs: dict[str, Planned] = {}
    for planned in found:
        if planned.config is None:
            continue
        twin = runs.setdefault(canonical_json(planned.config.identity), planned)
        if twin is not planned:
            raise UsageError(
                f"the cells {twin.name} and {planned.name} are one run: they differ in nothing that changes what an "
                "agent does. Keep one; judges are compared on one run, by `lrat-bench score --judge A --judge B`"
            )
