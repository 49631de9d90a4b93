"""The site: the board as static pages that open from a disk, from a sub-path, or from any file server.

index.html                 the tracks
tracks/TRACK.html          a table that sorts and filters, plots, what is pinned
submissions/NAME.html      one submission: numbers, questions, disclosure, fingerprints; NAME.json is as submitted
board.json  board.csv      the same for machines
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.errors import MissingLibrary, UsageError
from lrat_bench.files import write_atomic, write_json, writing
from lrat_bench.leaderboard.attestations import TIERS, tier_of, tiers_of
from lrat_bench.leaderboard.board import SCHEMA, Board, BoardRow, BoardTrack, board_csv, make_board
from lrat_bench.leaderboard.copies import find_copies
from lrat_bench.leaderboard.plots import AXES, plot_track
from lrat_bench.leaderboard.shown import (
    RANKING_LINES,
    ROLLOUT_LINES,
    Cell,
    Column,
    cell,
    columns,
    lines,
    parameters,
    place_among,
    place_text,
)
from lrat_bench.leaderboard.submission import OPENNESS, SubmittedRun
from lrat_bench.leaderboard.tracks import Track, Tracks
from lrat_bench.leaderboard.validate import MANIFEST, Validated, validate
from lrat_bench.pages.assets import write_assets
from lrat_bench.pages.render import page, web_address
from lrat_bench.progress import Progress, no_progress
from lrat_bench.report.measures import label, name_of
from lrat_bench.report.plots.style import DPI
from lrat_bench.score.metric import Metric
from lrat_bench.versions import installed_versions

__all__ = ["Built", "build"]

_OWN = "lrat_bench.leaderboard"
_PART = "index.html board.json board.csv .nojekyll assets tracks submissions plots".split()

_GROUPS = ("Retrievers, under one agent", "Agents, over one retriever", "Retrievers alone", "Demonstration")


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        path: the site.
        board: what it shows.
        submissions: all that were looked at; those with findings are not on the board.
        plots: whether plots could be drawn.
    """

    path: Path
    board: Board
    submissions: tuple[Validated, ...]
    plots: bool

    @property
    def refused(self) -> tuple[Validated, ...]:
        """The submissions that are not on the board."""
        return tuple(one for one in self.submissions if not one.holds)


def build(
    out: str | Path,
    submissions: str | Path | None,
    tracks: Tracks,
    *,
    plots: bool = True,
    progress: Progress = no_progress,
) -> Built:
    """Build the site of a board.

    Args:
        out: the folder; one that holds an earlier site is replaced once the new one is complete.
        submissions: the folder whose folders are submissions; None is a board without any.
        tracks: of the board.
        plots: draw them, where matplotlib is installed.
        progress: told after each submission.

    Raises:
        UsageError: the folder of submissions is not there, or the site cannot be written.
    """
    place = Path(out)
    _refuse_strange(place)
    found = _validated(submissions, tracks, progress)
    version = installed_versions(["lrat-bench"]).get("lrat-bench", "unknown")
    board = make_board(tracks, found, version=version)
    with writing(f"the site {place}"):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", suffix=".tmp", dir=place.parent) as temporary:
            draft = Path(temporary) / "site"
            drawn = _write(draft, board, [one for one in found if one.holds], tracks, plots=plots)
            draft.chmod(0o755)
            if place.exists():
                place.rename(Path(temporary) / "before")
            draft.rename(place)
    return Built(place, board, tuple(found), drawn)


def _validated(submissions: str | Path | None, tracks: Tracks, progress: Progress) -> list[Validated]:
    if submissions is None:
        return []
    folder = Path(submissions)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of submissions")
    if (folder / MANIFEST).exists():
        raise UsageError(f"{folder} is a submission: give the folder that it lies in, {folder.parent}")
    there = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and not path.is_file())
    found = []
    for at, path in enumerate(there, 1):
        found.append(validate(path, tracks, attested=True))
        progress("checking submissions", at, len(there))
    find_copies(found)
    return found


def _refuse_strange(place: Path) -> None:
    """See that the folder is empty or holds an earlier site, and nothing else."""
    if not place.exists():
        return
    if not place.is_dir():
        raise UsageError(f"{place} is no folder: give another -o")
    there = sorted(path.name for path in place.iterdir())
    mark = place / "board.json"
    own = mark.is_file() and SCHEMA.encode() in mark.read_bytes()[:200]
    if there and (not own or (strange := [name for name in there if name not in _PART])):
        what = there[0] if not own else strange[0]
        raise UsageError(f"{place} holds {what!r}, which is no part of a site of ours: give another -o")


def _write(draft: Path, board: Board, found: Sequence[Validated], tracks: Tracks, *, plots: bool) -> bool:
    write_assets(draft, _OWN)
    write_json(draft / "board.json", board.to_dict())
    write_atomic(draft / "board.csv", board_csv(board))
    write_atomic(draft / ".nojekyll", "")
    by_name = {one.submission.name: one for one in found if one.submission is not None}
    drawn = plots
    for track in board.tracks:
        figures, possible = _plots(draft, track) if plots else ([], True)
        drawn = drawn and possible
        write_atomic(draft / "tracks" / f"{track.name}.html", _track_page(board, track, tracks[track.name], figures))
        for row in track.entries:
            one = by_name[row.name]
            write_atomic(draft / "submissions" / f"{row.name}.html", _submission_page(board, track, row, one))
            write_atomic(draft / "submissions" / f"{row.name}.json", (one.path / MANIFEST).read_bytes())
    write_atomic(draft / "index.html", _index(board))
    return drawn


