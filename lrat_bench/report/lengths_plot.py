"""The picture beside the pairs: how long agents thought over what they read, and the weights that come of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lrat_bench.files import writing
from lrat_bench.lrat.intensity import share_of
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.report.picture import new_figure, require_matplotlib, write_png

__all__ = ["plot_lengths"]

_BINS = 30
_BARS, _LINE = "#4477aa", "#cc3311"


def plot_lengths(pairs: Pairs, file: Path) -> bool:
    """Draw the distributions of lengths and weights of the kept pairs.

    Args:
        pairs: a folder of pairs.
        file: a PNG.

    Returns:
        whether there was anything to draw; where no reasoning was measured there is not.

    Raises:
        MissingLibrary: matplotlib is not installed.
        UsageError: the file cannot be written.
    """
    require_matplotlib()
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    manifest = pairs.manifest
    if manifest.intensity is None:
        return False
    lengths: list[float] = []
    weights: list[float] = []
    for pair in pairs.kept():
        if pair.reasoning_tokens is not None:
            lengths.append(share_of(pair.reasoning_tokens, pair.shared))
        if pair.weight is not None:
            weights.append(pair.weight)
    beta, mu = manifest.intensity.pooled.beta, manifest.intensity.pooled.mu
    figure = new_figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    # Lengths have a long tail; less than a token stands in the first bin.
    shown = np.maximum(lengths, 1.0)
    left.hist(shown, bins=list(np.geomspace(shown.min(), 1.001 * shown.max(), _BINS + 1)), color=_BARS)
    left.axvline(beta, color=_LINE)
    left.set_title(f"reasoning behind a browse, β = {beta:,.0f}", fontsize="medium")
    left.set(xscale="log")
    # Powers of ten alone would leave a narrow range without a number.
    left.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    left.xaxis.set_minor_formatter(NullFormatter())
    left.set(xlabel=f"tokens ({manifest.tokenizer})", ylabel="pairs")
    right.hist(weights, bins=_BINS, range=(0, max(weights)), color=_BARS)
    right.axvline(1.0, color=_LINE)
    right.set_title(f"weights, µ = {mu:.3f}", fontsize="medium")
    right.set(xlabel="weight", ylabel="pairs")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    with writing(str(file)):
        write_png(figure, file, dpi=120)
    return True
