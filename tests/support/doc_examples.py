"""The examples of README and docs/: blocks of code, the commands in them, and which of these need what no test has.

`docs/site/examples.yaml` says what needs a network, a key, a GPU, …; all else is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["REPOSITORY", "Block", "Command", "Rules", "blocks", "commands", "pages", "rules"]

REPOSITORY = Path(__file__).parents[2]

_FENCE = re.compile(r"(?P<fence>```+)(?P<lang>[\w-]*)(?: +title=\"(?P<title>[^\"]+)\")?\s*$")
_PROGRAMS = ("lrat-bench", "pip", "make", "python", "torchrun", "srun", "sbatch", "accelerate", "ray", "export", "cd",
             "git", "gh", "curl", "claude", "codex", "docker", "vllm", ".", ".venv/bin/python", "$PYTHON")  # fmt: skip
_SHELL = ("sh", "bash", "shell")


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Attributes:
        page: where it stands, relative to the repository.
        line: 1-based, of its first line of code.
        lang: as its fence says; empty of an indented block or a bare fence.
        title: the file that it is to be saved as.
        text: the code.
    """

    page: str
    line: int
    lang: str
    title: str | None
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a block, its continued lines joined."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Rules:
    """What `docs/site/examples.yaml` says.

    Attributes:
        needs: what is needed → patterns of commands and blocks that need it.
        files: page → beginning of a block → the file that it is saved as.
        elsewhere: page → the test that executes its examples.
        codes: pattern of a command → exit codes that are right.
    """

    needs: dict[str, list[str]]
    files: dict[str, dict[str, str]]
    elsewhere: dict[str, str]
    codes: dict[str, list[int]]

    def need(self, text: str) -> str | None:
        """What a command or block needs that no test has."""
        return next((what for what, patterns in self.needs.items() for one in patterns if re.search(one, text)), None)

    def code(self, text: str) -> list[int]:
        """Exit codes that are right for a command."""
        return next((codes for pattern, codes in self.codes.items() if re.search(pattern, text)), [0])

    def file(self, block: Block) -> str | None:
        """The file that a block is to be saved as."""
        named = self.files.get(block.page, {})
        return block.title or next((file for start, file in named.items() if block.text.startswith(start)), None)


@cache
def rules() -> Rules:
    """The rules as they stand in the repository."""
    said: dict[str, Any] = yaml.safe_load((REPOSITORY / "docs" / "site" / "examples.yaml").read_text())
    return Rules(**said)


def pages() -> list[str]:
    """Every page with examples, relative to the repository."""
    docs = (page for page in (REPOSITORY / "docs").rglob("*.md") if "site" not in page.parent.parts)
    found = [page.relative_to(REPOSITORY).as_posix() for page in docs]
    others = ["README.md", "CONTRIBUTING.md", "leaderboard/README.md", "benchmarks/README.md"]
    return sorted([*found, *others, "benchmarks/peers/README.md"])


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The blocks of a page in order, fenced and indented."""
    return tuple(_blocks(page, (REPOSITORY / page).read_text(encoding="utf-8").splitlines()))


def commands(block: Block) -> list[Command]:
    """The commands in a block; what a program printed is none."""
    if block.lang not in ("", *_SHELL):
        return []
    found: list[Command] = []
    lines = iter(enumerate(block.text.splitlines(), block.line))
    for number, line in lines:
        joined = line
        while joined.endswith("\\"):
            joined = joined[:-1].rstrip() + " " + next(lines)[1].strip()
        bare = re.sub(r"^(?:[A-Z_]+=\S* )+", "", joined.strip())
        # In a block of a shell each line is a command; elsewhere only what begins with a program.
        is_one = bool(bare) and not bare.startswith("#") if block.lang else bare.split(" ")[0] in _PROGRAMS
        if is_one:
            found.append(Command(block.page, number, joined.strip()))
    return found


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence:
            end = next(i for i in range(at + 1, len(lines)) if lines[i].startswith(fence["fence"]))
            yield Block(page, at + 2, fence["lang"], fence["title"], "\n".join(lines[at + 1 : end]) + "\n")
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            text = "\n".join(line[4:] for line in lines[at:end]).rstrip("\n") + "\n"
            yield Block(page, at + 1, "", None, text)
            at = end
        else:
            at += 1
