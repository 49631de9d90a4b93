"""`--baseline`, which the verbs of the gate share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["baseline_option"]

F = TypeVar("F", bound=Callable[..., Any])


def baseline_option(*, help: str) -> Callable[[F], F]:
    """`--baseline`: a file, which each verb says of what it does with it."""
    return click.option(
        "--baseline", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help=help
    )
