"""What a confined command may see of this machine: its program and what belongs to it, and what in that is hidden."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lrat_bench.errors import UsageError

__all__ = ["PACKAGE", "SYSTEM", "homes", "marked", "restricted"]

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store")
"""What every program needs."""

PACKAGE = Path(__file__).absolute().parents[1]
"""Our own code: whoever has it can generate some tasks anew, answers and all."""

_MARKS = (
    *("corpus.jsonl", "corpus.state.json", "questions.jsonl", "qrels.trec", "qrels.gold.trec"),
    *("trajectories.jsonl", "per_question.jsonl", "run.trec"),
)
"""Files that tell a folder of a task or a run."""
_LOOKED_AT = 1_000_000
"""Entries of a shown folder among which such folders are looked for; one with more is not shown."""
_INTERPRETERS = ("python3", "pypy3", "node", "deno", "bun", "ruby", "perl", "java", "julia", "Rscript")
_PARTS = ("bin", "lib", "lib64", "libexec", "include", "share", "etc", "conf", "jmods", "pyvenv.cfg")
"""What belongs to an interpreter in the folder that it is installed in; whatever else lies there does not."""


def homes(program: Path) -> Iterator[Path]:
    """Where a program and what belongs to it lie, along its links: an interpreter's libraries; of others, the file."""
    for _ in range(16):
        home = program.parent.parent
        yield program
        if program.parent.name == "bin" and len(home.parts) > 1 and _is_interpreters(home):
            yield from (home / part for part in _PARTS if (home / part).exists())
            python = home / "bin" / "python"
            if not program.is_symlink() and program != python and (home / "pyvenv.cfg").is_file() and python.exists():
                # A script of an environment, whose interpreter lies elsewhere.
                yield from homes(python)
        if not program.is_symlink():
            break
        program = Path(os.path.normpath(program.parent / program.readlink()))
    resolved = program.resolve()
    if resolved != program:
        yield from homes(resolved)


def _is_interpreters(home: Path) -> bool:
    """Whether a folder is what an interpreter was installed in, or an environment of one."""
    if (home / "pyvenv.cfg").is_file():
        return True
    there = home.resolve()
    found = (home / "bin" / name for name in _INTERPRETERS)
    # Folders as ~/.local have links to interpreters that lie elsewhere.
    return any(one.is_file() and one.resolve().is_relative_to(there) for one in found)


def restricted(folder: Path) -> Iterator[Path]:
    """What not everybody may read: where we are root, the command would be, too."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            with suppress(OSError):
                mode = path.lstat().st_mode
                if not stat.S_ISLNK(mode) and not mode & stat.S_IROTH:
                    yield path
                    if name in folders:
                        folders.remove(name)


def _is_ours(folder: Path) -> bool:
    """Whether a folder is a run's, or another one of ours: it says so before anything is in it."""
    with suppress(OSError), (folder / "manifest.json").open("rb") as stream:
        return b'"lrat-bench/' in stream.read(200)
    return False


def marked(folder: Path) -> Iterator[Path]:
    """The folders in it, itself among them, that hold a task, a run or this package.

    Raises:
        UsageError: there are too many to look at.
    """
    if any(map(_is_ours, folder.parents)):
        yield folder
        return
    # The system's are shown in any case, and looked through to the end.
    left = sys.maxsize if str(folder) in SYSTEM else _LOOKED_AT
    for place, folders, files in os.walk(folder):
        left -= len(files) + len(folders)
        if left < 0:
            raise UsageError(
                f"{folder} holds more than {_LOOKED_AT} files, and tasks and runs among them cannot be hidden from the "
                "agent: show a narrower folder (agent.show)"
            )
        here = Path(place)
        ours = here.name == PACKAGE.name and "serve" in folders and "__init__.py" in files
        if ours or any(mark in files for mark in _MARKS) or ("manifest.json" in files and _is_ours(here)):
            folders.clear()
            yield here
