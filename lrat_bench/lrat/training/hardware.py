"""What a training computes on, and in which numbers."""

from __future__ import annotations

from typing import Literal

from lrat_bench.errors import UsageError
from lrat_bench.lrat.training.recipe import Precision

__all__ = ["device_name", "resolve_precision"]


def resolve_precision(asked: Precision) -> Literal["float32", "bfloat16", "float16"]:
    """The arithmetic that a recipe's precision is on this machine.

    Raises:
        UsageError: this machine does not have it.
    """
    import torch

    gpu = torch.cuda.is_available()
    if asked == "auto":
        return "float32" if not gpu else "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    if asked == "float16" and not gpu:
        raise UsageError("precision float16 needs a GPU: take float32 or bfloat16")
    return asked


def device_name() -> str:
    """What it is trained on: the name of the GPU, or `cpu`."""
    import torch

    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"
