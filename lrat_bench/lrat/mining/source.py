"""Where trajectories come from: a run folder, or a folder of LRAT's run files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lrat_bench.errors import DataError, UsageError
from lrat_bench.exchange.lrat_files import lrat_files, read_lrat_file
from lrat_bench.files import fingerprint, sha256_file
from lrat_bench.lrat.mining.selection import Grading
from lrat_bench.lrat.pairs_manifest import SourceRecord
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.scoring import with_judge
from lrat_bench.runs.store import RecordStore
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.judging import has_answer
from lrat_bench.score.verdict import Grade, current_verdicts, under_accepted
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Trajectory

__all__ = ["Graded", "LratFolder", "RunSource", "Source", "open_source", "open_sources"]

_log = logging.getLogger("lrat_bench.lrat")


@dataclass(frozen=True, slots=True)
class Graded:
    """A trajectory with what is known of its answer.

    Attributes:
        run: `Pair.run`: name of the run folder, or of folder and file.
        trajectory: what happened.
        hash: of the trajectory, which is dear to tell twice.
        grading: correct, incorrect, or ungraded.
    """

    run: str
    trajectory: Trajectory
    hash: str
    grading: Grading

    @property
    def correct(self) -> bool | None:
        """The grading as a pair has it."""
        return None if self.grading == "ungraded" else self.grading == "correct"


class Source(Protocol):
    """Trajectories, read as a stream.

    Attributes:
        name: of the folder; unique among the sources of one command.
        path: of the folder.
        unreadable: records that the last reading passed over.
    """

    name: str
    path: Path
    unreadable: int

    @property
    def manifest(self) -> Manifest | None:
        """Of the run; None where there is none."""
        ...

    @property
    def expected(self) -> int:
        """How many trajectories there should be."""
        ...

    def record(self, *, content: bool = False) -> SourceRecord:
        """What the manifest of the pairs says of it; `content` hashes the trajectories, too."""
        ...

    def read(self, task: Task | None) -> Iterator[Graded]:
        """Its trajectories.

        Args:
            task: where it is at hand: verdicts count while the answers that they were given under are accepted.
        """
        ...


@dataclass
class RunSource:
    """A run folder: the current trajectory of each (question, repeat) of its selection, in that order."""

    path: Path
    verdicts_of: str | None = None
    unreadable: int = 0
    name: str = ""
    _manifest: Manifest | None = None

    def __post_init__(self) -> None:
        self.name = self.path.resolve().name
        self._manifest = with_judge(self.folder.manifest, JudgeChoice(self.verdicts_of))

    @property
    def folder(self) -> RunFolder:
        """The files."""
        return RunFolder(self.path)

    @property
    def manifest(self) -> Manifest:
        """Of the run, under the judge whose verdicts count."""
        assert self._manifest is not None
        return self._manifest

    @property
    def expected(self) -> int:
        """How many trajectories there should be."""
        return len(self.manifest.questions) * self.manifest.repeats

    @property
    def judge(self) -> str:
        """Fingerprint of the judge whose verdicts count: as recorded, unless another one was named."""
        if self.verdicts_of is None:
            return str(self.manifest.judge["fingerprint"])
        return load_judge(self.manifest.protocol.scoring).fingerprint

    def record(self, *, content: bool = False) -> SourceRecord:
        """What the manifest of the pairs says of it."""
        manifest = self.manifest
        trajectories = self.folder.trajectories.path
        return SourceRecord(
            name=self.name,
            kind="run",
            identity=fingerprint(manifest.identity),
            content=sha256_file(trajectories) if content and trajectories.exists() else None,
            task=str(manifest.task["name"]),
            split=manifest.split,
            role=manifest.split_role,
            agent=str(manifest.agent["name"]),
            retriever=str(manifest.retriever["name"]),
            judge=self.verdicts_of or str(manifest.judge["name"]),
            corpus=str(manifest.task["corpus"]),
        )

    def read(self, task: Task | None) -> Iterator[Graded]:
        """Its trajectories, as a stream; of each, its place in the file and its verdict are held in memory."""
        manifest = self.manifest
        said = self.folder.verdicts.scan()
        grades = current_verdicts(said if task is None else under_accepted(said, task.questions), self.judge)
        store = self.folder.trajectories
        places, self.unreadable = _places(store)
        # Records lie in the order in which rollouts ended, which is another one in every run.
        for question in manifest.questions:
            for repeat in range(manifest.repeats):
                if (place := places.get((question, repeat))) is not None:
                    trajectory = _record_at(store, place)
                    named = trajectory.hash
                    grading = _grading(trajectory, grades.get((question, repeat, named)))
                    yield Graded(self.name, trajectory, named, grading)


@dataclass
class LratFolder:
    """A folder of LRAT's run files, or one such file; nobody has judged their answers."""

    path: Path
    unreadable: int = 0
    name: str = ""
    manifest: None = None

    def __post_init__(self) -> None:
        self.name = self.path.resolve().name

    @property
    def files(self) -> list[Path]:
        """In order."""
        return [self.path] if self.path.is_file() else lrat_files(self.path)

    @property
    def expected(self) -> int:
        """How many trajectories there should be."""
        return len(self.files)

    def record(self, *, content: bool = False) -> SourceRecord:
        """What the manifest of the pairs says of it."""
        digest = hashlib.sha256()
        for file in self.files if content else ():
            digest.update(f"{file.name} {sha256_file(file)}\n".encode())
        return SourceRecord(
            name=self.name,
            kind="lrat-files",
            identity=fingerprint([file.name for file in self.files]),
            content=digest.hexdigest() if content else None,
        )

    def read(self, task: Task | None) -> Iterator[Graded]:  # noqa: ARG002
        """One trajectory a file; files that hold none are passed over, and the first of them is said."""
        self.unreadable = 0
        for file in self.files:
            try:
                trajectory = read_lrat_file(file)
            except DataError as error:
                self.unreadable += 1
                if self.unreadable == 1:
                    _log.warning("%s; files like it are passed over", error)
                continue
            run = self.name if file == self.path else f"{self.name}/{file.name}"
            yield Graded(run, trajectory, trajectory.hash, _grading(trajectory, None))


