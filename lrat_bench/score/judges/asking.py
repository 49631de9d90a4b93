"""A model that is asked until its reply states what it is asked for: what judges of answers and of relevance share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from lrat_bench.errors import RolloutError, boundary
from lrat_bench.model.access import remote
from lrat_bench.model.seam import Message, Model, Request, Sampling, Turn
from lrat_bench.score.judges.base import NOTHING_USED
from lrat_bench.trajectory import Usage

__all__ = ["TRIES", "Asked", "Asking"]

TRIES = 3
"""How often a model is asked until its reply states what it is asked for."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Asked(Generic[R]):
    """What came of asking.

    Attributes:
        stated: what was read from the reply; None where no reply stated anything.
        reply: the last reply.
        usage: of all tries.
        error: why nothing is stated.
    """

    stated: R | None
    reply: str
    usage: Usage
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """How a model is asked.

    A reply that states nothing is asked for again, with another seed so that neither a cassette nor a deterministic
    server gives the same one.

    Attributes:
        model: what is asked; who opened it closes it.
        sampling: of the first try; the seeds of the others follow its seed.
        wanted: what a reply must state, in one word for messages.
        room: of settings, for messages.
        unstated: what is said of a reply that does not state it.
    """

    model: Model
    sampling: Sampling
    wanted: str
    room: str
    unstated: str = "the reply states none"

    @property
    def reported(self) -> str | None:
        """The model that the endpoint reports; None before its first reply, or where there is no endpoint."""
        model = remote(self.model)
        return None if model is None else model.reported

    async def ask(self, text: str, read: Callable[[Turn], R | None]) -> Asked[R]:
        """Ask until a reply states what is wanted.

        Args:
            text: the question, as one message.
            read: what a reply states; None for nothing.

        Raises:
            RolloutError: the model failed, and nothing was paid for yet; else nothing is stated.
        """
        messages = (Message("user", text),)
        used, last, why = NOTHING_USED, "", ""
        for attempt in range(TRIES):
            try:
                with boundary("model"):
                    turn = await self.model.complete(self._request(messages, attempt))
            except RolloutError as failure:
                if not attempt:
                    raise
                # What is down now is met again by the next question; what was paid for must be on record.
                return Asked(None, last, used, f"no {self.wanted}: {why}; then: {failure}")
            used = used + turn.usage if attempt else turn.usage
            stated = read(turn)
            if stated is not None:
                return Asked(stated, turn.text, used)
            last, why = turn.text, self._failing(turn)
        return Asked(None, last, used, f"no {self.wanted} in {TRIES} tries: {why}")

    def _request(self, messages: tuple[Message, ...], attempt: int) -> Request:
        seed = self.sampling.seed
        return Request(messages, sampling=replace(self.sampling, seed=None if seed is None else seed + attempt))

    def _failing(self, turn: Turn) -> str:
        """Why a reply states nothing."""
        if turn.finish_reason == "length":
            more = f"--set {self.room}.max_tokens=… allows more"
            return f"the reply was cut off at {self.sampling.max_tokens} tokens ({more})"
        if turn.finish_reason == "content_filter":
            return "the provider withheld the reply"
        return self.unstated if turn.text.strip() else "the reply is empty"
