"""The clients of `clients.yaml`: their command lines, and whether a checkout is the commit that is meant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Checkout", "Client", "Started", "known_clients", "read_checkout"]

_KEPT = ("PATH", "HOME", "LANG", "JAVA_HOME", "HF_HOME", "HF_HUB_OFFLINE", "LRAT_BENCH_CACHE", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Started:
    """A command as it is started.

    Attributes:
        words: program and arguments.
        environment: all of it; keys of the user's are none of a peer's business.
        folders: links to be made in the folder where it is started.
    """

    words: list[str]
    environment: dict[str, str]
    folders: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Client:
    """One client."""

    name: str
    api: str
    arguments: list[str]
    checkout: str | None = None
    script: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    folders: dict[str, str] = field(default_factory=dict)

    def start(self, places: Mapping[str, Any], *, root: Path | None, python: str = sys.executable) -> Started:
        """The command.

        Args:
            places: what stands for the words between braces.
            root: the checkout, where there is one.
            python: the interpreter that has what the client needs.
        """
        program = [] if root is None or self.script is None else [str(root / self.script)]
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {name: value.format_map(places) for name, value in self.environment.items()}
        return Started(
            [python, *program, *(word.format_map(places) for word in self.arguments)],
            {**kept, **own, "PYTHONUNBUFFERED": "1"},
            {name: there.format_map(places) for name, there in self.folders.items()},
        )


@dataclass(frozen=True)
class Checkout:
    """What lies in a folder: its commit, and whether files of it were changed. None is what git cannot say."""

    root: Path
    commit: str | None
    changed: bool | None


def known_clients() -> tuple[dict[str, Client], dict[str, dict[str, str]]]:
    """Clients by name, and the repositories that they come from with the commits that are meant."""
    said = yaml.safe_load(Path(__file__).with_name("clients.yaml").read_text(encoding="utf-8"))
    return {name: Client(name=name, **about) for name, about in said["clients"].items()}, said["checkouts"]


def read_checkout(root: Path) -> Checkout:
    """What git says of a folder."""
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return Checkout(root.resolve(), commit, None if changes is None else bool(changes))


def _git(root: Path, *words: str) -> str | None:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
