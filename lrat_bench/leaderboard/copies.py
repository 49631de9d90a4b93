"""Copies: submissions that say again what another one of their track says.

Somebody who sends a rival's records under several names would make all of them tie, since the correction over pairs
grows with the pairs. Records that were changed here and there are still found: most of them say the same to the letter.
What is less plain than that is a notice: lists alone that are the same, or a name that reads like another's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.leaderboard.attestations import tier_of
from lrat_bench.leaderboard.intake import Finding
from lrat_bench.leaderboard.records import RankingRecord, RolloutRecord
from lrat_bench.leaderboard.submission import LIKE_LATIN
from lrat_bench.leaderboard.tracks import Tracks
from lrat_bench.leaderboard.validate import MANIFEST, Validated, validate

__all__ = ["find_copies", "on_the_board"]

_MOST = 0.5
"""Share of the records that may say what those of another entry say; agents that sample share next to none."""

_HEAD = 10
"""Documents of a list that are held against another's: to change one further down costs nothing."""


def find_copies(submissions: Sequence[Validated], board: Sequence[Validated] = ()) -> None:
    """Add a finding to each submission that repeats another one of its track, there or on the board.

    Who was first cannot be seen, so that both have it, except one that maintainers attested as it is.

    Args:
        submissions: as `validate` found them; those that do not hold are passed by.
        board: entries that are on the board; of the same name is the entry itself, as it was.
    """
    mine = [_Said.of(one) for one in submissions if one.holds]
    theirs = [_Said.of(one) for one in board if one.holds]
    said = [(one, how) for one in mine if not _attested(one.found) and (how := _repeats(one, [*mine, *theirs]))]
    for one, how in said:
        one.found.findings.append(Finding(MANIFEST, how))
    for one in mine:
        if one.found.holds:
            one.found.notices += _resembles(one, [*mine, *theirs])


def on_the_board(folder: str | Path, tracks: Tracks, *, like: Iterable[Validated]) -> list[Validated]:
    """The entries of a board that some submissions could repeat: those of their tracks.

    Args:
        folder: whose folders are submissions; one that is not there holds none.
        tracks: of the board.
        like: the submissions.
    """
    wanted = {f'"{one.track.name}"'.encode() for one in like if one.track is not None}
    manifests = [path for path in sorted(Path(folder).glob(f"*/{MANIFEST}")) if path.is_file()]
    # To measure an entry takes seconds, to look for a word in it none.
    near = [path.parent for path in manifests if any(name in path.read_bytes() for name in wanted)]
    return [validate(path, tracks, attested=True) for path in near]


@dataclass(frozen=True)
class _Said:
    """What a submission says, so that it can be found again."""

    found: Validated
    name: str
    trajectories: frozenset[str]
    records: frozenset[int]
    clocks: frozenset[int]
    lists: frozenset[int]
    label: str
    reach: str

    @classmethod
    def of(cls, found: Validated) -> _Said:
        assert found.submission is not None
        every = [(task, record) for task, records in found.records.items() for record in records]
        return cls(
            found,
            found.submission.name,
            frozenset(record.trajectory for _, record in every if isinstance(record, RolloutRecord)),
            frozenset(said for task, record in every if (said := _content(task, record)) is not None),
            frozenset(
                hash((task, clock))
                for task, record in every
                if isinstance(record, RolloutRecord) and (clock := record.clock) is not None
            ),
            frozenset(listed for task, record in every for listed in _listed(task, record)),
            _read_as(found.submission.entry.id),
            found.submission.contact.reach,
        )


def _content(task: str, record: RolloutRecord | RankingRecord) -> int | None:
    """Of a record, all that an agent or a retriever said in it; None where that is nothing."""
    if isinstance(record, RankingRecord):
        return hash((task, record.question_id, record.hits)) if record.hits else None
    searches = tuple((one.query, one.hits) for one in record.searches)
    read = tuple(one.docid for one in record.browses)
    if not read and not any(hits for _, hits in searches):
        return None
    return hash((task, record.question_id, searches, read, record.answer))


def _listed(task: str, record: RolloutRecord | RankingRecord) -> list[int]:
    lists = [record.hits] if isinstance(record, RankingRecord) else [one.hits for one in record.searches]
    return [hash((task, record.question_id, hits[:_HEAD])) for hits in lists if hits]


def _read_as(label: str) -> str:
    """What a label reads like: letters and digits alone, those of other scripts as what they look like."""
    latin = "".join(LIKE_LATIN.get(one, one) for one in unicodedata.normalize("NFKD", label))
    return "".join(one for one in latin.casefold() if one.isalnum())


def _resembles(one: _Said, others: Iterable[_Said]) -> Iterable[str]:
    for other in others:
        if other.name == one.name or other.found.track is not one.found.track:
            continue
        fewer = min(len(one.lists), len(other.lists))
        if fewer and (many := len(one.lists & other.lists)) > _MOST * fewer:
            yield f"{many} of its {len(one.lists)} different lists begin with the same documents as in {other.name!r}"
        if one.label == other.label and one.reach != other.reach:
            yield f"it is called as {other.name!r} is, and another contact answers for it"


def _repeats(one: _Said, others: Iterable[_Said]) -> str | None:
    for other in others:
        if other.name == one.name or other.found.track is not one.found.track:
            continue
        if many := len(one.trajectories & other.trajectories):
            return f"stands on {many} trajectories that {other.name!r} stands on, too: an entry is on the board once"
        for mine, theirs in ((one.records, other.records), (one.clocks, other.clocks)):
            fewer = min(len(mine), len(theirs))
            if fewer and (many := len(mine & theirs)) > _MOST * fewer:
                return f"{many} of its records say what those of {other.name!r} say: an entry is on the board once"
    return None


def _attested(found: Validated) -> bool:
    return tier_of(found.attestations, found.digest)[0] != "self-reported"
