"""The seam to a language model: a conversation goes in, one turn comes out.

Agents, judges and filters all speak through it, and an implementation knows nothing else: not the task, not the
retriever, not the wire format of the agent (`agent.formats`), which decides what the messages say.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

from lrat_bench.files import fingerprint
from lrat_bench.trajectory import Usage

__all__ = ["Message", "Model", "Request", "Sampling", "Tool", "ToolCall", "Turn"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it; `arguments` is its JSON text, unparsed and possibly broken."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Message:
    """One message of the conversation.

    Attributes:
        role: who speaks.
        content: the text.
        reasoning: an assistant's reasoning, carried back verbatim within a tool loop.
        calls: the calls that an assistant message makes.
        call_id: the call that a tool message answers.
        extra: `Turn.extra` of the turn that an assistant message repeats, for the model that gave it.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning: str | None = None
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every field; kept, so that a growing conversation is hashed message by message."""
        calls = [[call.id, call.name, call.arguments] for call in self.calls]
        extra = [self.extra] if self.extra else []
        return fingerprint([self.role, self.content, self.reasoning, calls, self.call_id, *extra])


@dataclass(frozen=True)
class Tool:
    """A tool on offer; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, Any]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every field."""
        return fingerprint([self.name, self.description, self.parameters])


@dataclass(frozen=True)
class Sampling:
    """Sampling values, all sent as given; None leaves the server's own default in force."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every value."""
        return fingerprint({value.name: getattr(self, value.name) for value in fields(self)})


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that one completion depends on.

    Attributes:
        messages: the conversation.
        tools: on offer.
        tool_choice: whether they may be called.
        sampling: values to send.
        raw: a text to be continued, without roles: the content of the only message.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none"] = "auto"
    sampling: Sampling = Sampling()
    raw: bool = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the request; equal requests have equal ones, in any process."""
        return fingerprint(
            [
                [message.fingerprint for message in self.messages],
                [tool.fingerprint for tool in self.tools],
                self.tool_choice,
                self.sampling.fingerprint,
                *(["raw"] if self.raw else []),
            ]
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One completion.

    Attributes:
        text: the visible text.
        reasoning: the reasoning text, None where the model gives none.
        reasoning_source: whether `reasoning` is the text itself, a summary, or withheld.
        calls: tool calls, in the model's order.
        finish_reason: "stop", "tool_calls", "length", … as the server says it.
        usage: tokens and cost of this completion.
        extra: what a provider needs back unchanged (signatures); opaque to everything else, and plain JSON.
        attempts: calls that were made for it, failed ones included.
    """

    text: str = ""
    reasoning: str | None = None
    reasoning_source: Literal["text", "summary", "hidden", "none"] = "text"
    calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = "stop"
    usage: Usage = Usage(llm_calls=1)
    extra: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1


@runtime_checkable
class Model(Protocol):
    """Completes a conversation.

    Attributes:
        name: as it stands in tables.
        fingerprint: of all that changes what it says: model id, revision, settings.
    """

    name: str
    fingerprint: str

    async def complete(self, request: Request) -> Turn:
        """One completion.

        Raises:
            ContextOverflow: the conversation does not fit.
            ModelRefusal: the provider declines.
            FatalModelError: no request can succeed.
            RolloutFailure: infrastructure failed, after the model's own retries.
            Halt: so has everything that was tried meanwhile; nothing else should be started.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; called once, when the run ends."""
        ...
