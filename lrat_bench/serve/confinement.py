"""What a command can reach: everything its user can, only its question, or only its question from within a container.

`network` puts the command into namespaces of its own (`unshare`, no privilege needed where the kernel allows it): no
network but the address of its question, no process but its own, no file but those of the system, of the programs it
names and what it is shown. So it finds neither corpus nor answers, nor other questions. What it is not kept from: time,
memory, and whatever lies in the folders that it is shown. Folders of tasks and of runs inside of all that is shown are
empty to it, and so is this package, which could generate some tasks anew.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder
from lrat_bench.serve.visible import PACKAGE, SYSTEM, homes, marked, restricted

__all__ = ["OUTSIDE", "PORT", "STARTING", "Confinement", "Launch", "parse_confinement"]

PORT = 8017
"""Where the server is found inside; nothing else listens there."""

STARTING = "lrat-bench: the agent starts\n"
"""What is said on stderr before a confined agent can say anything there."""

OUTSIDE = ("HOME", "PATH", "TMPDIR")
"""Variables that mean other folders in a container."""

_PRIVATE = ("/etc/ssh", "/etc/sudoers", "/etc/sudoers.d")
_ENGINES = ("docker", "podman")
_UNSHARE = ("--user", "--map-root-user", "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child")
_HELP = "give --set agent.confine=container:IMAGE, or none"


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line, ready to be started.

    Attributes:
        words: the command line.
        url: of the server, as seen from inside; None where it is the one of outside.
        ended: a command line that ends what would be left behind; None where nothing is.
        hands_on: whether it is started by a program of ours, which needs our environment and hands on what it is told.
        confined: whether `STARTING` is said on stderr before the agent itself starts.
    """

    words: tuple[str, ...]
    url: str | None = None
    ended: tuple[str, ...] | None = None
    hands_on: bool = False
    confined: bool = False


