"""`lrat-bench compare` and `power`: on real runs, with one screen for people and one document for machines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from said import Command, refused

import lrat_bench
from lrat_bench.api.compare import compare_runs
from lrat_bench.compare.record import Comparison
from lrat_bench.errors import RolloutFailure
from lrat_bench.report.compare import comparison_view
from lrat_bench.runs.run import Run
from lrat_bench.score.power import mcnemar_questions

SMALL: dict[str, Any] = {"limit": 30, "set": {"task.documents": 1000}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs of the heuristic agent: bm25, oracle, none, and none with another k."""
    folder = tmp_path_factory.mktemp("runs")
    for retriever in ("bm25", "oracle", "none"):
        lrat_bench.run(retriever=retriever, out=folder / retriever, **SMALL)
    lrat_bench.run(retriever="none", out=folder / "k3", limit=30, set={"task.documents": 1000, "protocol.k": 3})
    return folder


def document(command: Command, *words: object) -> Any:
    code, out, err = command("compare", *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_three_runs_are_compared_on_one_screen(command: Command, runs: Path) -> None:
    code, out, err = command("compare", runs / "bm25", runs / "oracle", runs / "none")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["bm25", str(runs / "bm25"), "baseline"] in lines
    at = next(place for place, line in enumerate(lines) if line == ["success", "rate"])
    baseline, oracle, none = lines[at + 1 : at + 4]
    assert (baseline[0], len(baseline)) == ("bm25", 3)
    assert oracle[:5] == ["oracle", "100%", "a", "+27", "points"]
    assert none[:5] == ["none", "0%", "c", "-73", "points"]
    assert "p, Holm" in out
    assert "Questions right with oracle alone: 8; with bm25 alone: 0" in out
    assert (
        "oracle − bm25: at n = 30 with 27% discordant, a difference of 26 points in success rate is found in 80 %"
        in out
    )


def test_the_document_holds_what_the_screen_shows_and_more(command: Command, runs: Path) -> None:
    found = document(command, runs / "bm25", runs / "oracle", runs / "none")
    assert found["schema"] == "lrat-bench/comparison/1"
    assert Comparison.model_validate(found) == compare_runs(*(runs / name for name in ("bm25", "oracle", "none")))
    success = [one for one in found["differences"] if one["measure"] == "success_rate"]
    assert [(one["baseline"], one["other"], one["test"]) for one in success] == [
        ("bm25", "oracle", "mcnemar"),
        ("bm25", "none", "mcnemar"),
    ]
    assert all(0 <= one["p"] <= one["p_holm"] < 0.05 for one in success)
    correct = {
        name: {row.question_id for row in Run(runs / name).rows if row.outcome == "correct"}
        for name in ("bm25", "oracle")
    }
    assert set(found["flips"][0]["only_other"]) == correct["oracle"] - correct["bm25"]
    assert found["flips"][0]["only_baseline"] == sorted(correct["bm25"] - correct["oracle"])
    value = success[0]["value"]
    assert value == pytest.approx((len(correct["oracle"]) - len(correct["bm25"])) / 30)
    (steps,) = [one for one in found["ties"] if one["measure"] == "steps"]
    assert [side["name"] for side in steps["sides"]] == ["none", "oracle", "bm25"]
    assert [side["letters"] for side in steps["sides"]] == [["a"], ["b"], ["c"]]


def test_the_same_command_prints_the_same(command: Command, runs: Path) -> None:
    words = ("compare", runs / "bm25", runs / "none", "--all-pairs", "--flips")
    assert command(*words) == command(*words)
    reseeded = document(command, runs / "bm25", runs / "none", "--seed", 1)
    assert reseeded["seed"] == 1
    assert reseeded["differences"] != document(command, runs / "bm25", runs / "none")["differences"]


def test_every_pair_where_it_is_asked_for(command: Command, runs: Path) -> None:
    _, out, _ = command("compare", runs / "bm25", runs / "oracle", runs / "none", "--all-pairs")
    for pair in ("oracle − bm25", "none − bm25", "none − oracle"):
        assert pair in out


def test_flipped_questions_are_named_where_it_is_asked_for(command: Command, runs: Path) -> None:
    flips = document(command, runs / "bm25", runs / "oracle")["flips"][0]["only_other"]
    plain, named = (command("compare", runs / "bm25", runs / "oracle", *more)[1] for more in ((), ("--flips",)))
    assert flips
    assert all(qid in named for qid in flips)
    assert not any(qid in plain for qid in flips)


def test_other_measures_are_compared_by_name(command: Command, runs: Path) -> None:
    found = document(command, runs / "bm25", runs / "oracle", "--measure", "gold_recall", "--measure", "turns")
    assert [one["measure"] for one in found["differences"]] == ["gold_recall", "turns"]
    refused(command("compare", runs / "bm25", runs / "oracle", "--measure", "recal"), "unknown measure 'recal'")


def test_runs_under_other_protocols_are_refused_by_key_and_compared_on_purpose(command: Command, runs: Path) -> None:
    words = ("compare", runs / "none", runs / "k3")
    refused(command(*words), "differ in protocol (", "--across protocol")
    code, out, _ = command(*words, "--across", "protocol")
    assert code == 0
    assert "Compared although they differ in protocol" in out
    assert document(command, *words[1:], "--across", "protocol")["across"][0]["key"] == "protocol"
    refused(command(*words, "--across", "protokoll"), "did you mean 'protocol'")


def test_retrievals_are_compared_and_not_with_runs(command: Command, runs: Path, task_folder: Path) -> None:
    for name in ("oracle", "none"):
        command("retrieve", "--task", task_folder, "--retriever", name, "--out", name)
    found = document(command, "oracle", "none")
    assert found["kind"] == "retrieval"
    assert {one["measure"] for one in found["differences"]} >= {"evidence_nDCG@10", "gold_R@100"}
    assert all(one["value"] < 0 for one in found["differences"])
    assert found["flips"] == []
    code, out, _ = command("compare", "oracle", "none")
    assert code == 0
    assert "evidence nDCG@10" in out
    refused(command("compare", "oracle", runs / "oracle"), "is a retrieval and", "a run")


def test_replayed_queries_are_compared_as_parts_of_their_questions(command: Command, runs: Path) -> None:
    for name in ("oracle", "none"):
        command("retrieve", "--replay", runs / "none", "--retriever", name, "--out", name)
    found = document(command, "oracle", "none", "--measure", "evidence_nDCG@10", "--measure", "evidence_union_R@10")
    queries, trajectories = found["differences"]
    assert queries["n"] > queries["questions"] == trajectories["n"] == trajectories["questions"] == 30


def test_neither_the_task_nor_its_corpus_is_needed(
    command: Command, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = document(command, runs / "bm25", runs / "oracle")
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "nothing"))
    assert document(command, runs / "bm25", runs / "oracle") == before
    assert not (tmp_path / "nothing").exists()