def open_source(path: str | Path, *, verdicts_of: str | None = None) -> Source:
    """The trajectories at a path.

    Args:
        path: a run folder, or a folder of LRAT's run files, or one of these.
        verdicts_of: the judge whose verdicts count; a run's own unless given.

    Raises:
        UsageError: it is none of them.
    """
    place = Path(path)
    if (place / "manifest.json").is_file():
        return RunSource(place, verdicts_of)
    if place.is_file() and place.suffix == ".json":
        return LratFolder(place)
    if place.is_dir() and lrat_files(place):
        return LratFolder(place)
    what = "is not there" if not place.exists() else "holds neither a manifest.json nor run files of LRAT (*.json)"
    raise UsageError(f"{place} {what}: give run folders of `lrat-bench run`, or a folder of LRAT's run files")


def open_sources(paths: Sequence[str | Path], *, verdicts_of: str | None = None) -> list[Source]:
    """The trajectories at several paths, whose documents are of one corpus.

    Raises:
        UsageError: there is none, one is no source, two have the same name, or their corpora differ.
    """
    if not paths:
        raise UsageError("give at least one run to mine")
    sources = [open_source(path, verdicts_of=verdicts_of) for path in paths]
    named: dict[str, Source] = {}
    for source in sources:
        if (other := named.setdefault(source.name, source)) is not source:
            raise UsageError(
                f"{other.path} and {source.path} are both called {source.name!r}, so their pairs could not be told "
                "apart: rename one, or give it once"
            )
    corpora = [(source, source.record().corpus) for source in sources]
    first, corpus = corpora[0]
    for source, other_corpus in corpora[1:]:
        if other_corpus != corpus:
            raise UsageError(
                f"{first.path} and {source.path} are over different corpora ({_short(corpus)} and "
                f"{_short(other_corpus)}), so their documents cannot stand in one training: mine them apart"
            )
    return sources


def _grading(trajectory: Trajectory, said: Grade | None) -> Grading:
    """What is known of an answer; where there is none it is incorrect, as in `metrics.json`, and nobody is asked."""
    if has_answer(trajectory):
        return said or "ungraded"
    return "ungraded" if trajectory.status == "error" else "incorrect"


def _places(store: RecordStore[Trajectory]) -> tuple[dict[tuple[str, int], int], int]:
    """Where the line of the last record of each key begins in the file, in bytes; and how many cannot be read."""
    places: dict[tuple[str, int], int] = {}
    unreadable = place = 0
    if store.path.exists():
        with store.path.open("rb") as lines:
            for line in lines:
                try:
                    places[_parsed(store, line).key] = place
                except (ValueError, RecursionError):
                    unreadable += 1
                place += len(line)
    return places, unreadable


def _record_at(store: RecordStore[Trajectory], place: int) -> Trajectory:
    with store.path.open("rb") as lines:
        lines.seek(place)
        return _parsed(store, lines.readline())


def _parsed(store: RecordStore[Trajectory], line: bytes) -> Trajectory:
    return store.parse(store.codec.decode(line.decode().rstrip("\n")))


def _short(corpus: str | None) -> str:
    return "one that is not known" if corpus is None else corpus[:12]
