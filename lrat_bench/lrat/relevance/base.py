"""What a relevance judge is: the reasoning behind a browse in, an opinion out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from lrat_bench.trajectory import Usage

__all__ = ["Opinion", "Outcome", "RelevanceJudge"]

Outcome = Literal[
    "relevant",
    "irrelevant",
    "undecided",  # the judge failed to say, or had nothing to read; never a synonym of irrelevant
]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge makes of one browse.

    Attributes:
        outcome: its opinion.
        reply: a model's raw reply; None for judges without one.
        error: why it is undecided.
        usage: what asking took.
    """

    outcome: Outcome
    reply: str | None = None
    error: str | None = None
    usage: Usage = Usage()


@runtime_checkable
class RelevanceJudge(Protocol):
    """Reads reasonings; may be asked about several at once.

    Attributes:
        name: as it stands in manifests.
        fingerprint: of all that changes its opinions: prompt, model, parameters, version of its rules.
    """

    name: str
    fingerprint: str

    async def judge(self, query: str, docid: str, reasoning: str) -> Opinion:
        """Say whether the reasoning takes the document for relevant.

        A failure of the judge's own is `undecided` or raised as a `RolloutError`, and never `irrelevant`.

        Args:
            query: what was searched for when the document was found.
            docid: the document that was read.
            reasoning: what the agent wrote next; it is never blank.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; called once, when judging ends."""
        ...
