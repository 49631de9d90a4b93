"""The viewer as a folder that opens from disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.files import locked, write_atomic, writing
from lrat_bench.progress import Progress, no_progress
from lrat_bench.viewer.site import Site

__all__ = ["MARK", "Written", "write_folder"]

MARK = ".lrat-bench-view"
"""The file by which a folder is known as one of ours, and as nothing else."""

_OURS = re.compile(r"index\.html|(assets|data)/[A-Za-z0-9._-]+\.(js|css|svg)")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        folder: where.
        lines: of the list: questions times repeats.
        trajectories: that can be seen.
        files: how many.
        size: of all of them, in bytes.
        missing: why there are ids alone; None where the task was at hand.
    """

    folder: Path
    lines: int
    trajectories: int
    files: int
    size: int
    missing: str | None

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"


def write_folder(site: Site, folder: Path, *, progress: Progress = no_progress) -> Written:
    """Write a view; an earlier one in the same folder is replaced.

    The page comes last, and an earlier one goes first: what can be opened is whole, whenever it is interrupted.

    Args:
        site: what to write.
        folder: new, empty, or of an earlier view.
        progress: told how it goes.

    Raises:
        UsageError: the site is of a guarded task, the folder holds something else, or it cannot be written.
    """
    if site.guarded:
        raise UsageError(
            f"{site.runs[0].run.path} is over a guarded task, whose texts must not lie in plain text in a folder: "
            "give --serve, which shows them from memory"
        )
    with writing(f"the view to {folder}"):
        _refuse_other(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / MARK, busy=f"another process is writing a view to {folder}: wait for it, or give another"):
            _clear(folder)
            return _write(site, folder, progress)


def _refuse_other(folder: Path) -> None:
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds something else than a view: give another folder with -o")


def _clear(folder: Path) -> None:
    """Delete an earlier view, file by file; what else somebody put there stays."""
    (folder / "index.html").unlink(missing_ok=True)
    for part in ("data", "assets"):
        for file in (folder / part).glob("*"):
            if _OURS.fullmatch(f"{part}/{file.name}"):
                file.unlink()


def _write(site: Site, folder: Path, progress: Progress) -> Written:
    for part in ("data", "assets"):
        (folder / part).mkdir(exist_ok=True)
    size = 0
    for at, (name, make) in enumerate(site.files.items()):
        progress("writing the view", at, len(site.files))
        content = make()
        size += len(content)
        if name == "index.html":
            write_atomic(folder / name, content)
        else:
            (folder / name).write_bytes(content)
    return Written(folder, len(site.keys), site.trajectories, len(site.files), size, site.material.missing)
