"""The board: tracks with their rows, as `board.json` and `board.csv` hold them and the pages show them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.leaderboard.attestations import Tier, tier_of, tiers_of
from lrat_bench.leaderboard.measuring import COLUMNS
from lrat_bench.leaderboard.papers import PaperRow, paper_rows
from lrat_bench.leaderboard.ranking import Contender, Place, ranked
from lrat_bench.leaderboard.rules import fixed_revision
from lrat_bench.leaderboard.submission import Openness, Submission
from lrat_bench.leaderboard.tracks import Fixed, Track, TrackKind, Tracks
from lrat_bench.leaderboard.validate import Validated
from lrat_bench.score.metric import Metric

__all__ = ["SCHEMA", "Board", "BoardRow", "BoardTrack", "Result", "Standing", "board_csv", "make_board"]

SCHEMA = "lrat-bench/board/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""


_FORMULA = re.compile(r"(^|;\s*)([=+\-@\t\r])")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class Result(_Record):
    """The numbers of one row on one task."""

    task: str
    metrics: tuple[Metric, ...] = Field(description="of the board's columns, those that there are")

    def metric(self, name: str) -> Metric | None:
        """The metric of that name; None where there is none."""
        return next((metric for metric in self.metrics if metric.name == name), None)


class Standing(_Record):
    """Where an entry stands among those that it can be held against."""

    score: Metric = Field(description="mean over tasks of the measure that the track ranks by")
    letters: tuple[str, ...] = Field(description="two entries that share one do not differ significantly")
    best_rank: int | None = Field(description="null of one that can be held against no other: that is no place")
    worst_rank: int | None
    of: int = Field(description="how many entries can be held against each other, itself among them")
    among: str | None = Field(description="commit of what the track fixes, where it pins none: ties are within it")


class BoardRow(_Record):
    """One row."""

    source: Literal["submission", "published"]
    name: str = Field(description="of the submission; of a published row table/agent/retriever")
    label: str = Field(description="what is entered")
    revision: str | None
    parameters: float | None
    licence: str | None
    openness: Openness | None
    scaffold: Literal["standard", "custom"] | None
    date: str | None
    contact: str | None
    tier: Tier | None = Field(description="the highest; null of a published row: nobody recomputed it")
    tiers: tuple[Tier, ...] = Field(description="all that hold, each a check of its own; none of a published row")
    cited: str | None = Field(description="of a published row: paper and place")
    standing: Standing | None = Field(description="null of a published row: its records are not here")
    results: tuple[Result, ...]
    submission: str | None = Field(description="SHA-256 of submission.json")

    def result(self, task: str) -> Result | None:
        """The numbers on a task; None where there are none."""
        return next((result for result in self.results if result.task == task), None)


class BoardTrack(_Record):
    """One track."""

    name: str
    kind: TrackKind
    title: str
    summary: str
    demonstration: bool
    tasks: tuple[str, ...]
    fixed: Fixed | None
    rank: str
    columns: tuple[str, ...]
    repeats: int
    rows: tuple[BoardRow, ...] = Field(description="entries best first, then what is published")

    @property
    def entries(self) -> tuple[BoardRow, ...]:
        """The rows that are submissions."""
        return tuple(row for row in self.rows if row.source == "submission")


class Board(_Record):
    """`board.json`."""

    schema_: Literal["lrat-bench/board/1"] = Field(default="lrat-bench/board/1", alias="schema")
    name: str
    about: tuple[str, ...]
    version: str = Field(description="of lrat-bench")
    tracks: tuple[BoardTrack, ...]

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return self.model_dump(mode="json", by_alias=True)


def make_board(tracks: Tracks, submissions: Sequence[Validated], *, version: str) -> Board:
    """The board of submissions that hold; others are left out.

    Args:
        tracks: of the board.
        submissions: as `validate` found them.
        version: of lrat-bench.
    """
    return Board(
        name=tracks.board,
        about=tracks.about,
        version=version,
        tracks=tuple(_track(track, [one for one in submissions if one.track is track]) for track in tracks),
    )


def board_csv(board: Board) -> str:
    """A line for each row, task and measure."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("track", "source", "name", "label", "revision", "tier", "task", "measure", "value", "low", "high", "n", "unit")
    )
    for track in board.tracks:
        for row in track.rows:
            for result in row.results:
                for metric in result.metrics:
                    writer.writerow(
                        map(
                            _cell,
                            (
                                *(track.name, row.source, row.name, row.label, row.revision, row.tier, result.task),
                                *(metric.name, metric.value, metric.low, metric.high, metric.n, metric.unit),
                            ),
                        )
                    )
    return text.getvalue()


