"""Turning the wheel: run, mine, train, index, and run again. Every arrow goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lrat_bench.errors import RunIncomplete
from lrat_bench.files import write_json, writing
from lrat_bench.lrat.flywheel.arm import Arm, arms_of
from lrat_bench.lrat.flywheel.place import BASE, Place
from lrat_bench.lrat.flywheel.settings import FlywheelSettings, claim
from lrat_bench.lrat.flywheel.table import TABLE, Entry, FlywheelTable, make_entry, read_table, rows_in
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.relevance.registry import load_relevance
from lrat_bench.lrat.relevance.trial import try_relevance
from lrat_bench.lrat.training.base import base_name, find_base
from lrat_bench.lrat.training.hardware import resolve_precision
from lrat_bench.lrat.training.train import train
from lrat_bench.model.access import Access
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.command import carry_out, close
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.runs.run import Run
from lrat_bench.runs.tally import OnTally
from lrat_bench.score.rows import Row
from lrat_bench.task.tokenizer import load_tokenizer

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
            run = self._run(
                task, model, split=split, limit=self.settings.eval_limit, repeats=self.settings.repeats, out=out
            )
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
            repeats=1,
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
            settings=Settings.of(self.settings.settings).filter,
            access=self.access(),
            progress=self.progress,
        )
        if owed := pairs.manifest.counts.owed:
            raise RunIncomplete(
                f"the relevance judge has failed on {owed} browses of {run}, and training waits until all are judged: "
                "give the same command again"
            )

    def _run(self, task: str, model: str, *, split: str | None, limit: int | None, repeats: int, out: Path) -> Run:
        config = self.resolve(task, model, split=split, limit=limit, repeats=repeats)
        try:
            return carry_out(config, out=out, progress=self.progress, on_tally=self.on_tally)
        finally:
            close(config.retriever)

    def resolve(
        self, task: str, model: str, *, split: str | None = None, limit: int | None = None, repeats: int = 1
    ) -> RunConfig:
        """The run of a model on a task; the caller closes its retriever.

        Raises:
            UsageError: something of it does not exist or does not fit.
        """
        given = Settings.of(self.settings.settings)
        return resolve(
            task=task,
            agent=self.settings.agent,
            retriever=f"dense:{model}",
            split=split,
            limit=limit,
            repeats=repeats,
            seed=self.settings.seed,
            concurrency=self.concurrency,
            settings=replace(given, filter={}),
            access=self.access(),
            progress=self.progress,
        )

    def check(self) -> None:
        """See that every part exists and fits, before anything is spent or written.

        Raises:
            UsageError: one does not, or the model that judges relevance refuses requests.
            RunIncomplete: that model cannot be reached.
        """
        settings = self.settings
        for task in (settings.task, *settings.ood):
            close(self.resolve(task, settings.base).retriever)
        load_tokenizer(settings.tokenizer)
        resolve_precision(settings.recipe.precision)
        access = self.access()
        judge = load_relevance(settings.relevance, settings=Settings.of(settings.settings).filter, access=access)
        # Whoever goes on behind the last mining needs the judge's server no more.
        if not all(self._mined(iteration) for iteration in range(1, settings.iterations + 1)):
            with EventLoop() as loop:
                try:
                    loop.run(try_relevance(judge, access))
                finally:
                    loop.run(access.close())

    def _mined(self, iteration: int) -> bool:
        pairs = self.place(iteration, self.settings.arms[0]).pairs
        if not (pairs / "manifest.json").exists():
            return False
        manifest = Pairs(pairs).manifest
        return manifest.finished and not manifest.counts.owed


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
    wheel.check()
    claim(wheel.folder, settings)

    def note(found: Sequence[Entry]) -> None:
        _add(wheel, found)

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
    return read_table(wheel.folder)


def _add(wheel: Flywheel, found: Sequence[Entry]) -> None:
    """Put entries into the table on disk; what it holds of other turns and arms stays."""
    settings = wheel.settings
    there = read_table(wheel.folder).entries if (wheel.folder / TABLE).exists() else ()
    entries = {entry.key: entry for entry in (*there, *found)}
    # In the order of the turns: a folder may be given another arm when later ones are there.
    ordered = sorted(entries.values(), key=lambda entry: entry.iteration)
    base = base_name(find_base(settings.base))
    table = FlywheelTable(task=settings.task, agent=settings.agent, base=base, entries=tuple(ordered))
    with writing(f"the table into {wheel.folder}"):
        write_json(wheel.folder / TABLE, table.model_dump(mode="json", by_alias=True))
