"""The loop: ask the model, carry out its calls, show it the results; until it answers or a limit ends it.

One linear history, and every ending is an exception with its reason. The rules:

- All calls of a turn and all entries of a list-valued call are carried out. One that cannot be read is answered with
  what was wrong; it stays in the history.
- What the harness has to say goes into the text of a tool result where there is one: chat templates drop earlier
  reasoning when a user message stands in the middle of a tool loop.
- When turns, calls or tokens are used up, every pending call is answered first, with the request to answer now in
  the last result; then one more completion, with the tools still in the request but not to be called.
- A context window that is about to overflow asks for the answer before the server refuses; one that has overflowed
  loses its oldest results first, and never half of a call and its result.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

from lrat_bench.agent.episode import Episode
from lrat_bench.agent.prompts import render_prompt
from lrat_bench.agent.session import Session
from lrat_bench.agent.tools import describe
from lrat_bench.errors import ContextOverflow, FatalModelError, Halt, ModelRefusal, RolloutFailure, boundary
from lrat_bench.files import encodable
from lrat_bench.model.clock import Clock
from lrat_bench.model.seam import Message, Sampling, Tool, ToolCall, Turn
from lrat_bench.trajectory import Status, Think, TurnRecord, Usage

if TYPE_CHECKING:
    from lrat_bench.agent.agent import Agent

__all__ = ["play"]

_ANSWER_NOW = "No more tools can be called. Give your final answer now, in the form asked for."
_LAST_TURN = "One more turn with tools is left."
_LAST_WORD = "Your next turn is the last: give your final answer in it."
_UNREADABLE = "Your reply was empty. Call a tool, or give your final answer in the form asked for."
_CUT_OFF = "Your reply was cut off by the output limit. Be shorter: call a tool, or give your final answer."

_RESERVE = 1024
"""Tokens kept free for the answer, beside the model's own output limit, when an overflow is foreseen."""
_CHARACTERS_PER_TOKEN = 3
"""Low on purpose: an overflow foreseen too early costs a turn, one foreseen too late the question."""


_NOTHING = Usage(prompt_tokens=0, completion_tokens=0, reasoning_tokens=0, llm_calls=0, cost_usd=0.0)


