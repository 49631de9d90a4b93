"""Pictures: matplotlib without a display, and PNG files that are whole or not there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.errors import MissingLibrary
from lrat_bench.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["new_figure", "require_matplotlib", "write_png"]


def require_matplotlib() -> None:
    """See that plots can be drawn.

    Raises:
        MissingLibrary: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingLibrary("matplotlib", install='"lrat-bench[plots]"') from None


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches.

    Raises:
        MissingLibrary: matplotlib is not installed.
    """
    require_matplotlib()
    # Without pyplot: no window, no global state, nothing to close.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write_png(figure: Figure, file: Path, *, dpi: int = 150) -> None:
    """Write a figure; equal figures give equal bytes.

    Raises:
        OSError: the file cannot be written.
    """
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi, metadata={"Software": None})
    write_atomic(file, picture.getvalue())
