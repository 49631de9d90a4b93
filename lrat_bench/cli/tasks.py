"""`lrat-bench tasks`."""

from __future__ import annotations

from typing import Any

import click

from lrat_bench.cli.options import json_option, plain, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

__all__ = ["tasks"]


@click.group()
def tasks() -> None:
    """List, show and prepare tasks."""


@tasks.command("list")
@json_option
def list_tasks(json: bool) -> None:
    """The tasks of the catalog. A folder of your own works wherever a name does."""
    from lrat_bench.task.catalog import known_tasks

    cards = known_tasks()
    if json:
        print_json([card.model_dump(mode="json") for card in cards])
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("task", "domain", "splits", "protocols", ""):
        table.add_column(column)
    for card in cards:
        splits = ", ".join(f"{name} ({role})" for name, role in card.splits.items())
        cells = (card.name, card.domain or "", splits, ", ".join(card.protocols), card.summary)
        table.add_row(*(Text(cell, style="bold" if cell == card.name else "") for cell in cells))
    stdout().print(table)


@tasks.command("show")
@click.argument("task", metavar="NAME|FOLDER")
@json_option
def show_task(task: str, json: bool) -> None:
    """A task's card, and every knob of its protocols."""
    from lrat_bench.task.catalog import known_names, load_task, task_card

    if task in known_names():
        card = task_card(task)
        about = card.model_dump(mode="json", exclude={"protocols", "default_protocol"})
        protocols, default = card.protocols, card.default_protocol
    else:
        with watch() as shown:
            loaded, _ = load_task(task, progress=shown.work)
        about = {"name": loaded.name, "domain": loaded.domain, "splits": dict(loaded.splits)}
        protocols, default = dict(loaded.protocols), loaded.default_protocol
    if json:
        found = {name: protocol.model_dump(mode="json") for name, protocol in protocols.items()}
        print_json({**about, "default_protocol": default, "protocols": found})
        return
    console = stdout()
    for key, value in about.items():
        console.print(f"{key}: {plain(value)}", markup=False)
    for name, protocol in protocols.items():
        console.print(f"\n@{name}{' (default)' if name == default else ''}  {protocol.summary}", markup=False)
        for part, of in ((protocol.rollout, "rollout"), (protocol.scoring, "scoring")):
            console.print(f"  {of} {part.fingerprint[:12]}", markup=False, style="dim")
            for key, value in part.model_dump(mode="json").items():
                console.print(f"    {key}: {plain(value)}", markup=False)


@tasks.command("prepare")
@click.argument("task")
@set_option
@json_option
def prepare_task(task: str, set: tuple[str, ...], json: bool) -> None:
    """Generate or fetch a task and check its files, so that the first run need not."""
    from lrat_bench.errors import UsageError
    from lrat_bench.report import numbers
    from lrat_bench.runs.resolve import Settings
    from lrat_bench.task.catalog import load_task

    settings = Settings.parse(set)
    if others := [room for room in settings.to_dict() if room != "task"]:
        raise UsageError(f"tasks prepare takes settings of the task only, got {others[0]}.…")
    with watch() as shown:
        loaded, protocol = load_task(task, settings=settings.task, progress=shown.work)
    counts = {split: len(loaded.select(split)) for split in loaded.splits}
    if json:
        found: dict[str, Any] = {
            "task": loaded.name,
            "fingerprint": loaded.fingerprint,
            "documents": len(loaded.corpus),
            "questions": counts,
            "evidence": None if loaded.evidence is None else sum(map(len, loaded.evidence.values())),
            "gold": None if loaded.gold is None else sum(map(len, loaded.gold.values())),
            "protocol": protocol.name,
            "source": dict(loaded.source),
        }
        print_json(found)
        return
    questions = ", ".join(f"{numbers.count(many)} {split}" for split, many in counts.items())
    stdout().print(
        f"{loaded.name}: {numbers.count(len(loaded.corpus))} documents, questions: {questions}", markup=False
    )
