"""What became of a sweep: one record a cell, in `sweep.json`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["NOT_CHOSEN", "CellOutcome", "State", "SweepRecord"]

State = Literal["done", "unresolved", "failed", "owed"]
"""Complete; some questions are ungraded or errored; stopped early or not possible; not reached, or not chosen."""


NOT_CHOSEN = "not chosen by --only"
"""The problem of a cell that this command was not to run."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class CellOutcome(_Record):
    """One cell."""

    name: str
    task: str
    agent: str
    retriever: str
    seed: int
    knobs: dict[str, Any]
    training_size: int | None = Field(description="of the retriever; null where it has none")
    family: str = Field(description="of the retriever, in plots against training size")
    run: str | None = Field(description="its folder, from that of the sweep; null where it cannot be run")
    scored: bool = Field(description="whether the folder holds scores")
    state: State
    problem: str | None = Field(description="why it is not done")


class SweepRecord(_Record):
    """The content of `sweep.json`."""

    schema_: Literal["lrat-bench/sweep/1"] = Field(default="lrat-bench/sweep/1", alias="schema")
    file: str = Field(description="name of the file that it was made from")
    cells: tuple[CellOutcome, ...]
    spent_usd: float = Field(ge=0, description="by all cells, in all commands")

    @property
    def missing(self) -> tuple[CellOutcome, ...]:
        """The cells that are not done."""
        return tuple(cell for cell in self.cells if cell.state != "done")
