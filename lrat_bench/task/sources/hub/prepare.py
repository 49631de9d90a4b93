"""Preparing a benchmark: fetch, decrypt, write, count."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import locked
from lrat_bench.guard import Guard
from lrat_bench.progress import Progress
from lrat_bench.task.card import Setting, TaskCard
from lrat_bench.task.hub_card import Part
from lrat_bench.task.prepared import is_whole, seal
from lrat_bench.task.sources.hub.copies import Sources
from lrat_bench.task.sources.hub.documents import MARK, row_of, write_documents
from lrat_bench.task.sources.hub.filled import filled
from lrat_bench.task.sources.hub.locate import locate
from lrat_bench.task.sources.hub.questions import Asked, overlap, read_asked, write_asked

__all__ = ["blamed", "prepare"]

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

    The folder is filled under another name, sealed (`task.prepared`), and renamed when it holds what the card expects.
    One that is damaged is kept until then.

    Args:
        card: with a `hub`.
        settings: of the card, as they are now.
        folder: that is wanted; not there, or not whole.
        sources: local copies that take the place of the hub.
        task_card: finds the cards of tasks that must share no question with this one.
        progress: told how it goes.

    Raises:
        UsageError: something is not at hand, or there is no room for it; or a source holds nothing of the task.
        DataError: what is found is not what the card says.
    """
    assert card.hub is not None
    partial = folder.with_name(f".{folder.name}.partial")
    with locked(folder.with_name(f".{folder.name}.lock"), wait=True):
        if is_whole(folder):
            return
        if not is_whole(partial):
            others = [task_card(name) for name in card.hub.disjoint_from]
            sources.refuse_useless(card, settings, others)
            partial.mkdir(parents=True, exist_ok=True)
            _fill(partial, card, settings, sources, others, folder.parent / "downloads", progress)
            seal(partial, without=(MARK,))
        (partial / MARK).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)


def blamed(error: DataError, card: TaskCard, settings: Mapping[str, Setting], sources: Sources) -> DataError:
    """What is wrong with a task folder that was made of a copy, said of the copy: the folder is not kept.

    Args:
        error: of reading the folder.
        card: of the task.
        settings: of the card.
        sources: local copies.
    """
    assert card.hub is not None
    part = filled(card.hub.corpus, settings)
    files = locate("corpus", part, sources, downloads=error.file.parent)
    if error.file.name == "corpus.jsonl" and error.line is not None:
        file, row, docid = row_of(part, files, error.line)
        return DataError(f"row {row}: document {docid!r} is there twice: every docid occurs once", file=file)
    place = f"{error.file}: " if error.line is None else f"{error.file}:{error.line}: "
    problem = str(error).removeprefix(place).partition(": ")[0]
    return DataError(f"{problem}: the copy is not whole, or of another version", file=files[0].parent)


def _fill(
    folder: Path,
    card: TaskCard,
    settings: Mapping[str, Setting],
    sources: Sources,
    others: Sequence[TaskCard],
    downloads: Path,
    progress: Progress,
) -> None:
    """Write questions, judgements and documents, and see that they are what the card expects."""
    assert card.hub is not None

    def find(name: str, part: Part) -> list[Path]:
        return locate(name, filled(part, settings), sources, downloads=downloads)

    progress(f"questions of {card.name}", 0, None)
    asked = read_asked(card.hub, find, guard=_guard(card))
    _count(card, asked)
    for other in others:
        _refuse_overlap(asked, other, sources, downloads)
    write_asked(asked, folder, guard=_guard(card))
    progress(f"questions of {card.name}", len(asked.questions), len(asked.questions))
    try:
        files = find("corpus", card.hub.corpus)
    except DataError:
        raise
    except UsageError as error:
        raise UsageError(f"{error} (the {len(asked.questions)} questions are there and checked)") from None
    _require_room(card, folder)
    found = write_documents(card.hub.corpus, files, folder, expected=card.expected.documents, progress=progress)
    exactly, least = card.expected.documents, card.expected.documents_at_least or 0
    if (exactly is not None and found != exactly) or found < least:
        # What was written is of no use to another try.
        shutil.rmtree(folder)
        raise _another_number(card, found, "documents", f"{least} at least" if exactly is None else exactly, files[0])


def _guard(card: TaskCard) -> Guard | None:
    return None if card.canary is None else Guard(card.canary)


def _count(card: TaskCard, asked: Asked) -> None:
    for what, expected, found in (
        ("questions", card.expected.questions, len(asked.questions)),
        ("evidence judgements", card.expected.evidence, _many(asked.evidence)),
        ("gold judgements", card.expected.gold, _many(asked.gold)),
    ):
        if expected is not None and expected != found:
            raise _another_number(card, found, what, expected, asked.files[0])


def _another_number(card: TaskCard, found: int, what: str, wanted: int | str, file: Path) -> DataError:
    return DataError(
        f"{found} {what} instead of the {wanted} of {card.name!r}: the copy is not whole, or of another version",
        file=file.parent,
    )


def _many(judged: Mapping[str, list[str]] | None) -> int:
    return sum(map(len, (judged or {}).values()))


def _refuse_overlap(asked: Asked, other: TaskCard, sources: Sources, downloads: Path) -> None:
    """See that no question is one of another benchmark's."""
    assert other.hub is not None

    def find(name: str, part: Part) -> list[Path]:
        wanted = filled(part, other.settings)
        return locate(name, wanted, sources.for_other(wanted), downloads=downloads)

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
