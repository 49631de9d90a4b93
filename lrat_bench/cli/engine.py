"""`--engine` and `--workers`: where the work of a command is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["check_workers", "engine_options"]

F = TypeVar("F", bound=Callable[..., Any])


def engine_options(command: F) -> F:
    """`--engine` and `--workers`."""
    workers = click.option(
        "--workers", type=int, metavar="N", help="Of --engine ray.  [default: one a GPU, else one a machine]"
    )
    engine = click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Do the work in this process, or in workers on a Ray cluster: that of RAY_ADDRESS, else one started here.",
    )
    return engine(workers(command))


def check_workers(engine: str, workers: int | None) -> None:
    """See that workers are asked for only where there are any.

    Raises:
        UsageError: they are asked for of this process, or fewer than one.
    """
    from lrat_bench.errors import UsageError

    if workers is not None and engine != "ray":
        raise UsageError("--workers are those of --engine ray: give that, too, or leave them out")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
