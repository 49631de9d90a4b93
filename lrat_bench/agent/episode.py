"""What playing one question leaves behind, and what can play one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from lrat_bench.agent.session import Session
from lrat_bench.files import encodable
from lrat_bench.model.redact import redact
from lrat_bench.trajectory import Status, Step, TurnRecord, Usage

__all__ = ["Episode", "Player"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One question, played; the run makes a `Trajectory` of it.

    Attributes:
        status: how it ended.
        answer: the final text.
        steps: what was done, in order.
        turns: completions of the model.
        usage: of all of them.
        seconds: from question to answer.
        error: why the status is `error` or `refused`.
        halt: why no other question should be started now.
    """

    status: Status
    answer: str | None
    steps: tuple[Step, ...]
    turns: tuple[TurnRecord, ...]
    usage: Usage
    seconds: float
    error: str | None = None
    halt: str | None = None

    def __post_init__(self) -> None:
        # Both are written to records and shown, whoever played.
        for name in ("error", "halt"):
            if (said := getattr(self, name)) is not None:
                object.__setattr__(self, name, redact(encodable(said)))


class Player(Protocol):
    """Whatever a run can put a question to: an `Agent`, or a function (`FunctionAgent`).

    Attributes:
        name: as it stands in tables and folder names.
        fingerprint: of all that changes what it does; None where that cannot be known.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 -- described above

    @property
    def fingerprint(self) -> str | None: ...  # noqa: D102 -- described above

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it; no secrets."""
        ...

    async def play(self, question: str, session: Session, *, seed: int | None) -> Episode:
        """Work on one question.

        Args:
            question: its text.
            session: the tools, the rules (`session.rollout`) and the log.
            seed: of sampling, for this rollout.

        Raises:
            LratBenchError: the parts do not fit together.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
