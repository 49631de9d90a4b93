"""A run, opened to be looked at: its rows, its records by key, and which of them lie together in a shard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrat_bench.errors import DataError
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import rows_of
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.rows import Row
from lrat_bench.score.score import Scores
from lrat_bench.score.verdict import Verdict
from lrat_bench.trajectory import Browse, Search, Trajectory
from lrat_bench.viewer.material import Cuts, Material
from lrat_bench.viewer.records import Place, Records

__all__ = ["Key", "OpenedRun", "open_run"]

Key = tuple[str, int]
"""(question id, repeat)."""

_PER_SHARD = 50
_SHARD_BYTES = 2_000_000
"""How many trajectories a shard holds at most, and how many bytes of them, but for one that is larger by itself."""


@dataclass(frozen=True)
class OpenedRun:
    """One run of a view.

    Attributes:
        letter: what it is called in the view: A, B, …
        run: the folder.
        manifest: what was run.
        scores: None where it was not scored by this version.
        judge: fingerprint of the judge whose verdicts count.
        rows: outcome, status and numbers by key, in the order of the questions.
        trajectories: by key.
        verdicts: by (question id, repeat, trajectory hash, judge).
        judged: key → those of its verdicts.
        cuts: where its protocol cuts documents.
        shards: keys whose trajectories lie together, in the order of the rows.
        docids: of the documents that its agents were shown.
        read: those among them that were browsed.
    """

    letter: str
    run: Run
    manifest: Manifest
    scores: Scores | None
    judge: str
    rows: dict[Key, Row]
    trajectories: Records[Trajectory] = field(repr=False)
    verdicts: Records[Verdict] = field(repr=False)
    judged: dict[Key, list[Any]] = field(repr=False)
    cuts: Cuts
    shards: list[list[Key]] = field(repr=False)
    docids: set[str] = field(repr=False)
    read: set[str] = field(repr=False)

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.run.path.resolve().name

    @property
    def guarded(self) -> bool:
        """Whether what it holds must not lie in the open."""
        return self.manifest.task.get("canary") is not None or self.trajectories.guarded or self.verdicts.guarded


def open_run(run: Run, letter: str, *, material: Material, limit: int | None = None) -> OpenedRun:
    """Read a run folder once, and keep what it takes to read any trajectory again.

    Args:
        run: the folder.
        letter: what it is called in the view.
        material: the task, where it is at hand.
        limit: only the first so many questions.

    Raises:
        DataError: the run was never scored, and cannot be now; or a file is damaged.
    """
    manifest = run.manifest
    scores, judge, rows = _rows(run, manifest, material)
    chosen = set(manifest.questions[:limit])
    by_key = {(row.question_id, row.repeat): row for row in rows if row.question_id in chosen}
    docids: set[str] = set()
    read: set[str] = set()

    def keep(trajectory: Trajectory) -> bool:
        if trajectory.key not in by_key:
            return False
        for step in trajectory.steps:
            if isinstance(step, Search):
                docids.update(hit.docid for hit in step.hits)
            elif isinstance(step, Browse) and step.found:
                read.add(step.docid)
        return True

    trajectories = Records.of(run.folder.trajectories, keep=keep)
    verdicts = Records.of(run.folder.verdicts, keep=lambda verdict: verdict.key[:2] in by_key)
    judged: dict[Key, list[Any]] = {}
    for name in verdicts.places:
        judged.setdefault(name[:2], []).append(name)
    return OpenedRun(
        letter=letter,
        run=run,
        manifest=manifest,
        scores=scores,
        judge=judge,
        rows=by_key,
        trajectories=trajectories,
        verdicts=verdicts,
        judged=judged,
        cuts=Cuts.of(manifest.protocol.rollout),
        shards=_shards(by_key, trajectories.places),
        docids=docids | read,
        read=read,
    )


def _rows(run: Run, manifest: Manifest, material: Material) -> tuple[Scores | None, str, Sequence[Row]]:
    """The rows as they were scored; counted now where they were not and the task is at hand."""
    try:
        scores, rows = run.metrics, run.rows
    except DataError:
        if material.task is None:
            raise
    else:
        return scores, scores.judge, rows
    judge = load_judge(manifest.protocol.scoring)
    return None, judge.fingerprint, rows_of(run.folder, material.task, judge)


def _shards(keys: Iterable[Key], places: dict[Key, Place]) -> list[list[Key]]:
    shards: list[list[Key]] = []
    room = 0
    for key in keys:
        if key not in places:
            continue
        length = places[key].length
        if not shards or len(shards[-1]) == _PER_SHARD or length > room:
            shards.append([])
            room = _SHARD_BYTES
        shards[-1].append(key)
        room -= length
    return shards
