"""A retrieval on one screen: what was searched with what, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lrat_bench.report import numbers
from lrat_bench.report.fitting import FittingTable, metrics_table
from lrat_bench.report.text import printable
from lrat_bench.runs.retrieval_folder import RetrievalManifest
from lrat_bench.score.paired import Difference
from lrat_bench.score.retrieval import RetrievalScores
from lrat_bench.score.score import Metric

__all__ = ["describe_against", "differences_table", "retrieval_json", "retrieval_summary"]

_LABELS = {"R": "recall", "Success": "hit rate", "union_R": "recall of all queries together,"}


def retrieval_summary(
    path: Path, manifest: RetrievalManifest, scores: RetrievalScores, differences: RenderableType | None = None
) -> RenderableType:
    """What `retrieve` prints: a frame with the parts and the metrics.

    Args:
        path: the folder.
        manifest: of the retrieval.
        scores: of the retrieval.
        differences: a table to go below, from another retrieval.
    """
    split = "replay" if manifest.source == "replay" else str(manifest.split)
    frame = Panel(
        Group(_parts(path, manifest, scores), Text(), _metrics(scores)),
        title=Text.assemble((printable(manifest.task["name"]), "bold"), f" · {printable(split)}"),
        title_align="left",
        expand=False,
        padding=(1, 2),
    )
    notes = []
    if scores.left_out:
        deeper = "looks" if len(scores.left_out) == 1 else "look"
        notes.append(f"{', '.join(scores.left_out)} left out: {deeper} deeper than k = {scores.k}; give a larger --k.")
    below: list[RenderableType] = [Text(note, style="yellow") for note in notes]
    return Group(frame, *below, *([Text(), differences] if differences is not None else []))


def differences_table(found: Mapping[str, Difference], here: RetrievalScores, other: RetrievalScores) -> RenderableType:
    """One row per measure of both: either mean, and the paired difference with its 95 % interval and p-value.

    Args:
        found: measure → this retrieval minus the other.
        here: scores of this one.
        other: scores of the other one.
    """
    table = FittingTable()
    table.name("paired difference")
    for heading in ("this", "other", "difference", "95 % interval", "p", "n"):
        table.number(heading, below=heading == "95 % interval")
    for name, difference in found.items():
        one, another = here.metric(name), other.metric(name)
        if one is None or another is None:
            continue
        # Digits are those that the questions support, of which a replay has fewer than queries.
        shown = numbers.difference(one, difference.value, difference.low, difference.high, difference.clusters)
        table.row(
            _label(name),
            numbers.value(_by_questions(one, here)),
            numbers.value(_by_questions(another, other)),
            numbers.signed(shown),
            numbers.interval(shown),
            numbers.p_value(difference.p),
            numbers.count(difference.n),
        )
    return table


def retrieval_json(
    path: Path, manifest: RetrievalManifest, scores: RetrievalScores, against: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The same for machines."""
    return {
        "retrieval": str(path),
        "manifest": manifest.to_dict(),
        "scores": scores.model_dump(mode="json", by_alias=True),
        **({} if against is None else {"against": against}),
    }


def describe_against(path: Path, found: Mapping[str, Difference]) -> dict[str, Any]:
    """The differences from another retrieval, for machines."""
    fields = ("value", "low", "high", "n", "clusters", "p")
    differences = [{"name": name, **{field: getattr(one, field) for field in fields}} for name, one in found.items()]
    return {"retrieval": str(path), "differences": differences}


def _parts(path: Path, manifest: RetrievalManifest, scores: RetrievalScores) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    domain = f", {manifest.task['domain']}" if manifest.task["domain"] else ""
    rows = {
        "task": f"{manifest.task['name']} ({numbers.count(manifest.task['documents'])} documents{domain})",
        "queries": _queries(manifest, scores),
        "retriever": f"{manifest.retriever['name']}, k {numbers.count(manifest.k)}",
    }
    if manifest.runs:
        rows["runs"] = "\n".join(manifest.runs)
    rate = scores.queries / manifest.seconds if manifest.seconds else None
    speed = "" if rate is None else f", {numbers.mean(rate)} queries/s"
    rows["took"] = f"{numbers.duration(manifest.seconds)}{speed}"
    rows["folder"] = str(path)
    for name, value in rows.items():
        table.add_row(name, Text("\n".join(map(printable, value.split("\n"))), overflow="fold"))
    return table


def _queries(manifest: RetrievalManifest, scores: RetrievalScores) -> str:
    unjudged = f", {numbers.count(manifest.unjudged)} without judgements left out" if manifest.unjudged else ""
    if manifest.source == "questions":
        return f"{numbers.count(manifest.queries)} questions{unjudged}"
    return (
        f"{numbers.count(manifest.queries)} distinct of {numbers.count(manifest.issued)} that agents issued on "
        f"{numbers.count(scores.questions)} questions{unjudged}"
    )


def _metrics(scores: RetrievalScores) -> FittingTable:
    table = metrics_table()
    for metric in scores.metrics:
        style = "bold" if "_nDCG@" in metric.name or "_union_" in metric.name else ""
        shown = _by_questions(metric, scores)
        cells = (Text(_label(metric.name), style=style), Text(numbers.value(shown), style=style))
        table.row(*cells, numbers.interval(shown), numbers.count(metric.n))
    return table


def _by_questions(metric: Metric, scores: RetrievalScores) -> Metric:
    """The metric, to be shown with the digits that its questions support: their queries are not independent."""
    return metric.model_copy(update={"n": min(metric.n, scores.questions)})


def _label(name: str) -> str:
    kind, _, rest = name.partition("_")
    measure, _, cut = rest.rpartition("@")
    return f"{kind} {_LABELS.get(measure, measure)}@{cut}".replace(",@", ", @")
