"""In a terminal of any width the names of rows can be read, and numbers stand whole."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.text import Text

import lrat_bench
from lrat_bench.api.gate import bless, check
from lrat_bench.api.report import report_of
from lrat_bench.compare.comparison import compare_sides
from lrat_bench.compare.record import Comparison
from lrat_bench.compare.side import read_side
from lrat_bench.lrat.analysis.analysis import analyse
from lrat_bench.report import numbers
from lrat_bench.report.analysis import analysis_tables
from lrat_bench.report.compare import comparison_view
from lrat_bench.report.fitting import FittingTable
from lrat_bench.report.gate import gate_view
from lrat_bench.report.layout import layout
from lrat_bench.report.reported import Report
from lrat_bench.report.retrieval import differences_table, retrieval_summary
from lrat_bench.report.summary import summary
from lrat_bench.report.terminal import FittingReport
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run

WIDTHS = (44, 60, 80, 100, 140)


def lines_of(shown: RenderableType, width: int) -> list[str]:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(shown)
    return [line.rstrip() for line in capture.get().splitlines()]


def stands_in(name: str, lines: list[str]) -> bool:
    """Whether a cell says it, on one line or folded: each piece of it right below the one before."""
    return any(
        _goes_on(name, lines, at, found.start())
        for at, line in enumerate(lines)
        for found in re.finditer(re.escape(name[0]), line)
        if found.start() == 0 or line[found.start() - 1] in " │"
    )


def _goes_on(rest: str, lines: list[str], at: int, column: int) -> bool:
    if not rest:
        return True
    if at == len(lines):
        return False
    cell = re.split(r"  |\s*│|$", lines[at][column:], maxsplit=1)[0]
    if cell.startswith(rest):
        return True
    return bool(cell) and rest.startswith(cell) and _goes_on(rest[len(cell) :].lstrip(), lines, at + 1, column)


def misses(shown: RenderableType, width: int, names: Iterable[str], values: Iterable[str]) -> list[str]:
    """What cannot be read of it, at a width, as often as it is to be read; and lines that are too long."""
    lines = lines_of(shown, width)
    return [
        *(name for name in names if not stands_in(name, lines)),
        *(value for value, often in Counter(values).items() if _read(value, lines) < often),
        *(line for line in lines if len(line) > width),
    ]


def _read(value: str, lines: list[str]) -> int:
    whole = re.compile(rf"(?<![^\s│]){re.escape(value)}(?![^\s│])")
    return sum(len(whole.findall(line)) for line in lines)


@dataclass(frozen=True)
class World:
    """Runs and a retrieval, the runs under names that people give."""

    strong: Path
    cut: Path
    floor: Path
    retrieval: Path


@pytest.fixture(scope="module")
def world(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("named")
    names = {
        "oracle-10": "a-strong-run-with-the-evidence-first-k10",
        "oracle-2": "the-same-with-k2",
        "none-10": "floor",
    }
    strong, cut, floor = (Path(shutil.copytree(runs / old, home / new)) for old, new in names.items())
    return World(strong, cut, floor, runs / "retrieval")


def numbers_of(comparison: Comparison) -> list[str]:
    """Every number of a comparison, by the rules of `numbers`."""
    found = []
    for one in comparison.differences:
        like = comparison.side(one.other).metric(one.measure)
        shown = numbers.difference(like, one.value, one.low, one.high, one.questions)
        found += [numbers.signed(shown), numbers.interval(shown), numbers.p_value(one.p_holm), numbers.count(one.n)]
        found.append(f"{one.higher}/{one.equal}/{one.lower}")
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_a_report_keeps_names_and_numbers_whole(world: World, width: int) -> None:
    measures = ("success_rate", "evidence_recall", "steps", "completion_tokens", "evidence_nDCG@10")
    report = report_of([world.strong, world.cut, world.floor, world.retrieval])
    names, values = set(), []
    for grid in layout(report, measures=measures):
        for row in (row for block in grid.blocks for row in block):
            for column, cell in zip(grid.columns, row, strict=True):
                if column.numeric:
                    values += [f"{cell.text}{cell.mark}{'*' if cell.best else ''}", *filter(None, [cell.interval])]
                else:
                    names.add(cell.text)
    assert {"heuristic", "oracle", "none", "2", "10"} <= names
    assert len(values) > 20
    assert misses(FittingReport(report, measures=measures), width, names, values) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("knobs", [1, 4])
def test_long_names_and_many_columns_of_names_stay_readable(made_run: Any, width: int, knobs: int) -> None:
    retrievers = ("rrf:bm25+dense:Qwen/Qwen3-Embedding-0.6B@1", "dense:intfloat/multilingual-e5-large-instruct", "bm25")
    agent = "hosted_vllm/Alibaba-NLP/Tongyi-DeepResearch-30B-A3B"
    apart = [{f"knob {at}": f"setting-{at}-of-{one}" for at in range(knobs)} for one in range(3)]
    report = Report(
        runs=tuple(
            made_run(agent=agent, retriever=retriever, apart=one, success_rate=0.123 + at / 10, steps=1234.5 + at)
            for at, (retriever, one) in enumerate(zip(retrievers, apart, strict=True))
        )
    )
    names = [agent, *retrievers, *(value for one in apart for value in one.values())]
    values = ["12.3%", "22.3%", "32.3%*", "1,234.50*", "1,235.50", "1,236.50", "[7.3, 17.3]"]
    assert misses(FittingReport(report), width, names, values) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_keeps_names_and_numbers_whole(world: World, width: int) -> None:
    sides = [read_side(path) for path in (world.strong, world.cut, world.floor)]
    found = compare_sides(sides, across=["protocol"], all_pairs=True)
    names = [side.name for side in found.sides]
    assert all(len(name) > 12 for name in names[:2])
    pairs = [f"{one.other} − {one.baseline}" for one in found.differences]
    values = numbers_of(found)
    # Twice, as each difference from the baseline is: beside its side, and among the pairs.
    first = [one for one in found.differences if one.baseline == names[0]]
    assert len(first) < len(found.differences)
    values += numbers_of(found.model_copy(update={"differences": tuple(first)}))
    assert misses(comparison_view(found), width, [*names, *pairs], values) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_score_a_gate_and_an_analysis_keep_names_and_numbers_whole(world: World, width: int, tmp_path: Path) -> None:
    run = Run(world.cut)
    metrics = [
        metric for metric in run.metrics.metrics if metric.name in ("success_rate", "steps", "turns", "searches")
    ]
    values = [text for metric in metrics for text in (numbers.value(metric), numbers.interval(metric))]
    labels = ("success rate", "evidence recall, searched or browsed", "nDCG@10 of the first query", "completion tokens")
    assert misses(summary(run, run.manifest, run.metrics), width, labels, values) == []

    bless(world.strong, tmp_path / "baseline.json")
    result = check(world.floor, tmp_path / "baseline.json")
    assert len(result.failed) > 1
    values = [
        text
        for one in result.rules
        for text in (
            *(numbers.value(metric) for metric in (one.baseline, one.now) if metric is not None),
            numbers.p_value(one.adjusted),
            numbers.count(one.n),
        )
    ]
    view = gate_view(result)
    assert misses(view, width, [one.rule.measure for one in result.rules], values) == []
    # What became of a rule is said beside its name.
    lines = lines_of(view, width)
    assert sum(line.endswith(" fails") for line in lines) == len(result.failed)

    found = analyse([world.strong, world.floor])
    counts = [row for part in found.retrievers for row in part.counts]
    values = [numbers.mean(number) for row in counts for number in (row.searches, row.browses, row.steps)]
    names = ["oracle", "none", "incorrect", "by chance", "evidence"]
    assert misses(analysis_tables(found), width, names, values) == []


def test_differences_of_retrievals_keep_names_and_numbers_whole(world: World, tmp_path: Path) -> None:
    lrat_bench.retrieve("synth-wiki", "none", limit=8, set={"task.documents": 1000}, out=tmp_path / "none")
    here, other = Retrieval(world.retrieval), Retrieval(tmp_path / "none")
    found = here.against(other)
    values = [numbers.p_value(one.p) for one in found.values()]
    values += [numbers.value(metric) for metric in other.metrics.metrics if metric.name in found]
    names = ["evidence nDCG@10", "evidence recall@1000", "gold RR@10"]
    for width in WIDTHS:
        assert misses(differences_table(found, here.metrics, other.metrics), width, names, values) == []
        framed = retrieval_summary(here.path, here.manifest, here.metrics)
        assert misses(framed, width, names, map(numbers.value, here.metrics.metrics)) == []


def test_tasks_that_do_not_fit_abreast_stand_in_tables_of_their_own(made_run: Any) -> None:
    tasks = ("infoseek-eval", "browsecomp-plus")
    report = Report(
        runs=tuple(
            made_run(task=task, retriever=retriever, steps=20.0, n=300 + at)
            for at, task in enumerate(tasks)
            for retriever in ("bm25", "dense:some/model-of-embeddings")
        )
    )
    lines = lines_of(FittingReport(report, group="tasks"), 60)
    headings = [line for line in lines if any(task in line for task in tasks)]
    assert len(headings) >= 2
    assert all(sum(task in line for task in tasks) == 1 for line in headings)
    second = next(at for at, line in enumerate(lines) if tasks[1] in line)
    for part in (lines[:second], lines[second:]):
        assert stands_in("dense:some/model-of-embeddings", part)
    wide = lines_of(FittingReport(report, group="tasks"), 140)
    assert any(all(task in line for task in tasks) for line in wide)


def made_table(*, names: int = 1, count: int = 6, name: str = "row") -> FittingTable:
    table = FittingTable("A title")
    for at in range(names):
        table.name(f"name {at}")
    for at in range(count):
        table.number(f"column {at}", below=at % 2 == 1)
    for row in range(3):
        table.row(*(f"{name}{row}" for _ in range(names)), *(f"{row}{at},000" for at in range(count)))
    return table


def test_a_table_gives_way_in_order() -> None:
    table = made_table(name="a-name-of-many-letters-")
    full = table.width
    assert len(lines_of(table, full)) == 5
    headings_fold = lines_of(table, full - 8)
    assert len(headings_fold) == 6
    assert "column" in headings_fold[1]
    below = lines_of(table, 60)
    assert [line.split() for line in below[-2:]] == [
        ["a-name-of-many-letters-2", "20,000", "22,000", "24,000"],
        ["21,000", "23,000", "25,000"],
    ]
    folded = lines_of(table, 44)
    assert all("a-name-of-many-letters-0" not in line for line in folded)
    assert stands_in("a-name-of-many-letters-0", folded)
    stacked = lines_of(table, 34)
    assert sum(line.startswith("name 0") for line in stacked) == 2
    assert sum(line.startswith("name 0") for line in lines_of(table, 30)) == 3
    listed = lines_of(table, 20)
    assert "".join(listed[1:3]) == "a-name-of-many-letters-0"
    assert listed[3] == "  column 0 00,000"
    for width in range(18, full + 2):
        values = [f"{row}{at},000" for row in range(3) for at in range(6)]
        assert misses(table, width, [f"a-name-of-many-letters-{row}" for row in range(3)], values) == []


def test_a_row_without_a_number_is_left_out_of_a_table_that_has_none_for_it() -> None:
    table = FittingTable()
    table.name("side")
    for heading in ("a value", "a difference", "a p-value"):
        table.number(heading)
    table.row("the baseline", "1,234,567")
    table.row("another side", "2,345,678", "+1,111,111", "< 0.001")
    lines = lines_of(table, 34)
    assert sum("the baseline" in line for line in lines) == 1
    assert sum("another side" in line for line in lines) == 2


def test_names_that_are_left_out_are_those_above_even_where_rows_are_lists() -> None:
    table = FittingTable()
    table.name("agent")
    table.name("retriever")
    table.number("steps")
    table.row("an-agent-with-a-name", "a-retriever-with-a-name", "1")
    table.row("", "another-of-them", "2")
    table.gap()
    table.row("", "a-third", "3")
    joined = " ".join(lines_of(table, 24))
    assert joined.count("an-agent-with-a-name") == 2
    assert "agent" in joined.split("another-of-them")[0]
    assert "an-agent" not in joined.split(" 2 ")[1]


def test_a_frame_is_no_wider_than_what_it_holds() -> None:
    table = made_table(count=2)
    lines = lines_of(Panel(table, expand=False), 200)
    assert len(lines[0]) == table.width + 4
    assert max(map(len, lines_of(Panel(table, expand=False), 20))) <= 20


def test_names_of_wide_characters_and_hostile_texts_are_shown_as_they_are() -> None:
    table = FittingTable()
    table.name("name")
    table.number("n")
    table.text("what")
    table.row("検索器" * 10, "1,000", "[bold red]no markup[/] and \x1b[31mno colour")
    table.row("", "2,000", Text("two\nlines"))
    for width in (24, 40, 60):
        lines = lines_of(table, width)
        # A list says the name again for the row below.
        assert "".join(re.findall("[検索器]", "".join(lines))) in ("検索器" * 10, "検索器" * 20)
        assert "\x1b" not in "".join(lines)
        assert "[bold" in "".join(lines)
        assert all(Text(line).cell_len <= width for line in lines)


def test_a_table_of_names_alone_and_one_without_rows_are_shown_at_any_width() -> None:
    table = FittingTable()
    table.name("agent")
    table.name("retriever")
    table.row("an-agent-with-a-name", "a-retriever-with-a-name")
    assert stands_in("a-retriever-with-a-name", lines_of(table, 20))
    empty = FittingTable("nothing")
    empty.name("name")
    empty.number("a number with a long heading")
    assert lines_of(empty, 12)[0] == "nothing"
