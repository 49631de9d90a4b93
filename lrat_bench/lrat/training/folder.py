"""The model folder: where a training keeps its checkpoints, and what it leaves behind.

lrat-bench.json     what was trained, how and on what; written last
README.md           the model card
training_log.jsonl  one line per step and per evaluation
…                   the model, as `SentenceTransformer(path)` loads it
checkpoints/        while it is trained: what it can go on from; `training.json` says which training
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lrat_bench.errors import DataError, UsageError
from lrat_bench.files import append_line, locked, mend_tail, write_atomic, write_json, writing
from lrat_bench.lrat.training.checkpoints import Checkpoints, remove, sync
from lrat_bench.lrat.training.record import Evaluation, ModelRecord, Step
from lrat_bench.retriever.model_files import RECORD

__all__ = ["LOG", "ModelFolder"]

LOG = "training_log.jsonl"
_SAVING = ".saving"
_LOCK = ".lock"

_LINE: TypeAdapter[Step | Evaluation] = TypeAdapter(Step | Evaluation)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model folder's files."""

    path: Path

    @property
    def checkpoints(self) -> Checkpoints:
        """What it goes on from while it is trained."""
        return Checkpoints(self.path / "checkpoints")

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
                stack.enter_context(locked(self.path / _LOCK, busy=busy))
            yield

    def _tidy(self, *, new: bool) -> None:
        """Leave no lock in a finished folder, and no folder where nothing was started."""
        with suppress(OSError):
            if (self.path / RECORD).exists() or {path.name for path in self.path.iterdir()} <= {_LOCK}:
                (self.path / _LOCK).unlink(missing_ok=True)
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
        record = self.record
        there = self.checkpoints.training if record is None else record.identity
        if there is None:
            if self.path.is_file():
                raise UsageError(f"{self.path} is a file: give a folder with -o")
            ours = {_LOCK, _SAVING, *((self.checkpoints.path.name,) if self.checkpoints.is_blank else ())}
            if self.path.is_dir() and (other := {path.name for path in self.path.iterdir()} - ours):
                raise UsageError(
                    f"{self.path} holds something else than a training ({min(other)}): give another -o, or an empty one"
                )
        elif not fresh and (differing := sorted(k for k in {*there, *identity} if there.get(k) != identity.get(k))):
            raise UsageError(
                f"{self.path} holds another training (differs in: {', '.join(differing)}): give another -o, or --fresh "
                "to discard what is there"
            )

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Say which training the folder is for; what a kill left unfinished is removed."""
        with self.writing():
            self.checkpoints.begin(identity)
            self._sweep()

    def settle(self) -> None:
        """Of a finished training, remove what a kill at its very end left behind.

        Raises:
            UsageError: the model is not all there.
        """
        record = self.record
        if record is not None and (missing := [name for name in record.files if not (self.path / name).exists()]):
            raise UsageError(
                f"{self.path} was trained already, and its {missing[0]} is gone: give --fresh to train it anew, or "
                "another -o"
            )
        if any((self.path / name).exists() for name in (self.checkpoints.path.name, _SAVING, _LOCK)):
            # Where another process holds it, that one is about to; in a folder that is read alone, it does no harm.
            with suppress(UsageError), self.hold(), self.writing():
                remove(self.path / _SAVING)
                self.checkpoints.remove()
                self._sweep()

    def discard(self) -> None:
        """Delete what a training leaves behind, by name, and nothing else.

        Raises:
            DataError: what names the files names something that lies elsewhere.
        """
        record = self.record
        named = self.checkpoints.files if record is None else record.files
        with self.writing():
            if record is not None:
                if self.checkpoints.path.is_symlink():
                    remove(self.checkpoints.path)
                # A kill from here on leaves a training that was not finished, rather than a model without its files.
                self.checkpoints.begin(record.identity)
                self.checkpoints.claim_files(named)
                remove(self.path / RECORD)
            for name in (*named, LOG, _SAVING):
                remove(self.path / name)
            self._sweep()
            self.checkpoints.remove()

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
        sync(staged)
        for path in staged.rglob("*.safetensors"):
            # Written as private; a model is meant to be shared as any other file is.
            shutil.copymode(staged / "README.md", path)
        self.checkpoints.claim_files(record.files)
        for source in sorted(staged.iterdir()):
            target = self.path / source.name
            if target.is_dir():
                remove(target)
            source.replace(target)
        write_json(self.path / RECORD, record.to_dict())
        staged.rmdir()
        self.checkpoints.remove()

    def _sweep(self) -> None:
        """Remove copies of our files whose writing was cut off."""
        for name in (RECORD, LOG):
            for leftover in self.path.glob(f".{name}.*.tmp"):
                remove(leftover)
