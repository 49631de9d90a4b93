"""Preparing a benchmark: fetch, decrypt, write, count."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import locked
from lrat_bench.guard import Guard
from lrat_bench.progress import Progress
from lrat_bench.task.card import Setting, TaskCard
from lrat_bench.task.hub_card import Part
from lrat_bench.task.sources.hub.documents import write_documents
from lrat_bench.task.sources.hub.locate import Sources, filled, locate
from lrat_bench.task.sources.hub.questions import Asked, overlap, read_asked, write_asked

__all__ = ["prepare"]

_GB = 1e9


def prepare(
    card: TaskCard,
    settings: Mapping[str, Setting],
    folder: Path,
    sources: Sources,
    *,
    task_card: Callable[[str], TaskCard],
    progress: Progress,
) -> None:
    """Make the task folder of a card; one whose making was cut short is completed.

    The folder is filled under another name and renamed when it holds what the card expects.

    Args:
        card: with a `hub`.
        settings: of the card, as they are now.
        folder: that is wanted; it is not there yet.
        sources: local copies that take the place of the hub.
        task_card: finds the cards of tasks that must share no question with this one.
        progress: told how it goes.

    Raises:
        UsageError: something is not at hand, or there is no room for it.
        DataError: what is found is not what the card says.
    """
    assert card.hub is not None
    partial = folder.with_name(f".{folder.name}.partial")
    with locked(folder.with_name(f".{folder.name}.lock"), wait=True):
        if folder.exists():
            return
        partial.mkdir(parents=True, exist_ok=True)
        downloads = folder.parent / "downloads"

        def find(name: str, part: Part) -> list[Path]:
            return locate(name, filled(part, settings), sources, downloads=downloads)

        progress(f"questions of {card.name}", 0, None)
        asked = read_asked(card.hub, find, guard=_guard(card))
        _count(card, asked, partial)
        for other in card.hub.disjoint_from:
            _refuse_overlap(asked, task_card(other), sources, downloads)
        write_asked(asked, partial, guard=_guard(card))
        progress(f"questions of {card.name}", len(asked.questions), len(asked.questions))
        try:
            files = find("corpus", card.hub.corpus)
        except UsageError as error:
            raise UsageError(f"{error} (the {len(asked.questions)} questions are there and checked)") from None
        _require_room(card, partial)
        corpus = card.hub.corpus
        found = write_documents(corpus, files, partial, expected=card.expected.documents, progress=progress)
        _count_documents(card, found, partial)
        (partial / "corpus.state.json").unlink()
        partial.rename(folder)


def _guard(card: TaskCard) -> Guard | None:
    return None if card.canary is None else Guard(card.canary)


def _count(card: TaskCard, asked: Asked, folder: Path) -> None:
    for what, expected, found in (
        ("questions", card.expected.questions, len(asked.questions)),
        ("evidence judgements", card.expected.evidence, _many(asked.evidence)),
        ("gold judgements", card.expected.gold, _many(asked.gold)),
    ):
        if expected is not None and expected != found:
            raise DataError(
                f"{found} {what} instead of the {expected} of {card.name!r}: the copy is not whole, or of another "
                "version",
                file=folder,
            )


def _count_documents(card: TaskCard, found: int, folder: Path) -> None:
    exactly, least = card.expected.documents, card.expected.documents_at_least or 0
    if (exactly is not None and found != exactly) or found < least:
        # What was written is of no use to another try.
        shutil.rmtree(folder)
        wanted = f"{exactly}" if exactly is not None else f"{least} at least"
        raise DataError(
            f"{found} documents instead of the {wanted} of {card.name!r}: the copy is not whole, or of another version",
            file=folder,
        )


def _many(judged: Mapping[str, list[str]] | None) -> int:
    return sum(map(len, (judged or {}).values()))


def _refuse_overlap(asked: Asked, other: TaskCard, sources: Sources, downloads: Path) -> None:
    """See that no question is one of another benchmark's."""
    assert other.hub is not None

    def find(name: str, part: Part) -> list[Path]:
        return locate(name, filled(part, other.settings), sources.for_other(), downloads=downloads)

    held_out = read_asked(other.hub.model_copy(update={"evidence": None, "gold": None}), find, guard=_guard(other))
    shared = overlap({one.qid: one.text for one in asked.questions}, {one.qid: one.text for one in held_out.questions})
    if shared:
        mine, theirs = shared[0]
        raise UsageError(
            f"{len(shared)} questions are also asked by {other.name!r} (the first is {mine!r}, there {theirs!r}): "
            "training on them would void every number on it"
        )


def _require_room(card: TaskCard, folder: Path) -> None:
    assert card.hub is not None
    there = sum(path.stat().st_size for path in folder.iterdir())
    free = shutil.disk_usage(folder).free + there
    if free < card.hub.takes.disk_gb * _GB:
        raise UsageError(
            f"task {card.name!r} takes {card.hub.takes.disk_gb:g} GB, and {folder.parent} has {free / _GB:.1f} GB "
            "left: set LRAT_BENCH_CACHE to a larger disk"
        )
