"""The recipe: every number that training depends on, with the paper's as defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.values import plainly

__all__ = ["PRESETS", "Normaliser", "Precision", "Recipe", "Stage", "make_recipe"]

Stage = Literal["naive", "filter", "reweight"]
"""`naive`: every browsed document is a positive, weight 1. `filter`: those that the reasoning found relevant, weight 1.
`reweight`: the same, with their relevance intensity as weight. The steps of the paper's Figure 7."""

Normaliser = Literal["mean", "weight-sum"]
"""What the weighted sum is divided by: the number of rows, as in the paper, or their weights, as in its code."""


Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""Of the arithmetic; weights stay float32. `auto` is bfloat16 on a GPU that has it."""


class Recipe(BaseModel):
    """How a model is trained. The defaults are those of LRAT (Section 5), which trained Qwen3-Embedding-0.6B."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    stage: Stage = Field(default="reweight", description="which pairs, and whether weighted")
    epochs: int = Field(default=2, ge=1)
    lr: float = Field(default=1e-6, gt=0, description="peak learning rate of AdamW; rises linearly, then falls to 0")
    batch: int = Field(default=32, ge=1, description="rows of one step, over all processes together")
    group: int = Field(default=10, ge=2, description="documents of a row: its positive and group - 1 hard negatives")
    temperature: float = Field(default=0.02, gt=0, description="τ of InfoNCE: cosines are divided by it")
    query_tokens: int = Field(default=512, ge=2, description="longest query, prompt included")
    passage_tokens: int = Field(default=512, ge=2, description="longest document, prompt included")
    normaliser: Normaliser = Field(default="mean", description="rows (the paper) or Σw (its code)")
    in_batch: bool = Field(default=True, description="whether the documents of the other rows are negatives too")
    cross_device: bool = Field(default=True, description="whether those of the other processes' rows are")
    mini_batch: int | None = Field(
        default=None, ge=1, description="GradCache: texts encoded at a time; null encodes a batch at once"
    )
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, ge=0, description="gradients are clipped to it; 0 does not clip")
    precision: Precision = Field(
        default="auto", description="of the arithmetic; weights stay float32. auto: bfloat16 on a GPU that has it"
    )
    gradient_checkpointing: bool = Field(default=False, description="less memory, one more forward pass")
    seed: int = Field(default=0, ge=0, description="of the order of rows, the negatives drawn, and dropout")
    shuffle: Literal["positives", "weights"] | None = Field(
        default=None, description="a control: what is permuted among the pairs before training"
    )
    keep: Literal["last", "best"] = Field(
        default="last", description="which weights are saved: of the last step, or of the best evaluation"
    )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "paper": {},
    "small": {
        "epochs": 1,
        "lr": 2e-5,
        "batch": 16,
        "group": 4,
        "temperature": 0.05,
        "query_tokens": 48,
        "passage_tokens": 96,
    },
}
"""`paper`, and `small` for a small encoder on two CPU cores."""


def make_recipe(preset: str = "paper", changes: Mapping[str, Any] | None = None) -> Recipe:
    """A preset with some values set otherwise.

    Args:
        preset: a name of `PRESETS`.
        changes: field → value; None leaves the preset's.

    Raises:
        UnknownName: there is no such preset.
        UsageError: there is no such field, or it does not take the value.
    """
    if preset not in PRESETS:
        raise UnknownName("preset", preset, PRESETS)
    given = {key: value for key, value in (changes or {}).items() if value is not None}
    try:
        return Recipe.model_validate({**PRESETS[preset], **given})
    except ValidationError as error:
        raise UsageError(f"recipe: {plainly(error)}") from None
