"""Agents that are functions: given the question and the tools, they return an answer.

    async def agent(question: str, tools: Tools) -> str:
        found = await tools.search(question)
        return f"Exact Answer: {found[0].docid}"

Whatever drives the function (a framework, another program, plain code), all it can do to the corpus goes through
`Tools`, and so through the session: the same log, budgets and results as for a model in our loop.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.agent.episode import Episode, Player
from lrat_bench.agent.function_tools import BudgetSpent, Found, Tools
from lrat_bench.agent.own_task import in_own_task
from lrat_bench.agent.session import Session
from lrat_bench.errors import ContextOverflow, FatalModelError, Halt, ModelRefusal, RolloutFailure, UsageError, boundary
from lrat_bench.files import encodable, fingerprint, sha256_file
from lrat_bench.model.clock import Clock
from lrat_bench.trajectory import Status, Usage

__all__ = ["AgentFunction", "BudgetSpent", "Found", "FunctionAgent", "Tools", "as_agent"]


_log = logging.getLogger("lrat_bench.agent")

AgentFunction = Callable[[str, Tools], Awaitable[str | None]]
"""(question, tools) → answer, or None for none."""


@dataclass(frozen=True)
class FunctionAgent:
    """Beside `Agent`, the other kind of player.

    Attributes:
        name: as it stands in tables and folder names.
        function: answers questions.
        fingerprint: of all that changes what it does; None where that cannot be known, and then a run is not rankable.
    """

    name: str
    function: AgentFunction
    fingerprint: str | None = None

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {"kind": "function", "name": self.name, "fingerprint": self.fingerprint}

    async def play(self, question: str, session: Session, *, seed: int | None = None) -> Episode:
        """Let the function answer one question.

        What it raises ends the question as `error`; a few exceptions say more: `BudgetSpent` (`call_limit`),
        `ContextOverflow` and `ModelRefusal`. Its own time is limited by the protocol's seconds, that of tools is not; a
        function that goes on behind that is left behind.

        Raises:
            UsageError: the parts do not fit together.
        """
        clock = Clock(session.rollout.max_seconds)
        tools = Tools(session, clock, seed=seed)
        started = time.perf_counter()
        status: Status = "no_answer"
        answer: str | None = None
        error: str | None = None
        halt: str | None = None
        try:
            text = await self._answer(question, tools, clock)
            if text is not None:
                session.answer(text)
                status, answer = "answered", text
        except TimeoutError:
            status = "time_limit"
        except BudgetSpent:
            status = "call_limit"
        except ContextOverflow:
            status = "context_limit"
        except ModelRefusal as refusal:
            status, error = "refused", str(refusal)
        except FatalModelError as fatal:
            status, error = "error", str(fatal)
            _log_cause(session, fatal)
            halt = f"the agent can answer nothing: {fatal}"
        except RolloutFailure as failure:
            status, error = "error", str(failure)
            halt = error if isinstance(failure, Halt) else None
            _log_cause(session, failure)
        return Episode(
            status=status,
            answer=answer,
            steps=tuple(session.steps),
            turns=(),
            usage=tools.reported or Usage(),
            seconds=time.perf_counter() - started,
            error=error,
            halt=halt,
        )

    async def _answer(self, question: str, tools: Tools, clock: Clock) -> str | None:
        """What the function returns; what it raises is its failure, unless a tool failed before."""
        try:
            async with clock:
                text = await in_own_task(self._call(question, tools), before_end=tools.close)
                clock.check()
        except (RolloutFailure, TimeoutError) as failure:
            tools.check()
            if _out_of_calls(failure.__cause__):
                raise BudgetSpent from None
            raise
        finally:
            tools.close()
        tools.check()
        return text

    async def _call(self, question: str, tools: Tools) -> str | None:
        """Call the function; also what is meant to end more than one question ends no more than that."""
        try:
            with boundary("agent"):
                return _text(await self.function(question, tools))
        except Exception:
            raise
        except BaseException as error:
            if tools.over and isinstance(error, asyncio.CancelledError | GeneratorExit):
                raise
            said = f": {error}" if str(error) else ""
            raise RolloutFailure(f"agent: the function raised {type(error).__name__}{said}") from error

    async def close(self) -> None:
        """Close the function, where it is an object with an async `close`."""
        close = getattr(self.function, "close", None)
        if inspect.iscoroutinefunction(close):
            await close()


def as_agent(found: Any, spec: str) -> Player | None:
    """The player that an object is or makes: an async function of (question, tools), or one of the user's own class.

    Args:
        found: what `module:object` gave.
        spec: how the user named it.

    Returns:
        the player; None where the object is something else (an `Agent`, a model, a factory).

    Raises:
        UsageError: an async function does not take (question, tools).
    """
    if isinstance(found, type):
        return None
    if _is_player(found):
        return found  # type: ignore[no-any-return]
    if not callable(found):
        return None
    if not (inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__)):
        if _takes(found, 2) and not _takes(found, 1):
            raise UsageError(f"agent {spec!r} must be async: write async def, and await the tools")
        return None
    if not _takes(found, 2):
        raise UsageError(f"agent {spec!r} must take two arguments, (question, tools)")
    own = getattr(found, "name", None)
    return FunctionAgent(own if isinstance(own, str) and own else spec, found, _fingerprint(found, spec))


def _takes(function: Any, many: int) -> bool:
    """Whether so many arguments, in order, can be given."""
    try:
        inspect.signature(function).bind(*range(many))
    except (TypeError, ValueError):
        return False
    return True


def _is_player(found: Any) -> bool:
    from lrat_bench.agent.agent import Agent

    if isinstance(found, Agent):
        return False
    return all(hasattr(found, name) for name in ("name", "fingerprint", "describe", "play", "close"))


def _fingerprint(found: Any, spec: str) -> str | None:
    """Its own word; else its name and the source of the modules that it and `spec` name."""
    if hasattr(found, "fingerprint"):
        return None if found.fingerprint is None else str(found.fingerprint)
    named = found if hasattr(found, "__qualname__") else type(found)
    modules = sorted({named.__module__, *([spec.partition(":")[0]] if ":" in spec else [])})
    sources = {name: _source_hash(name) for name in modules}
    if None in sources.values():
        return None
    return fingerprint([f"{named.__module__}:{named.__qualname__}", sources])


def _source_hash(module: str) -> str | None:
    """SHA-256 of a module's source; None where there is none, as in a notebook."""
    try:
        file = inspect.getsourcefile(sys.modules[module])
        return None if file is None else sha256_file(Path(file))
    except (KeyError, TypeError, OSError):
        return None


def _log_cause(session: Session, failure: Exception) -> None:
    """Say where it was raised: the record has its message alone, and whoever wrote the function needs the line."""
    if failure.__cause__ is not None:
        _log.info("%s: where it failed", session.question_id, exc_info=failure.__cause__)


def _out_of_calls(cause: BaseException | None) -> bool:
    """Whether nothing but spent calls ended the function; tasks of a group end together."""
    if isinstance(cause, BaseExceptionGroup):
        return all(map(_out_of_calls, cause.exceptions))
    return isinstance(cause, BudgetSpent)


def _text(answer: Any) -> str | None:
    """What the function returned, as an answer."""
    if answer is None:
        return None
    if not isinstance(answer, str):
        raise TypeError(f"the function returned a {type(answer).__name__}, not a text")
    return encodable(answer) if answer.strip() else None
