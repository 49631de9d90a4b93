"""Turning the wheel: run, mine, train, index, and run again. Every arrow goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lrat_bench.errors import RunIncomplete
from lrat_bench.files import write_json, writing
from lrat_bench.lrat.flywheel.arm import Arm, arms_of
from lrat_bench.lrat.flywheel.place import BASE, Place
from lrat_bench.lrat.flywheel.settings import FlywheelSettings, claim
from lrat_bench.lrat.flywheel.table import Entry, FlywheelTable, make_entry, rows_in
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.lrat.training.train import train
from lrat_bench.model.access import Access
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.command import carry_out, close
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.runs.run import Run
from lrat_bench.runs.tally import OnTally
from lrat_bench.score.rows import Row

__all__ = ["Flywheel", "turn"]


@dataclass(frozen=True)
class Flywheel:
    """One flywheel, on its way.

    Attributes:
        folder: where everything lies.
        settings: what it is.
        access: makes the models' access of each command; every run, judge and filter gets one of its own.
        concurrency: questions in flight.
        progress: told how tasks, indexes and training go.
        on_tally: told after each question.
        on_arrow: told what begins now, in one line.
    """

    folder: Path
    settings: FlywheelSettings
    access: Callable[[], Access] = Access
    concurrency: int = 16
    progress: Progress = no_progress
    on_tally: OnTally | None = None
    on_arrow: Callable[[str], None] = lambda _: None
    _base_rows: dict[str, list[Row]] = field(default_factory=dict)

    def place(self, iteration: int, arm: str) -> Place:
        """Where one arm of one iteration lies."""
        return Place(self.folder, iteration, arm)

    def model_before(self, iteration: int) -> str:
        """The model whose trajectories iteration `iteration` is trained on."""
        if iteration == 1:
            return self.settings.base
        return str(self.place(iteration - 1, self.settings.arms[0]).model)

    def evaluate(self, place: Place, model: str, pairs: int | None) -> list[Entry]:
        """Run the eval split of every task with a model."""
        entries = []
        for task in (self.settings.task, *self.settings.ood):
            self.on_arrow(f"iteration {place.iteration}, {place.arm}: evaluating on {task}")
            split = self.settings.eval_split if task == self.settings.task else None
            out = place.evaluated(task)
            run = self._run(task, model, split=split, limit=self.settings.eval_limit, out=out)
            base = None
            if place.iteration == 0:
                self._base_rows[task] = rows_in(run)
            else:
                base = self._base_rows[task]
            entries.append(
                make_entry(root=self.folder, iteration=place.iteration, arm=place.arm, run=run, pairs=pairs, base=base)
            )
        return entries

    def collect(self, place: Place, model: str) -> Path:
        """Run the train split with a model: where the next iteration's trajectories come from."""
        self.on_arrow(
            f"iteration {place.iteration}, {place.arm}: collecting on the split {self.settings.train_split!r}"
        )
        run = self._run(
            self.settings.task,
            model,
            split=self.settings.train_split,
            limit=self.settings.limit,
            out=place.collected,
        )
        if unresolved := run.metrics.unresolved:
            raise RunIncomplete(
                f"{unresolved} questions of {run.path} are unresolved, and trajectories are mined when all are there: "
                "give the same command again"
            )
        return run.path

    def train(self, place: Place, arm: Arm, start: str) -> int:
        """Train one arm on the pairs of its iteration; returns how many pairs that were."""
        self.on_arrow(f"iteration {place.iteration}, {place.arm}: training")
        recipe = self.settings.recipe.model_copy(update={"stage": arm.stage, "shuffle": arm.shuffle})
        trained = train(pairs=[place.pairs], base=start, out=place.model, recipe=recipe, progress=self.progress)
        return trained.record.counts.rows

    def mine(self, place: Place, run: Path) -> None:
        """Mine the pairs of an iteration from a run."""
        self.on_arrow(f"iteration {place.iteration}: mining {run}")
        pairs = mine_runs(
            [run],
            place.pairs,
            rule=self.settings.rule,
            outcome=self.settings.outcome,
            relevance=self.settings.relevance,
            tokenizer=self.settings.tokenizer,
            settings=self.settings.relevance_settings,
            access=self.access(),
            progress=self.progress,
        )
        if owed := pairs.manifest.counts.owed:
            raise RunIncomplete(
                f"the relevance judge has failed on {owed} browses of {run}, and training waits until all are judged: "
                "give the same command again"
            )

    def _run(self, task: str, model: str, *, split: str | None, limit: int | None, out: Path) -> Run:
        given = Settings.of(self.settings.settings)
        config = resolve(
            task=task,
            agent=self.settings.agent,
            retriever=f"dense:{model}",
            split=split,
            limit=limit,
            repeats=self.settings.repeats,
            seed=self.settings.seed,
            concurrency=self.concurrency,
            settings=given,
            access=self.access(),
            progress=self.progress,
        )
        try:
            return carry_out(config, out=out, progress=self.progress, on_tally=self.on_tally)
        finally:
            close(config.retriever)


def turn(wheel: Flywheel) -> FlywheelTable:
    """Turn a flywheel as often as its settings say, or go on with it.

    The table is written after every evaluation, so that what is done can be seen.

    Returns:
        the table of all iterations.

    Raises:
        UsageError: something does not fit, or the folder holds another flywheel.
        RunIncomplete: it had to stop early; what is done is kept, and the same command goes on.
    """
    settings = wheel.settings
    arms = arms_of(settings.arms)
    claim(wheel.folder, settings)
    entries: list[Entry] = []

    def note(found: Sequence[Entry]) -> None:
        entries.extend(found)
        _write(wheel, entries)

    base = wheel.place(0, BASE)
    note(wheel.evaluate(base, settings.base, None))
    before = base
    for iteration in range(1, settings.iterations + 1):
        model = wheel.model_before(iteration)
        run = wheel.collect(before, model)
        wheel.mine(wheel.place(iteration, arms[0].name), run)
        for arm in arms:
            place = wheel.place(iteration, arm.name)
            pairs = wheel.train(place, arm, settings.base if settings.start == "base" else model)
            note(wheel.evaluate(place, str(place.model), pairs))
        before = wheel.place(iteration, arms[0].name)
    return _write(wheel, entries)


def _write(wheel: Flywheel, entries: Sequence[Entry]) -> FlywheelTable:
    settings = wheel.settings
    table = FlywheelTable(task=settings.task, agent=settings.agent, base=settings.base, entries=tuple(entries))
    with writing(f"the table into {wheel.folder}"):
        write_json(wheel.folder / "table.json", table.model_dump(mode="json", by_alias=True))
    return table
