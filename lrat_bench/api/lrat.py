"""LRAT: what is learned from trajectories, from Python."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lrat_bench.api.parts import access, load_task
from lrat_bench.errors import MissingLibrary, UsageError
from lrat_bench.files import write_atomic, writing
from lrat_bench.lrat.analysis.analysis import analyse
from lrat_bench.lrat.flywheel.arm import arms_of
from lrat_bench.lrat.flywheel.settings import FlywheelSettings
from lrat_bench.lrat.flywheel.table import FlywheelTable
from lrat_bench.lrat.flywheel.wheel import Flywheel, turn
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.training.base import find_base
from lrat_bench.lrat.training.recipe import make_recipe
from lrat_bench.lrat.training.train import train
from lrat_bench.progress import Progress, no_progress
from lrat_bench.report.flywheel import flywheel_markdown
from lrat_bench.report.flywheel_plot import plot_flywheel
from lrat_bench.retriever.base import Retriever
from lrat_bench.runs.resolve import Settings
from lrat_bench.runs.retrieval import retrieve as carry_out
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.tally import OnTally
from lrat_bench.task.task import Task

__all__ = ["analyze", "flywheel", "mine", "retrieve", "train"]

analyze = analyse
mine = mine_runs


def retrieve(
    task: str | Task | None = None,
    retriever: str | Retriever = "bm25",
    *,
    split: str | None = None,
    limit: int | None = None,
    replay: Sequence[str | Path] = (),
    k: int | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 -- the name of the flag
    out: str | Path | None = None,
    fresh: bool = False,
    progress: Progress = no_progress,
) -> Retrieval:
    """Score a retriever alone; arguments as in `runs.retrieval.retrieve`, settings as in `run`."""
    return carry_out(
        task=task,
        retriever=retriever,
        split=split,
        limit=limit,
        replay=replay,
        k=k,
        settings=Settings.of(set or {}),
        out=out,
        fresh=fresh,
        progress=progress,
    )


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
    cassette_mode: Literal["record", "replay", "strict"] = "replay",
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
    of_filter, others = _settings_of_filter(set or {})
    given = Settings.of(others)
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
    turns = make_recipe(preset, {"seed": seed, **dict(recipe or {})})
    names = [arm.name for arm in arms_of(arms)]
    settings = FlywheelSettings(
        task=task,
        train_split=chosen,
        eval_split=eval_split,
        ood=tuple(ood),
        agent=agent,
        base=base,
        base_fingerprint=find_base(base).fingerprint(),
        iterations=iterations,
        arms=tuple(names),
        start=start,
        rule=rule,
        outcome=outcome,
        relevance=filter,
        relevance_settings=of_filter,
        tokenizer=tokenizer,
        recipe=turns,
        limit=limit,
        eval_limit=eval_limit,
        repeats=repeats,
        seed=seed,
        settings=given.to_dict(),
    )
    reach = lambda: access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode)  # noqa: E731
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


def _settings_of_filter(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the relevance judge, which no run has, and the others."""
    own: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for place, value in given.items():
        room, dot, key = place.partition(".")
        if room == "filter" and dot:
            own[key] = value
        elif room == "filter" and isinstance(value, Mapping):
            own.update(value)
        else:
            others[place] = value
    return own, others
