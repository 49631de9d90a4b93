"""The model: a conversation in, one turn out, by rules."""

from __future__ import annotations

import json
from dataclasses import asdict

from lrat_bench.files import fingerprint
from lrat_bench.model.heuristic.answer import conclude
from lrat_bench.model.heuristic.notebook import Notebook
from lrat_bench.model.heuristic.plan import Answer, Open, Search, Settings, next_move
from lrat_bench.model.heuristic.question import read_question
from lrat_bench.model.heuristic.reasoning import final_text, reason
from lrat_bench.model.heuristic.support import Support
from lrat_bench.model.heuristic.text import count_tokens
from lrat_bench.model.seam import Request, ToolCall, Turn
from lrat_bench.trajectory import Usage

__all__ = ["Heuristic"]

_VERSION = 1
"""Grows with every change that can alter a turn."""


class Heuristic:
    """An agent's brain made of rules: no key, no weights, no network.

    It completes the same conversation as a language model, a pure function of the request's messages and tools: it
    splits the question into clauses, searches for them, opens the most promising hit, quotes what a document says
    about each clause, searches on with the names it found, and answers with the best-supported candidate. It knows
    no task and no retriever. Expect a weak floor on real questions, not an agent to compare with.

    Token counts are an approximation from white-space words; cost is 0.

    Args:
        settings: thresholds; part of the fingerprint.
    """

    name = "heuristic"

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.fingerprint = fingerprint({"model": self.name, "version": _VERSION, **asdict(self.settings)})

    async def complete(self, request: Request) -> Turn:
        """The next move in this conversation."""
        notes = Notebook.of(request.messages)
        support = Support(read_question(notes.question), notes)
        tools = frozenset() if request.tool_choice == "none" else frozenset(tool.name for tool in request.tools)
        move = next_move(support, tools, self.settings)
        reasoning = reason(support, move, self.settings)
        if isinstance(move, Answer):
            text = final_text(support, conclude(support), move.why)
            calls: tuple[ToolCall, ...] = ()
        else:
            text = ""
            calls = (_call(move, number=len(notes.queries) + len(notes.opened)),)
        return Turn(
            text=text,
            reasoning=reasoning,
            calls=calls,
            finish_reason="tool_calls" if calls else "stop",
            usage=_usage(request, reasoning, text, calls),
        )

    async def close(self) -> None:
        """Nothing is held."""


def _call(move: Search | Open, *, number: int) -> ToolCall:
    name, arguments = (
        ("search", {"query": move.query}) if isinstance(move, Search) else ("get_document", {"docid": move.docid})
    )
    return ToolCall(f"call-{number}", name, json.dumps(arguments, ensure_ascii=False))


def _usage(request: Request, reasoning: str, text: str, calls: tuple[ToolCall, ...]) -> Usage:
    prompt = sum(
        count_tokens(message.content)
        + count_tokens(message.reasoning or "")
        + sum(count_tokens(call.arguments) for call in message.calls)
        for message in request.messages
    )
    thought = count_tokens(reasoning)
    written = thought + count_tokens(text) + sum(count_tokens(call.arguments) for call in calls)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=written,
        reasoning_tokens=thought,
        llm_calls=1,
        cost_usd=0.0,
    )
