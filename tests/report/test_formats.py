"""A report says the same in every format, and no name in it is markup, a command or a formula."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.api.report import report_frame, report_of, report_text
from lrat_bench.errors import UsageError
from lrat_bench.report import latex as tex
from lrat_bench.report import markdown as md
from lrat_bench.report.export import FORMATS, Format, export_report, format_of
from lrat_bench.report.layout import layout
from lrat_bench.report.reported import Report

HOSTILE = [
    "a|b",
    "<script>alert(1)</script>",
    "![x](javascript:alert(1))",
    "**bold** _it_ `code` ~~no~~",
    "@everyone #12 www.evil.example https://evil.example",
    r"\input{/etc/passwd} 100% $x^2$ a_b & {c} #d ~e",
    "*[star] first",
    "[bracket first",
    "--dashes-- \"quotes\" 'and' <more>",
    "line\nbreak\ttab\x1b[31mred",
    "=cmd|' /C calc'!A0",
    "日本語 😀 é",
    "\\",
    "&lt;b&gt;",
    "",
]


def cells_of_markdown(text: str) -> list[list[str]]:
    """The rows of the tables, as a browser shows them."""
    rows = [line for line in text.splitlines() if line.startswith("|") and not set(line) <= set("|-: ")]
    return [[shown(cell) for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def shown(cell: str) -> str:
    plain = re.sub(r"\\([\\`*_{}\[\]()!~$^\"'])", lambda found: f"&#{ord(found[1])};", cell.strip())
    plain = re.sub(r"\*\*(.*)\*\*", r"\1", plain)
    return html.unescape(plain).replace("\u200b", "")


def cells_of_latex(text: str) -> list[list[str]]:
    """The rows of the tables, as TeX sets them."""
    body = re.search(r"\\midrule\n(.*)\n\\bottomrule", text, flags=re.DOTALL)
    assert body is not None
    rows = [line for line in body[1].splitlines() if line != r"\midrule"]
    assert all(row.endswith(r" \\") for row in rows)
    return [[typeset(cell) for cell in re.split(r"(?<!\\)&", row.removesuffix(r" \\"))] for row in rows]


def typeset(cell: str) -> str:
    plain = re.sub(r"\{\\small (.*?)\}", r"\1", re.sub(r"\\textbf\{(.*?)\}", r"\1", cell.strip()))
    names = {one: command for one, command in tex._COMMANDS.items() if command.startswith("\\")}
    for one, command in sorted(names.items(), key=lambda pair: -len(pair[1])):
        plain = plain.replace(command, one)
    return plain.replace("{[}", "[").replace("{*}", "*").replace("---", "—").replace("--", "–")


def test_the_numbers_are_the_same_in_every_format(runs: Path) -> None:
    paths = [runs / name for name in ("oracle-2", "oracle-10", "none-10")]
    (grid,) = layout(report_of(paths))
    expected = [
        [" ".join(filter(None, (cell.text + cell.mark, cell.interval))) for cell in row]
        for block in grid.blocks
        for row in block
    ]
    assert cells_of_markdown(report_text(paths, format="markdown"))[1:] == expected
    tex_rows = cells_of_latex(report_text(paths, format="latex"))
    # Names that the row above has are not repeated there.
    assert [row[2:] for row in tex_rows] == [row[2:] for row in expected]
    terminal = report_text(paths, format="terminal")
    for row in grid.blocks[0]:
        for cell in row:
            assert cell.text in terminal
            assert cell.interval in terminal
    document = json.loads(report_text(paths, format="json"))
    lines = list(csv.DictReader(io.StringIO(report_text(paths, format="csv"))))
    frame = report_frame(paths)
    for run, line, row in zip(document["runs"], lines, frame.to_dict("records"), strict=True):
        metrics = lrat_bench.load_run(run["run"]).metrics
        for metric in metrics.metrics:
            for suffix, value in (("", metric.value), ("_low", metric.low), ("_high", metric.high), ("_n", metric.n)):
                name = f"{metric.name}{suffix}"
                assert (float(line[name]) if line[name] else None) == value
                assert (None if row[name] != row[name] else row[name]) == value
        assert run["metrics"] == [metric.model_dump(mode="json") for metric in metrics.metrics]


def test_a_parquet_file_holds_what_the_dataframe_does(runs: Path, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    report = report_of([runs / "oracle-2", runs / "retrieval"])
    content = export_report(report, format="parquet")
    read = pd.read_parquet(io.BytesIO(content))
    pd.testing.assert_frame_equal(read, report.to_dataframe(), check_dtype=False)
    assert export_report(report, format="parquet") == content


def test_per_question_lines_are_the_rows_of_the_runs(runs: Path) -> None:
    report = report_of([runs / "oracle-2", runs / "retrieval"])
    lines = list(csv.DictReader(io.StringIO(export_report(report, format="csv", per_question=True).decode())))
    rows = lrat_bench.load_run(runs / "oracle-2").rows
    assert [(line["question_id"], int(line["repeat"]), line["outcome"]) for line in lines if line["kind"] == "run"] == [
        (row.question_id, row.repeat, row.outcome) for row in rows
    ]
    assert [float(line["steps"]) for line in lines if line["kind"] == "run"] == [row.values["steps"] for row in rows]
    assert len([line for line in lines if line["kind"] == "retrieval (questions)"]) == 8
    frame = report_frame([runs / "oracle-2"], per_question=True, measures=["lrat.steps"])
    assert list(frame["lrat.steps"]) == [row.peers["lrat.steps"] for row in rows]
    assert "steps" not in frame.columns


def test_long_lines_are_one_a_number(runs: Path) -> None:
    frame = report_frame([runs / "oracle-2", runs / "none-10"], measures=["steps", "success_rate"], long=True)
    assert list(frame["measure"]) == ["steps", "success_rate"] * 2
    assert list(frame["value"])[1] == lrat_bench.load_run(runs / "oracle-2").metrics.metric("success_rate").value


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_and_is_nothing_else(name: str, made_run: Any) -> None:
    report = Report(
        runs=(
            made_run(agent=name, retriever="x", success_rate=0.25, task=name),
            made_run(agent="b", retriever=name, apart={}, task="t"),
        )
    )
    plain = " ".join("".join(one if one.isprintable() else " " for one in name).split())
    said = {word for word in re.split(r"[\W_]+", plain) if word}
    text = export_report(report, format="markdown").decode()
    assert "<" not in re.sub(r"&[a-z#0-9]+;", "", text)
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"(https?|javascript)://", text)
    assert not re.search(r"@[a-z]", text)
    for row in cells_of_markdown(text):
        assert len(row) == len(cells_of_markdown(text)[0])
    assert md.escaped(name).count("|") == 0
    document = export_report(report, format="latex").decode()
    for row in cells_of_latex(document):
        assert len(row) == len(cells_of_latex(document)[0])
    assert_is_balanced(document)
    terminal = export_report(report, format="terminal").decode()
    assert "\x1b" not in terminal
    for word in said:
        assert word in html.unescape(text)
        assert word in terminal
    for line in csv.reader(io.StringIO(export_report(report, format="csv").decode())):
        assert not any(cell.startswith(("=", "+", "@")) for cell in line)


def assert_is_balanced(document: str) -> None:
    """Braces, dollars and environments close, and every special character is escaped."""
    body = document.partition("\\begin{table}")[2]
    bare = re.sub(r"\\[\\{}&%$#_]", "", body)
    depth = 0
    for one in bare:
        depth += (one == "{") - (one == "}")
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    outside = re.sub(r"\$[^$]*\$", "", bare)
    assert not set('#_~^%<>|`"') & set(outside)
    known = (
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textasciigrave|dots|small|textbf"
    )
    known += r"|begin|end|centering|caption|toprule|midrule|bottomrule|multicolumn|cmidrule)\b"
    assert "\\" not in re.sub(known, "", outside)


def test_a_row_that_begins_with_a_bracket_does_not_belong_to_the_line_break_above(made_run: Any) -> None:
    report = Report(runs=(made_run(agent="a"), made_run(agent="[2]"), made_run(agent="*")))
    document = export_report(report, format="latex").decode()
    assert not re.search(r"\\\\\s*(\\midrule\s*)?[\[*]", document)


def test_formats_hold_what_they_can_hold(runs: Path, tmp_path: Path) -> None:
    report = report_of([runs / "oracle-2"])
    shown: tuple[Format, ...] = ("terminal", "markdown", "latex")
    for one in shown:
        with pytest.raises(UsageError, match="--per-question"):
            export_report(report, format=one, per_question=True)
    with pytest.raises(UsageError, match="--long"):
        export_report(report, format="json", long=True)
    assert {format_of(Path(f"x{ending}")) for ending in (".txt", ".md", ".tex", ".csv", ".parquet", ".JSON")} == set(
        FORMATS
    )
    with pytest.raises(UsageError, match="no ending that says a format"):
        format_of(tmp_path / "x.doc")
