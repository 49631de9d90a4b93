"""What measures are called, in reports and on pages, and which of them a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrat_bench.errors import UnknownName
from lrat_bench.report.reported import Report, ReportedRetrieval, ReportedRun
from lrat_bench.score.metric import Metric

__all__ = ["chosen", "label", "name_of", "refuse_unknown"]

_MAIN = ("success_rate", "evidence_recall", "steps")
"""Those of the paper's Table 2."""

_NAMES = {
    "evidence_recall_searched": "evidence recall, searched",
    "first_query_ndcg@10": "nDCG@10 of the first query",
    "cost_usd": "cost a question, USD",
    "judge_cost_usd": "judge's cost a question, USD",
    "brier_score": "Brier score",
}
_HEADINGS = {
    **_NAMES,
    "success_rate": "success",
    "evidence_recall": "recall",
    "evidence_recall_searched": "recall (searched)",
    "cost_usd": "cost, USD",
    "judge_cost_usd": "judge's cost, USD",
}


def name_of(measure: str) -> str:
    """What people call a measure: `success rate`, `cost a question, USD`, `lrat: steps`."""
    return _called(measure, _NAMES)


def label(measure: str) -> str:
    """A measure as a heading, where there is little room: `success`, `evidence nDCG@10`, `lrat: steps`."""
    return _called(measure, _HEADINGS)


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


def _called(measure: str, names: Mapping[str, str]) -> str:
    if measure in names:
        return names[measure]
    peer, dot, what = measure.partition(".")
    return f"{peer}: {_called(what, names)}" if dot else measure.replace("_", " ")


def _all(row: ReportedRun | ReportedRetrieval) -> tuple[Metric, ...]:
    return (*row.metrics, *(row.peers if isinstance(row, ReportedRun) else ()))