class _End(Exception):
    """The question is over."""

    def __init__(self, status: Status, answer: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.answer = answer


async def play(question: str, agent: Agent, session: Session, *, seed: int | None = None) -> Episode:
    """Let an agent work on one question.

    Args:
        question: its text.
        agent: the model and its wire format.
        session: the tools, the rules (`session.rollout`) and the log.
        seed: sampling seed of this rollout.

    Returns:
        the episode; infrastructure that fails is one with status `error`.

    Raises:
        UsageError: retriever and corpus do not fit together, the protocol names an unknown prompt, or none of its tools
            can be called in the agent's wire format.
    """
    rollout = session.rollout
    session.presentation = agent.presentation
    tools = agent.tools_under(rollout)
    prompt = render_prompt(rollout.prompt, question=question, tools=describe(tools), current_date=rollout.current_date)
    sampling = agent.sampling_under(rollout, seed=seed)
    clock = Clock(rollout.max_seconds)
    loop = _Loop(agent, session, tools, sampling, agent.format.start(prompt, tools), clock)
    started = time.perf_counter()
    status: Status
    answer: str | None = None
    error: str | None = None
    halt: str | None = None
    try:
        async with clock:
            await loop.run()
    except _End as end:
        status, answer = end.status, end.answer
    except TimeoutError:
        status = "time_limit"
    except ModelRefusal as refusal:
        status, error = "refused", str(refusal)
    except FatalModelError as fatal:
        # What this question has cost is on record all the same.
        status, error = "error", str(fatal)
        halt = f"the model can answer nothing: {fatal}"
    except RolloutFailure as failure:
        status, error = "error", str(failure)
        halt = error if isinstance(failure, Halt) else None
    return Episode(
        status=status,
        answer=answer,
        steps=tuple(session.steps),
        turns=tuple(loop.turns),
        usage=sum((turn.usage for turn in loop.turns), _NOTHING),
        seconds=time.perf_counter() - started,
        error=error,
        halt=halt,
    )


@dataclass(slots=True)
class _Loop:
    agent: Agent
    session: Session
    tools: tuple[Tool, ...]
    sampling: Sampling
    history: list[Message]
    clock: Clock
    turns: list[TurnRecord] = field(default_factory=list)
    format_errors: int = 0

    async def run(self) -> NoReturn:
        while True:
            await self.step()

    async def step(self) -> None:
        """One completion and what follows from it. Raises `_End` when the question is over."""
        try:
            turn = await self.complete(may_call=True)
        except ContextOverflow:
            await self.overflow()
        if turn.calls:
            await self.act(turn)
        elif turn.finish_reason == "content_filter":
            raise ModelRefusal("the provider's filter held the reply back")
        elif turn.finish_reason == "length":
            await self.correct(turn, _CUT_OFF)
        elif turn.text.strip():
            self.session.answer(turn.text, turn=self.number)
            raise _End("answered", turn.text)
        else:
            await self.correct(turn, _UNREADABLE)

    @property
    def number(self) -> int:
        """0-based number of the turn that was completed last."""
        return len(self.turns) - 1

    async def act(self, turn: Turn) -> None:
        """Carry out the calls of a turn and show the results."""
        number = self.number
        # How long a retriever takes must not change a trajectory.
        with self.clock.stopped():
            replies = await self.session.execute(turn.calls, turn=number)
        self.turns[-1] = self.turns[-1].model_copy(update={"repaired": sum(reply.repaired for reply in replies)})
        self.format_errors = 0 if any(reply.readable for reply in replies) else self.format_errors + 1
        for said in (words for reply in replies for words in (reply.refusal, reply.notice) if words):
            self.session.notice(said, turn=number)
        limit = self.limit([reply.text for reply in replies])
        notice = self.notice(limit)
        if notice:
            replies[-1].notice = " ".join(filter(None, (replies[-1].notice, notice)))
            self.session.notice(notice, turn=number)
        self.agent.format.append(self.history, turn, [reply.text for reply in replies])
        if limit:
            await self.finish(limit)

    async def correct(self, turn: Turn, problem: str) -> None:
        """Tell the model that its turn was neither a call nor an answer."""
        self.format_errors += 1
        limit = self.limit([])
        text = " ".join(filter(None, (problem, self.notice(limit))))
        self.session.notice(text, turn=self.number)
        self.agent.format.nudge(self.history, turn, text)
        if limit:
            await self.finish(limit)

    def limit(self, results: list[str]) -> Status | None:
        """The limit that has been reached, as the status that the question has if nothing more is granted."""
        rollout = self.session.rollout
        if self.format_errors >= rollout.max_format_errors:
            return "format_error"
        if len(self.turns) >= rollout.max_turns:
            return "turn_limit"
        if self.session.calls_left is not None and self.session.calls_left <= 0:
            return "call_limit"
        if rollout.max_tokens is not None:
            spent = sum(turn.usage.completion_tokens or 0 for turn in self.turns)
            if spent >= rollout.max_tokens:
                return "token_limit"
        window = self.agent.context_tokens
        last = self.turns[-1].usage
        if window is not None and last.prompt_tokens is not None:
            coming = sum(len(text) for text in results) // _CHARACTERS_PER_TOKEN
            used = last.prompt_tokens + (last.completion_tokens or 0) + coming
            if used + (self.sampling.max_tokens or 0) + _RESERVE > window:
                return "context_limit"
        return None

    def notice(self, limit: Status | None) -> str | None:
        """What the agent is told about its budget, if anything."""
        rollout = self.session.rollout
        if limit:
            return _ANSWER_NOW if self.grants(limit) else None
        last_turn = len(self.turns) == rollout.max_turns - 1
        if not (rollout.notices and last_turn):
            return None
        return _LAST_TURN if rollout.forced_answer else _LAST_WORD

    def grants(self, limit: Status) -> bool:
        """Whether an extra completion is granted after this limit."""
        rollout = self.session.rollout
        return rollout.forced_answer and not (limit == "context_limit" and rollout.overflow == "end")

    async def finish(self, limit: Status) -> NoReturn:
        """The forced answer, where the protocol grants one; else the end."""
        if not self.grants(limit):
            raise _End(limit)
        turn = await self.last()
        if not turn.text.strip():
            raise _End("no_answer")
        self.session.answer(turn.text, turn=self.number)
        raise _End("forced", turn.text)

    async def last(self) -> Turn:
        """The forced completion; a conversation that does not fit is shortened until it does."""
        while True:
            try:
                return await self.complete(may_call=False)
            except ContextOverflow:
                if not self.shrink():
                    raise _End("context_limit") from None

    async def overflow(self) -> NoReturn:
        """The server refused the conversation as too long."""
        if not self.grants("context_limit") or not self.shrink():
            raise _End("context_limit")
        self.session.notice(_ANSWER_NOW, turn=self.number)
        self.agent.format.remind(self.history, _ANSWER_NOW)
        await self.finish("context_limit")

    def shrink(self) -> int:
        """Take results out of the conversation; returns how many."""
        removed = self.agent.format.shrink(self.history)
        if removed and self.turns:
            total = self.turns[-1].removed + removed
            self.turns[-1] = self.turns[-1].model_copy(update={"removed": total})
        return removed

    async def complete(self, *, may_call: bool) -> Turn:
        """One completion, decoded and recorded, its reasoning logged."""
        request = self.agent.format.request(self.history, self.tools, may_call=may_call, sampling=self.sampling)
        started = time.perf_counter()
        number = len(self.turns)
        # All of it is inside: a model that gives something else than a turn has failed, and nothing more.
        with boundary("model"):
            given = _clean(await self.agent.model.complete(request))
            turn = self.agent.format.decode(given, number=number, may_call=may_call)
            record = TurnRecord(
                turn=number,
                finish_reason=turn.finish_reason,
                text=turn.text if turn.text and (turn.calls or turn.finish_reason == "length") else None,
                usage=turn.usage,
                seconds=time.perf_counter() - started,
                request=request.fingerprint,
                attempts=turn.attempts,
            )
            thought = Think(
                turn=number,
                text=turn.reasoning or "",
                tokens=turn.usage.reasoning_tokens,
                source=turn.reasoning_source,
                censored=turn.finish_reason == "length",
            )
        self.turns.append(record)
        if turn.reasoning is not None or turn.reasoning_source == "hidden":
            self.session.think(thought)
        self.clock.check()
        return turn


def _clean(turn: Turn) -> Turn:
    """The turn with text that can be written to a file."""
    calls = tuple(ToolCall(encodable(call.id), encodable(call.name), encodable(call.arguments)) for call in turn.calls)
    reasoning, reason = (None if text is None else encodable(text) for text in (turn.reasoning, turn.finish_reason))
    return replace(turn, text=encodable(turn.text), reasoning=reasoning, calls=calls, finish_reason=reason)