@dataclass(frozen=True)
class Confinement:
    """How a command is kept from what it must not see.

    Attributes:
        mode: none, network or container.
        image: of the container.
        show: folders and files that are shown beside the system's.
    """

    mode: str = "none"
    image: str | None = None
    show: tuple[Path, ...] = ()
    _found: dict[tuple[Path, ...], tuple[Path, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was found to be hidden, as long as the run lasts: every question asks."""

    def _hidden(self, shown: Iterable[Path]) -> tuple[Path, ...]:
        """What lies inside of what is shown and holds a task, a run, our cache, our code, or what few may read.

        Raises:
            UsageError: a folder holds too much to be looked through.
        """
        key = tuple(sorted(shown))
        if key not in self._found:
            ours = cache_folder().absolute()
            inside = (path for folder in key if folder.is_dir() for path in _inside(folder))
            self._found[key] = tuple(dict.fromkeys([ours, ours.resolve(), PACKAGE, *inside]))
        return self._found[key]

    @property
    def needs_socket(self) -> bool:
        """Whether the server is reached through a UNIX socket."""
        return self.mode != "none"

    def describe(self) -> dict[str, Any]:
        """For the manifest: what holds the command back, and what does not."""
        if self.mode == "none":
            return {"mode": "none", "network": "open", "files": "all that the user may read"}
        if self.mode == "container":
            return {"mode": "container", "image": self.image, "network": "the question's address alone"}
        return {
            "mode": "network",
            "network": "the question's address alone",
            "files": "the system's, the programs and files that the command names, and those shown; read-only",
            "shown": [path.name for path in self.show],
        }

    def check(self) -> None:
        """See that this machine can do it.

        Raises:
            UsageError: it cannot; the message says what can be done.
        """
        # What there is may change until the run begins; that it is too much is better said at once.
        for folder in self.show:
            for _ in marked(folder):
                pass
        if self.mode == "container":
            _check_engine()
        if self.mode != "network":
            return
        unshare = shutil.which("unshare")
        if unshare is None:
            raise UsageError(f"agent.confine=network wants `unshare` (util-linux): install it, or {_HELP}")
        tried = [unshare, *_UNSHARE, "--mount-proc", "true"]
        try:
            done = subprocess.run(tried, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            raise UsageError(f"agent.confine=network does not work here ({error}): {_HELP}") from None
        if done.returncode != 0:
            said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
            raise UsageError(f"agent.confine=network: this kernel does not let us make namespaces ({said}): {_HELP}")

    def launch(
        self, words: Sequence[str], *, own: Path, socket_file: Path | None, files: Sequence[Path], names: Sequence[str]
    ) -> Launch:
        """The command line that starts a command.

        Args:
            words: the command, its program as a path.
            own: the empty folder that it works in; `root` beside it becomes its root.
            socket_file: where the server listens.
            files: that the command names.
            names: of the variables that it is given.
        """
        if self.mode == "none":
            return Launch(tuple(words))
        assert socket_file is not None
        url = f"http://127.0.0.1:{PORT}"
        if self.mode == "container":
            return self._container(words, own, socket_file, files, names, url)
        program = set(homes(Path(words[0])))
        links = {path for path in program if path.is_symlink()} - {*files, *self.show}
        shown = {*map(Path, SYSTEM), *program, *files, *self.show} - links
        hidden = (*restricted(Path("/etc")), *map(Path, _PRIVATE), *self._hidden(shown))
        plan = {
            "socket": str(socket_file),
            "port": PORT,
            "said": STARTING,
            "root": str(own.parent / "root"),
            "own": str(own),
            # A folder before what lies in it.
            "system": sorted(map(str, shown), key=lambda path: path.count("/")),
            "links": sorted(map(str, links)),
            # What is inside of another one that is hidden is not there any more.
            "hide": sorted(map(str, hidden), key=lambda path: path.count("/")),
        }
        inside = [sys.executable, "-I", "-S", str(_script()), json.dumps(plan), *words]
        return Launch((shutil.which("unshare") or "unshare", *_UNSHARE, *inside), url, confined=True)

    def _container(
        self, words: Sequence[str], own: Path, socket_file: Path, files: Sequence[Path], names: Sequence[str], url: str
    ) -> Launch:
        engine = _engine() or _ENGINES[0]
        name = f"lrat-bench-{secrets.token_hex(8)}"
        shared = {socket_file: "/lrat-bench.sock", _script(): "/lrat-bench-inside.py:ro", own: "/agent"}
        shown = (*files, *self.show)
        shared |= {file: f"{file}:ro" for file in shown}
        hidden = [path for path in self._hidden(shown) if any(path.is_relative_to(one) for one in shown)]
        plan = {"socket": "/lrat-bench.sock", "port": PORT, "said": STARTING, "own": "/agent"}
        command = [
            *(engine, "run", "--rm", "--init", "--name", name, "--network", "none"),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *("--user", f"{os.getuid()}:{os.getgid()}", "--workdir", "/agent"),
            *(word for source, place in shared.items() for word in ("--volume", f"{source}:{place}")),
            *(word for path in hidden if path.exists() for word in _emptied(path)),
            *("--env", "HOME=/agent", "--env", "TMPDIR=/agent"),
            # By name alone: values stand in no list of processes.
            *(word for variable in names if variable not in OUTSIDE for word in ("--env", variable)),
            str(self.image),
            *("python3", "-I", "-S", "/lrat-bench-inside.py", json.dumps(plan)),
            *words,
        ]
        return Launch(tuple(command), url, ended=(engine, "kill", name), hands_on=True, confined=True)


def parse_confinement(given: str, show: Sequence[str]) -> Confinement:
    """Read `none`, `network` or `container:IMAGE`.

    Raises:
        UsageError: it is none of these, or something is shown that is not there.
    """
    mode, colon, image = given.partition(":")
    if mode not in ("none", "network", "container") or (mode == "container") != bool(colon and image):
        raise UsageError(f"agent.confine is none, network or container:IMAGE, got {given!r}")
    if show and mode == "none":
        raise UsageError("agent.show is of use with agent.confine=network or container:IMAGE alone: leave it out")
    paths = tuple(Path(one).expanduser().absolute() for one in show)
    for path in paths:
        if not path.exists():
            raise UsageError(f"agent.show: there is no {path}")
    return Confinement(mode, image or None, paths)


def _script() -> Path:
    return Path(__file__).with_name("inside.py")


def _engine() -> str | None:
    return next((found for name in _ENGINES if (found := shutil.which(name))), None)


def _inside(folder: Path) -> tuple[Path, ...]:
    return _inside_system(folder) if str(folder) in SYSTEM else tuple(marked(folder))


@cache
def _inside_system(folder: Path) -> tuple[Path, ...]:
    """Looked through once, not once a run: it is large, and changes little."""
    return tuple(marked(folder))


def _check_engine() -> None:
    engine = _engine()
    if engine is None:
        raise UsageError(f"agent.confine=container wants {' or '.join(_ENGINES)}, and neither is installed")
    try:
        done = subprocess.run([engine, "version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"agent.confine=container: {Path(engine).name} does not work here ({error})") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise UsageError(f"agent.confine=container: {Path(engine).name} does not work here ({said}): start it")


def _emptied(path: Path) -> tuple[str, str]:
    """Words for a container that show a folder or file empty."""
    return ("--tmpfs", f"{path}:ro") if path.is_dir() else ("--volume", f"/dev/null:{path}:ro")
