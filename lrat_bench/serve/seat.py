"""One question, open over the network: who knows its token may call its tools and answer it.

All that comes in passes through the `Tools` of the question, and so through its session: the log of the server is the
trajectory. Deliveries may be repeated: one that carries a known key gets the first reply and is no second call.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lrat_bench.agent.function_tools import Tools
from lrat_bench.agent.prompts import render_prompt
from lrat_bench.agent.session import Session
from lrat_bench.agent.tools import describe, offered
from lrat_bench.errors import LratBenchError, RolloutError
from lrat_bench.files import encodable
from lrat_bench.model.seam import Tool
from lrat_bench.serve.reply import Busy, Delivered, Gone, KeyReused, SeatClosed, ToolFailed, call_digest, refusal

__all__ = ["ANSWER", "CALL_LIMIT", "AnswerBy", "Seat"]

AnswerBy = Literal["stdout", "endpoint", "either"]
"""How an answer is given: printed, sent to the seat, or one of the two."""

ANSWER = Tool(
    name="answer",
    description="ends the question with your final answer, the text that is judged; it can be given once.",
    parameters={
        "type": "object",
        "properties": {"answer": {"type": "string", "description": "the whole final text"}},
        "required": ["answer"],
        "additionalProperties": False,
    },
)
"""The tool beside those of the protocol, where answers are sent to the seat."""

CALL_LIMIT = "the protocol's max_calls, or its max_turns where it sets none"
"""What the manifest says of how many calls a program has."""

_WAITING = 32
"""Calls of one seat that may wait: they are carried out one after the other."""
_KEPT = 1_000_000
"""Characters of replies of one seat that are kept for deliveries that come again; the last one always is."""
_REFUSALS = 200
"""Calls of one seat that are refused by the session, which logs them; later ones it is not asked about."""
_CALLS = 20_000
"""Calls of one seat: a trajectory must fit into memory where the protocol sets no limit."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A call that has come in, and what becomes of it."""

    call: str
    task: asyncio.Task[Delivered]


