"""Reports from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrat_bench.report.export import Format, export_report
from lrat_bench.report.frame import question_lines, to_dataframe
from lrat_bench.report.layout import Group
from lrat_bench.report.reported import Report, read_report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["report_frame", "report_of", "report_text"]


def report_of(runs: Sequence[str | Path]) -> Report:
    """Run folders and retrieval folders as records: parts, what sets them apart, metrics with intervals.

    Raises:
        UsageError: a folder holds neither, was not scored, or is given twice.
    """
    return read_report([Path(run) for run in runs])


def report_frame(
    runs: Sequence[str | Path], *, measures: Sequence[str] = (), per_question: bool = False, long: bool = False
) -> pd.DataFrame:
    """Run folders and retrieval folders as a dataframe of exact numbers.

    Args:
        runs: the folders, scored.
        measures: names of measures; all of ours unless given.
        per_question: one line a question and repeat, instead of one a run.
        long: one line a number.

    Raises:
        MissingLibrary: pandas is not installed.
        UnknownName: there is no such measure.
        UsageError: a folder holds neither, was not scored, or is given twice.
    """
    report = report_of(runs)
    if per_question:
        return to_dataframe(question_lines(report, measures=measures))
    return report.to_dataframe(measures=measures, long=long)


def report_text(
    runs: Sequence[str | Path],
    *,
    format: Format = "markdown",  # noqa: A002
    measures: Sequence[str] = (),
    group: Group = "auto",
) -> str:
    """Run folders and retrieval folders as a table: terminal, markdown, latex, csv or json; arguments as above.

    Raises:
        UnknownName: there is no such measure.
        UsageError: a folder holds neither, was not scored, or is given twice.
    """
    return export_report(report_of(runs), format=format, measures=measures, group=group).decode()
