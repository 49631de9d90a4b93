"""The protocol: every knob that changes a score, in two parts with a fingerprint each.

The *rollout* part changes what an agent does, so it belongs to the identity of a run. The *scoring* part changes
only what is made of it, so a finished run can be scored again under another one. Two numbers can be compared when
both fingerprints agree. A knob that is not here must not exist: no default is hidden in code.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lrat_bench.files import fingerprint
from lrat_bench.values import Texts, listed

__all__ = ["PinnedSampling", "Protocol", "Rollout", "Scoring"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every field of this part."""
        return fingerprint(self.model_dump(mode="json"))


class PinnedSampling(BaseModel):
    """Sampling values that a protocol pins, whatever the agent's own are."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = None
    presence_penalty: float | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stop: Texts | None = None


class Rollout(_Part):
    """What the agent is given and allowed."""

    tools: Annotated[tuple[Literal["search", "get_document"], ...], BeforeValidator(listed)] = Field(
        default=("search", "get_document"), min_length=1, description="tools offered, in the order presented"
    )
    k: int = Field(default=10, ge=1, description="documents per result list")
    snippet_tokens: int = Field(default=64, ge=1, description="length of a snippet: the document's first tokens")
    snippet_tokenizer: str = Field(
        default="regex-v1", description="counts them: a built-in name, a tokenizer file, or name@revision"
    )
    order: Literal["ranked", "shuffled"] = Field(
        default="ranked", description="order in which a list is shown: as ranked, or shuffled by (question, query)"
    )
    passage_tokens: int | None = Field(
        default=None, ge=1, description="how much of a document a dense retriever encodes; null is the retriever's own"
    )
    document_tokens: int | None = Field(
        default=None, ge=1, description="cut of a browsed document; null shows it whole"
    )
    rendering: Literal["json-v1"] = Field(default="json-v1", description="how results are put into text")
    queries_per_call: int = Field(default=5, ge=1, description="entries of a list-valued call that are carried out")
    duplicates: Literal["serve", "silent"] = Field(
        default="serve",
        description="a repeated call is served again, with (serve) or without (silent) a sentence saying so",
    )
    overflow: Literal["force", "end"] = Field(
        default="force",
        description="context window full: drop the oldest results and ask for the answer, or end the question",
    )
    max_turns: int = Field(default=50, ge=1, description="completions before the forced one")
    max_calls: int | None = Field(default=None, ge=1, description="tool calls that are carried out")
    max_tokens: int | None = Field(default=None, ge=1, description="completion tokens over the whole question")
    max_seconds: float | None = Field(default=None, gt=0, description="the model's time; tools stop the clock")
    max_format_errors: int = Field(default=3, ge=1, description="unreadable replies in a row")
    notices: bool = Field(default=True, description="say in the result before it that the next turn is the last one")
    forced_answer: bool = Field(default=True, description="one extra call, without tools, when a limit is reached")
    prompt: str = Field(default="research-v1", description="name of the prompt")
    current_date: str | None = Field(default=None, description="date told to the agent; null tells none")
    sampling: PinnedSampling = Field(
        default=PinnedSampling(), description="sampling values that the protocol pins; null is the agent's own"
    )


class Scoring(_Part):
    """How an answer is judged."""

    judge: str = Field(default="exact", description="name of the judge")
    rubric: str | None = Field(default=None, description="name of the rubric, for judges that have several")
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the judge")


class Protocol(BaseModel):
    """A named pair of rollout and scoring."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "default"
    summary: str = Field(default="", description="one line for listings; not part of a fingerprint")
    rollout: Rollout = Rollout()
    scoring: Scoring = Scoring()
