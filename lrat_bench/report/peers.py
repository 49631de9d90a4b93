"""A run as other evaluators count it, beside our numbers of the same things."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable
from lrat_bench.score.calibration import FEW
from lrat_bench.score.metric import Metric
from lrat_bench.score.peers.catalogue import BESIDE
from lrat_bench.score.score import Scores

__all__ = ["peers_table"]

_PEERS = {"browsecomp_plus": "BrowseComp-Plus", "lrat": "LRAT"}

_THEIRS = {
    "browsecomp_plus.accuracy": "of the files there are; forced answers are wrong",
    "browsecomp_plus.recall": "of the files there are, errored ones too",
    "browsecomp_plus.search_calls": "of the files there are, errored ones too",
    "browsecomp_plus.calibration_error": "without the most confident bin; 0 below 200 answers",
    "browsecomp_plus.citation_coverage": "any integer in brackets is a citation",
    "browsecomp_plus.citations": "any integer in brackets is a citation",
    "browsecomp_plus.citation_precision": "any integer in brackets is a citation",
    "browsecomp_plus.citation_recall": "of the answers that cite",
    "lrat.success_rate": 'of the files there are; no "tool_call" in the answer',
    "lrat.steps": "of the files there are, errored ones too",
    "lrat.recall": "of the files there are; 0 without evidence",
}
"""Name → what sets theirs apart."""


def peers_table(scores: Scores) -> RenderableType:
    """What `--peers` prints: a line per number of a peer, theirs and ours, each with its n.

    Where a file of an earlier version holds no numbers of peers, it says how to get them.
    """
    if not scores.peers:
        return Text("no peers' scores yet: give `lrat-bench score` the run", style="dim")
    table = FittingTable()
    table.name("as peers count")
    for heading in ("theirs", "n", "ours", "n"):
        table.number(heading, style="dim" if heading == "n" else "")
    table.text("what sets theirs apart", style="dim")
    last = ""
    for name in BESIDE:
        peer, _, what = name.partition(".")
        if peer != last:
            table.row(Text(_PEERS[peer], style="bold"))
            last = peer
        table.row(what.replace("_", " "), *_numbers(scores, name), _THEIRS[name], indent=2)
    stated = scores.metric("calibration_error")
    if not 0 < stated.n < FEW:
        return table
    few = f"Calibration error: {stated.definition.rpartition('; ')[2]}"
    return Group(table, Text(few, style="yellow"))


def _numbers(scores: Scores, name: str) -> tuple[str, str, str, str]:
    theirs = scores.metric(name)
    beside = BESIDE[name]
    if beside is None:
        return _published(theirs), numbers.count(theirs.n), numbers.NULL, ""
    ours = scores.metric(beside)
    return _published(theirs), numbers.count(theirs.n), numbers.value(ours), numbers.count(ours.n)


def _published(theirs: Metric) -> str:
    """Two decimals, whatever n is, as the numbers have that it is to stand beside."""
    if theirs.value is None:
        return numbers.NULL
    return f"{100 * theirs.value:.2f}%" if theirs.unit == "share" else f"{theirs.value:,.2f}"
