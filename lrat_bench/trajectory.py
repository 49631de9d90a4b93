"""The trajectory: what happened on one question, as typed steps and a typed status.

One record per (question, repeat), one JSON line each. Every other room reads it and only `agent.session` and
`agent.loop` write it. Document text is not repeated: steps carry ids, the run's manifest the corpus fingerprint.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.files import fingerprint

__all__ = [
    "SCHEMA",
    "UNLISTED",
    "Answer",
    "Browse",
    "Hit",
    "Notice",
    "Search",
    "Status",
    "Step",
    "Think",
    "Trajectory",
    "TurnRecord",
    "Usage",
    "same_query",
]

SCHEMA = "lrat-bench/trajectory/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""

Status = Literal[
    "answered",  # the agent gave its answer of its own accord
    "forced",  # a limit was reached, and the one extra call it was granted gave an answer
    "no_answer",  # it ended, of its own accord or forced, with no text
    "turn_limit",  # a limit was reached and the protocol grants no extra call: turns,
    "call_limit",  # tool calls,
    "token_limit",  # or output tokens
    "time_limit",  # the protocol's seconds ran out
    "context_limit",  # the conversation outgrew the model's context window
    "format_error",  # too many replies in a row that could not be read as a call or an answer
    "refused",  # the provider refused to answer
    "error",  # infrastructure failed; the next run tries again
]


UNLISTED = "+unlisted"
"""End of `Trajectory.origin` where documents were shown that the source does not name: their hits are not there."""


def same_query(query: str) -> str:
    """What is equal for queries that are the same to a session: spaces and case do not make another one."""
    return " ".join(query.split()).casefold()


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Hit(_Record):
    """One document of a result list."""

    docid: str
    score: float | None = Field(description="the retriever's score; null when a format does not carry it")
    rank: int = Field(ge=1, description="1-based position in the retriever's list")
    shown: bool = Field(default=True, description="whether the agent saw it")


class Usage(_Record):
    """Tokens and money as the provider reports them; null is unknown, and unknown is never 0."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    llm_calls: int = 0
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        def total(a: float | None, b: float | None) -> Any:
            return None if a is None or b is None else a + b

        return Usage(
            prompt_tokens=total(self.prompt_tokens, other.prompt_tokens),
            completion_tokens=total(self.completion_tokens, other.completion_tokens),
            reasoning_tokens=total(self.reasoning_tokens, other.reasoning_tokens),
            llm_calls=self.llm_calls + other.llm_calls,
            cost_usd=total(self.cost_usd, other.cost_usd),
        )


class Think(_Record):
    """Reasoning of one turn."""

    kind: Literal["think"] = "think"
    turn: int | None = Field(description="0-based turn; null where turns cannot be seen")
    text: str
    tokens: int | None = Field(default=None, description="length as the provider reports it; mining counts anew")
    source: Literal["text", "summary", "hidden", "none"] = Field(
        default="text", description="whether `text` is the reasoning itself, a summary of it, or withheld"
    )
    censored: bool = Field(default=False, description="cut off by an output limit")


class Search(_Record):
    """One query of one search call; the queries of a list-valued call share (turn, call)."""

    kind: Literal["search"] = "search"
    turn: int | None = Field(description="0-based turn; null where only the tool server was watching")
    call: int = Field(description="0-based position of the call within its turn")
    query: str
    hits: tuple[Hit, ...] = Field(default=(), description="in the order shown")
    duplicate_of: int | None = Field(default=None, description="index in `steps` of the same query, asked before")
    seconds: float = 0.0
    error: str | None = None


class Browse(_Record):
    """One document of one browse call; the documents of a list-valued call share (turn, call)."""

    kind: Literal["browse"] = "browse"
    turn: int | None = Field(description="0-based turn; null where only the tool server was watching")
    call: int = Field(description="0-based position of the call within its turn")
    docid: str
    found: bool
    duplicate_of: int | None = Field(default=None, description="index in `steps` of the same document, read before")
    seconds: float = 0.0
    error: str | None = None


class Notice(_Record):
    """What the harness told the agent: a format error, a spent budget, the request to answer now."""

    kind: Literal["notice"] = "notice"
    turn: int | None
    text: str


class Answer(_Record):
    """The agent's final text."""

    kind: Literal["answer"] = "answer"
    turn: int | None
    text: str


Step = Annotated[Think | Search | Browse | Notice | Answer, Field(discriminator="kind")]


class TurnRecord(_Record):
    """One completion of the model."""

    turn: int
    finish_reason: str | None = None
    text: str | None = Field(default=None, description="visible text beside calls, or cut off; an answer has a step")
    usage: Usage = Usage()
    seconds: float = 0.0
    request: str | None = Field(default=None, description="SHA-256 of the canonical request")
    repaired: int = Field(default=0, description="calls whose arguments had to be mended to be read")
    removed: int = Field(default=0, description="tool results taken out to fit the context window")
    attempts: int = Field(default=1, ge=1, description="calls made for it, those that infrastructure failed included")


class Trajectory(_Record):
    """What happened on one (question, repeat)."""

    schema_: Literal["lrat-bench/trajectory/1"] = Field(default="lrat-bench/trajectory/1", alias="schema")
    task: str
    protocol: str = Field(description="fingerprint of the rollout part of the protocol")
    question_id: str
    repeat: int = Field(default=0, ge=0)
    agent: str
    retriever: str = Field(description="fingerprint of the retriever")
    origin: str | None = Field(default=None, description="source format, when imported")
    status: Status | None = Field(description="null for imports that cannot say")
    answer: str | None = None
    steps: tuple[Step, ...] = ()
    turns: tuple[TurnRecord, ...] = ()
    usage: Usage = Usage()
    seconds: float = 0.0
    attempts: int = Field(
        default=1, ge=1, description="how often the question was tried, infrastructure errors included"
    )
    error: str | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    @property
    def names_documents(self) -> bool:
        """Whether the lists name what they showed; where a source does not, recall is not known."""
        return not (self.origin or "").endswith(UNLISTED)

    @property
    def key(self) -> tuple[str, int]:
        """(question_id, repeat): what identifies the record within a run."""
        return self.question_id, self.repeat

    def to_json(self) -> str:
        """The record as one JSON line, without the line break."""
        return self.model_dump_json(by_alias=True)

    def content(self) -> dict[str, Any]:
        """The record without clock readings and attempts: equal for equal rollouts."""
        record = self.model_dump(mode="json", by_alias=True, exclude={"seconds", "attempts"})
        for item in (*record["steps"], *record["turns"]):
            item.pop("seconds", None)
            item.pop("attempts", None)
        return record

    @property
    def hash(self) -> str:
        """SHA-256 of `content()`: a verdict names the trajectory it judged by it."""
        return fingerprint(self.content())
