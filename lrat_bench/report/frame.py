"""A report as exact numbers: lines for CSV, dataframes and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrat_bench.errors import MissingLibrary
from lrat_bench.report.measures import refuse_unknown
from lrat_bench.report.reported import Report, ReportedRetrieval, ReportedRun
from lrat_bench.report.text import printable
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run
from lrat_bench.score.metric import Metric

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Line", "lines", "question_lines", "to_csv", "to_dataframe", "to_parquet"]

Line = dict[str, str | float | None]
"""Column → value; of what is not known there is None."""

_FRAMES = '"lrat-bench[frames]"'
_FORMULA = ("=", "+", "-", "@")
"""What a text begins with that a spreadsheet would carry out."""


def lines(report: Report, *, measures: Sequence[str] = (), long: bool = False) -> list[Line]:
    """One line a run and retrieval, with four columns a measure (value, `_low`, `_high`, `_n`); or one line a number.

    Args:
        report: what to write.
        measures: names of measures; all of ours unless given.
        long: one line a number.

    Raises:
        UnknownName: there is no such measure.
    """
    refuse_unknown(report, measures)
    found: list[Line] = []
    for row in report.rows:
        names = measures or [metric.name for metric in row.metrics]
        metrics = [metric for name in names if (metric := row.metric(name)) is not None]
        found += list(_long(row, metrics)) if long else [_wide(row, metrics)]
    return _same_columns(found)


def question_lines(report: Report, *, measures: Sequence[str] = (), root: Path | None = None) -> list[Line]:
    """One line a question and repeat of each run, and a query of each retrieval: ids, outcome, measures.

    Args:
        report: of the folders.
        measures: names of measures; all of ours unless given.
        root: the folder that the report names its folders from, where it was read so.

    Raises:
        DataError: a folder's values are damaged.
        UnknownName: there is no such measure.
    """
    refuse_unknown(report, measures)
    base = root or Path()
    found: list[Line] = []
    for run in report.runs:
        for row in Run(base / run.run).rows:
            values = {**row.values, **row.peers} if measures else row.values
            about: Line = {"question_id": row.question_id, "repeat": row.repeat}
            ended: Line = {"outcome": row.outcome, "status": row.status}
            found.append({**_parts(run), **about, **ended, **_kept(values, measures)})
    for retrieval in report.retrievals:
        for table in Retrieval(base / retrieval.retrieval).measured():
            for line in table.lines():
                ids: Line = {"question_id": line.question_id, "id": line.id}
                found.append({**_parts(retrieval), **ids, **_kept(line.values, measures)})
    return _same_columns(found)


def to_csv(found: Sequence[Line]) -> str:
    """The lines as CSV: exact numbers, nothing where there is none.

    A text that a spreadsheet would take for a formula has an apostrophe before it, and none has control characters.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_inert(name) for name in (found[0] if found else ())])
    writer.writerows([_written(value) for value in line.values()] for line in found)
    return stream.getvalue()


def to_dataframe(found: Sequence[Line]) -> pd.DataFrame:
    """The lines as a dataframe.

    Raises:
        MissingLibrary: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingLibrary("pandas", install=_FRAMES) from None
    return pd.DataFrame(list(found), columns=list(found[0]) if found else None)


def to_parquet(found: Sequence[Line]) -> bytes:
    """The lines as a Parquet file.

    Raises:
        MissingLibrary: pandas or pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: F401
    except ImportError:
        raise MissingLibrary("pyarrow", install=_FRAMES) from None
    stream = io.BytesIO()
    to_dataframe(found).to_parquet(stream, engine="pyarrow", index=False)
    return stream.getvalue()


def _parts(row: ReportedRun | ReportedRetrieval) -> Line:
    if isinstance(row, ReportedRun):
        return {
            "kind": "run",
            "folder": row.run,
            "task": row.task,
            "split": row.split,
            "protocol": row.protocol,
            "judge": row.judge,
            "agent": row.agent,
            "retriever": row.retriever,
            "seed": row.seed,
            **{f"apart.{name}": value for name, value in row.apart.items()},
        }
    return {
        "kind": f"retrieval ({row.source})",
        "folder": row.retrieval,
        "task": row.task,
        "split": row.split,
        "retriever": row.retriever,
        "k": row.k,
    }


def _counts(row: ReportedRun | ReportedRetrieval) -> Line:
    if isinstance(row, ReportedRun):
        return {
            "questions": row.questions,
            "repeats": row.repeats,
            "unresolved": row.unresolved,
            "success_bound": row.success_bound,
        }
    return {"questions": row.questions, "queries": row.queries}


def _wide(row: ReportedRun | ReportedRetrieval, metrics: Sequence[Metric]) -> Line:
    line: Line = {**_parts(row), **_counts(row)}
    for metric in metrics:
        name = metric.name
        line |= {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high, f"{name}_n": metric.n}
    return line


def _long(row: ReportedRun | ReportedRetrieval, metrics: Sequence[Metric]) -> Iterator[Line]:
    for metric in metrics:
        number: Line = {
            "measure": metric.name,
            "value": metric.value,
            "low": metric.low,
            "high": metric.high,
            "n": metric.n,
            "unit": metric.unit,
            "direction": metric.direction,
        }
        yield {**_parts(row), **_counts(row), **number}


def _kept(values: Mapping[str, float | None], measures: Sequence[str]) -> Line:
    return {name: value for name, value in values.items() if not measures or name in measures}


def _same_columns(found: Sequence[Line]) -> list[Line]:
    """Every line with the columns of all, in the order of their first appearance."""
    names = dict.fromkeys(name for line in found for name in line)
    return [{name: line.get(name) for name in names} for line in found]


def _written(value: str | float | None) -> Any:
    # Python writes a number in as few digits as give it back.
    return "" if value is None else _inert(value) if isinstance(value, str) else value


def _inert(text: str) -> str:
    plain = printable(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain
