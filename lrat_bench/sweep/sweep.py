"""Carrying out a sweep: cell by cell, each an ordinary run; what is complete is not done again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lrat_bench.errors import Interrupted, LratBenchError, RunIncomplete, UsageError
from lrat_bench.files import locked, write_json, writing
from lrat_bench.model.access import Access
from lrat_bench.model.budget import Budget
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.command import carry_out
from lrat_bench.runs.manifest import without_secrets
from lrat_bench.runs.tally import OnTally, Tally
from lrat_bench.sweep.grid import cells_of, read_only
from lrat_bench.sweep.outcome import NOT_CHOSEN, CellOutcome, State, SweepRecord
from lrat_bench.sweep.planned import Planned, plan_cells
from lrat_bench.sweep.shelf import Shelf
from lrat_bench.sweep.spec import SweepSpec, read_spec

__all__ = ["Going", "Sweep"]

_log = logging.getLogger(__name__)

_RECORD = "sweep.json"


@dataclass
class Going:
    """How a sweep is going, in numbers that a progress line can show.

    Attributes:
        cells: how many are to be completed by this command.
        done: of these, left behind.
        name: of the one that runs.
        rollouts: that were owed when the command began.
        played: of these, done.
        spent: USD, by all cells in all commands.
    """

    cells: int
    rollouts: int
    done: int = 0
    name: str = ""
    played: int = 0
    spent: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return time.monotonic() - self._began


@dataclass
class Sweep:
    """One sweep, on its way.

    Attributes:
        file: what is run, as a user wrote it down.
        folder: where runs and tables lie.
        only: `KEY=VALUE` of the cells that are to be run; others are shown where they are there.
        max_cost: cap in USD on all cells together, in all commands; the file's unless given.
        concurrency: questions in flight; the file's unless given.
        access: makes the models' access of a cell, under a budget.
        preflight: try each model with one call first.
        progress: told how tasks and indexes are prepared.
        on_tally: told after each question.
        on_going: told when a cell begins, and after each question.
        on_outcome: told when something is known of a cell; the last word on each counts.
    """

    file: Path
    folder: Path
    only: Sequence[str] = ()
    max_cost: float | None = None
    concurrency: int | None = None
    access: Callable[[Budget], Access] = Access
    preflight: bool = True
    progress: Progress = no_progress
    on_tally: OnTally = lambda _: None
    on_going: Callable[[Going], None] = lambda _: None
    on_outcome: Callable[[SweepRecord], None] = lambda _: None

    def __post_init__(self) -> None:
        spec = read_spec(self.file)
        changed = {"max_cost": self.max_cost, "concurrency": self.concurrency}
        self.spec: SweepSpec = spec.model_copy(
            update={key: value for key, value in changed.items() if value is not None}
        )
        self.cells = cells_of(self.spec)
        self.rule = read_only(self.only, self.cells)
        self.shelf = Shelf(self.progress)

    def plan(self) -> list[Planned]:
        """Every cell, resolved; no model is asked, no index is built, no run folder is touched.

        Raises:
            UsageError: two cells are one run, or none can be run.
        """
        found = plan_cells(self.spec, self.cells, self.folder, self.shelf, lambda: self.access(self._budget()))
        chosen = [planned for planned in found if self.is_chosen(planned)]
        if all(planned.problem for planned in chosen):
            raise UsageError(f"no cell can be run; {chosen[0].name}: {chosen[0].problem}")
        return found

    def is_chosen(self, planned: Planned) -> bool:
        """Whether `only` leaves the cell to be run."""
        return planned.cell.matches(self.rule)

    def carry_out(self) -> SweepRecord:
        """Complete every cell that was chosen; a cell that fails stops no other.

        Returns:
            what became of each cell, which `sweep.json` holds, too.

        Raises:
            UsageError: something does not fit; nothing was started.
            Interrupted: what is done is kept, and the same command goes on.
        """
        planned = self.plan()
        busy = f"another process runs the sweep in {self.folder}: wait for it, or give another folder with -o"
        with writing(f"the sweep's folder {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / ".lock", busy=busy):
            try:
                return self._complete(planned)
            finally:
                self.shelf.close_all()

    def _complete(self, planned: Sequence[Planned]) -> SweepRecord:
        complete = [one.is_complete() for one in planned]
        outcomes = [self._before(one, is_there) for one, is_there in zip(planned, complete, strict=True)]
        todo = [at for at, one in enumerate(planned) if outcomes[at].state == "owed" and self.is_chosen(one)]
        going = Going(cells=len(todo), rollouts=sum(planned[at].owed() for at in todo))
        self._note(planned, outcomes)
        for number, at in enumerate(todo):
            one = planned[at]
            going.name, going.done, going.spent = one.name, number, self._spent(planned)
            self.on_going(going)
            try:
                outcomes[at] = self._run(one, planned, going)
            except (KeyboardInterrupt, Interrupted):
                outcomes[at] = self._outcome(one, "failed", "interrupted")
                self._note(planned, outcomes)
                raise Interrupted(
                    f"interrupted; {self.folder} keeps every question that was finished, and the same command goes on"
                ) from None
            self._note(planned, outcomes)
            if not any(planned[later].retriever == one.retriever for later in todo[number + 1 :]):
                self.shelf.close(one.retriever)
        return self._note(planned, outcomes)

    def _before(self, planned: Planned, is_there: bool) -> CellOutcome:
        """What is known of a cell before anything is run."""
        if planned.problem:
            if self.is_chosen(planned):
                _log.warning("%s cannot be run: %s", planned.name, planned.problem)
            return self._outcome(planned, "failed", planned.problem)
        if is_there:
            return self._outcome(planned, "done")
        return self._outcome(planned, "owed", None if self.is_chosen(planned) else NOT_CHOSEN)

    def _run(self, planned: Planned, every: Sequence[Planned], going: Going) -> CellOutcome:
        config, folder = planned.config, planned.folder
        assert config is not None
        assert folder is not None
        if (capped := self._capped(every)) is not None:
            return self._outcome(planned, "owed", capped)
        if self.spec.max_cost is not None:
            # The budget counts what the cell's own folder has cost; what others have is no longer there for it.
            config.access.budget.limit_usd = self.spec.max_cost - (self._spent(every) - folder.spent)
        played = going.played
        tallies: list[Tally] = []

        def on_tally(tally: Tally) -> None:
            tallies.append(tally)
            going.played = played + tally.done
            self.on_tally(tally)
            self.on_going(going)

        try:
            run = carry_out(
                config, out=folder.path, preflight=self.preflight, progress=self.progress, on_tally=on_tally
            )
            unresolved = run.metrics.unresolved
        except (KeyboardInterrupt, Interrupted):
            raise
        except RunIncomplete as stopped:
            if (capped := self._capped(every)) is not None:
                return self._outcome(planned, "owed", capped)
            return self._outcome(planned, "failed", str(stopped))
        except LratBenchError as error:
            return self._outcome(planned, "failed", str(error))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other cells are none of its business
            _log.debug("cell %s", planned.name, exc_info=True)
            return self._outcome(planned, "failed", f"internal error: {type(error).__name__}: {error}")
        if unresolved:
            reasons = ", ".join(reason for reason, _ in run.failures.most_common(1))
            return self._outcome(planned, "unresolved", f"{unresolved} of {planned.total} are unresolved: {reasons}")
        return self._outcome(planned, "done")

    def _capped(self, every: Sequence[Planned]) -> str | None:
        """That the sweep has cost what it may; None while it has not."""
        cap, spent = self.spec.max_cost, self._spent(every)
        if cap is None or spent < cap:
            return None
        reached = f"the cost cap of {Budget.amount(cap)} is reached ({Budget.amount(spent)} spent)"
        return f"{reached}; a larger --max-cost goes on"

    def _outcome(self, planned: Planned, state: State, problem: str | None = None) -> CellOutcome:
        cell, folder = planned.cell, planned.folder
        return CellOutcome(
            name=planned.name,
            task=cell.task.called,
            agent=cell.agent.called,
            retriever=cell.retriever.called,
            seed=cell.seed,
            knobs=without_secrets(dict(cell.knobs)),
            training_size=cell.retriever.training_size,
            family=cell.retriever.family,
            run=None if folder is None else folder.path.relative_to(self.folder).as_posix(),
            scored=folder is not None and (folder.path / "metrics.json").exists(),
            state=state,
            problem=None if problem is None else " ".join(problem.split()),
        )

    def _note(self, planned: Sequence[Planned], outcomes: Sequence[CellOutcome]) -> SweepRecord:
        """Write down what is known, so that a kill loses nothing of it."""
        record = SweepRecord(file=self.file.name, cells=tuple(outcomes), spent_usd=self._spent(planned))
        with writing(f"the sweep's record into {self.folder}"):
            write_json(self.folder / _RECORD, record.model_dump(mode="json", by_alias=True))
        self.on_outcome(record)
        return record

    @staticmethod
    def _spent(planned: Sequence[Planned]) -> float:
        return sum(one.folder.spent for one in planned if one.folder is not None)

    def _budget(self) -> Budget:
        return Budget() if self.spec.max_cost is None else Budget(self.spec.max_cost)