def _cell(value: object) -> object:
    # A spreadsheet takes a text that begins so for a formula, and some begin a new cell after a semicolon.
    return _FORMULA.sub(r"\1'\2", value) if isinstance(value, str) else value


def _track(track: Track, found: Sequence[Validated]) -> BoardTrack:
    holding = [one for one in found if one.holds and one.submission is not None]
    by_name = {one.submission.name: one for one in holding if one.submission is not None}
    contenders = [Contender(name, one.numbers, _pool(track, one.submission)) for name, one in by_name.items()]
    places = ranked(track, contenders) if contenders else []
    rows: list[BoardRow] = [_entry(track, by_name[place.name], place) for place in places]
    rows += sorted((_published(track, row) for row in paper_rows(track)), key=lambda row: _unmeasured(track, row))
    return BoardTrack(
        name=track.name,
        kind=track.kind,
        title=track.title,
        summary=track.summary,
        demonstration=track.demonstration,
        tasks=tuple(pin.name for pin in track.pins),
        fixed=track.fixed,
        rank=track.rank,
        columns=COLUMNS[track.kind],
        repeats=track.repeats,
        rows=tuple(rows),
    )


def _pool(track: Track, submission: Submission | None) -> str | None:
    # Where the track pins a commit, all have the same.
    pinned = track.fixed is None or track.fixed.revision is not None
    return None if pinned or submission is None else fixed_revision(submission, track)


def _entry(track: Track, found: Validated, place: Place) -> BoardRow:
    submission = found.submission
    assert submission is not None
    tier, _ = tier_of(found.attestations, found.digest)
    entry = submission.entry
    return BoardRow(
        source="submission",
        name=submission.name,
        label=entry.id,
        revision=entry.revision,
        parameters=entry.parameters,
        licence=entry.licence,
        openness=entry.openness,
        scaffold=submission.scaffold.kind,
        date=submission.prepared,
        contact=submission.contact.name,
        tier=tier,
        tiers=tiers_of(found.attestations, found.digest),
        cited=None,
        standing=Standing(
            score=place.score,
            letters=place.letters,
            best_rank=place.best_rank,
            worst_rank=place.worst_rank,
            of=place.of,
            among=place.pool,
        ),
        results=tuple(
            Result(task=pin.task, metrics=tuple(_columns(track, found.numbers[pin.task].metrics))) for pin in track.pins
        ),
        submission=found.digest,
    )


def _published(track: Track, row: PaperRow) -> BoardRow:
    return BoardRow(
        source="published",
        name=row.name,
        label=row.label,
        revision=None,
        parameters=row.parameters,
        licence=None,
        openness=None,
        scaffold=None,
        date=None,
        contact=None,
        tier=None,
        tiers=(),
        cited=row.cited,
        standing=None,
        results=tuple(
            Result(task=pin.task, metrics=row.metrics[pin.task]) for pin in track.pins if pin.task in row.metrics
        ),
        submission=None,
    )


def _unmeasured(track: Track, row: BoardRow) -> float:
    """For the order of published rows: less the mean over tasks of what the track ranks by."""
    found = [result.metric(track.rank) for result in row.results]
    values = [metric.value for metric in found if metric is not None and metric.value is not None]
    return -sum(values) / len(values) if values else 0.0


def _columns(track: Track, metrics: Iterable[Metric]) -> Iterator[Metric]:
    by_name = {metric.name: metric for metric in metrics}
    return (by_name[name] for name in COLUMNS[track.kind] if name in by_name)
