"""The model folder: where a training keeps its checkpoints, and what it leaves behind.

lrat-bench.json     what was trained, how and on what; written last
README.md           the model card
training_log.jsonl  one line per step and per evaluation
…                   the model, as `SentenceTransformer(path)` loads it
checkpoints/        while it is trained: what it can go on from; `training.json` says which training
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import append_line, locked, mend_tail, write_atomic, write_json, writing
from lrat_bench.lrat.training.record import Evaluation, ModelRecord, Step

__all__ = ["LOG", "RECORD", "ModelFolder"]

RECORD = "lrat-bench.json"
LOG = "training_log.jsonl"
_CHECKPOINTS = "checkpoints"
_TRAINING = "training.json"
_COMPLETE = "complete.json"
_FILES = "files.json"
_SAVING = ".saving"
_KEPT_CHECKPOINTS = 2

_LINE: TypeAdapter[Step | Evaluation] = TypeAdapter(Step | Evaluation)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model folder's files."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints lie while it is trained."""
        return self.path / _CHECKPOINTS

    @property
    def best(self) -> Path:
        """The weights of the best evaluation so far."""
        return self.checkpoints / "best"

    @property
    def record(self) -> ModelRecord | None:
        """What the finished model is; None where there is none.

        Raises:
            DataError: the file is no such record.
        """
        file = self.path / RECORD
        if not file.exists():
            return None
        try:
            return ModelRecord.model_validate_json(file.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "content"
            raise DataError(
                f"not a model record of this version ({place}: {first['msg']}); give another -o", file=file
            ) from None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes from training into the folder.

        Raises:
            UsageError: one does, or the folder cannot be written to.
        """
        busy = f"another process is training into {self.path}: wait for it, or give another -o"
        with ExitStack() as stack:
            stack.callback(self._tidy, new=not self.path.exists())
            with self.writing():
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path / ".lock", busy=busy))
            yield

    def _tidy(self, *, new: bool) -> None:
        """Leave no lock in a finished folder, and no folder where nothing was started."""
        with suppress(OSError):
            if (self.path / RECORD).exists() or {path.name for path in self.path.iterdir()} <= {".lock"}:
                (self.path / ".lock").unlink(missing_ok=True)
            if new:
                self.path.rmdir()  # refused by the system unless it is empty

    def writing(self) -> AbstractContextManager[None]:
        """Around writes into the folder: a disk that refuses is a UsageError that names it."""
        return writing(f"the model folder {self.path}")

    def refuse_another(self, identity: Mapping[str, Any], *, fresh: bool = False) -> None:
        """See that the folder is empty, or holds this training.

        Args:
            identity: of the training.
            fresh: another training may be there, since it is discarded; anything else may not.

        Raises:
            UsageError: it holds another one, or something else; the message names what differs.
        """
        there = self._identity()
        if there is None:
            if self.path.is_file():
                raise UsageError(f"{self.path} is a file: give a folder with -o")
            if self.path.is_dir() and (other := {path.name for path in self.path.iterdir()} - {".lock", ".saving"}):
                raise UsageError(
                    f"{self.path} holds something else than a training ({min(other)}): give another -o, or an empty one"
                )
        elif not fresh and (differing := sorted(k for k in {*there, *identity} if there.get(k) != identity.get(k))):
            raise UsageError(
                f"{self.path} holds another training (differs in: {', '.join(differing)}): give another -o, or --fresh "
                "to discard what is there"
            )

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Say which training the folder is for; checkpoints that a kill left unfinished are removed."""
        with self.writing():
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            write_json(self.checkpoints / _TRAINING, dict(identity))
            for path in self._all_checkpoints():
                if not (path / _COMPLETE).exists():
                    shutil.rmtree(path)

    def discard(self) -> None:
        """Delete what a training leaves behind, by name, and nothing else."""
        record = self.record
        named = list(record.files) if record else self._files_being_saved()
        with self.writing():
            for name in [*named, LOG, RECORD, _SAVING, _CHECKPOINTS]:
                path = self.path / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def complete(self, checkpoint: Path, step: int) -> None:
        """Mark a checkpoint as written in full, and remove those that are no longer needed."""
        write_json(checkpoint / _COMPLETE, {"step": step})
        for old in self._complete_checkpoints()[:-_KEPT_CHECKPOINTS]:
            # Its mark first: what is deleted in part must not pass for a checkpoint.
            (old / _COMPLETE).unlink()
            shutil.rmtree(old)

    @property
    def latest(self) -> tuple[Path, int] | None:
        """The last complete checkpoint and its step; None where there is none."""
        there = self._complete_checkpoints()
        return (there[-1], _step(there[-1])) if there else None

    def log(self, line: Step | Evaluation) -> None:
        """Append a line to the log."""
        append_line(self.path / LOG, line.model_dump_json())

    def read_log(self) -> list[Step | Evaluation]:
        """The lines of the log; a torn one is passed over."""
        file = self.path / LOG
        if not file.exists():
            return []
        found = []
        for raw in file.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValidationError):
                found.append(_LINE.validate_json(raw))
        return found

    def rewind_log(self, step: int) -> float:
        """Take out what came after a step, which is trained anew; the seconds that training took until then."""
        mend_tail(self.path / LOG)
        kept = [line for line in self.read_log() if line.step <= step and not (step == 0 and line.kind == "step")]
        if step == 0:
            kept = []
        write_atomic(self.path / LOG, "".join(f"{line.model_dump_json()}\n" for line in kept))
        return max((line.seconds for line in kept if isinstance(line, Step)), default=0.0)

    @property
    def saving(self) -> Path:
        """Where the finished model is put together, empty."""
        path = self.path / _SAVING
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def finish(self, record: ModelRecord) -> None:
        """Move what lies in `.saving` to its place, write the record, and let go of the checkpoints."""
        staged = self.path / _SAVING
        for path in staged.rglob("*.safetensors"):
            # Written as private; a model is meant to be shared as any other file is.
            shutil.copymode(staged / "README.md", path)
        write_json(self.checkpoints / _FILES, list(record.files))
        for source in sorted(staged.iterdir()):
            target = self.path / source.name
            if target.is_dir():
                shutil.rmtree(target)
            source.replace(target)
        write_json(self.path / RECORD, record.to_dict())
        staged.rmdir()
        shutil.rmtree(self.checkpoints)

    def _identity(self) -> dict[str, Any] | None:
        record = self.record
        if record is not None:
            return record.identity
        file = self.checkpoints / _TRAINING
        if not file.exists():
            return None
        try:
            found = json.loads(file.read_bytes())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise DataError("not what a training writes: give another -o", file=file)
        return found

    def _files_being_saved(self) -> Sequence[str]:
        file = self.checkpoints / _FILES
        return [str(name) for name in json.loads(file.read_bytes())] if file.exists() else []

    def _all_checkpoints(self) -> list[Path]:
        found = [path for path in self.checkpoints.glob("checkpoint-*") if path.name.split("-")[-1].isdecimal()]
        return sorted(found, key=_step)

    def _complete_checkpoints(self) -> list[Path]:
        return [path for path in self._all_checkpoints() if (path / _COMPLETE).exists()]


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.split("-")[-1])
