"""A report in every format that it can be written in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from lrat_bench.errors import UsageError
from lrat_bench.files import write_atomic, writing
from lrat_bench.report.frame import lines, question_lines, to_csv, to_parquet
from lrat_bench.report.latex import latex
from lrat_bench.report.layout import Group, layout
from lrat_bench.report.markdown import markdown
from lrat_bench.report.measures import refuse_unknown
from lrat_bench.report.reported import Report
from lrat_bench.report.terminal import terminal_text

__all__ = ["FORMATS", "Format", "export_report", "format_of", "report_json", "write_report"]

Format = Literal["terminal", "markdown", "latex", "csv", "parquet", "json"]

FORMATS: tuple[Format, ...] = get_args(Format)

_ENDINGS: dict[str, Format] = {
    ".txt": "terminal",
    ".md": "markdown",
    ".tex": "latex",
    ".csv": "csv",
    ".parquet": "parquet",
    ".json": "json",
}
_EXACT = ("csv", "parquet", "json")


def format_of(file: Path) -> Format:
    """The format that the name of a file asks for.

    Raises:
        UsageError: it asks for none.
    """
    found = _ENDINGS.get(file.suffix.lower())
    if found is None:
        raise UsageError(f"{file} has no ending that says a format: give --format, or end it in {', '.join(_ENDINGS)}")
    return found


def export_report(
    report: Report,
    *,
    format: Format,  # noqa: A002 -- the name of the flag
    measures: Sequence[str] = (),
    group: Group = "auto",
    per_question: bool = False,
    long: bool = False,
) -> bytes:
    """A report as the content of a file.

    Args:
        report: what to write.
        format: for people terminal, markdown, latex, by the rules of `numbers`; exact csv, parquet, json.
        measures: names of measures; for people the main ones unless given, else all.
        group: how runs are laid out for people.
        per_question: one line a question instead of one a run; exact formats alone.
        long: one line a number; csv and parquet alone.

    Raises:
        UsageError: the format cannot hold what is asked for.
        UnknownName: there is no such measure.
        MissingLibrary: Parquet's libraries are not installed.
    """
    if per_question and format not in _EXACT:
        raise UsageError(f"{format} shows runs, not questions: give --format csv, parquet or json with --per-question")
    if long and (per_question or format not in ("csv", "parquet")):
        raise UsageError("--long is for runs in csv and parquet: one line a number")
    if format == "json":
        return (json.dumps(_json(report, measures, per_question), **_AS_WRITTEN) + "\n").encode()
    if format in ("csv", "parquet"):
        found = (
            question_lines(report, measures=measures) if per_question else lines(report, measures=measures, long=long)
        )
        return to_csv(found).encode() if format == "csv" else to_parquet(found)
    write = {"terminal": terminal_text, "markdown": markdown, "latex": latex}[format]
    return write(layout(report, measures=measures, group=group)).encode(errors="replace")


def report_json(report: Report, *, measures: Sequence[str] = ()) -> dict[str, Any]:
    """The report as its records are written; with the measures asked for alone."""
    document = report.model_dump(mode="json", by_alias=True)
    if not measures:
        return document
    for row in (*document["runs"], *document["retrievals"]):
        for key in ("metrics", "peers"):
            if key in row:
                row[key] = [metric for metric in row[key] if metric["name"] in measures]
    return document


def write_report(content: bytes, file: Path) -> None:
    """Write a report, whole or not at all.

    Raises:
        UsageError: the disk refuses.
    """
    with writing(f"the report to {file}"):
        write_atomic(file, content)


_AS_WRITTEN: dict[str, Any] = {"indent": 2, "ensure_ascii": False, "allow_nan": False}


def _json(report: Report, measures: Sequence[str], per_question: bool) -> dict[str, Any]:
    if not per_question:
        refuse_unknown(report, measures)
        return report_json(report, measures=measures)
    return {"schema": "lrat-bench/report-questions/1", "lines": question_lines(report, measures=measures)}
