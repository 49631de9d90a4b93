"""`lrat-bench.json` in a model folder: what the model was trained on, how, and how that went."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lrat_bench.lrat.training.checkpoints import is_bare_name
from lrat_bench.lrat.training.recipe import Recipe

__all__ = ["Counts", "EvaluatedRun", "Evaluation", "LossCurve", "ModelRecord", "PairsSource", "Step"]


def _bare(name: str) -> str:
    if not is_bare_name(name):
        raise ValueError(f"{name!r} is no name in the model folder")
    return name


BareName = Annotated[str, AfterValidator(_bare)]
"""Of something in the folder: a record is read from models of others, and what it names is deleted with --fresh."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class PairsSource(_Record):
    """One folder of pairs."""

    name: str = Field(description="of the folder")
    manifest: str = Field(description="SHA-256 of its manifest.json")
    corpus: str | None = Field(description="fingerprint of the corpus that its documents are of; null is not known")
    task: str | None = Field(default=None, description="as typed when mining, without the path")
    rule: str | None = Field(default=None, description="how browses were attributed to queries")
    outcome: str | None = Field(default=None, description="answers of which trajectories: correct, incorrect or all")
    relevance: str | None = Field(default=None, description="who judged relevance; none is nobody")
    tokenizer: str | None = Field(default=None, description="what reasoning was measured in")
    beta: float | None = Field(default=None, description="median length of the reasoning, in tokens")
    mu: float | None = Field(default=None, description="mean raw weight")
    runs: tuple[dict[str, Any], ...] = Field(default=(), description="the runs it was mined from")
    tainted: bool = Field(default=False, description="whether some are runs of evaluation questions")


class Counts(_Record):
    """How many of what."""

    kept: int = Field(description="pairs judged relevant")
    rejected: int = Field(description="pairs judged not relevant")
    undecided: int = Field(default=0, description="browses that could not be judged")
    rows: int = Field(description="pairs trained on")
    questions: int = Field(description="that the rows came from")
    documents: int = Field(description="that training may have read")
    without_weight: int = Field(description="pairs left out because their weight cannot be told")
    without_negatives: int = Field(description="rows that only other rows' documents were held against")
    false_negatives: int = Field(description="negatives taken out because the same question has them as positives")


class EvaluatedRun(_Record):
    """A run whose queries were replayed during training."""

    name: str = Field(description="of the run folder")
    identity: str = Field(description="SHA-256 of what the run is")
    task: str
    split: str
    agent: str
    retriever: str


class Step(_Record):
    """A line of `training_log.jsonl` about one step."""

    kind: Literal["step"] = "step"
    step: int = Field(description="1-based")
    epoch: float = Field(description="how often the rows were gone through")
    loss: float = Field(description="of the joint batch")
    lr: float = Field(description="learning rate of the step")
    grad_norm: float | None = Field(description="before clipping")
    seconds: float = Field(description="of training so far, all commands together")


class Evaluation(_Record):
    """A line of `training_log.jsonl` about one evaluation."""

    kind: Literal["evaluation"] = "evaluation"
    step: int = Field(description="0 is the base model")
    epoch: float
    queries: int = Field(description="replayed")
    pool: int = Field(description="documents that were ranked")
    measures: dict[str, float] = Field(description="mean over queries, evidence being relevant")


class LossCurve(_Record):
    """The loss in short: means over tenths of the steps, those of full batches where there are any."""

    first: float
    last: float
    tenths: tuple[float, ...]


class ModelRecord(_Record):
    """What a trained model is; written last, so that a folder that has it is finished."""

    schema_: Literal["lrat-bench/model/1"] = Field(default="lrat-bench/model/1", alias="schema")
    identity: dict[str, Any] = Field(description="what decides the weights; equal for equal trainings")
    base: str = Field(description="hub name, or name of the folder, of the model that was trained on")
    base_fingerprint: str
    recipe: Recipe
    query_prompt: str
    document_prompt: str
    pairs: tuple[PairsSource, ...]
    counts: Counts
    tainted: bool = Field(description="trained on evaluation questions: its numbers on them say nothing")
    processes: int
    device: str | None = Field(default=None, description="what it was trained on, of the first process")
    precision: str | None = Field(default=None, description="what the recipe's precision was there")
    steps: int
    per_epoch: int
    seconds: float = Field(description="of training, all commands together")
    loss: LossCurve
    evaluations: tuple[Evaluation, ...] = ()
    evaluated: tuple[EvaluatedRun, ...] = Field(default=(), description="whose queries those replayed")
    kept_step: int = Field(description="whose weights these are")
    versions: dict[str, str]
    files: tuple[BareName, ...] = Field(description="what the folder holds of the model")

    def to_dict(self) -> dict[str, Any]:
        """As written."""
        return self.model_dump(mode="json", by_alias=True)