def test_what_is_no_run_is_refused_in_one_line(command: Command, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("{}")
    refused(command("compare", runs / "bm25"), "two sides or more, got 1")
    refused(command("compare", runs / "bm25", "nowhere"), "nowhere is neither a run folder")
    refused(command("compare", runs / "bm25", "empty"), "empty is neither a run folder")
    refused(command("compare", runs / "bm25", "file"), "'file' is a file")
    broken = shutil.copytree(runs / "bm25", tmp_path / "broken")
    rows = broken / "per_question.jsonl"
    rows.write_text(rows.read_text().replace('"correct"', '"incorrect"', 1))
    refused(command("compare", runs / "bm25", broken), "not the rows that metrics.json was taken from", "score")
    (broken / "metrics.json").unlink()
    refused(command("compare", runs / "bm25", broken), "there are no scores yet", "lrat-bench score")
    (broken / "manifest.json").write_text('{"schema": "lrat-bench/manifest/1", "identity": [[[')
    refused(command("compare", runs / "bm25", broken), "not a run manifest of this version")


def test_while_something_is_unresolved_nothing_is_final(command: Command, task_folder: Path, tmp_path: Path) -> None:
    async def agent(question: str, tools: Any) -> str:
        if "town" in question:
            raise RolloutFailure("502")
        return "Aldwin Marr"

    lrat_bench.run(str(task_folder), agent=agent, retriever="oracle", out=tmp_path / "broken")
    lrat_bench.run(str(task_folder), agent="heuristic", retriever="oracle", out=tmp_path / "whole")
    code, out, _ = command("compare", "whole", "broken")
    assert code == 3
    assert "1 unresolved: success is between 50% and 100%" in " ".join(out.split())
    assert "50%–100%" in out
    code, out, _ = command("compare", "whole", "broken", "--json")
    assert code == 3
    found = json.loads(out)
    assert found["unresolved"] == found["sides"][1]["unresolved"] == 1
    assert found["sides"][1]["success_bound"] == 1.0


def test_repeats_are_averaged_and_said(command: Command, task_folder: Path, tmp_path: Path) -> None:
    for name, repeats in (("once", 1), ("thrice", 3)):
        lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / name, repeats=repeats)
    refused(command("compare", "once", "thrice"), "differ in repeats (1 and 3): run the missing repeats")
    code, out, _ = command("compare", "once", "thrice", "--across", "repeats")
    assert code == 0
    assert "Compared although they differ in repeats: 1 of once; 3 of thrice" in out
    assert "3 repeats" in out
    assert "asked a question unequally often" in out
    assert document(command, "once", "thrice", "--across", "repeats")["differences"][0]["n"] == 2