def _plots(draft: Path, track: BoardTrack) -> tuple[list[tuple[str, str, int]], bool]:
    """File, caption and width of each plot that there is something to draw for, and whether any could be drawn."""
    made: list[tuple[str, str, int]] = []
    if track.kind == "retrieval":
        return made, True
    for measure, axis in AXES.items():
        name = f"{track.name}-{measure}.png"
        try:
            (draft / "plots").mkdir(exist_ok=True)
            if plot_track(track, measure, draft / "plots" / name):
                made.append((name, f"Success against {axis.split(',')[0]}", _width(draft / "plots" / name)))
        except MissingLibrary:
            return made, False
    return made, True


def _width(png: Path) -> int:
    """Of a picture on a page, in CSS pixels; its width in its own stands in the header (PNG, 11.2.2)."""
    with png.open("rb") as stream:
        return int.from_bytes(stream.read(20)[16:]) * 96 // DPI


def _nav(root: str) -> list[tuple[str, str]]:
    return [("Leaderboard", f"{root}index.html"), ("JSON", f"{root}board.json"), ("CSV", f"{root}board.csv")]


@dataclass(frozen=True, slots=True)
class _Line:
    """A track on the front page."""

    track: BoardTrack
    best: BoardRow | None
    score: Cell | None
    published: int


def _index(board: Board) -> str:
    groups: dict[str, list[_Line]] = {title: [] for title in _GROUPS}
    for track in board.tracks:
        placed = [row for row in track.entries if row.standing is not None and row.standing.best_rank is not None]
        best = placed[0] if placed else None
        score = None if best is None or best.standing is None else cell(best.standing.score)
        groups[_group(track)].append(_Line(track, best, score, len(track.rows) - len(track.entries)))
    return page(
        "board_index.html",
        package=_OWN,
        title=board.name,
        board=board,
        groups=[(title, found) for title, found in groups.items() if found],
        tiers=TIERS,
        nav=_nav(""),
        here="index.html",
        measure=label,
    )


def _group(track: BoardTrack) -> str:
    kinds = dict(zip(("retriever", "agent", "retrieval"), _GROUPS, strict=False))
    return _GROUPS[-1] if track.demonstration else kinds[track.kind]


def _track_page(board: Board, track: BoardTrack, pinned: Track, plots: Sequence[tuple[str, str, int]]) -> str:
    shown = columns(track)
    several = len(track.tasks) > 1 and bool(track.entries)
    return page(
        "board_track.html",
        package=_OWN,
        title=track.title,
        board=board,
        track=track,
        pinned=pinned,
        columns=shown,
        several=several,
        rank_label=label(track.rank),
        rows=[_row(track, row, shown) for row in track.rows],
        pools=sorted({row.standing.among for row in track.entries if row.standing is not None and row.standing.among}),
        plots=plots,
        tiers=TIERS,
        openness=OPENNESS,
        root="../",
        nav=_nav("../"),
        here="",
    )


def _row(track: BoardTrack, row: BoardRow, shown: Sequence[Column]) -> dict[str, Any]:
    results = {result.task: result for result in row.results}
    return {
        "row": row,
        "place": place_text(row.standing),
        "among": place_among(row.standing),
        "order": "" if row.standing is None else str(track.rows.index(row) + 1),
        "letters": "" if row.standing is None else " ".join(row.standing.letters),
        "score": None if row.standing is None else cell(row.standing.score),
        "parameters": parameters(row.parameters),
        "cells": [cell(results[one.task].metric(one.measure) if one.task in results else None) for one in shown],
    }


def _submission_page(board: Board, track: BoardTrack, row: BoardRow, found: Validated) -> str:
    submission = found.submission
    assert submission is not None
    _, attested = tier_of(found.attestations, found.digest)
    every = [
        line for run in submission.runs for line in lines(run.task, found.numbers[run.task], found.records[run.task])
    ]
    names = RANKING_LINES if track.kind == "retrieval" else ROLLOUT_LINES
    return page(
        "board_submission.html",
        package=_OWN,
        title=row.label,
        board=board,
        track=track,
        row=row,
        place=place_among(row.standing),
        score=None if row.standing is None else cell(row.standing.score),
        rank_label=label(track.rank),
        submission=submission,
        link=web_address(submission.entry.url),
        parameters=parameters(row.parameters).text,
        held=[(tier, TIERS[tier]) for tier in tiers_of(found.attestations, found.digest)],
        attested=attested,
        notices=found.notices,
        digest=found.digest,
        openness=OPENNESS[submission.entry.openness],
        runs=[_run(run, found.numbers[run.task].metrics) for run in submission.runs],
        line_labels=[label(name) for name in names],
        lines=every,
        repeats=any(line.repeat for line in every),
        answers=any(line.answer is not None for line in every),
        root="../",
        nav=_nav("../"),
        here="",
    )


def _run(run: SubmittedRun, metrics: Sequence[Metric]) -> dict[str, Any]:
    # The numbers, and what is said of them, are ours.
    marks = run.fingerprints.model_dump(mode="json")
    return {
        "run": run,
        "metrics": [(name_of(metric.name), cell(metric), metric) for metric in metrics if metric.n],
        "marks": [(name, mark) for name, mark in marks.items() if mark is not None],
        "where": None if run.trajectories is None else web_address(run.trajectories.where),
        "set": [(key, _said(value)) for key, value in run.set.items()],
        "details": [(key, _said(value)) for key, value in run.retriever.details.items() if value is not None],
    }


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
