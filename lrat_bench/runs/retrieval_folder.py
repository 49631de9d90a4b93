"""The retrieval folder: what one retriever, alone, made of one list of queries.

manifest.json          what was searched with what; written last, so that a folder that has it is complete
run.trec               the rankings
metrics.json           means with intervals
per_query.jsonl        query → value per measure
per_trajectory.jsonl   trajectory → value per measure, where queries of runs were replayed
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import locked, write_atomic, write_json, writing
from lrat_bench.retriever.base import Ranked
from lrat_bench.score.measured import Measured, MeasuredLine
from lrat_bench.score.paired import Difference
from lrat_bench.score.retrieval import Query, RetrievalScores
from lrat_bench.task.question import Role
from lrat_bench.values import plainly

__all__ = ["Retrieval", "RetrievalManifest"]

R = TypeVar("R", bound=BaseModel)

_MANIFEST = "manifest.json"
_RESULTS = ("run.trec", "per_query.jsonl", "per_trajectory.jsonl", "metrics.json")
"""What a retrieval leaves behind; the manifest goes first and comes last."""

_PAIRABLE = ("task", "queries", "judgements")
"""Parts of the identity that two retrievals must share for their queries to be paired."""


class RetrievalManifest(BaseModel):
    """What was searched, with what, and under which circumstances."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    schema_: Literal["lrat-bench/retrieval/1"] = Field(default="lrat-bench/retrieval/1", alias="schema")
    identity: dict[str, str | int] = Field(
        description="fingerprints of task, queries, judgements and retriever, and k; equal for the same retrieval"
    )
    rankable: bool = Field(description="false where the retriever has no fingerprint")
    task: dict[str, Any] = Field(description="name, domain, source, corpus and its size")
    source: Literal["questions", "replay"] = Field(description="where the queries are from")
    split: str | None = Field(description="of the questions; null for replayed queries")
    split_role: Role | None
    limit: int | None
    runs: tuple[str, ...] = Field(description="names of the run folders that were replayed")
    queries: int = Field(ge=0, description="how many were searched")
    issued: int = Field(ge=0, description="how many there were, repeated and unjudged ones included")
    unjudged: int = Field(ge=0, description="of these, how many were left out, having no judgements")
    k: int = Field(ge=1)
    retriever: dict[str, Any] = Field(
        description="name and fingerprint, and what it says of itself once it is open: prompts, lengths, versions"
    )
    settings: dict[str, Any] = Field(description="what was set on the command line beside the names")
    seconds: float = Field(ge=0, description="of searching and scoring")
    started: str = Field(description="UTC")
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """One retrieval folder.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def manifest(self) -> RetrievalManifest:
        """What was searched.

        Raises:
            UsageError: the folder holds no retrieval.
        """
        file = self.path / "manifest.json"
        if not file.exists():
            raise UsageError(f"{self.path} is not a retrieval folder: it has no manifest.json")
        return self._read(file, RetrievalManifest)

    @property
    def metrics(self) -> RetrievalScores:
        """The scores."""
        return self._read(self.path / "metrics.json", RetrievalScores)

    def measured(self) -> tuple[Measured, ...]:
        """The values of each query, and of each trajectory where queries were replayed.

        Raises:
            DataError: they are not there, or not all of them.
        """
        names = [metric.name for metric in self.metrics.metrics]
        manifest = self.manifest
        tables = [_read_lines(self.path / "per_query.jsonl", expected=manifest.queries)]
        if manifest.source == "replay":
            tables.append(_read_lines(self.path / "per_trajectory.jsonl"))
        known = [{name for line in lines for name in line.values} for lines in tables]
        return tuple(
            Measured.of_lines(lines, [name for name in names if name in there])
            for lines, there in zip(tables, known, strict=True)
        )

    def against(self, other: Retrieval, *, seed: int = 0) -> dict[str, Difference]:
        """Measure → mean difference from another retrieval over the same queries (this one minus the other).

        Raises:
            UsageError: it is over other queries, or was measured by other judgements.
            DataError: values of queries are missing.
        """
        other.refuse_unpairable(self.manifest.identity)
        found: dict[str, Difference] = {}
        for one, another in zip(self.measured(), other.measured(), strict=True):
            found |= one.minus(another, seed=seed)
        order = [metric.name for metric in self.metrics.metrics]
        return {name: found[name] for name in order if name in found}

    def refuse_unpairable(self, identity: dict[str, str | int]) -> None:
        """See that this retrieval can be paired with another one.

        Args:
            identity: of the other one.

        Raises:
            UsageError: it is over other queries, or was measured by other judgements.
        """
        mine = self.manifest.identity
        if differing := [key for key in _PAIRABLE if mine.get(key) != identity.get(key)]:
            raise UsageError(
                f"{self.path} cannot be paired with this retrieval: they differ in {' and '.join(differing)}; search "
                "the same queries of the same task with both"
            )

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes from writing to the folder; one that was made and stays empty is gone again.

        Raises:
            UsageError: one is writing, or the folder cannot be written to.
        """
        made = not self.path.exists()
        busy = f"another process is writing to {self.path}: wait for it, or give another folder with --out"
        try:
            with self.writing():
                self.path.mkdir(parents=True, exist_ok=True)
            with locked(self.path / ".lock", busy=busy):
                try:
                    yield
                finally:
                    for name in _RESULTS:
                        self._draft(name).unlink(missing_ok=True)
        finally:
            if made:
                with suppress(OSError):
                    if {path.name for path in self.path.iterdir()} <= {".lock"}:
                        (self.path / ".lock").unlink(missing_ok=True)
                        self.path.rmdir()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around writes into the folder: a disk that refuses is a UsageError that names it."""
        with writing(f"the retrieval folder {self.path}"):
            yield

    def refuse_another(self, identity: dict[str, str | int], *, fresh: bool = False) -> None:
        """See that the folder is empty or holds this very retrieval, complete or not.

        Args:
            identity: of the retrieval.
            fresh: another retrieval may be there, too, since it is to be replaced.

        Raises:
            UsageError: the folder holds another one, or something else; the message names the parts that differ.
        """
        file = self.path / _MANIFEST
        if not _is_own(file, otherwise=True) or (self.path / "trajectories.jsonl").exists():
            raise UsageError(f"{self.path} is not a retrieval's, so nothing is written there: give another --out")
        if fresh:
            return
        if not file.exists():
            # Where a kill came among the last renames, the draft of the manifest says whose the files are.
            strange = [name for name in _RESULTS if (self.path / name).exists()]
            if strange and not _is_own(self._draft(_MANIFEST), otherwise=False):
                raise UsageError(
                    f"{self.path} holds {strange[0]} but no {_MANIFEST}: give another --out, or --fresh to replace "
                    "what is there"
                )
            return
        there = self.manifest.identity
        if differing := sorted(key for key in there.keys() | identity.keys() if there.get(key) != identity.get(key)):
            raise UsageError(
                f"{self.path} holds another retrieval (differs in: {', '.join(differing)}): give another --out, or "
                "none, or --fresh to discard what is there"
            )

    @property
    def is_complete(self) -> bool:
        """Whether a retrieval is there with all its files."""
        if not (self.path / _MANIFEST).exists():
            return False
        optional = () if self.manifest.source == "replay" else ("per_trajectory.jsonl",)
        return all((self.path / name).exists() for name in _RESULTS if name not in optional)

    def keeping(
        self, found: Iterable[tuple[Query, Sequence[Ranked]]], *, tag: str
    ) -> Generator[tuple[Query, list[str]], None, None]:
        """Pass rankings on, as docids, and keep them for `run.trec`, which is there once all is finished.

        A line is `query Q0 docid rank score tag`. The score is K − rank + 1, so that whatever reads the file ranks as
        the retriever did, also where its own scores tie. The caller holds the folder.
        """
        word = re.sub(r"\s+", "_", tag) or "-"
        with self.writing(), self._draft("run.trec").open("w", encoding="utf-8", errors="replace") as stream:
            for query, ranking in found:
                docids = [hit.docid for hit in ranking]
                lines = (
                    f"{query.qid} Q0 {docid} {rank} {len(docids) + 1 - rank} {word}\n"
                    for rank, docid in enumerate(docids, 1)
                )
                stream.writelines(lines)
                yield query, docids

    def finish(self, manifest: RetrievalManifest, scores: RetrievalScores, tables: tuple[Measured, ...]) -> None:
        """Write all but the rankings, which are kept, and put everything in its place. The caller holds the folder.

        What was there before goes when all that is new is on the disk.
        """
        with self.writing():
            for name, table in zip(("per_query.jsonl", "per_trajectory.jsonl"), tables, strict=False):
                write_atomic(self._draft(name), "".join(line.model_dump_json() + "\n" for line in table.lines()))
            write_json(self._draft("metrics.json"), scores.model_dump(mode="json", by_alias=True))
            write_json(self._draft(_MANIFEST), manifest.to_dict())
            (self.path / _MANIFEST).unlink(missing_ok=True)
            for name in _RESULTS:
                if (draft := self._draft(name)).exists():
                    draft.replace(self.path / name)
                else:
                    (self.path / name).unlink(missing_ok=True)
            self._draft(_MANIFEST).replace(self.path / _MANIFEST)

    def _draft(self, name: str) -> Path:
        return self.path / f".{name}.draft"

    @staticmethod
    def _read(file: Path, model: type[R]) -> R:
        try:
            return model.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise DataError(
                f"not of this version ({plainly(error)}); search again with --fresh, or delete the folder", file=file
            ) from None
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", file=file) from None


def _is_own(manifest: Path, *, otherwise: bool) -> bool:
    """Whether a manifest is one of a retrieval; `otherwise` where there is none."""
    return b'"lrat-bench/retrieval/' in manifest.read_bytes() if manifest.exists() else otherwise


def _read_lines(file: Path, *, expected: int | None = None) -> list[MeasuredLine]:
    """The lines of a file: so many of them, or at least one."""
    lines: list[MeasuredLine] = []
    try:
        with file.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                try:
                    lines.append(MeasuredLine.model_validate_json(raw))
                except ValidationError as error:
                    raise DataError(
                        f"not a line of values ({plainly(error)}); search again with --fresh", file=file, line=number
                    ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}; search again with --fresh", file=file) from None
    if not lines or (expected is not None and len(lines) != expected):
        wanted = "at least one" if expected is None else str(expected)
        raise DataError(f"holds {len(lines)} lines of values and should {wanted}; search again with --fresh", file=file)
    return lines
