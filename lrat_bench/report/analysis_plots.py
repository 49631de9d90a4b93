"""An analysis of runs as figures, in the manner of the paper's Figures 4a, 4b and 6."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrat_bench.lrat.analysis.analysis import Analysis, Part
from lrat_bench.report import numbers
from lrat_bench.report.picture import new_figure, require_matplotlib, write_png
from lrat_bench.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_analysis"]

_COLOURS = ("#2a6f97", "#c1582a")
"""Of what is compared: correct and incorrect, evidence and other."""


def plot_analysis(found: Analysis, folder: Path) -> list[Path]:
    """Draw what the runs support, all of them together, one PNG each.

    Args:
        found: the analysis.
        folder: where the files go.

    Returns:
        the files that were written.

    Raises:
        MissingLibrary: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    require_matplotlib()
    part = found.total
    drawings: list[tuple[str, bool, Callable[[Axes, Analysis], None]]] = [
        ("transitions.png", any(row.n for row in part.transitions), _transitions),
        ("evidence.png", bool(part.evidence), _evidence),
        ("positions.png", bool(part.positions.n), _positions),
        ("reasoning.png", any(row.n for row in part.lengths.rows), _reasoning),
    ]
    written = []
    for name, supported, draw in drawings:
        if not supported:
            continue
        figure, axes = _canvas()
        draw(axes, found)
        axes.spines[["top", "right"]].set_visible(False)
        write_png(figure, folder / name)
        written.append(folder / name)
    return written


def _canvas() -> tuple[Figure, Axes]:
    figure = new_figure(6, 3.6)
    return figure, figure.subplots()


def _transitions(axes: Axes, found: Analysis) -> None:
    part = found.total
    labels = ("S → S", "S → B", "B → S", "B → B")
    bars: dict[str, list[float | None]] = {}
    for group in ("correct", "incorrect"):
        search, browse = (row for row in part.transitions if row.group == group)
        bars[group] = [search.to_search, search.to_browse, browse.to_search, browse.to_browse]
    width = 0.8 / len(bars)
    for at, (name, shares) in enumerate(bars.items()):
        left = [place + (at - (len(bars) - 1) / 2) * width for place in range(len(labels))]
        drawn = axes.bar(left, [100 * (share or 0) for share in shares], width, label=name, color=_COLOURS[at])
        axes.bar_label(drawn, [numbers.rate(share) for share in shares], fontsize=7)
    axes.set_xticks(range(len(labels)), labels)
    axes.legend(frameon=False, fontsize=8)
    axes.set(ylabel="next step, %", ylim=(0, 100), title="What follows a search (S) and a browse (B)")


def _evidence(axes: Axes, found: Analysis) -> None:
    part = found.total
    places = [one.browsed for one in part.evidence]
    accuracy = [100 * one.accuracy for one in part.evidence]
    ends = [(one.accuracy if end is None else end) for one in part.evidence for end in (one.low, one.high)]
    below = [max(0.0, value - 100 * low) for value, low in zip(accuracy, ends[::2], strict=True)]
    above = [max(0.0, 100 * high - value) for value, high in zip(accuracy, ends[1::2], strict=True)]
    axes.errorbar(places, accuracy, yerr=[below, above], fmt="o-", capsize=3, color=_COLOURS[0])
    axes.set_xticks(places, [f"{one.browsed}\nn = {one.n:,}" for one in part.evidence], fontsize=8)
    axes.set(xlabel="evidence documents browsed", ylabel="accuracy, %", ylim=(0, 105))
    axes.set_title("Accuracy by evidence browsed (95 % intervals)")


def _positions(axes: Axes, found: Analysis) -> None:
    part = found.total
    from matplotlib.ticker import MaxNLocator

    shuffled = any(run.order == "shuffled" for run in found.analysed)
    ranks = part.positions.by_rank
    axes.plot(
        [place.place for place in ranks],
        [100 * place.share for place in ranks],
        "o-",
        color=_COLOURS[0],
        label="rank in the retriever's list",
    )
    if shuffled:
        shown = part.positions.by_position
        axes.plot(
            [place.place for place in shown],
            [100 * place.share for place in shown],
            "s--",
            color=_COLOURS[1],
            label="place in the list as shown",
        )
    expected = [100 * place.expected for place in ranks]
    axes.plot([place.place for place in ranks], expected, ":", color="grey", label="by chance")
    axes.set(
        xlabel="place", ylabel="documents opened, %", title=f"Where documents are opened (n = {part.positions.n:,})"
    )
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)


def _reasoning(axes: Axes, found: Analysis) -> None:
    part = found.total
    boxes: list[dict[str, Any]] = []
    labels: list[str] = []
    for row in part.lengths.rows:
        if row.n and row.group != "all" and (row.document != "any" or not _tells_evidence(part)):
            centre = {"med": row.median, "q1": row.q1, "q3": row.q3, "mean": row.mean}
            boxes.append({**centre, "whislo": row.q1, "whishi": row.q3, "fliers": []})
            labels.append(f"{row.group}\n{row.document}\nn = {row.n:,}")
    if boxes:
        axes.bxp(boxes, showfliers=False, showmeans=True, showcaps=False)
        axes.set_xticklabels(labels, fontsize=8)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"tokens ({printable(found.tokenizer)})", fontsize=8)
    axes.set_title("Reasoning after a browse: quartiles, median, mean")


def _tells_evidence(part: Part) -> bool:
    return any(row.n for row in part.lengths.rows if row.document == "evidence")
