"""Which measures a report shows, and what they are called in its headings."""

from __future__ import annotations

from collections.abc import Sequence

from lrat_bench.errors import UnknownName
from lrat_bench.report.reported import Report, ReportedRetrieval, ReportedRun
from lrat_bench.score.metric import Metric

__all__ = ["chosen", "label", "refuse_unknown"]

_MAIN = ("success_rate", "evidence_recall", "steps")
"""Those of the paper's Table 2."""

_LABELS = {
    "success_rate": "success",
    "evidence_recall": "recall",
    "evidence_recall_searched": "recall (searched)",
    "first_query_ndcg@10": "nDCG@10 of the first query",
    "cost_usd": "cost, USD",
    "judge_cost_usd": "judge's cost, USD",
    "completion_tokens": "completion tokens",
}


def label(name: str) -> str:
    """A measure as a heading: `success`, `evidence nDCG@10`, `lrat: steps`."""
    if name in _LABELS:
        return _LABELS[name]
    peer, dot, what = name.partition(".")
    return f"{peer}: {label(what)}" if dot else name.replace("_", " ")


def chosen(rows: Sequence[ReportedRun] | Sequence[ReportedRetrieval], asked: Sequence[str]) -> list[str]:
    """The measures to show of rows, in order: those asked for that they have, else the main ones with any value."""
    known = dict.fromkeys(metric.name for row in rows for metric in _all(row))
    if asked:
        return [name for name in dict.fromkeys(asked) if name in known]
    supported = [
        name
        for name in known
        if any(metric.n and metric.value is not None for row in rows if (metric := row.metric(name)) is not None)
    ]
    if rows and isinstance(rows[0], ReportedRun):
        return [name for name in _MAIN if name in supported or name == "success_rate"]
    evidence = [name for name in supported if name.startswith("evidence_")]
    return evidence or supported


def refuse_unknown(report: Report, asked: Sequence[str]) -> None:
    """See that each measure asked for is one of a run or retrieval of the report.

    Raises:
        UnknownName: one is not.
    """
    known = {metric.name for row in report.rows for metric in _all(row)}
    for name in asked:
        if name not in known:
            raise UnknownName("measure", name, known)


def _all(row: ReportedRun | ReportedRetrieval) -> tuple[Metric, ...]:
    return (*row.metrics, *(row.peers if isinstance(row, ReportedRun) else ()))
