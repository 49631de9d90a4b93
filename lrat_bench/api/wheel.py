"""The flywheel from Python."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from lrat_bench.api.parts import access, load_task
from lrat_bench.errors import MissingLibrary, UsageError
from lrat_bench.files import write_atomic, writing
from lrat_bench.lrat.flywheel.arm import arms_of
from lrat_bench.lrat.flywheel.settings import FlywheelSettings
from lrat_bench.lrat.flywheel.table import FlywheelTable
from lrat_bench.lrat.flywheel.wheel import Flywheel, turn
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.training.base import find_base
from lrat_bench.lrat.training.recipe import make_recipe
from lrat_bench.model.access import Access
from lrat_bench.model.cassette import CassetteMode
from lrat_bench.progress import Progress, no_progress
from lrat_bench.report.flywheel import flywheel_markdown
from lrat_bench.report.flywheel_plot import plot_flywheel
from lrat_bench.runs.resolve import Settings
from lrat_bench.runs.tally import OnTally
from lrat_bench.task.task import Task
from lrat_bench.values import plainly

__all__ = ["flywheel"]


def flywheel(
    task: str,
    *,
    base: str,
    out: str | Path,
    ood: Sequence[str] = (),
    agent: str = "heuristic",
    iterations: int = 1,
    arms: Sequence[str] = ("reweight",),
    start: Literal["base", "previous"] = "previous",
    train_split: str | None = None,
    split: str | None = None,
    limit: int | None = None,
    eval_limit: int | None = None,
    repeats: int = 1,
    rule: Rule = "attributed",
    outcome: Literal["correct", "incorrect", "all"] = "correct",
    filter: str = "rules",  # noqa: A002 -- the name of the flag
    tokenizer: str = "regex-v1",
    preset: str = "paper",
    recipe: Mapping[str, Any] | None = None,
    seed: int = 0,
    concurrency: int = 16,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    max_cost: float | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode = "replay",
    progress: Progress = no_progress,
    on_tally: OnTally | None = None,
    on_arrow: Callable[[str], None] = lambda _: None,
) -> FlywheelTable:
    """Run, mine, train, index, and run again; or go on with such a flywheel.

    Args:
        task: whose train split trajectories are collected on, and whose eval split is evaluated.
        base: the dense model of iteration 0: a folder or a hub name.
        out: the flywheel's folder.
        ood: tasks that are evaluated beside it, on their default splits.
        agent: who searches.
        iterations: how often the wheel turns.
        arms: what is trained on each iteration's pairs; the first one turns the wheel.
        start: what training starts from: the model of the iteration before, or the base.
        train_split: where trajectories are collected; the task's one train split unless given.
        split: what is evaluated; the task's default split unless given.
        limit: collect on only the first so many questions.
        eval_limit: evaluate only the first so many questions.
        repeats: how often each is evaluated.
        rule: how a browse is attributed to a query.
        outcome: trajectories that are mined.
        filter: who judges relevance: rules, none, a preset, or a LiteLLM id.
        tokenizer: measures reasoning.
        preset: recipe of training.
        recipe: values of it that are set otherwise.
        seed: of sampling and training.
        concurrency: questions in flight.
        set: as in `run`; settings of tasks and protocols hold for every task, and `filter.…` is the relevance judge's.
        max_cost: cap in USD on what models may cost, of each run and of each mining.
        cassette: file of recorded model calls.
        cassette_mode: `record`, `replay` or `strict`.
        progress: told how tasks, indexes and training go.
        on_tally: told after each question.
        on_arrow: told what begins now.

    Returns:
        the table, which the folder's `table.json` holds.

    Raises:
        UsageError: something does not exist or does not fit; nothing was started.
        RunIncomplete: it had to stop early; what is done is kept, and the same call goes on.
    """
    given = Settings.of(set or {})
    loaded = load_task(task, set=given.task, progress=progress)
    eval_split = split or loaded.default_split
    chosen = train_split or _train_split(loaded)
    loaded.select(chosen, limit)
    loaded.select(eval_split, eval_limit)
    if loaded.splits[chosen] != "train":
        raise UsageError(
            f"split {chosen!r} of task {loaded.name!r} has the role {loaded.splits[chosen]!r}: trajectories are "
            "collected on a train split"
        )
    if chosen == eval_split:
        raise UsageError(f"split {chosen!r} is the one that is evaluated: collect on another one")
    evaluated = [task, *ood]
    if twice := [name for name in evaluated if evaluated.count(name) > 1]:
        raise UsageError(f"task {twice[0]!r} is named twice: each is evaluated once")
    _refuse_of_arms(recipe or {})
    try:
        settings = FlywheelSettings(
            task=task,
            train_split=chosen,
            eval_split=eval_split,
            ood=tuple(ood),
            agent=agent,
            base=base,
            base_fingerprint=find_base(base).fingerprint(),
            iterations=iterations,
            arms=tuple(arm.name for arm in arms_of(arms)),
            start=start,
            rule=rule,
            outcome=outcome,
            relevance=filter,
            tokenizer=tokenizer,
            recipe=make_recipe(preset, {"seed": seed, **dict(recipe or {})}),
            limit=limit,
            eval_limit=eval_limit,
            repeats=repeats,
            seed=seed,
            settings=given.to_dict(),
        )
    except ValidationError as error:
        raise UsageError(f"flywheel: {plainly(error)}") from None

    def reach() -> Access:
        return access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode)

    wheel = Flywheel(
        Path(out),
        settings,
        access=reach,
        concurrency=concurrency,
        progress=progress,
        on_tally=on_tally,
        on_arrow=on_arrow,
    )
    table = turn(wheel)
    _show(wheel.folder, table)
    return table


def _train_split(task: Task) -> str:
    found = [name for name, role in task.splits.items() if role == "train"]
    if not found:
        raise UsageError(f"task {task.name!r} has no split of the role 'train', which trajectories are collected on")
    if len(found) > 1:
        raise UsageError(
            f"task {task.name!r} has {len(found)} train splits, {', '.join(found)}: name one, --train-split"
        )
    return found[0]


def _show(folder: Path, table: FlywheelTable) -> None:
    """Lay the table as Markdown and the picture beside the records."""
    with writing(f"the table into {folder}"):
        write_atomic(folder / "table.md", flywheel_markdown(table))
        try:
            plot_flywheel(table, folder / "flywheel.png")
        except MissingLibrary as missing:
            logging.getLogger(__name__).warning("no picture: %s", missing)


def _refuse_of_arms(recipe: Mapping[str, Any]) -> None:
    """Refuse what is an arm's to say, or what a flywheel has nothing for."""
    for key, mend in (
        ("stage", "name the arm"),
        ("shuffle", "name the arm, shuffled-positives or shuffled-weights"),
        ("keep", "a flywheel evaluates no checkpoints; leave it out"),
    ):
        if key in recipe:
            raise UsageError(f"recipe.{key} cannot be set of a flywheel: {mend}")
