"""The checkpoints of a training that goes on: what it can be taken up from after a kill.

training.json  which training; deleted last, so that whatever a kill leaves is known by it
files.json     names in the model folder that are its own, once it writes any
checkpoint-N/  after step N; `complete.json`, written last, names its files
best/          the weights of the best evaluation
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError
from lrat_bench.files import write_json, writing

__all__ = ["Checkpoints", "is_bare_name", "reading", "remove", "sync"]

_TRAINING = "training.json"
_FILES = "files.json"
_COMPLETE = "complete.json"
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A folder of checkpoints.

    Attributes:
        path: the folder, which need not be there.
    """

    path: Path

    @property
    def best(self) -> Path:
        """The weights of the best evaluation so far."""
        return self.path / "best"

    @property
    def training(self) -> dict[str, Any] | None:
        """The identity of the training; None where it was not written yet.

        Raises:
            DataError: the file is none of ours.
        """
        file = self.path / _TRAINING
        if not file.exists():
            return None
        found = _read(file)
        if not isinstance(found, dict):
            raise DataError("not what a training writes: give another -o", file=file)
        return found

    @property
    def is_blank(self) -> bool:
        """Whether it is there and says nothing: a kill came before the identity was written."""
        return self.path.is_dir() and all(_is_leftover(path) for path in self.path.iterdir())

    @property
    def latest(self) -> tuple[Path, int] | None:
        """The last complete checkpoint and its step; None where there is none."""
        there = self._complete()
        return (there[-1], _step(there[-1])) if there else None

    @property
    def files(self) -> tuple[str, ...]:
        """Names in the model folder that are the training's own.

        Raises:
            DataError: the file is none of ours, or names what lies elsewhere.
        """
        file = self.path / _FILES
        if not file.exists():
            return ()
        found = _read(file)
        if not isinstance(found, list) or not all(isinstance(name, str) and is_bare_name(name) for name in found):
            raise DataError("not a list of names in the model folder: delete this file, or give another -o", file=file)
        return tuple(found)

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Say which training the folder is for; checkpoints that were not written in full are removed."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / _TRAINING, dict(identity))
        unfinished = [path for path in self._all() if not _is_complete(path)]
        for path in (*unfinished, *filter(_is_leftover, list(self.path.iterdir()))):
            remove(path)

    def claim_files(self, names: Iterable[str]) -> None:
        """Note names in the model folder that are the training's own."""
        write_json(self.path / _FILES, list(names))

    def complete(self, step: int) -> None:
        """Mark the checkpoint of a step as written in full, and remove those that are no longer needed."""
        checkpoint = self.path / f"checkpoint-{step}"
        # A mark that outlives a power cut must not stand for data that did not.
        sync(checkpoint)
        sizes = {
            path.relative_to(checkpoint).as_posix(): path.stat().st_size
            for path in sorted(checkpoint.rglob("*"))
            if path.is_file() and path.name != _COMPLETE
        }
        write_json(checkpoint / _COMPLETE, {"step": step, "files": sizes})
        for old in self._complete()[:-_KEPT]:
            # Its mark first: what is deleted in part must not pass for a checkpoint.
            (old / _COMPLETE).unlink()
            remove(old)

    def saving(self) -> AbstractContextManager[None]:
        """Around writes of weights: a disk that refuses is a UsageError."""
        from safetensors import SafetensorError

        mend = "earlier checkpoints are kept, and the same command goes on from them"
        return writing(f"a checkpoint to {self.path}", errors=(OSError, SafetensorError), mend=mend)

    def remove(self) -> None:
        """Delete the folder, what it is known by last."""
        if self.path.is_dir() and not self.path.is_symlink():
            for path in sorted(self.path.iterdir(), key=lambda path: (path.name == _TRAINING, path.name == _FILES)):
                remove(path)
        remove(self.path)

    def _all(self) -> list[Path]:
        found = [path for path in self.path.glob("checkpoint-*") if path.name.split("-")[-1].isdecimal()]
        return sorted(found, key=_step)

    def _complete(self) -> list[Path]:
        return [path for path in self._all() if _is_complete(path)]


@contextmanager
def reading(checkpoint: str | Path | None) -> Iterator[None]:
    """Around reads of a checkpoint, for which every library has an error of its own.

    Raises:
        DataError: it cannot be read.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        raise DataError(
            f"cannot be read ({type(error).__name__}): delete this folder, and the same command goes on from the "
            "checkpoint before it",
            file=checkpoint or "checkpoint",
        ) from error


def is_bare_name(name: str) -> bool:
    """Whether it names something in a folder, and nothing above or below it."""
    return name not in ("", ".", "..") and "\0" not in name and Path(name).name == name


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there; of a link, the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Wait until all that lies in a folder is on the disk."""
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError:
        return None


def _is_complete(checkpoint: Path) -> bool:
    """Whether it is marked, and its files are those that were marked."""
    mark = _read(checkpoint / _COMPLETE) if (checkpoint / _COMPLETE).exists() else None
    if not isinstance(mark, dict):
        return False
    sizes = dict(mark.get("files") or {})
    return all((checkpoint / name).is_file() and (checkpoint / name).stat().st_size == sizes[name] for name in sizes)


def _is_leftover(path: Path) -> bool:
    """Whether it is a file whose writing was cut off."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.split("-")[-1])
