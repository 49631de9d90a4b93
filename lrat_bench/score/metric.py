"""The metric: one number as a file holds it, with what it stands on and what it means."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.score.metrics.measure import Direction

__all__ = ["Metric"]


class Metric(BaseModel):
    """One number, with what it stands on and what it means."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    name: str
    value: float | None = Field(description="mean over the n, unless the definition says otherwise; null when n is 0")
    n: int = Field(ge=0, description="how many (question, repeat) it is of")
    low: float | None = Field(description="lower end of the 95 % interval; null when the data cannot say")
    high: float | None = Field(description="upper end of the 95 % interval")
    unit: str
    direction: Direction = Field(description="which way is better")
    definition: str
