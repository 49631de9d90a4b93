"""`lrat-bench retrieve`: done once, found again, compared only with what can be compared."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from said import Command, refused
from tiny_model import make_encoder

from lrat_bench.cli.main import main
from lrat_bench.report.numbers import difference, signed
from lrat_bench.report.retrieval import differences_table, retrieval_summary
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.score.metrics.ranking import ranking_measures
from lrat_bench.score.paired import Difference
from lrat_bench.score.retrieval import RetrievalScores
from lrat_bench.score.score import Metric


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


def test_the_manifest_says_how_a_model_was_used(command: Command, task_folder: Path, tmp_path: Path) -> None:
    model = make_encoder(tmp_path / "model", vocabulary=["tarn", "mason"], prompts={"query": "query: "}, tokens=64)
    more = ("--out", "here", "--set", "retriever.passage_tokens=16")
    assert command(*words(task_folder, *more, retriever=f"dense:{model}"))[0] == 0
    retriever = Retrieval(tmp_path / "here").manifest.retriever
    assert retriever["name"] == f"dense:{model}"
    told = ("query_tokens", "passage_tokens", "query_prompt", "document_prompt", "pooling", "dimensions", "dtype")
    assert [retriever[name] for name in told] == [64, 16, "query: ", "", "mean", 32, "float32"]


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


def test_what_was_there_already_is_said(command: Command, task_folder: Path, tmp_path: Path) -> None:
    said = "here was there already; nothing was searched (--fresh searches again)"
    assert said not in command(*words(task_folder, "--out", "here"))[1]
    manifest = tmp_path / "here" / "manifest.json"
    record = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(record | {"started": "2026-01-01T00:00:00+00:00"}))
    assert said in command(*words(task_folder, "--out", "here"))[1]
    assert said not in command(*words(task_folder, "--out", "here", "--fresh"))[1]


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
    assert "+100 points" in out
    command(*words(task_folder, "--out", "c", "--split", "train"))
    refused(command(*words(task_folder, "--out", "b", "--against", "c")), "cannot be paired", "differ in queries")
    (task_folder / "qrels.trec").write_text("q1 0 d1 1\nq1 0 d4 1\nq2 0 d4 1\nq3 0 d4 1\n")
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


def test_files_of_somebody_elses_are_not_overwritten(command: Command, task_folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("run.trec", "metrics.json"):
        (theirs / name).write_text("mine")
    refused(command(*words(task_folder, "--out", "theirs")), "holds run.trec but no manifest.json", "--fresh")
    assert {path.name: path.read_text() for path in theirs.iterdir()} == {"run.trec": "mine", "metrics.json": "mine"}
    assert command(*words(task_folder, "--out", "theirs", "--fresh"))[0] == 0
    assert (theirs / "run.trec").read_text() != "mine"


class Killed(BaseException):
    """Nothing handles it, as nothing handles a kill."""


def test_a_kill_while_searching_again_leaves_the_old_result(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(*words(task_folder, "--out", "a"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}

    def dies(*_: object, **__: object) -> None:
        raise Killed

    for place in ("lrat_bench.runs.retrieval.score_retrieval", "lrat_bench.runs.retrieval.summarise_retrieval"):
        monkeypatch.setattr(place, dies)
        with pytest.raises(Killed):
            main([*map(str, words(task_folder, "--out", "a", "--fresh"))])
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)
        assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == before


def test_a_kill_among_the_last_renames_is_made_up_for_by_the_same_command(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(*words(task_folder, "--out", "whole"))
    replace = Path.replace

    def dies(self: Path, target: Path) -> Path:
        if Path(target).name == "metrics.json":
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(Killed):
        main([*map(str, words(task_folder, "--out", "a"))])
    monkeypatch.setattr(Path, "replace", replace)
    assert (tmp_path / "a" / "run.trec").exists()
    assert not (tmp_path / "a" / "manifest.json").exists()
    assert command(*words(task_folder, "--out", "a"))[0] == 0
    for name in ("run.trec", "metrics.json", "per_query.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "a").glob(".*.draft"))


def test_what_is_left_of_a_replay_is_gone_once_questions_are_searched_instead(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    command("run", "--task", task_folder, "--retriever", "oracle", "--out", "run")
    command("retrieve", "--replay", "run", "--retriever", "oracle", "--out", "a")
    assert (tmp_path / "a" / "per_trajectory.jsonl").exists()
    command(*words(task_folder, "--out", "a", "--fresh"))
    assert not (tmp_path / "a" / "per_trajectory.jsonl").exists()


def test_a_retriever_that_nobody_can_tell_from_its_next_version_is_searched_again(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain.py").write_text(
        "class Plain:\n"
        "    name, fingerprint, docid = 'plain', None, 'd4'\n"
        "    def prepare(self, progress): pass\n"
        "    def close(self): pass\n"
        "    def search(self, queries, k, *, contexts=None): return [[(self.docid, 1.0)] for _ in queries]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert command(*words(task_folder, "--out", "a", retriever="plain:Plain"))[0] == 0
    assert " d4 " in (tmp_path / "a" / "run.trec").read_text()
    monkeypatch.setattr("plain.Plain.docid", "d1")
    assert command(*words(task_folder, "--out", "a", retriever="plain:Plain"))[0] == 0
    assert " d1 " in (tmp_path / "a" / "run.trec").read_text()


def test_settings_of_a_retriever_of_ones_own_make_another_retrieval(
    command: Command, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tuned.py").write_text(
        "class Tuned:\n"
        "    name, fingerprint = 'tuned', 'weights 1'\n"
        "    def __init__(self, argument, context): self.docid = context.settings['docid']\n"
        "    def prepare(self, progress): pass\n"
        "    def close(self): pass\n"
        "    def search(self, queries, k, *, contexts=None): return [[(self.docid, 1.0)] for _ in queries]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    here = words(task_folder, "--out", "here", retriever="tuned:Tuned")
    assert command(*here, "--set", "retriever.docid=d1")[0] == 0
    refused(command(*here, "--set", "retriever.docid=d4"), "differs in: retriever")
    run = ("run", "--task", task_folder, "--retriever", "tuned:Tuned", "--out", "run", "--set")
    command(*run, "retriever.docid=d1")
    refused(command(*run, "retriever.docid=d4"), "differs in: retriever")


def test_what_cannot_be_compared_is_said_before_anything_is_searched(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    command(*words(task_folder, "--out", "train", "--split", "train"))
    command(*words(task_folder, "--out", "a"))
    values = tmp_path / "a" / "per_query.jsonl"
    whole = values.read_text()
    for other, broken, said in (
        ("train", None, "differ in queries"),
        ("a", "", "holds 0 lines of values and should 2"),
        ("a", whole.splitlines(keepends=True)[0], "holds 1 lines of values and should 2"),
        ("a", "{}\n", "not a line of values"),
    ):
        if broken is not None:
            values.write_text(broken)
        answer = command(*words(task_folder, "--out", "b", "--against", other))
        refused(answer, said)
        assert "searching" not in answer[2]
        assert not (tmp_path / "b").exists()
    values.unlink()
    refused(
        command(*words(task_folder, "--out", "b", "--against", "a")), "per_query.jsonl", "cannot be read", "--fresh"
    )


def test_a_replay_without_its_trajectories_cannot_be_compared(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    command("run", "--task", task_folder, "--retriever", "oracle", "--out", "run")
    replay = ("retrieve", "--replay", "run", "--retriever")
    command(*replay, "oracle", "--out", "a")
    (tmp_path / "a" / "per_trajectory.jsonl").unlink()
    refused(command(*replay, "none", "--out", "b", "--against", "a"), "per_trajectory.jsonl", "cannot be read")
    assert "searching" in command(*replay, "oracle", "--out", "a")[2]
    assert command(*replay, "none", "--out", "b", "--against", "a")[0] == 0


def test_shares_of_a_replay_have_the_digits_of_its_questions(
    command: Command, task_folder: Path, tmp_path: Path
) -> None:
    manifest = RetrievalScores(queries=300, questions=20, k=10, left_out=(), metrics=())
    share = Metric(
        name="evidence_R@5", value=0.4734, n=300, low=0.4174, high=0.529, unit="share", definition="A share.",
        direction="higher",
    )  # fmt: skip
    scores = manifest.model_copy(update={"metrics": (share,)})
    found = {"evidence_R@5": Difference(0.0312, 0.002, 0.06, 300, 20, 0.01)}
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(differences_table(found, scores, scores))
    command(*words(task_folder, "--out", "a"))
    console.print(retrieval_summary(tmp_path / "a", Retrieval(tmp_path / "a").manifest, scores))
    out = console.export_text()
    assert "47% 47% +3 points [0, 6]" in " ".join(out.split())
    assert "47% [42, 53] 300" in " ".join(out.split())
    assert "47.3" not in out


@pytest.mark.parametrize(
    ("unit", "number", "n", "text"),
    [
        ("share", 0.0312, 300, "+3.1 points"),
        ("share", -0.0312, 300, "-3.1 points"),
        ("share", 0.0312, 20, "+3 points"),
        ("share", -0.0004, 300, "0.0 points"),
        ("share", 0.0004, 20, "0 points"),
        ("share", 0.0, 300, "0.0 points"),
        ("share", None, 0, "–"),
        ("nDCG", 0.5, 300, "+0.500"),
        ("nDCG", -0.5, 300, "-0.500"),
        ("nDCG", 0.0, 300, "0"),
    ],
)
def test_differences_have_their_sign_and_those_of_shares_are_in_points(
    unit: str, number: float | None, n: int, text: str
) -> None:
    like = Metric(name="m", value=0.5, n=9, low=None, high=None, unit=unit, definition="A number.", direction="higher")
    assert signed(difference(like, number, None, None, n)) == text


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
