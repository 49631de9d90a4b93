"""On what a model computes, and in which numbers; told without importing torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from lrat_bench.errors import MissingLibrary, UsageError
from lrat_bench.retriever.model_files import DENSE_EXTRA

__all__ = ["DTYPES", "Compute", "choose_compute", "import_torch", "resolve_device"]

DTYPES = ("float32", "bfloat16", "float16")
"""What a model's weights may be held in."""

_LOCAL_RANKS = ("LOCAL_RANK", "SLURM_LOCALID")
_GPUS = Path("/proc/driver/nvidia/gpus")
_DRIVERS = ("/proc/driver/nvidia/version", "/dev/kfd")


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and in which numbers a model computes.

    Attributes:
        device: as torch names it; changes speed, and not what is computed.
        dtype: one of `DTYPES`.
    """

    device: str
    dtype: str


def choose_compute(device: str, dtype: str) -> Compute:
    """Resolve `auto`: a GPU where there is one, else the CPU; bfloat16 on a GPU, float32 elsewhere.

    Where torchrun or srun started several processes on a machine, each takes a GPU of its own.
    """
    chosen = device if device != "auto" else (_own_gpu() if _has_gpu() else "cpu")
    if dtype != "auto":
        return Compute(chosen, dtype)
    return Compute(chosen, "bfloat16" if chosen.startswith("cuda") else "float32")


def resolve_device(compute: Compute) -> Any:
    """The device as torch has it.

    Raises:
        UsageError: torch knows no such device, or cannot use it.
    """
    torch = import_torch()
    try:
        device = torch.device(compute.device)
        torch.empty(1, device=device)
    except Exception as error:  # RuntimeError, AssertionError: torch is not of one mind here
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"torch cannot use device {compute.device!r} ({reason}): give another, as in --set retriever.device=cpu"
        ) from error
    return device


def import_torch() -> Any:
    """The library, on first use.

    Raises:
        MissingLibrary: it is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingLibrary("torch, which dense retrieval computes with,", install=DENSE_EXTRA) from None
    return torch


def _own_gpu() -> str:
    local = next((os.environ[name] for name in _LOCAL_RANKS if os.environ.get(name, "").isdecimal()), None)
    visible = [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one.strip()]
    count = len(visible) or len(list(_GPUS.glob("*")))
    return "cuda" if local is None or count < 2 else f"cuda:{int(local) % count}"


def _has_gpu() -> bool:
    """Whether there is a driver of a GPU, and a torch that was built for one. Importing torch takes seconds."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    try:
        built_for_cpu = metadata.version("torch").endswith("+cpu")
    except metadata.PackageNotFoundError:
        return False
    return not built_for_cpu and any(Path(driver).exists() for driver in _DRIVERS)
