"""What is shipped is unique, as its schema says, and names tasks, protocols, agents and metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lrat_bench.agent.catalog import find_backbone
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.published.library import PublishedTable, card_of, known_tables, load_table
from lrat_bench.retriever.catalog import RETRIEVERS
from lrat_bench.score.judges.presets import presets
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.peers.catalogue import BESIDE
from lrat_bench.score.retrieval import QUESTION_MEASURES

TABLES = known_tables()
OURS = {measure.name for measure in MEASURES} | {"calibration_error"}
RETRIEVAL = {f"{kind}_{measure}" for kind in ("evidence", "gold") for measure in QUESTION_MEASURES}


def by_id(name: str) -> dict[str, float]:
    return {figure.id.removeprefix(f"{name}/"): figure.value for figure in load_table(name).figures}


def test_all_that_are_promised_are_there() -> None:
    assert {table.name: len(table.figures) for table in TABLES} == {
        "browsecomp-plus-retrieval": 5 * 8,
        "browsecomp-plus-table-1": 18 * 4 + 2 * 3 + 3 * 4 + 3 * 3,
        "browsecomp-plus-table-3": 16 * 4,
        "lrat-figure-7": 12,
        "lrat-figure-9": 12,
        "lrat-table-1": 48,
        "lrat-table-2": 24 * 5,
        "lrat-table-3": 9,
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_figure_can_be_asked_for(table: PublishedTable) -> None:
    ids = [figure.id for figure in table.figures]
    assert len(set(ids)) == len(ids)
    for figure in table.figures:
        column = figure.measures
        card = card_of(column.task)
        assert column.protocol in card.protocols
        assert figure.judge in presets()
        assert column.metric is None or column.metric in (RETRIEVAL if column.by == "retrieval" else OURS)
        assert column.peer is None or column.peer in BESIDE
        assert column.n in (None, card.expected.questions)
        assert column.n is not None or not column.rate
        if figure.agent is not None and figure.agent.name is not None:
            assert find_backbone(figure.agent.name) is not None
        if figure.retriever.name is not None:
            assert figure.retriever.name.partition(":")[0] in RETRIEVERS
        assert figure.retriever.name is not None or figure.retriever.prepare


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_value_has_more_digits_than_its_column_says(table: PublishedTable) -> None:
    for figure in table.figures:
        assert round(figure.value, figure.measures.decimals) == figure.value, figure.id
        assert (
            0 <= figure.value <= (100 if figure.measures.unit == "%" else 1 if figure.measures.unit == "share" else 1e5)
        )


def test_steps_are_searches_and_browses_as_the_paper_adds_them() -> None:
    table = by_id("lrat-table-1")
    for key in {name.rpartition("/")[0] for name in table}:
        for group in ("correct", "incorrect", "total"):
            parts = [table[f"{key}/{group}.{name}"] for name in ("searches", "browses", "steps")]
            assert parts[0] + parts[1] == pytest.approx(parts[2], abs=0.011)
        assert table[f"{key}/correct.n"] + table[f"{key}/incorrect.n"] == table[f"{key}/total.n"]


def test_tables_that_share_a_setting_agree() -> None:
    two, seven, three = by_id("lrat-table-2"), by_id("lrat-figure-7"), by_id("lrat-table-3")
    for agent in ("gpt-oss-120b", "minimax-m2.1", "glm-4.7"):
        base = f"{agent}/qwen3-embedding-0.6b"
        assert two[f"{base}/bcp.success"] == seven[f"{base}/success"] == three[f"{base}/success"]
        # GPT-OSS has 12.1 in one and 12.2 in the other, as the paper prints them.
        assert two[f"{base}+lrat/bcp.success"] == pytest.approx(seven[f"{base}+lrat/success"], abs=0.11)


def test_rows_are_selected_by_key_label_or_name() -> None:
    table = load_table("lrat-table-2")
    assert len(table.select(agent="glm-4.7").rows) == 4
    assert len(table.select(agent="GLM-4.7 358b").rows) == 4
    (row,) = table.select(agent="glm-4.7", retriever="dense:Yuqi-Zhou/LRAT-Qwen3-Embedding-0.6B").rows
    assert row.label == "GLM-4.7 358B, Qwen3-Emb-0.6B + LRAT"
    with pytest.raises(UnknownName, match=r"unknown agent of lrat-table-2 'glm'"):
        table.select(agent="glm")
    with pytest.raises(UsageError, match=r"no row of agent 'gpt-4\.1' over retriever 'reasonir-8b'"):
        load_table("browsecomp-plus-table-1").select(agent="gpt-4.1", retriever="reasonir-8b")


def test_an_unknown_table_is_one_line_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="unknown table of figures 'lrat-table-4': did you mean 'lrat-table-3'"):
        load_table("lrat-table-4")


FILE = """
paper: mine
short: mine
place: Table 1
summary: mine
source: me
columns:
  success: {header: success, task: synth-wiki, protocol: default, metric: success_rate, unit: "%", decimals: 1}
rows:
  - {agent: heuristic, retriever: oracle, values: {success: 90.0}}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("task: synth-wiki", "task: sinth-wiki", "columns.success.task: the catalog has no 'sinth-wiki'"),
        ("protocol: default", "protocol: lrat-v1", "'synth-wiki' has no 'lrat-v1'; known: default"),
        ("agent: heuristic", "agent: somebody", "there is no agent 'somebody'"),
        ("agent: heuristic, ", "", "a run has an agent"),
        ("values: {success", "values: {sucess", "a row has a value of 'sucess', which is no column"),
        ("paper: mine", "paper: mine\ncolour: red", "colour: there is no such field"),
        ("decimals: 1", "decimals: -1", "decimals cannot be -1: must be at least 0"),
        ("success: 90.0", "success: 109.0", "mine/heuristic/oracle/success is 109, which is no value in %"),
        ("values: {success: 90.0}", "values: {success: .nan}", "must be a finite number"),
        ("rows:", "rows:\n  - {agent: heuristic, retriever: oracle, values: {success: 1.0}}", "is there twice"),
        (
            "metric: success_rate",
            "metric: sucess_rate",
            "unknown metric of a run 'sucess_rate': did you mean 'success",
        ),
        ("unit:", "peer: lrat.sucess_rate, unit:", "columns.success.peer: unknown metric of a run 'lrat.sucess_rate'"),
        ("unit:", "by: retrieval, unit:", "columns.success.metric: unknown metric of a retrieval 'success_rate'"),
        ("paper: mine", "{", "not valid YAML"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(FILE.replace(old, new))
    with pytest.raises(DataError) as error:
        load_table(str(file))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_ones_own_has_names_as_keys(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(FILE)
    (figure,) = load_table(str(file)).figures
    assert (figure.id, figure.judge, figure.tolerance) == ("mine/heuristic/oracle/success", "exact", 0.05)
    with pytest.raises(DataError, match="cannot be read"):
        load_table(str(tmp_path / "yours.yaml"))


def test_the_file_on_the_page_is_one(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "reproduce.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    (tmp_path / "ours.yaml").write_text(block)
    assert [figure.value for figure in load_table(str(tmp_path / "ours.yaml")).figures] == [54.3, 15.87]


def test_the_page_names_every_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reproduce.md").read_text()
    for table in TABLES:
        assert f"`{table.name}`" in page
