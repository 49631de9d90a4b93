"""The pair: one query, the document that an agent opened for it, and those of the same list that it did not."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SCHEMA", "Pair", "Rule"]

SCHEMA = "lrat-bench/pair/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""

Rule = Literal["paper", "attributed", "lrat-code"]
"""How a browse is attributed to a query; see `lrat_bench.lrat.mining`."""


class Pair(BaseModel):
    """One training example, by ids; texts are joined from the corpus when training."""

    schema_: Literal["lrat-bench/pair/1"] = Field(default="lrat-bench/pair/1", alias="schema")
    query: str = Field(description="as the agent put it")
    pos_id: str = Field(description="the document that was browsed")
    neg_ids: tuple[str, ...] = Field(description="documents that were shown and not browsed, best first")
    run: str = Field(description="name of the run folder, or of the file it was imported from")
    question_id: str
    repeat: int = Field(default=0, ge=0)
    turn: int | None = Field(description="0-based turn of the browse")
    step: int = Field(ge=0, description="index of the browse in the trajectory's steps")
    correct: bool | None = Field(description="whether the trajectory's answer was judged correct; null is not known")
    satisfied: bool | None = Field(
        default=None, description="whether the reasoning finds the document relevant; null is not judged"
    )
    reasoning_tokens: int | None = Field(
        default=None, ge=0, description="length of the reasoning behind the browse; null where there is none to measure"
    )
    censored: bool = Field(default=False, description="that reasoning was cut off: its length is a lower bound")
    shared: int = Field(default=1, ge=1, description="documents browsed in the same turn, which share the reasoning")
    weight: float | None = Field(
        default=None, ge=0, description="relevance intensity, 1 on average; null where it cannot be told"
    )

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    def to_json(self) -> str:
        """The record as one JSON line, without the line break."""
        return self.model_dump_json(by_alias=True)
