"""A published figure: one number of a paper, with all that a run must share to be held against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Column", "Figure", "Kind", "Party", "Row", "TableFile", "Unit"]

Kind = Literal["run", "retrieval"]
"""What gives such a figure: an agent's run, or a retriever alone."""

Unit = Literal["%", "share", "steps", "calls", "citations", "trajectories", "ratio"]
"""As published. `%` is a share times 100; every other unit is that of our metric."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Party(_Record):
    """An agent, a retriever or a judge, as a paper names it and as it is named here."""

    label: str = Field(description="as the paper has it")
    name: str | None = Field(description="what --agent, --retriever or --judge takes; null where nothing does")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="of the retriever, where the figure rests on others than the default"
    )
    billions: float | None = Field(default=None, gt=0, description="parameters in 10⁹; null where unknown")
    prepare: tuple[str, ...] = Field(default=(), description="commands that make it, where it cannot be fetched")
    note: str = Field(default="", description="what to know of it")


class Column(_Record):
    """What a column of a table measures, on what."""

    header: str = Field(description="as it stands above the numbers here")
    task: str
    protocol: str = Field(description="of that task; of a retrieval, the one whose passage_tokens count")
    by: Kind = "run"
    judge: str | None = Field(default=None, description="where it is not the protocol's; matters to what is judged")
    metric: str | None = Field(description="ours; null where no metric of a run says it")
    peer: str | None = Field(default=None, description="the number of the paper's own evaluator, which is compared")
    unit: Unit
    decimals: int = Field(ge=0, description="published")
    n: int | None = Field(default=None, ge=1, description="published; null where the paper does not say")
    rate: bool = Field(default=False, description="whether it is a share of n questions, each right or wrong")
    judged: bool = Field(default=False, description="whether it rests on what a judge says")
    plus_minus: float | None = Field(default=None, gt=0, description="of a value read from a plot; null where printed")


class Row(_Record):
    """The numbers of one agent and retriever."""

    agent: str | None = Field(default=None, description="key of an agent, or its name; null of a retriever alone")
    retriever: str = Field(description="key of a retriever, or its name")
    values: dict[str, float] = Field(min_length=1, description="column → value as published")
    cost_usd: float | None = Field(default=None, ge=0, description="published, of all questions")


class TableFile(_Record):
    """The content of a file of figures: a table or a plot of a paper."""

    paper: str = Field(description="title, venue or year")
    short: str = Field(description="what the paper is called in a listing")
    place: str = Field(description="the table or figure")
    summary: str = Field(description="one line for listings")
    source: str = Field(description="where the numbers were read")
    notes: tuple[str, ...] = Field(default=(), description="what to know before comparing, one line each")
    agents: dict[str, Party] = Field(default_factory=dict, description="beside those of parties.yaml")
    retrievers: dict[str, Party] = Field(default_factory=dict, description="beside those of parties.yaml")
    columns: dict[str, Column] = Field(min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)


class Figure(_Record):
    """One published number."""

    id: str = Field(description="table/agent/retriever/column")
    paper: str
    place: str
    source: str
    column: str
    measures: Column
    agent: Party | None
    retriever: Party
    judge: str = Field(description="name of the judge")
    value: float = Field(description="as published, in the unit of the column")

    @property
    def scale(self) -> float:
        """What our metric is multiplied by to be in the published unit."""
        return 100.0 if self.measures.unit == "%" else 1.0

    @property
    def tolerance(self) -> float:
        """How far the published value may be from the number that was rounded or read, in the published unit."""
        read = self.measures.plus_minus
        return 0.5 * 10.0**-self.measures.decimals if read is None else read
