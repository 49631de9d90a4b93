"""`lrat-bench tasks`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import json_option, plain, print_json, set_option, stdout
from lrat_bench.cli.watch import watch

if TYPE_CHECKING:
    from lrat_bench.task.protocol import Protocol

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
    from rich.text import Text

    from lrat_bench.report.fitting import FittingTable
    from lrat_bench.report.text import printable

    table = FittingTable()
    table.name("task", style="bold")
    table.number("domain", left=True)
    table.text()
    for card in cards:
        splits = ", ".join(f"{name} ({role})" for name, role in card.splits.items())
        parts = f"splits: {splits}; protocols: {', '.join(card.protocols)}"
        table.row(card.name, card.domain or "", Text.assemble(printable(card.summary), "\n", (printable(parts), "dim")))
    stdout().print(table)


@tasks.command("show")
@click.argument("task", nargs=-1, required=True, metavar="NAME|FOLDER[@PROTOCOL] [OTHER[@PROTOCOL]]")
@json_option
def show_task(task: tuple[str, ...], json: bool) -> None:
    """A task's card, and every knob of its protocols, or of the one named behind @.

    With two, the knobs in which their protocols differ: numbers can be compared when there is none.
    """
    from lrat_bench.errors import UsageError

    if len(task) > 2:
        raise UsageError(f"tasks show compares two protocols at most, got {len(task)}")
    shown = [_described(spec) for spec in task]
    if len(shown) == 1:
        _show_one(shown[0], json=json)
    else:
        _show_difference(shown[0], shown[1], json=json)


@dataclass(frozen=True)
class _Described:
    """A task as its card has it, or as its folder; `chosen` is the protocol that was named, or the default one."""

    spec: str
    about: dict[str, Any]
    protocols: dict[str, Protocol]
    chosen: str
    named: bool


def _described(spec: str) -> _Described:
    from lrat_bench.errors import UnknownName
    from lrat_bench.task.catalog import known_names, load_task, task_card

    name, at, wanted = spec.partition("@")
    if name not in known_names():
        with watch() as shown:
            loaded, protocol = load_task(spec, progress=shown.work)
        about = {"name": loaded.name, "domain": loaded.domain, "splits": dict(loaded.splits)}
        named = protocol.name != loaded.default_protocol
        return _Described(spec, about, dict(loaded.protocols), protocol.name, named)
    card = task_card(name)
    if wanted and wanted not in card.protocols:
        raise UnknownName(f"protocol of task {name!r}", wanted, card.protocols)
    about = card.model_dump(mode="json", exclude={"protocols", "default_protocol"}, exclude_none=True)
    return _Described(spec, about, dict(card.protocols), wanted or card.default_protocol, bool(at and wanted))


def _show_one(task: _Described, *, json: bool) -> None:
    protocols = {task.chosen: task.protocols[task.chosen]} if task.named else task.protocols
    if json:
        found = {name: protocol.model_dump(mode="json") for name, protocol in protocols.items()}
        print_json({**task.about, "default_protocol": task.chosen, "protocols": found})
        return
    console = stdout()
    for line in _lines(task.about):
        console.print(line, markup=False, soft_wrap=True)
    for name, protocol in protocols.items():
        mark = " (default)" if name == task.chosen and not task.named else ""
        console.print(f"\n@{name}{mark}  {protocol.summary}", markup=False)
        for part, of in ((protocol.rollout, "rollout"), (protocol.scoring, "scoring")):
            console.print(f"  {of} {part.fingerprint[:12]}", markup=False, style="dim")
            for key, value in part.model_dump(mode="json").items():
                console.print(f"    {key}: {plain(value)}", markup=False)


def _show_difference(one: _Described, other: _Described, *, json: bool) -> None:
    parts = [task.protocols[task.chosen].model_dump(mode="json") for task in (one, other)]
    rows = [
        (f"{room}.{key}", parts[0][room][key], parts[1][room][key])
        for room in ("rollout", "scoring")
        for key in parts[0][room]
        if parts[0][room][key] != parts[1][room][key]
    ]
    names = [f"{task.about['name']}@{task.chosen}" for task in (one, other)]
    if json:
        print_json({"protocols": names, "differences": {key: [mine, its] for key, mine, its in rows}})
        return
    if not rows:
        stdout().print(f"{names[0]} and {names[1]} are the same protocol: their numbers can be compared", markup=False)
        return
    from lrat_bench.report.fitting import FittingTable

    table = FittingTable()
    table.name("knob")
    for column in names:
        table.text(column)
    for key, mine, its in rows:
        table.row(key, plain(mine), plain(its))
    stdout().print(table)


def _lines(values: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A card, one value a line, what belongs together under its name; what is empty is left out."""
    for key, value in values.items():
        nested = isinstance(value, dict) and any(isinstance(inner, dict | list) for inner in value.values())
        if nested:
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
        elif value not in ({}, [], ()):
            yield f"{indent}{key}: {plain(value)}"


@tasks.command("prepare")
@click.argument("task")
@click.option(
    "--source",
    multiple=True,
    metavar="[PART=]PATH",
    help="A local copy instead of the hub: a folder of datasets, a file of questions, or PART=PATH (questions, corpus, "
    "evidence, gold). Repeatable.",
)
@set_option
@json_option
def prepare_task(task: str, source: tuple[str, ...], set: tuple[str, ...], json: bool) -> None:
    """Generate or fetch a task and check its files.

    Says first what it takes. What was cut short goes on with the same command; what does not have the commit, the
    checksum or the numbers of the task's card is refused.
    """
    from lrat_bench.errors import UsageError
    from lrat_bench.report import numbers
    from lrat_bench.runs.resolve import Settings
    from lrat_bench.task import catalog

    settings = Settings.parse(set)
    if others := [room for room in settings.to_dict() if room != "task"]:
        raise UsageError(f"tasks prepare takes settings of the task only, got {others[0]}.…")
    name = task.partition("@")[0]
    card = catalog.task_card(name) if name in catalog.known_names() else None
    with watch() as shown:
        if card is not None and card.hub is not None and not catalog.is_prepared(card, settings=settings.task):
            shown.begin(f"preparing {name}: {catalog.takes(card.hub)}")
        loaded, protocol = catalog.prepare_task(task, settings=settings.task, sources=source, progress=shown.work)
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