class Seat:
    """The tools and the answer of one question.

    Args:
        token: unguessable; whoever knows it sits here.
        question: its text.
        session: the rules and the log. Where the rules set no `max_calls`, their `max_turns` is the limit of calls.
        tools: carry calls out.
        answer_by: how the answer is given.

    Attributes:
        epoch: how often a client of MCP has connected: each numbers its requests anew.
        seen: when the last request came, by the monotonic clock; None before the first.
    """

    def __init__(
        self, *, token: str, question: str, session: Session, tools: Tools, answer_by: AnswerBy = "endpoint"
    ) -> None:
        self.token = token
        self.question = question
        self.answer_by: AnswerBy = answer_by
        self.epoch = 0
        self.seen: float | None = None
        # A model has as many turns; what a program thinks between its calls is nobody's to count.
        rollout = session.rollout
        self._limit = rollout.max_calls or rollout.max_turns
        session.rollout = rollout.model_copy(update={"max_calls": self._limit})
        self._session = session
        self._tools = tools
        self._turn = asyncio.Lock()
        self._touched = asyncio.Event()
        self._known: OrderedDict[str, _Delivery] = OrderedDict()
        self._running: set[asyncio.Task[Delivered]] = set()
        self._refusals = 0
        self._closed: str | None = None
        self._answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._accepted: tuple[str, Delivered] | None = None
        self._alone = itertools.count()

    @property
    def question_id(self) -> str:
        """For whoever hands out seats; agents are not told."""
        return self._session.question_id

    @property
    def seed(self) -> int | None:
        """Of this rollout."""
        return self._tools.seed

    @property
    def calls(self) -> int:
        """Calls carried out so far."""
        return self._session.calls

    @property
    def closed(self) -> str | None:
        """Why the question is over; None while it is not."""
        return self._closed

    @property
    def settled(self) -> bool:
        """Whether an answer was sent, or the retriever has failed: `answer` does not wait any more."""
        return self._answer.done()

    @property
    def busy(self) -> bool:
        """Whether a call is being carried out."""
        return bool(self._running)

    @property
    def takes_answer(self) -> bool:
        """Whether an answer may be sent here."""
        return self.answer_by != "stdout"

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Those of the protocol, and `answer` where answers are sent here."""
        protocol = offered(self._session.rollout)
        return (*protocol, ANSWER) if self.takes_answer else protocol

    def touch(self) -> None:
        """Note that a request came."""
        self.seen = time.monotonic()
        self._touched.set()

    async def touched(self) -> None:
        """Wait for the first request."""
        await self._touched.wait()

    async def answer(self) -> str | None:
        """Wait for the answer that is sent here; None where the agent gives up.

        Raises:
            RolloutFailure: the retriever or the corpus failed.
            UsageError: retriever and corpus do not fit together.
        """
        return await asyncio.shield(self._answer)

    @property
    def prompt(self) -> str:
        """What a model in our loop reads first."""
        rollout = self._session.rollout
        tools = describe(offered(rollout))
        return render_prompt(rollout.prompt, question=self.question, tools=tools, current_date=rollout.current_date)

    def about(self) -> dict[str, Any]:
        """What an agent is told of its question."""
        rollout = self._session.rollout
        return {
            "question": self.question,
            "prompt": self.prompt,
            "tools": [asdict(tool) for tool in self.tools],
            "budget": {
                "calls": self._limit,
                "calls_left": self._tools.calls_left,
                "queries_per_call": rollout.queries_per_call,
                "seconds": rollout.max_seconds,
            },
            "seed": self.seed,
            "answer_by": self.answer_by,
        }

    async def call(self, name: str, arguments: Mapping[str, Any], *, key: str | None = None) -> Delivered:
        """Carry out a call of a tool, or of `answer`. It goes on where the caller is gone before it is done.

        Args:
            name: of the tool.
            arguments: as sent.
            key: what tells a delivery that comes again.

        Raises:
            SeatClosed: the question is over.
            Busy: the seat takes no more calls.
            KeyReused: the key came before with another call.
            ToolFailed: the retriever or the corpus failed.
        """
        call = call_digest(name, arguments)
        if key is not None and (known := self._known.get(key)) is not None:
            if known.call != call:
                raise KeyReused("this key came before with another call: give every call a key of its own")
            return await asyncio.shield(known.task)
        if self._accepted is not None and self._accepted[0] == call:
            return self._accepted[1]
        if self._closed is not None:
            raise SeatClosed(self._closed)
        if len(self._running) > _WAITING:
            raise Busy(f"{_WAITING} calls of this question are waiting: wait for a reply before the next call")
        task = asyncio.create_task(self._carry_out(name, arguments))
        self._running.add(task)
        task.add_done_callback(self._done)
        if key is not None:
            self._known[key] = _Delivery(call, task)
        return await asyncio.shield(task)

    def mcp_key(self, request_id: str | int, name: str, arguments: Mapping[str, Any], *, connected: bool) -> str:
        """The key of a request of MCP.

        Ids are numbered within a connection, and some clients make a connection for each call: the same call under the
        same id of another connection is a second call, unless the first one still waits for its reply.

        Args:
            request_id: of the request.
            name: of the tool.
            arguments: as sent.
            connected: whether its protocol has connections; where it has none, only what waits is known.
        """
        ending = f"mcp:{request_id!r}:{call_digest(name, arguments)}"
        for key, known in self._known.items():
            if key.endswith(ending) and not known.task.done():
                return key
        return f"{self.epoch if connected else f'alone.{next(self._alone)}'}:{ending}"

    def close(self, reason: str) -> None:
        """The question is over: what comes now is told why. Calls that are being carried out are finished."""
        self._closed = self._closed or reason
        if not self._answer.done():
            self._answer.cancel()

    def gone(self) -> Gone:
        """What is left of the seat once it is closed."""
        return Gone(self._closed or "it has ended", self._accepted)

    async def finish(self) -> None:
        """Wait for the calls that are being carried out."""
        if self._running:
            await asyncio.wait(set(self._running))

    def _done(self, task: asyncio.Task[Delivered]) -> None:
        self._running.discard(task)
        # Nobody may be left who looks at what it raised.
        if not task.cancelled():
            task.exception()
        self._forget()

    def _forget(self) -> None:
        """Let go of the oldest replies where they take too much room."""
        done = [(key, known.task) for key, known in self._known.items() if known.task.done()]
        sizes = {key: len(key) + _size(task) for key, task in done}
        total = sum(sizes.values())
        for key, _ in done[:-1]:
            if total <= _KEPT:
                return
            total -= sizes[key]
            del self._known[key]

    async def _carry_out(self, name: str, arguments: Mapping[str, Any]) -> Delivered:
        async with self._turn:
            if self._closed is not None:
                raise SeatClosed(self._closed)
            if name == ANSWER.name and self.takes_answer:
                return self._take_answer(arguments)
            if self._refusals >= _REFUSALS:
                raise Busy(f"{_REFUSALS} calls of this question were refused, and no more are looked at: answer it")
            if self._session.calls >= _CALLS:
                raise Busy(f"{_CALLS} calls of this question were carried out, and no more are: answer it")
            return await self._use(name, arguments)

    async def _use(self, name: str, arguments: Mapping[str, Any]) -> Delivered:
        before = self._session.calls
        try:
            text = await self._tools.call(name, arguments)
        except (RolloutError, LratBenchError) as failure:
            # Of no use to an agent, and not for it to read; whoever runs it finds it in the record.
            self._fail(failure)
            raise ToolFailed("the retriever failed, and the question ends with that") from None
        except RuntimeError:
            raise SeatClosed(self._closed or "it has ended") from None
        if self._session.calls > before:
            return Delivered(text)
        self._refusals += 1
        left = self._tools.calls_left
        return Delivered(text, refused=True, spent=left is not None and left <= 0)

    def _take_answer(self, arguments: Mapping[str, Any]) -> Delivered:
        if arguments.keys() != {"answer"} or not isinstance(arguments["answer"], str | None):
            return refusal('an answer is {"answer": TEXT}; null gives up')
        text = arguments["answer"]
        if text is not None and not text.strip():
            return refusal("the answer is empty: give a text, or null to give up")
        self._answer.set_result(None if text is None else encodable(text))
        self._closed = "it has been answered" if text is not None else "the agent has given up"
        said = Delivered(json.dumps({"status": "answered" if text is not None else "given up"}))
        self._accepted = call_digest(ANSWER.name, arguments), said
        return said

    def _fail(self, failure: Exception) -> None:
        self._closed = self._closed or "the retriever failed"
        with suppress(asyncio.InvalidStateError):
            self._answer.set_exception(failure)
            # It may have no reader where the agent answers by printing.
            self._answer.exception()


def _size(task: asyncio.Task[Delivered]) -> int:
    """Characters of a reply; something for one that failed, too."""
    failed = task.cancelled() or task.exception() is not None
    return 1000 if failed else 1000 + len(task.result().text)
