"""Local copies of datasets, which take the place of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.task.card import Setting, TaskCard
from lrat_bench.task.hub_card import ANY, Part
from lrat_bench.task.sources.hub.filled import filled

__all__ = ["PARTS", "Sources", "file_name", "matching"]

PARTS = ("questions", "corpus", "evidence", "gold")
"""What `--source PART=PATH` knows by name."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A local copy.

    Attributes:
        given: as it was given.
        path: file or folder.
        part: that it was given for; None where that is to be seen.
    """

    given: str
    path: Path
    part: str | None

    def holds(self, name: str, part: Part) -> Path | None:
        """Where a part is in it; None where it is not."""
        if self.part is not None:
            return self.path if self.part == name else None
        if self.path.is_file():
            return self.path if name == "questions" and self._may_be(part) else None
        if part.url is not None:
            return found if (found := self.path / file_name(part)).exists() else None
        dataset = str(part.dataset)
        for place in (dataset, dataset.rpartition("/")[2], f"datasets--{dataset.replace('/', '--')}"):
            if (self.path / place).is_dir():
                return self.path / place
        # Patterns that any file meets would take the questions for the corpus.
        return self.path if part.files != ANY and matching(self.path, part) else None

    def lends(self, part: Part) -> bool:
        """Whether it may hold a part of another benchmark: a folder, or the file that has its name."""
        return self.part is None and (self.path.is_dir() or self.is_called(part))

    def is_called(self, part: Part) -> bool:
        """Whether it has the name of the one file of a part."""
        return part.url is not None and self.path.name == file_name(part)

    def _may_be(self, part: Part) -> bool:
        """Whether it is a file of a part, as far as its name can say; a checksum says more."""
        return part.url is not None or any(self.path.match(pattern.rpartition("/")[2]) for pattern in part.files)


class Sources:
    """Local copies that take the place of the hub.

    Args:
        given: `PATH`, or `PART=PATH`. A file without a part is that of the questions; a folder without one holds the
            datasets under their ids (`organisation/name`), under their names, or is the copy of the only one.

    Raises:
        UsageError: one is not there, or a part is named that there is not.
    """

    def __init__(self, given: Sequence[str] = ()) -> None:
        self._copies = [_copy(one) for one in given]

    def find(self, name: str, part: Part) -> Path | None:
        """The local copy of a part; None where it is to be had from the hub."""
        # What was given for the part comes first, then what has its name.
        nearest = sorted(self._copies, key=lambda copy: (copy.part is None, not copy.is_called(part)))
        return next((found for copy in nearest if (found := copy.holds(name, part)) is not None), None)

    def for_other(self, part: Part) -> Sources:
        """The copies that may hold a part of another benchmark, too."""
        other = Sources()
        other._copies = [copy for copy in self._copies if copy.lends(part)]
        return other

    def refuse_useless(self, card: TaskCard, settings: Mapping[str, Setting], others: Sequence[TaskCard]) -> None:
        """See that each copy holds a part, before what it should have held is fetched instead.

        Args:
            card: of the task.
            settings: of the card.
            others: cards of tasks whose questions are needed, too.

        Raises:
            UsageError: one holds none.
        """
        own = [(name, filled(part, settings)) for name, part in _parts(card)]
        asked = [filled(part, one.settings) for one in others for name, part in _parts(one) if name == "questions"]
        for copy in self._copies:
            if any(copy.holds(name, part) for name, part in own):
                continue
            if any(copy.lends(part) and copy.holds("questions", part) for part in asked):
                continue
            wanted = dict.fromkeys(part.dataset or file_name(part) for part in (*(part for _, part in own), *asked))
            raise UsageError(
                f"--source {copy.given} holds nothing of task {card.name!r}: give a folder that holds "
                f"{' or '.join(wanted)} under that name, or say which part it is: {'|'.join(dict(own))}=PATH"
            )


def file_name(part: Part) -> str:
    """The name of the one file of a part that has an address."""
    return str(part.url).rpartition("/")[2]


def matching(folder: Path, part: Part) -> list[Path]:
    """The files of a part in a folder, in order: those of the first pattern that any meets."""
    for pattern in part.files:
        if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
            return found
    return []


def _copy(given: str) -> _Copy:
    part, equals, rest = given.partition("=")
    named = bool(equals) and not Path(given).exists()
    if named and part not in PARTS:
        raise UsageError(f"--source {given}: there is no part {part!r}; parts are {', '.join(PARTS)}")
    path = Path(rest if named else given).expanduser()
    if not path.exists():
        raise UsageError(f"--source {given}: there is no file or folder {str(path)!r}")
    return _Copy(given, path, part if named else None)


def _parts(card: TaskCard) -> Iterator[tuple[str, Part]]:
    assert card.hub is not None
    yield from (("questions", part) for part in card.hub.questions.values())
    yield "corpus", card.hub.corpus
    for name, judged in (("evidence", card.hub.evidence), ("gold", card.hub.gold)):
        if judged is not None and judged.rows is not None:
            yield name, judged.rows
