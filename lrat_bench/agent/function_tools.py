"""What a function agent works with: search, documents, and a log of its reasoning and usage."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrat_bench.agent.rendering import DocumentBlock, SearchBlock
from lrat_bench.agent.session import Reply, Session
from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.files import encodable
from lrat_bench.model.clock import Clock
from lrat_bench.model.seam import ToolCall
from lrat_bench.trajectory import Think, Usage

__all__ = ["BudgetSpent", "Found", "Tools"]


_OVER = "the question is over: no tool can be called any more"
_PAUSE = 0.01
"""Seconds before a call is refused: a function that asks again and again must leave time for others."""


class BudgetSpent(Exception):
    """No more tool calls are granted: the function is to return its answer now."""


@dataclass(frozen=True, slots=True)
class Found:
    """One document of a result list.

    Attributes:
        docid: its id, for `Tools.get_document`.
        score: the retriever's; None under a protocol that shuffles lists.
        snippet: its beginning, cut as the protocol says.
        query: what found it.
    """

    docid: str
    score: float | None
    snippet: str
    query: str


class Tools:
    """The tools of one question. Calls made at the same time are carried out one after the other.

    Args:
        session: carries them out.
        clock: stands while they work.
        seed: of this rollout.

    Attributes:
        seed: for the sampling of whatever answers the question; differs from repeat to repeat.
        reported: the usage that was reported; None where none was.
    """

    def __init__(self, session: Session, clock: Clock, *, seed: int | None = None) -> None:
        self.seed = seed
        self.reported: Usage | None = None
        self._session = session
        self._clock = clock
        self._turn = asyncio.Lock()
        self._thoughts: list[str] = []
        self._failure: Exception | None = None
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the question is over, and no call is carried out any more."""
        return self._over

    @property
    def calls_left(self) -> int | None:
        """Calls that may still be made; None where the protocol sets no limit."""
        left = self._session.calls_left
        return None if left is None else max(left, 0)

    async def search(self, query: str | Sequence[str]) -> list[Found]:
        """The documents that fit a query best; of several queries, one list after the other.

        Several queries in one call are one step, and the protocol limits how many of them are carried out.

        Raises:
            BudgetSpent: no more calls are granted.
            ValueError: there is no query in it.
        """
        queries = query if isinstance(query, str) else list(query)
        reply = await self._carry_out("search", {"query": queries})
        lists = [block for block in self._result(reply).blocks if isinstance(block, SearchBlock)]
        return [Found(docid, score, text, block.query) for block in lists for docid, score, text in block.hits]

    async def get_document(self, docid: str) -> str | None:
        """A document's text, cut as the protocol says; None where the corpus has none of that id.

        Raises:
            BudgetSpent: no more calls are granted.
        """
        reply = await self._carry_out("get_document", {"docid": docid})
        block = self._result(reply).blocks[0]
        return block.text if isinstance(block, DocumentBlock) else None

    async def call(self, name: str, arguments: Mapping[str, Any] | str) -> str:
        """Any call as a model writes it, and the text that a model would read; what is wrong with it is said there.

        Args:
            name: of the tool, as the backbones know it: search, get_document, visit, …
            arguments: a mapping, or JSON.
        """
        return (await self._carry_out(name, arguments)).text

    def think(self, text: str) -> None:
        """Log reasoning; what comes while a call is carried out stands after it."""
        self._thoughts.append(encodable(text))
        if not self._turn.locked():
            self._log_thoughts()

    def usage(
        self,
        *,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> None:
        """Report what one call of a model took; the reports of a question are added up. Without any, it is unknown.

        A run that has a cost cap counts what is reported here, and nothing else of a function.

        Raises:
            ValueError: one of them is no number from 0 up; a count of tokens must be whole.
        """
        spent = Usage(
            prompt_tokens=_tokens("prompt_tokens", prompt_tokens),
            completion_tokens=_tokens("completion_tokens", completion_tokens),
            reasoning_tokens=_tokens("reasoning_tokens", reasoning_tokens),
            llm_calls=1,
            cost_usd=_amount("cost_usd", cost_usd),
        )
        self.reported = spent if self.reported is None else self.reported + spent

    def close(self) -> None:
        """The question is over: no call that comes now is carried out."""
        self._over = True
        self._log_thoughts()

    def check(self) -> None:
        """See that no call failed, whatever the function made of that.

        Raises:
            RolloutFailure: the retriever or the corpus failed.
            UsageError: retriever and corpus do not fit together.
        """
        if self._failure is not None:
            raise self._failure

    async def _carry_out(self, name: str, arguments: Mapping[str, Any] | str) -> Reply:
        written = arguments if isinstance(arguments, str) else json.dumps(dict(arguments), ensure_ascii=False)
        call = ToolCall("", encodable(name), encodable(written))
        session = self._session
        if self._over:
            await asyncio.sleep(_PAUSE)
            raise RuntimeError(_OVER)
        # One at a time, so that what is said beside a call stands beside it in the log.
        with self._clock.stopped():
            async with self._turn:
                if self._over:
                    raise RuntimeError(_OVER)
                try:
                    (reply,) = await session.execute([call])
                except (RolloutFailure, UsageError) as failure:
                    self._failure = failure
                    raise
                for said in filter(None, (reply.refusal, reply.notice)):
                    session.notice(said)
                self._log_thoughts()
        if reply.refusal is not None:
            await asyncio.sleep(_PAUSE)
        return reply

    def _result(self, reply: Reply) -> Reply:
        """The reply, unless the call was not carried out."""
        if reply.refusal is None:
            return reply
        raise BudgetSpent(reply.refusal) if reply.readable else ValueError(reply.refusal)

    def _log_thoughts(self) -> None:
        for text in self._thoughts:
            self._session.think(Think(turn=None, text=text))
        self._thoughts.clear()


def _amount(name: str, value: float | None) -> float | None:
    """A number from 0 up, or None."""
    try:
        if value is None:
            return None
        if 0 <= value < math.inf:
            return float(value)
    except (TypeError, ArithmeticError):
        pass
    raise ValueError(f"usage: {name} must be a number from 0 up, not {value!r}")


def _tokens(name: str, value: float | None) -> int | None:
    """A count, or None."""
    amount = _amount(name, value)
    if amount is None or amount.is_integer():
        return None if amount is None else int(amount)
    raise ValueError(f"usage: {name} must be a whole number, not {value!r}")
