"""One question's tools: everything an agent can do to the corpus, and the log of what it did.

The session alone reads calls, deduplicates them, enforces the call budget, cuts snippets and documents, and writes
search, browse and answer steps; so whoever drives it (our loop, a Python callable, a server) leaves the same record
for the same calls. It never decides what to ask.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from lrat_bench.agent.order import as_shown
from lrat_bench.agent.presentation import CANONICAL, Presentation
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.reading import ReadCall, Unreadable, read_call
from lrat_bench.agent.rendering import Block, DocumentBlock, ErrorBlock, SearchBlock, render
from lrat_bench.errors import UsageError
from lrat_bench.model.seam import ToolCall
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.task.protocol import Rollout
from lrat_bench.trajectory import Answer, Browse, Hit, Notice, Search, Step, Think, same_query

__all__ = ["Reply", "SearchFunction", "Session"]

SearchFunction = Callable[[str, int, SearchContext], Awaitable[list[Ranked]]]
"""(query, k, context) → ranking; raises `RolloutFailure` where the retriever fails."""


@dataclass(slots=True)
class Reply:
    """The answer to one tool call.

    Attributes:
        blocks: what is rendered.
        readable: whether it was understood.
        repaired: whether its JSON had to be mended for that.
        notice: what the harness says beside the results.
        refusal: why the call as a whole was not carried out.
    """

    blocks: list[Block]
    readable: bool = True
    repaired: bool = False
    notice: str | None = None
    refusal: str | None = None

    @property
    def text(self) -> str:
        """What the agent reads."""
        return render(self.blocks, self.notice)


@dataclass(slots=True)
class _Entry:
    """One query or docid of one call, on its way to becoming a step."""

    call: int
    tool: str
    value: str
    duplicate_of: int | None
    reply: Reply
    step: Search | Browse | None = None


@dataclass(slots=True)
class Session:
    """The tools and the log of one question.

    Attributes:
        question_id: told to the retriever as context.
        rollout: the rules.
        search: the retriever, usually a micro-batcher's `search`.
        reader: gives snippets and documents.
        presentation: the names and arguments under which the agent knows the tools.
        steps: the log so far.
        calls: tool calls carried out so far.
    """

    question_id: str
    rollout: Rollout
    search: SearchFunction
    reader: Reader
    presentation: Presentation = field(default_factory=lambda: CANONICAL)
    steps: list[Step] = field(default_factory=list)
    calls: int = 0
    _asked: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    @property
    def calls_left(self) -> int | None:
        """Calls that may still be carried out; None where the protocol sets no limit."""
        return None if self.rollout.max_calls is None else self.rollout.max_calls - self.calls

    async def execute(self, calls: Sequence[ToolCall], *, turn: int | None = None) -> list[Reply]:
        """Carry out the calls of one turn, side by side, and log them in the order given.

        Turns that come at the same time are carried out one after the other, since a step says by its place in the log
        which earlier one it repeats. Without a turn, calls are numbered through the question, each a step of its own.

        Raises:
            RolloutFailure: the retriever or the corpus failed; nothing of this turn is logged.
            UsageError: the retriever returned a document that the corpus lacks.
        """
        async with self._turn:
            first = self._asked if turn is None else 0
            self._asked += len(calls)
            entries: list[_Entry] = []
            replies = [self._plan(position, call, entries) for position, call in enumerate(calls, first)]
            context = SearchContext(self.question_id, frozenset(self._seen))
            try:
                await asyncio.gather(*(self._carry_out(entry, turn, context) for entry in entries))
            except BaseException:
                # What was not carried out is no call that a later one could repeat.
                self._known = {key: place for key, place in self._known.items() if place < len(self.steps)}
                raise
            for entry in entries:
                self._log(entry)
            return replies

    def think(self, step: Think) -> None:
        """Log reasoning."""
        self.steps.append(step)

    def notice(self, text: str, *, turn: int | None = None) -> None:
        """Log what the harness told the agent."""
        self.steps.append(Notice(turn=turn, text=text))

    def answer(self, text: str, *, turn: int | None = None) -> None:
        """Log the final answer."""
        self.steps.append(Answer(turn=turn, text=text))

    def _plan(self, position: int, call: ToolCall, entries: list[_Entry]) -> Reply:
        read = read_call(call, self.rollout.tools, self.presentation)
        if isinstance(read, Unreadable):
            return Reply([ErrorBlock(read.problem)], readable=False, refusal=read.problem)
        if self.calls_left is not None and self.calls_left <= 0:
            spent = f"The budget of {self.rollout.max_calls} tool calls is spent."
            return Reply([ErrorBlock(spent)], refusal=spent)
        self.calls += 1
        reply = Reply([], repaired=read.repaired)
        kept = read.entries[: self.rollout.queries_per_call]
        for value in kept:
            entries.append(self._entry(position, read, value, reply, entries))
        if len(kept) < len(read.entries):
            reply.notice = f"Only the first {len(kept)} of {len(read.entries)} entries of this call were carried out."
        return reply

    def _entry(self, position: int, read: ReadCall, value: str, reply: Reply, before: list[_Entry]) -> _Entry:
        key = (read.tool, same_query(value) if read.tool == "search" else value)
        known = self._known.get(key)
        if known is None:
            self._known[key] = len(self.steps) + len(before)
        return _Entry(position, read.tool, value, known, reply)

    async def _carry_out(self, entry: _Entry, turn: int | None, context: SearchContext) -> None:
        started = time.perf_counter()
        if entry.tool == "search":
            ranking = [] if entry.duplicate_of is not None else await self.search(entry.value, self.rollout.k, context)
            hits = [Hit(docid=docid, score=score, rank=n) for n, (docid, score) in enumerate(ranking, 1)]
            entry.step = Search(
                turn=turn,
                call=entry.call,
                query=entry.value,
                hits=as_shown(hits, self.rollout, question_id=self.question_id, query=entry.value),
                duplicate_of=entry.duplicate_of,
                seconds=time.perf_counter() - started,
            )
            return
        found = entry.value in self.reader
        entry.step = Browse(
            turn=turn,
            call=entry.call,
            docid=entry.value,
            found=found,
            duplicate_of=entry.duplicate_of,
            seconds=time.perf_counter() - started,
            error=None if found else "not in the corpus",
        )

    def _log(self, entry: _Entry) -> None:
        step = entry.step
        if isinstance(step, Search):
            if step.duplicate_of is not None:
                original = self.steps[step.duplicate_of]
                assert isinstance(original, Search)
                step = step.model_copy(update={"hits": original.hits})
            self._seen.update(hit.docid for hit in step.hits)
            self.steps.append(step)
            entry.reply.blocks.append(self._search_block(step))
        elif isinstance(step, Browse):
            self._seen.add(step.docid)
            self.steps.append(step)
            entry.reply.blocks.append(self._document_block(step))

    def _search_block(self, step: Search) -> SearchBlock:
        # Scores would tell in what order a shuffled list was ranked.
        scored = self.rollout.order == "ranked"
        shown = tuple((hit.docid, hit.score if scored else None, self._snippet(hit.docid)) for hit in step.hits)
        return SearchBlock(step.query, shown, self._note(step, "query", "results unchanged"))

    def _snippet(self, docid: str) -> str:
        text = self.reader.snippet(docid)
        if text is None:
            raise UsageError(
                f"the retriever returned document {docid!r}, which the corpus lacks: its index was built from another "
                "corpus; build it again from this one"
            )
        return text

    def _document_block(self, step: Browse) -> Block:
        text = self.reader.document(step.docid) if step.found else None
        if text is None:
            return ErrorBlock("There is no document of this id; use a docid that a search gave.", ("docid", step.docid))
        return DocumentBlock(step.docid, text, self._note(step, "document", "text unchanged"))

    def _note(self, step: Search | Browse, what: str, unchanged: str) -> str | None:
        if step.duplicate_of is None or self.rollout.duplicates == "silent":
            return None
        first = self.steps[step.duplicate_of].turn
        when = "before" if first is None else f"as in turn {first + 1}"
        return f"Same {what} {when}; {unchanged}."