def test_a_seed_is_a_whole_number_from_0_on(command: Command, runs: Path) -> None:
    refused(command("compare", runs / "bm25", runs / "oracle", "--seed", "-1"), "--seed", "-1")


def test_names_cannot_speak_to_the_terminal(runs: Path) -> None:
    found = compare_runs(runs / "bm25", runs / "oracle", runs / "none")
    hostile = "\x1b[31m[bold red]x[/][link=http://evil]\u202e"
    text = found.model_dump_json(by_alias=True).replace('"oracle"', json.dumps(hostile))
    text = text.replace("test-0004", json.dumps("\x1b]0;owned\x07[blink]")[1:-1])
    console = Console(width=200, force_terminal=True, color_system=None)
    with console.capture() as caught:
        console.print(comparison_view(Comparison.model_validate_json(text), flips=True))
    said = caught.get()
    assert "[bold red]x[/][link=http://evil]" in said
    assert "[blink]" in said
    for bad in ("\x1b[31m", "\x1b]", "\x07", "\u202e"):
        assert bad not in said


@pytest.mark.parametrize("words", [["power"], ["compare", "{bm25}", "{oracle}"]])
def test_nothing_heavy_is_imported(words: list[str], runs: Path) -> None:
    given = [word.format(bm25=runs / "bm25", oracle=runs / "oracle") for word in words]
    code = f"""
import sys
from lrat_bench.cli.main import main
try:
    main({given!r})
except SystemExit as stop:
    assert stop.code == 0
heavy = "torch transformers litellm pyserini jnius faiss datasets pandas scipy matplotlib lrat_bench.exchange"
print(sorted(set(heavy.split()) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == "[]", done.stderr


def test_power_says_how_many_questions_a_difference_takes(command: Command) -> None:
    code, out, err = command("power", "--points", "5")
    assert (code, err) == (0, "")
    assert "5 points" in out
    assert "622" in out.split("\n")[1]
    _, out, _ = command("power", "--points", 5, "--discordance", 20, "--json")
    assert json.loads(out)["cases"] == [{"questions": 622, "difference": 0.05, "discordance": 0.2, "power": 0.8}]


def test_power_says_what_so_many_questions_show_and_how_often(command: Command) -> None:
    _, out, _ = command("power", "--questions", 300, "--discordance", 21, "--json")
    (case,) = json.loads(out)["cases"]
    assert case["difference"] == pytest.approx(0.073, abs=0.001)
    _, out, _ = command("power", "--questions", 830, "--points", 5, "--discordance", 20)
    assert "90.0%" in out
    _, out, _ = command("power", "--difference", 1, "--sd", 8, "--json")
    assert json.loads(out)["cases"][0]["questions"] == 505
    _, out, _ = command("power", "--points", 15, "--discordance", 10, "--discordance", 20, "--json")
    assert [case["questions"] is None for case in json.loads(out)["cases"]] == [True, False]


def test_power_says_why_a_cell_is_empty(command: Command) -> None:
    _, out, _ = command("power", "--points", 15, "--points", 5)
    assert "–: two rates differ by no more than the share of questions that are discordant." in out
    _, out, _ = command("power", "--questions", 4, "--discordance", 10)
    assert "–: not even the largest difference is found so often; ask more questions." in out
    for words in (("--points", 5), ("--questions", 10**12, "--discordance", 20)):
        assert "–" not in command("power", *words)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--points", 5, "--sd", 3), "not both"),
        (("--sd", 3), "a mean takes --sd, and --difference or --questions"),
        (("--difference", 3), "a mean takes --sd"),
        (("--points", 15, "--discordance", 10), "--points 15 cannot be above --discordance 10"),
        (("--points", 50), "--points 50 cannot be above --discordance 40"),
        (("--questions", "1e12"), "'1e12' is not a valid integer"),
        (("--power", 4), "--power 4 must lie above --alpha 5"),
        (("--points", "nan"), "got nan"),
        (("--points", 0), "--points"),
        (("--questions", 0), "--questions"),
        (("--discordance", 101), "--discordance"),
        (("--sd", "inf", "--questions", 3), "finite"),
    ],
)
def test_what_power_cannot_answer_is_refused(command: Command, words: tuple[object, ...], said: str) -> None:
    refused(command("power", *words), said)


def test_the_table_of_the_page_is_what_power_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text()
    rows = re.findall(r"^\| ([\d.]+) points \|(.*)\|$", page, flags=re.MULTILINE)
    assert len(rows) == 5
    for points, cells in rows:
        needed = [int(cell.replace(",", "")) for cell in cells.split("|")]
        assert needed == [mcnemar_questions(float(points) / 100, discordance) for discordance in (0.1, 0.2, 0.3, 0.4)]
