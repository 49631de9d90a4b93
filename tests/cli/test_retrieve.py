"""`lrat-bench retrieve`: done once, found again, compared only with what can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lrat_bench.cli.main import main
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.score.metrics.ranking import ranking_measures

Said = tuple[int, str, str]
Command = Callable[..., Said]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `lrat-bench WORDS…` in an empty folder; gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Said:
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        said = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, said.out, said.err

    return run


def refused(said: Said, *words: str) -> None:
    """Exit code 2, nothing on stdout, one line that holds the words."""
    code, out, err = said
    assert (code, out) == (2, ""), err
    (line,) = [line for line in err.splitlines() if line.startswith("lrat-bench: ")]
    assert "Traceback" not in err
    for word in words:
        assert word in line


def words(task: Path, *more: object, retriever: str = "oracle") -> tuple[object, ...]:
    return ("retrieve", "--task", task, "--retriever", retriever, *more)


def test_it_prints_its_table_and_leaves_a_folder_that_can_be_checked(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    code, out, _ = command(*words(task_folder, "--out", "here"))
    assert code == 0
    for shown in ("bridge · test", "evidence nDCG@10", "evidence recall@1000", "gold RR@10", "2 questions", "oracle"):
        assert shown in out
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert names == {".lock", "manifest.json", "metrics.json", "per_query.jsonl", "run.trec"}
    lines = [line.split() for line in (tmp_path / "here" / "run.trec").read_text().splitlines()]
    assert [line[:5] for line in lines[:2]] == [["q1", "Q0", "d1", "1", "4"], ["q1", "Q0", "d2", "2", "3"]]
    rankings: dict[str, list[str]] = {}
    for qid, _, docid, *_ in lines:
        rankings.setdefault(qid, []).append(docid)
    gold = {"q1": frozenset({"d2"}), "q2": frozenset({"d3"})}
    (expected,) = ranking_measures(rankings, gold, ["RR@10"])
    found = Retrieval(tmp_path / "here").metrics.metric("gold_RR@10")
    assert found is not None
    assert found.value == expected.mean == 0.75
    first = json.loads((tmp_path / "here" / "per_query.jsonl").read_text().splitlines()[0])
    assert (first["id"], first["question_id"], first["values"]["gold_RR@10"]) == ("q1", "q1", 0.5)


def test_the_same_command_again_searches_nothing_and_fresh_does(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    _, first, err = command(*words(task_folder, "--json"))
    folder = Path(json.loads(first)["retrieval"])
    assert folder.name.startswith("bridge-test-oracle-")
    assert "searching" in err
    file = tmp_path / folder / "run.trec"
    file.write_text(file.read_text() + "q9 Q0 d1 1 1 marked\n")
    _, again, err = command(*words(task_folder, "--json"))
    assert again == first
    assert "searching" not in err
    assert "marked" in file.read_text()
    assert command(*words(task_folder, "--fresh"))[0] == 0
    assert "marked" not in file.read_text()
    (tmp_path / folder / "per_query.jsonl").unlink()
    assert "searching" in command(*words(task_folder))[2]


def test_measures_deeper_than_k_are_left_out_and_it_says_so(command: Command, task_folder: Path) -> None:
    _, out, _ = command(*words(task_folder, "--k", 10))
    assert "R@100, R@1000 left out: look deeper than k = 10" in out
    _, out, _ = command(*words(task_folder, "--k", 10, "--json"))
    scores = json.loads(out)["scores"]
    assert scores["left_out"] == ["R@100", "R@1000"]
    assert {metric["name"] for metric in scores["metrics"]} == {
        f"{kind}_{name}" for kind in ("evidence", "gold") for name in ("nDCG@10", "R@5", "RR@10")
    }
    refused(command(*words(task_folder, "--k", 2)), "too small")
    refused(command(*words(task_folder, "--k", 0)), "at least 1")


def test_a_replay_needs_no_model_and_keeps_what_each_trajectory_would_see(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    command("run", "--task", task_folder, "--retriever", "oracle", "--out", "run")
    code, out, _ = command("retrieve", "--replay", "run", "--retriever", "oracle", "--out", "here", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["manifest"]["source"], found["manifest"]["runs"], found["manifest"]["k"]) == ("replay", ["run"], 10)
    union = next(metric for metric in found["scores"]["metrics"] if metric["name"] == "evidence_union_R@10")
    assert (union["value"], union["n"]) == (1, 2)
    ids = [json.loads(line)["id"] for line in (tmp_path / "here" / "per_trajectory.jsonl").read_text().splitlines()]
    assert ids == ["q1#0#0", "q2#0#0"]
    assert "that agents issued on 2 questions" in command("retrieve", "--replay", "run", "--retriever", "none")[1]
    refused(command("retrieve", "--replay", "run", "--split", "test"), "--split")
    refused(command("retrieve", "--replay", "nowhere"), "not a run folder")
    command("run", "--task", task_folder, "--retriever", "none", "--out", "other")
    _, out, _ = command("retrieve", "--replay", "run", "other", "--retriever", "none", "--json")
    assert json.loads(out)["manifest"]["runs"] == ["run", "other"]
    refused(command("retrieve", "run"), "--replay")


def test_two_retrievers_are_compared_on_the_same_queries(command: Command, task_folder: Path) -> None:
    command(*words(task_folder, "--out", "a", retriever="none"))
    code, out, _ = command(*words(task_folder, "--out", "b", "--against", "a", "--json"))
    assert code == 0
    differences = {one["name"]: one for one in json.loads(out)["against"]["differences"]}
    assert (differences["evidence_R@5"]["value"], differences["evidence_R@5"]["n"]) == (1, 2)
    assert differences["evidence_R@5"]["low"] is None  # both questions differ alike
    _, out, _ = command(*words(task_folder, "--out", "b", "--against", "a"))
    assert "paired difference" in out
    assert "+100%" in out
    command(*words(task_folder, "--out", "c", "--split", "train"))
    refused(command(*words(task_folder, "--out", "b", "--against", "c")), "cannot be paired", "differ in queries")
    (task_folder / "qrels.trec").write_text("q1 0 d4 1\nq2 0 d4 1\nq3 0 d4 1\n")
    refused(command(*words(task_folder, "--out", "d", "--against", "a")), "differ in judgements")
    refused(command(*words(task_folder, "--against", "nowhere")), "not a retrieval folder")


def test_a_folder_that_holds_something_else_is_refused(command: Command, task_folder: Path, tmp_path: Path) -> None:
    command(*words(task_folder, "--out", "a"))
    refused(command(*words(task_folder, "--out", "a", retriever="none")), "differs in: retriever", "--fresh")
    assert command(*words(task_folder, "--out", "a", "--fresh", retriever="none"))[0] == 0
    command("run", "--task", task_folder, "--retriever", "none", "--out", "run")
    for fresh in ((), ("--fresh",)):
        refused(command(*words(task_folder, "--out", "run", *fresh)), "not a retrieval's")
    assert (tmp_path / "run" / "trajectories.jsonl").exists()
    (tmp_path / "a" / "manifest.json").write_text('{"schema": "lrat-bench/retrieval/1"}')
    refused(command(*words(task_folder, "--out", "a")), "manifest.json", "--fresh")
    assert command(*words(task_folder, "--out", "a", "--fresh"))[0] == 0


def test_what_does_not_fit_is_one_line_and_leaves_nothing(command: Command, task_folder: Path, tmp_path: Path) -> None:
    refused(command(*words(task_folder, "--set", "protocol.k=5")), "give --k")
    refused(command(*words(task_folder, "--set", "judge.model=x")), "judge")
    refused(command(*words(task_folder, "--set", "protocol.passage_tokens=0")), "passage_tokens")
    refused(command(*words(task_folder, retriever="orakel")), "did you mean 'oracle'")
    refused(command(*words(task_folder, "--split", "nope")), "split")
    refused(command(*words(task_folder, retriever="lrat_bench.values:listed")), "values:listed")
    for name in ("qrels.trec", "qrels.gold.trec"):
        (task_folder / name).unlink()
    refused(command(*words(task_folder, retriever="none")), "none of 2 questions has evidence")
    assert not (tmp_path / "retrievals").exists()


def test_a_retriever_that_fails_halfway_leaves_no_folder(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frail.py").write_text(
        "class Frail:\n"
        "    name, fingerprint = 'frail', 'f'\n"
        "    def prepare(self, progress): pass\n"
        "    def close(self): pass\n"
        "    def search(self, queries, k, *, contexts=None): raise OSError('cable')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    refused(command(*words(task_folder, "--out", "a", retriever="frail:Frail")), "'frail' failed", "cable")
    assert not (tmp_path / "a").exists()
