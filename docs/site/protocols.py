"""The page of protocols: every knob of every protocol of the catalog, its value, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lrat_bench.task.card import TaskCard, read_card
from lrat_bench.task.protocol import PinnedSampling, Protocol, Rollout, Scoring

__all__ = ["knobs_set", "named_protocols", "protocols_page", "sources"]

_INTRO = """# Protocols

A protocol is every knob that changes a score. Its *rollout* part changes what an agent does; its *scoring* part changes
only what is made of it. Two numbers can be compared when both fingerprints agree. Whatever `--set protocol.KEY=VALUE`
changes is another protocol, `custom`. This page is made of `tasks/*.yaml` and of the code; `lrat-bench tasks show
NAME` prints the same, and [benchmarks](benchmarks.md#protocols) says what our loop does otherwise than its models.
"""


def sources() -> dict[str, Any]:
    """What `sources.yaml` holds."""
    return dict(yaml.safe_load(Path(__file__).with_name("sources.yaml").read_text(encoding="utf-8")))


def named_protocols(tasks: Path) -> dict[str, tuple[Protocol, list[TaskCard]]]:
    """Every protocol of the cards in a folder by name, with the tasks that have it.

    Raises:
        ValueError: one name stands for two protocols.
    """
    found: dict[str, tuple[Protocol, list[TaskCard]]] = {}
    for card in _cards(tasks):
        for name, protocol in card.protocols.items():
            known, having = found.setdefault(name, (protocol, []))
            if (known.rollout, known.scoring) != (protocol.rollout, protocol.scoring):
                raise ValueError(f"protocol {name} of {card.name} is another one than that of {having[0].name}")
            having.append(card)
    return found


def knobs_set(protocol: Protocol) -> list[str]:
    """Knobs that a card gives a protocol, `scoring.` before those of its scoring part."""
    scoring = [f"scoring.{knob}" for knob in protocol.scoring.model_fields_set]
    return [*(knob for knob in Rollout.model_fields if knob in protocol.rollout.model_fields_set), *scoring]


def protocols_page(tasks: Path) -> str:
    """The page, in Markdown."""
    return "\n".join(_lines(tasks))


def _cards(tasks: Path) -> list[TaskCard]:
    return [read_card(file, TaskCard) for file in sorted(tasks.glob("*.yaml"))]


def _lines(tasks: Path) -> Iterator[str]:
    known = sources()
    yield _INTRO
    yield "## Knobs\n"
    yield from _table(("knob", "", "default"), _meanings())
    yield "\n`sampling` pins any of " + ", ".join(f"`{knob}`" for knob in PinnedSampling.model_fields) + ".\n"
    yield "## Sources\n"
    repositories = known["repositories"].items()
    yield from _table(
        ("short", "repository", "commit"), ((short, one["name"], f"`{one['commit']}`") for short, one in repositories)
    )
    for name, (protocol, cards) in named_protocols(tasks).items():
        yield f"\n## {name}\n"
        yield f"{protocol.summary[:1].upper()}{protocol.summary[1:]}."
        yield "\nTasks: " + ", ".join(f"`{card.name}`" for card in cards) + ".\n"
        yield (
            f"Rollout `{protocol.rollout.fingerprint[:12]}`, scoring `{protocol.scoring.fingerprint[:12]}`."
            " The rest is as in the table of knobs.\n"
        )
        yield from _table(("knob", "value", "source"), _set(protocol, known["protocols"][name]))
    yield "\n## Where the data lie\n"
    yield from _table(("task", "part", "dataset", "commit or SHA-256", "licence"), _data(_cards(tasks)))


def _meanings() -> Iterator[tuple[str, ...]]:
    for prefix, part in (("", Rollout), ("scoring.", Scoring)):
        for knob, field in part.model_fields.items():
            default = field.get_default(call_default_factory=True)
            yield f"`{prefix}{knob}`", field.description or "", _shown(default)


def _set(protocol: Protocol, origins: dict[str, str]) -> Iterator[tuple[str, ...]]:
    for knob in knobs_set(protocol):
        part, name = (protocol.scoring, knob.partition(".")[2]) if "." in knob else (protocol.rollout, knob)
        yield f"`{knob}`", _shown(getattr(part, name)), str(origins[knob])


def _data(cards: list[TaskCard]) -> Iterator[tuple[str, ...]]:
    for card in cards:
        if card.hub is None:
            yield f"`{card.name}`", "all", "generated from its settings", "–", card.license
            continue
        judged = {"evidence": card.hub.evidence, "gold": card.hub.gold}
        rows = {name: part.rows for name, part in judged.items() if part is not None and part.rows is not None}
        for name, part in {**card.hub.questions, "corpus": card.hub.corpus, **rows}.items():
            place = part.dataset or part.url or ""
            pin = part.revision or f"{(part.sha256 or '')[:12]}…"
            asked = pin.startswith("{")
            yield f"`{card.name}`", name, place, "asked for" if asked else f"`{pin[:12]}`", card.license


def _shown(value: Any) -> str:
    if isinstance(value, PinnedSampling):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return ", ".join(f"{knob} {_shown(one)}" for knob, one in value.items()) or "–"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Of a commit, as many digits as tell it from others.
    return "–" if value is None else re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28}\b", r"\1", str(value))


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
