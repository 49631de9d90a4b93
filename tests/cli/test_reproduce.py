"""`lrat-bench reproduce`: what is published, what it takes, and runs beside it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from published_runs import mean, rate, write_retrieval, write_run
from said import Command, refused

from lrat_bench.published.library import known_tables
from lrat_bench.published.needs import needs_of
from lrat_bench.runs.resolve import Settings
from lrat_bench.score.measured import Measured
from lrat_bench.score.retrieval import QUESTION_MEASURES, summarise_retrieval

TABLES = known_tables()
LRAT = "dense:Yuqi-Zhou/LRAT-Qwen3-Embedding-0.6B"
ADDRESSES = "--set agent.api_base=http://localhost:8000/v1 --set judge.api_base=http://localhost:8001/v1"


def test_without_a_table_it_lists_them_a_line_each(command: Command) -> None:
    code, out, err = command("reproduce")
    assert (code, err) == (0, "")
    for table in TABLES:
        assert sum(line.startswith(f"{table.name} ") for line in out.splitlines()) == 1


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_every_table_is_printed_with_what_it_takes(command: Command, name: str) -> None:
    code, out, err = command("reproduce", name)
    assert (code, err) == (0, "")
    assert "it takes, by estimate" in out
    assert f"lrat-bench reproduce {name}" in out


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_no_number_is_broken(command: Command, name: str) -> None:
    _, out, _ = command("reproduce", name)
    printed = out.partition("it takes, by estimate")[0].split()
    for figure in next(table for table in TABLES if table.name == name).figures:
        text = f"{figure.value:,.{figure.measures.decimals}f}{'%' if figure.measures.unit == '%' else ''}"
        assert text in printed, figure.id
    if name == "lrat-table-1":
        assert "incorrect searches" in out


def test_a_row_is_printed_with_the_commands_that_make_it(command: Command) -> None:
    code, out, _ = command(
        "reproduce", "lrat-table-2", "--agent", "glm-4.7", "--retriever", "qwen3-embedding-0.6b+lrat"
    )
    assert code == 0
    lines = out.splitlines()
    for line in (
        "lrat-bench tasks prepare browsecomp-plus",
        "lrat-bench tasks prepare infoseek-eval --set task.corpus_revision=CORPUS_REVISION",
        f"lrat-bench run --task browsecomp-plus@lrat-v1 --agent glm-4.7 --retriever {LRAT} {ADDRESSES}",
        "lrat-bench reproduce lrat-table-2 RUN",
    ):
        assert line in lines
    assert any(line.startswith("vllm serve zai-org/GLM-4.7") and line.endswith("--port 8000") for line in lines)
    assert any(line.startswith("vllm serve Qwen/Qwen3-30B-A3B-Thinking-2507") for line in lines)
    assert "Qwen3-Emb-0.6B + LRAT" in out
    assert "mE5" not in out


def test_estimates_are_arithmetic_and_unknown_is_null(command: Command) -> None:
    _, out, _ = command("reproduce", "lrat-table-2", "--agent", "gpt-oss-120b", "--json")
    infoseek, browsecomp = json.loads(out)["needs"][:2]
    assert browsecomp["task"] == "browsecomp-plus@lrat-v1"
    assert browsecomp["completions"] == round(830 * 46.4)
    assert infoseek["completions"] == round(300 * 35.9)
    assert (browsecomp["judgements"], browsecomp["agent_gb"], browsecomp["judge_gb"]) == (830, 240, 60)
    assert browsecomp["encoded_tokens"] == 100_195 * 512
    assert (browsecomp["hours"], browsecomp["cost_usd"]) == (None, None)
    _, out, _ = command("reproduce", "lrat-table-2", "--agent", "gpt-oss-120b", "--calls-per-second", "4", "--json")
    timed = json.loads(out)["needs"][1]
    assert timed["hours"] == pytest.approx(browsecomp["completions"] / 4 / 3600)
    assert set(browsecomp["assumptions"]) < set(timed["assumptions"])
    _, out, _ = command("reproduce", "browsecomp-plus-table-1", "--agent", "o3", "--json")
    assert [one["cost_usd"] for one in json.loads(out)["needs"]] == [836.35, 740.79]


def test_settings_of_a_command_are_read_back_as_they_were_meant() -> None:
    for table in TABLES:
        for row in table.rows:
            for needs in needs_of(row, table=table.name):
                (line,) = (one for one in needs.commands if f"--task {needs.task}" in one and "--retriever" in one)
                words = shlex.split(line)
                given = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
                assert Settings.parse(given).retriever == row.retriever.settings


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """gpt-oss-120b over the base retriever: success equal, recall within noise, steps off."""
    return write_run(
        tmp_path / "gpt-oss",
        rate("lrat.success_rate", 75, 830),
        mean("browsecomp_plus.recall", 0.4502, 0.02),
        mean("lrat.steps", 46.9, 0.8, unit="steps"),
    )


def test_each_figure_that_a_run_answers_is_ok_within_noise_or_off(command: Command, run: Path) -> None:
    code, out, err = command("reproduce", "lrat-table-2", "gpt-oss")
    assert (code, err) == (1, "")
    lines = {line.partition("  ")[0].strip(): " ".join(line.split()) for line in out.splitlines()}
    assert lines["BCP success"].startswith("BCP success 9.0% 9.0% [7.3, 11.2] 830 [-2.7, +2.8] OK")
    assert (
        lines["BCP recall (searched)"] == "BCP recall (searched) 43.7% 45.0% [43.0, 47.0] 830 [-0.7, +3.3] within noise"
    )
    assert lines["BCP steps"] == "BCP steps 45.4 46.9 [46.1, 47.7] 830 [+0.7, +2.3] off"
    assert out.splitlines()[0] == "gpt-oss  GPT-OSS 120B, Qwen3-Emb-0.6B"


def test_nothing_off_is_exit_0(command: Command, tmp_path: Path) -> None:
    write_run(tmp_path / "run", rate("lrat.success_rate", 75, 830))
    assert command("reproduce", "lrat-table-2", "run")[0] == 0
    write_retrieval(tmp_path / "found", mean("evidence_R@5", 0.01181, 0.002))
    assert command("reproduce", "browsecomp-plus-retrieval", "found")[0] == 0


def test_a_retriever_that_finds_nothing_is_off(command: Command, tmp_path: Path) -> None:
    names = [f"{kind}_{measure}" for kind in ("evidence", "gold") for measure in QUESTION_MEASURES]
    asked = tuple(str(at) for at in range(830))
    nothing = Measured(asked, asked, tuple(names), np.zeros((830, len(names))))
    write_retrieval(tmp_path / "broken", *summarise_retrieval([nothing], k=1000).metrics)
    code, out, _ = command("reproduce", "browsecomp-plus-retrieval", "broken")
    assert code == 1
    assert re.findall(r"\b(OK|within noise|off|undecided)\b", out) == ["off"] * 8


def test_a_part_of_the_questions_is_named(command: Command, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", rate("lrat.success_rate", 2, 8))
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "limit": 8}))
    code, out, _ = command("reproduce", "lrat-table-2", "run")
    assert code == 0
    assert "the first 8 questions alone, of 830" in " ".join(out.split())
    (path / "manifest.json").write_text(json.dumps({**manifest, "limit": 830}))
    assert "alone" not in command("reproduce", "lrat-table-2", "run")[1]


def test_a_run_of_another_protocol_is_one_line_and_compared_only_anyway(command: Command, tmp_path: Path) -> None:
    write_run(tmp_path / "run", rate("lrat.success_rate", 200, 830), rollout={"k": 5})
    code, out, _ = command("reproduce", "lrat-table-2", "run")
    assert code == 0
    assert "run answers none of lrat-table-2: the nearest row is GPT-OSS 120B, Qwen3-Emb-0.6B, but" in out
    assert "protocol lrat-v1 with k 5 instead of 10" in " ".join(out.split())
    code, out, _ = command("reproduce", "lrat-table-2", "run", "--anyway")
    assert code == 1
    assert "although it has protocol lrat-v1 with k 5 instead of 10" in " ".join(out.split())
    assert "off" in out


def test_json_is_one_document_with_all_that_is_said(command: Command, run: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "other", agent="qwen3-32b")
    code, out, _ = command("reproduce", "lrat-table-2", run, tmp_path / "other", "--json")
    assert code == 1
    found = json.loads(out)
    assert {one["figure"]["column"]: one["outcome"] for one in found["comparisons"]} == {
        "bcp.success": "OK",
        "bcp.recall_searched": "within noise",
        "bcp.steps": "off",
    }
    success = found["comparisons"][0]
    assert (success["figure"]["value"], success["figure"]["measures"]["unit"], success["tolerance"]) == (9.0, "%", 0.05)
    assert (success["figure"]["measures"]["n"], success["ours"]["n"]) == (830, 830)
    assert [one["run"] for one in found["unanswered"]] == [str(tmp_path / "other")]
    assert len(json.loads(command("reproduce", "lrat-table-2", "--json")[1])["figures"]) == 120


def test_what_is_wrong_is_one_line(command: Command, tmp_path: Path) -> None:
    write_run(tmp_path / "unscored")
    (tmp_path / "unscored" / "metrics.json").unlink()
    for words, said in (
        (("lrat-table-9",), ("unknown table of figures 'lrat-table-9'", "lrat-table-")),
        (("lrat-table-2", "--agent", "nobody"), ("unknown agent of lrat-table-2 'nobody'",)),
        (("lrat-table-2", "nowhere"), ("nowhere is neither a run nor a retrieval",)),
        (("lrat-table-2", "unscored"), ("there are no scores yet: run `lrat-bench score`",)),
        (("mine.yaml",), ("mine.yaml: cannot be read",)),
        (("lrat-table-2", "--calls-per-second", "0"), ("--calls-per-second",)),
    ):
        refused(command("reproduce", *words), *said)


def test_one_folder_that_cannot_be_read_keeps_no_other_from_it(command: Command, run: Path) -> None:
    code, out, err = command("reproduce", "lrat-table-2", "nowhere", run)
    assert code == 2
    assert "OK" in out
    assert "nowhere is neither a run nor a retrieval" in err
    assert "1 of 2 could not be read" in err


def test_a_run_without_a_value_says_so(command: Command, tmp_path: Path) -> None:
    write_run(tmp_path / "run", rate("lrat.success_rate", 0, 0))
    code, out, _ = command("reproduce", "lrat-table-2", "run")
    assert code == 0
    assert "not measured: n = 0" in out


def test_a_run_beside_a_retrieval_board_is_one_line(command: Command, run: Path) -> None:
    code, out, _ = command("reproduce", "browsecomp-plus-retrieval", "gpt-oss", "--anyway")
    assert code == 0
    assert out.strip() == (
        "gpt-oss answers none of browsecomp-plus-retrieval: its figures are of folders that `lrat-bench retrieve` makes"
    )
