"""`lrat-bench tasks`."""

from __future__ import annotations

from typing import Any

import click

from lrat_bench.cli.options import json_option, print_json, set_option, stdout
from lrat_bench.cli.watch import watch_work

__all__ = ["tasks"]


@click.group()
def tasks() -> None:
    """List, show and prepare tasks."""


@tasks.command("list")
@json_option
def list_tasks(as_json: bool) -> None:
    """The tasks of the catalog. A folder of your own works wherever a name does."""
    from lrat_bench.task.catalog import known_tasks

    cards = known_tasks()
    if as_json:
        print_json([card.model_dump(mode="json") for card in cards])
        return
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("task", "domain", "splits", "protocols", ""):
        table.add_column(column)
    for card in cards:
        splits = ", ".join(f"{name} ({role})" for name, role in card.splits.items())
        table.add_row(f"[bold]{card.name}[/bold]", card.domain, splits, ", ".join(card.protocols), card.summary)
    stdout().print(table)


@tasks.command("show")
@click.argument("task")
@json_option
def show_task(task: str, as_json: bool) -> None:
    """A task's card and its protocols, every knob."""
    from lrat_bench.task.catalog import task_card

    card = task_card(task)
    if as_json:
        print_json(card.model_dump(mode="json"))
        return
    console = stdout()
    console.print(f"[bold]{card.name}[/bold]  {card.summary}")
    console.print(f"domain {card.domain or '–'}, licence {card.license}, source {card.source}")
    console.print("settings  " + ", ".join(f"{key} = {value}" for key, value in card.settings.items()), markup=False)
    for protocol in card.protocols.values():
        default = " (default)" if protocol.name == card.default_protocol else ""
        console.print(f"\n[bold]@{protocol.name}[/bold]{default}  {protocol.summary}")
        for part, name in ((protocol.rollout, "rollout"), (protocol.scoring, "scoring")):
            console.print(f"  [dim]{name} {part.fingerprint[:12]}[/dim]")
            for key, value in part.model_dump(mode="json").items():
                console.print(f"    {key}: {_plain(value)}", markup=False)


@tasks.command("prepare")
@click.argument("task")
@set_option
@json_option
def prepare_task(task: str, assignments: tuple[str, ...], as_json: bool) -> None:
    """Generate or fetch a task and check its files, so that the first run need not."""
    from lrat_bench.errors import UsageError
    from lrat_bench.report import numbers
    from lrat_bench.runs.resolve import Settings
    from lrat_bench.task.catalog import load_task

    settings = Settings.parse(assignments)
    if others := [room for room in settings.to_dict() if room != "task"]:
        raise UsageError(f"tasks prepare takes settings of the task only, got {others[0]}.…")
    with watch_work(quiet=as_json) as progress:
        loaded, protocol = load_task(task, settings=settings.task, progress=progress)
    counts = {split: len(loaded.select(split)) for split in loaded.splits}
    if as_json:
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


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)
