"""Trajectories as web pages, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress, no_progress
from lrat_bench.viewer.folder import Written, write_folder
from lrat_bench.viewer.server import Server
from lrat_bench.viewer.site import Site, open_site

__all__ = ["serve", "view_runs"]


def view_runs(
    runs: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    task: str | None = None,
    limit: int | None = None,
    texts: bool = True,
    progress: Progress = no_progress,
) -> Written:
    """Write runs as a folder of web pages that opens from disk.

    Args:
        runs: run folders over one task, scored; several are shown side by side.
        out: the folder, new, empty, or of an earlier view; `views/<run>` unless given.
        task: where the task lies now, if it moved.
        limit: only the first so many questions.
        texts: show what the task adds: the wording of questions, evidence, titles and texts of documents.
        progress: told how it goes.

    Returns:
        what was written; `.index` is the page to open.

    Raises:
        UsageError: a folder is no run, the runs do not fit together, the task is guarded, or `out` cannot be written.
        DataError: a run is damaged, or was not scored.
    """
    site = _open(runs, task=task, limit=limit, texts=texts, progress=progress)
    return write_folder(site, Path(out) if out is not None else _default_folder(site), progress=progress)


def serve(
    runs: str | Path | Sequence[str | Path],
    *,
    port: int = 0,
    task: str | None = None,
    limit: int | None = None,
    texts: bool = True,
    progress: Progress = no_progress,
) -> Server:
    """Show runs from a server on this machine, which writes nothing; guarded tasks are shown in no other way.

    Args:
        runs: as for `view`.
        port: where it listens, on the loopback address alone; 0 takes a free one.
        task: as for `view`.
        limit: as for `view`.
        texts: as for `view`.
        progress: told how reading goes.

    Returns:
        a server; `.url` is the page to open, `.serve()` answers until `.close()`.

    Raises:
        UsageError: a folder is no run, the runs do not fit together, or the port cannot be had.
        DataError: a run is damaged, or was not scored.
    """
    return Server(_open(runs, task=task, limit=limit, texts=texts, progress=progress), port=port)


def _open(
    runs: str | Path | Sequence[str | Path], *, task: str | None, limit: int | None, texts: bool, progress: Progress
) -> Site:
    several = [runs] if isinstance(runs, str | Path) else runs
    return open_site([Path(path) for path in several], task=task, limit=limit, texts=texts, progress=progress)


def _default_folder(site: Site) -> Path:
    names = [run.name for run in site.runs]
    name = names[0] if len(names) == 1 else f"{len(names)}-runs-{fingerprint(names)[:8]}"
    return Path("views") / name
