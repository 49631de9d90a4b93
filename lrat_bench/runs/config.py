"""What a run is: one task, rollout protocol, agent, retriever and seed, resolved before anything is spent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lrat_bench.agent.episode import Player
from lrat_bench.agent.prompts import prompt_fingerprint
from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.model.access import Access
from lrat_bench.retriever.base import Retriever
from lrat_bench.score.judges.base import Judge
from lrat_bench.task.protocol import Protocol, Rollout
from lrat_bench.task.question import Question
from lrat_bench.task.task import Task
from lrat_bench.task.tokenizer import load_tokenizer

__all__ = ["RunConfig"]


@dataclass(frozen=True)
class RunConfig:
    """A run, resolved.

    Attributes:
        task: what is asked.
        protocol: how, and how it is judged.
        agent: who answers.
        retriever: what it searches with.
        judge: who grades the answers, as `protocol.scoring` names it.
        split: which questions.
        limit: how many of them; None for all.
        repeats: how often each.
        seed: of sampling; every (question, repeat) gets its own from it.
        concurrency: questions in flight; no part of the identity, since it must not change a result.
        settings: what the user set beside the names, for the manifest.
        owns_agent: whether the run closes the agent; a caller's own agent stays open.
        access: how models are reached by this command; it closes those that it opened.
    """

    task: Task
    protocol: Protocol
    agent: Player
    retriever: Retriever
    judge: Judge
    split: str
    limit: int | None = None
    repeats: int = 1
    seed: int = 0
    concurrency: int = 16
    settings: dict[str, Any] | None = None
    owns_agent: bool = True
    access: Access = field(default_factory=Access)

    def __post_init__(self) -> None:
        for name in ("repeats", "concurrency"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name)}")

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The questions that are asked: with the repeats, the denominator of every rate."""
        chosen = self.task.select(self.split, self.limit)
        if not chosen:
            raise UsageError(f"split {self.split!r} of task {self.task.name!r} holds no question")
        return chosen

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What two runs must share to be the same run; a folder is refused when one of these differs."""
        return {
            "task": self.task.fingerprint,
            "split": self.split,
            "protocol": _rollout_fingerprint(self.protocol.rollout),
            "tokenizer": load_tokenizer(self.protocol.rollout.snippet_tokenizer).fingerprint,
            "prompt": prompt_fingerprint(self.protocol.rollout.prompt),
            "agent": self.agent.fingerprint or f"unknown:{self.agent.name}",
            "retriever": self.retriever.fingerprint or f"unknown:{self.retriever.name}",
            "seed": self.seed,
        }

    @property
    def folder_name(self) -> str:
        """`<task>-<split>-<protocol>-<agent>-<retriever>-<hash8>`: the same for the same run, on any machine."""
        protocol = self.protocol.name.partition("+")[0]
        # What a retriever was given (a path, as a rule) is in its fingerprint.
        retriever = self.retriever.name.partition(":")[0]
        parts = (self.task.name, self.split, protocol, self.agent.name, retriever)
        slug = "-".join(re.sub(r"[^A-Za-z0-9.-]+", "_", part).strip("_.-")[-40:] for part in parts)
        return f"{slug}-{self.hash8}"

    @property
    def hash8(self) -> str:
        """Eight hex digits of the identity's SHA-256."""
        return fingerprint(self.identity)[:8]

    def folder_in(self, root: Path) -> Path:
        """The run's folder below `root`: the one that ends in its hash, whatever it is called, or a new one."""
        there = sorted(path for path in root.glob(f"*-{self.hash8}") if (path / "manifest.json").exists())
        return there[0] if there else root / self.folder_name

    def sampling_seed(self, qid: str, repeat: int) -> int:
        """The seed of one rollout: 31 bits, a function of (seed, question, repeat)."""
        return int(fingerprint([self.seed, qid, repeat])[:8], 16) & 0x7FFFFFFF


def _rollout_fingerprint(rollout: Rollout) -> str:
    """The fingerprint of the rollout part; a tokenizer that is a file counts by content, wherever it lies."""
    spec = rollout.snippet_tokenizer
    if not Path(spec).expanduser().exists():
        return rollout.fingerprint
    return rollout.model_copy(update={"snippet_tokenizer": load_tokenizer(spec).fingerprint}).fingerprint
