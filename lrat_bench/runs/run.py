"""A run as an object: what a notebook holds, and what the command line prints from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.errors import DataError, MissingLibrary
from lrat_bench.runs.folder import PER_QUESTION, RunFolder
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.per_question import read_rows
from lrat_bench.runs.scoring import find_task, rows_of, with_judge
from lrat_bench.runs.store import PLAIN
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.rows import Row
from lrat_bench.score.score import Scores
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Run"]

_STATUS = re.compile(r"\(HTTP \d{3}\)")


@dataclass(frozen=True)
class Run:
    """One run folder.

    Attributes:
        path: the folder.
        task: the task it was made on, where it is at hand; else it is loaded by the name in the manifest.
    """

    path: Path
    task: Task | None = None

    @property
    def folder(self) -> RunFolder:
        """The files."""
        return RunFolder(self.path)

    @property
    def manifest(self) -> Manifest:
        """What was run."""
        return self.folder.manifest

    @property
    def metrics(self) -> Scores:
        """The scores, as `metrics.json` holds them.

        Raises:
            DataError: the run was never scored, or the file is not what it must be.
        """
        file = self.path / "metrics.json"
        try:
            return Scores.model_validate_json(file.read_bytes())
        except OSError:
            raise DataError("there are no scores yet: run `lrat-bench score` on the folder", file=file) from None
        except ValueError as error:
            raise DataError(
                f"not metrics of this version ({str(error).splitlines()[0]}): run `lrat-bench score` on the folder",
                file=file,
            ) from None

    @property
    def rows(self) -> list[Row]:
        """The numbers of each (question, repeat) of the selection, as the metrics were taken from them.

        Raises:
            DataError: the run was never scored, or by another version.
        """
        return read_rows(self.path / PER_QUESTION, sha256=self.metrics.rows)

    @property
    def trajectories(self) -> Iterator[Trajectory]:
        """The current trajectory of each (question, repeat), read as a stream."""
        return self.folder.trajectories.scan()

    @property
    def failures(self) -> Counter[str]:
        """Why questions are unresolved: message → how many, of infrastructure and of the judge.

        Of a guarded task, what was said stays in records and logs: a server may repeat what it was asked.
        """
        guarded = self.folder.codec is not PLAIN
        found = Counter(_reason(record.error, guarded) for record in self.trajectories if record.status == "error")
        for verdict in self.folder.verdicts.scan():
            if verdict.outcome == "ungraded":
                found[f"judge: {_reason(verdict.error, guarded)}"] += 1
        return found

    def to_dataframe(self, *, judge: str | None = None) -> pd.DataFrame:
        """One row per (question, repeat) of the selection: outcome, status, and every measure.

        Args:
            judge: whose verdicts count, where it is not the protocol's.

        Raises:
            MissingLibrary: pandas is not installed.
            UsageError: the task the run was made on is gone or has changed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingLibrary("pandas", install='"lrat-bench[frames]"') from None
        manifest = with_judge(self.manifest, JudgeChoice(judge))
        rows = rows_of(self.folder, self.task or find_task(manifest), load_judge(manifest.protocol.scoring))
        return pd.DataFrame([row.flat() for row in rows])

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"


def _reason(error: str | None, guarded: bool) -> str:
    if error is None or not guarded:
        return error or "no reason given"
    status = _STATUS.search(error)
    return f"a failure{f' {status[0]}' if status else ''}, whose words are guarded"
