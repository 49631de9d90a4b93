"""The run folder: where everything about one run lies.

manifest.json        what was run, on what, with which versions
trajectories.jsonl   one record per (question, repeat), appended as they finish; the last of a key counts
verdicts.jsonl       one per (question, repeat, trajectory, judge)
per_question.jsonl   the numbers of every question of the selection in the manifest
metrics.json         their means
run.trec             documents each question's agent was shown, in order of appearance (first repeat)
logs/                one file per invocation
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import locked, write_json, writing
from lrat_bench.model.budget import read_costs
from lrat_bench.retriever.remote import probes_of
from lrat_bench.runs.manifest import Manifest, read_manifest
from lrat_bench.runs.store import PLAIN, Codec, RecordStore, codec_of
from lrat_bench.score.verdict import Verdict
from lrat_bench.trajectory import Trajectory

__all__ = ["PER_QUESTION", "RunFolder"]

PER_QUESTION = "per_question.jsonl"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's files."""

    path: Path

    @property
    def manifest(self) -> Manifest:
        """Read anew on each use.

        Raises:
            UsageError: the folder is no run folder.
        """
        file = self.path / "manifest.json"
        if not file.exists():
            raise UsageError(f"{self.path} is not a run folder: it has no manifest.json")
        return read_manifest(file)

    @property
    def codec(self) -> Codec:
        """How records are written: in the open, or under the canary that the manifest names.

        The manifest is there before the first record, so that nobody can forget it.
        """
        if not (self.path / "manifest.json").exists():
            return PLAIN
        return codec_of(self.manifest.task.get("canary"))

    @property
    def trajectories(self) -> RecordStore[Trajectory]:
        """What happened."""
        parse = Trajectory.model_validate_json
        return RecordStore(self.path / "trajectories.jsonl", parse, lambda record: record.key, self.codec)

    @property
    def verdicts(self) -> RecordStore[Verdict]:
        """What judges said."""
        parse = Verdict.model_validate_json
        return RecordStore(self.path / "verdicts.jsonl", parse, lambda said: (*said.key, said.judge), self.codec)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes from writing to the folder.

        Raises:
            UsageError: one is writing, or the folder cannot be written to.
        """
        busy = f"another process is writing to {self.path}: wait for it, or give another folder with --out"
        with ExitStack() as stack:
            if not self.path.exists():
                stack.callback(self._vanish)
            with self.writing():
                (self.path / "logs").mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path / ".lock", busy=busy))
            yield

    def _vanish(self) -> None:
        """Be gone again where nothing was started."""
        with suppress(OSError):
            if {path.name for path in self.path.iterdir()} <= {".lock", "logs"}:
                (self.path / "logs").rmdir()
                (self.path / ".lock").unlink()
                self.path.rmdir()

    def writing(self) -> AbstractContextManager[None]:
        """Around writes into the folder: a disk that refuses is a UsageError that names it."""
        return writing(f"the run folder {self.path}")

    def refuse_another(self, manifest: Manifest) -> None:
        """See that the folder is empty or holds the run of this manifest.

        Raises:
            UsageError: it holds another one; the message names the parts that differ.
        """
        if (self.path / "manifest.json").exists():
            differing = _differing(self.manifest.identity, manifest.identity)
            if differing:
                raise UsageError(
                    f"{self.path} holds another run (differs in: {', '.join(differing)}); two configurations never "
                    "share a folder: give another --out, or none, or --fresh to discard what is there"
                )
        elif any(self.path.glob("*.jsonl")):
            raise UsageError(f"{self.path} holds records but no manifest.json: give another --out, or --fresh")

    def claim(self, manifest: Manifest) -> None:
        """Write the manifest; earlier invocations of the run stay listed in it.

        Raises:
            UsageError: the folder holds another run, or cannot be written.
        """
        self.refuse_another(manifest)
        if (self.path / "manifest.json").exists():
            there = self.manifest
            if there.reported and manifest.reported and there.reported != manifest.reported:
                raise UsageError(
                    f"the agent's endpoint now serves {manifest.reported!r}, and {self.path} was made with "
                    f"{there.reported!r}: serve that again, give another --out, or --fresh to start over"
                )
            if not manifest.rankable and probes_of(there.retriever) != probes_of(manifest.retriever):
                raise UsageError(
                    f"retriever {manifest.retriever['name']!r} finds other documents for the probe queries than when "
                    f"{self.path} was made: serve that one again, give another --out, or --fresh to start over"
                )
            manifest = manifest.model_copy(update={"invocations": (*there.invocations, *manifest.invocations)})
        with self.writing():
            write_json(self.path / "manifest.json", manifest.to_dict())

    @property
    def costs(self) -> Path:
        """The ledger of what its models cost (`Budget`)."""
        return self.path / "costs.jsonl"

    @property
    def spent(self) -> float:
        """What was paid so far, in USD: for every call, agent and judges; unknown counts as 0."""
        return sum(read_costs(self.costs))

    def discard(self) -> None:
        """Delete what a run leaves behind, by name, and nothing else; the folder itself and its logs stay.

        Raises:
            UsageError: the folder is something else than a run's.
        """
        manifest = self.path / "manifest.json"
        if manifest.exists() and b'"lrat-bench/manifest/' not in manifest.read_bytes():
            raise UsageError(f"{manifest} is not a run's, so nothing is discarded: give another --out")
        for name in (
            "trajectories.jsonl",
            "verdicts.jsonl",
            "costs.jsonl",
            PER_QUESTION,
            "metrics.json",
            "run.trec",
            "manifest.json",
        ):
            (self.path / name).unlink(missing_ok=True)


def _differing(mine: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))
