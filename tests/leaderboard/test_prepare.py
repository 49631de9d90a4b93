"""Runs become a submission, or it is said what is lacking."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_copy import CANARY, WORDS, browsecomp_card, write_browsecomp, write_card
from submissions import ENTRY, Newcomer, change_records, pin_of, read, write_tracks

import lrat_bench
from lrat_bench.errors import DataError, UsageError
from lrat_bench.leaderboard.prepare import prepare, read_entered
from lrat_bench.leaderboard.submission import Entered, Scaffold
from lrat_bench.leaderboard.tracks import Tracks, load_tracks
from lrat_bench.leaderboard.validate import validate
from lrat_bench.runs.run import Run
from lrat_bench.task import catalog
from lrat_bench.task.catalog import load_task
from lrat_bench.task.task import Task

ENTERED = Entered.model_validate(ENTRY)
TASKS = ("synth-wiki", "synth-wiki-ood")


def runs_of(newcomer: Newcomer) -> list[Path]:
    return [newcomer.home / "runs" / name for name in ("in-domain", "out-of-domain")]


def one_track(file: Path, task: Task, **track: Any) -> Tracks:
    """A board with one track on one task under the heuristic."""
    fixed = {"fixed": {"name": "heuristic", "weights": False}, **track}
    return load_tracks(write_tracks(file, one={"pins": [pin_of(task)], **fixed}))


def test_what_is_lacking_is_said(newcomer: Newcomer, tracks: Tracks, tmp_path: Path) -> None:
    here, there = runs_of(newcomer)
    small: dict[str, Any] = {"retriever": "none", "set": {"task.documents": 1000}}
    short = lrat_bench.run("synth-wiki", limit=2, out=tmp_path / "short", **small).path
    train = lrat_bench.run("synth-wiki", split="train", limit=20, out=tmp_path / "train", **small).path
    deep = {"task.documents": 1000, "protocol.max_turns": 2}
    custom = lrat_bench.run("synth-wiki", retriever="none", limit=20, out=tmp_path / "custom", set=deep).path
    for runs, words in (
        (
            [here],
            "needs a run on synth-wiki-ood@default, too: .* --set task.documents=1000 --limit 20",
        ),
        ([here, there, here], "are both of task 'synth-wiki'"),
        ([short, there], "has 2 questions, and track demo wants 20"),
        ([train, there], "split is 'train' instead of 'test'"),
        ([custom, there], "protocol is 'custom'"),
        ([tmp_path, there], "it has no manifest.json"),
    ):
        with pytest.raises(UsageError, match=words):
            prepare(runs, track="demo", out=tmp_path / "mine", entered=ENTERED, tracks=tracks)
        assert not (tmp_path / "mine").exists()
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_a_run_that_owes_questions_is_none(newcomer: Newcomer, tracks: Tracks, tmp_path: Path) -> None:
    here, there = runs_of(newcomer)
    run = tmp_path / "run"
    shutil.copytree(here, run)
    lines = (run / "trajectories.jsonl").read_text().splitlines(keepends=True)
    (run / "trajectories.jsonl").write_text("".join(lines[:-1]))
    lrat_bench.rescore(run)
    with pytest.raises(UsageError, match="1 of 20 questions are ungraded or errored"):
        prepare([run, there], track="demo", out=tmp_path / "mine", entered=ENTERED, tracks=tracks)
    lrat_bench.rescore(run, judge="contains")
    with pytest.raises(UsageError, match="was judged by contains, and track demo pins the judge"):
        prepare([run, there], track="demo", out=tmp_path / "mine", entered=ENTERED, tracks=tracks)


def test_scores_that_were_changed_are_not_taken(newcomer: Newcomer, tracks: Tracks, tmp_path: Path) -> None:
    here, there = runs_of(newcomer)
    run = tmp_path / "run"
    shutil.copytree(here, run)
    scores = json.loads((run / "metrics.json").read_text())
    scores["metrics"][0]["value"] = 0.99
    (run / "metrics.json").write_text(json.dumps(scores))
    with pytest.raises(DataError, match="success_rate is not what the records come to"):
        prepare([run, there], track="demo", out=tmp_path / "mine", entered=ENTERED, tracks=tracks)


def test_an_earlier_submission_is_replaced_and_anything_else_is_not(
    submission: Path, newcomer: Newcomer, tracks: Tracks, tmp_path: Path
) -> None:
    before = read(submission)
    prepare(runs_of(newcomer), track="demo", out=submission, entered=ENTERED, tracks=tracks)
    assert read(submission) == before
    (submission / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"holds 'thesis.tex', which is no part of a submission"):
        prepare(runs_of(newcomer), track="demo", out=submission, entered=ENTERED, tracks=tracks)
    assert (submission / "thesis.tex").exists()
    with pytest.raises(UsageError, match="'Mine!' will not do"):
        prepare(runs_of(newcomer), track="demo", out=tmp_path / "Mine!", entered=ENTERED, tracks=tracks)


def test_a_scaffold_of_ones_own_is_called_custom(task_folder: Path, tmp_path: Path) -> None:
    async def mine(question: str, tools: Any) -> str:
        return "Tarn"

    task = load_task(str(task_folder))[0]
    board = one_track(tmp_path / "t.yaml", task, kind="agent", fixed={"name": "none", "weights": False})
    run = lrat_bench.run(str(task_folder), agent=mine, retriever="none", out=tmp_path / "run")
    with pytest.raises(UsageError, match=r"say scaffold: \{kind: custom"):
        prepare([run.path], track="one", out=tmp_path / "mine", entered=ENTERED, tracks=board)
    own = ENTERED.model_copy(update={"scaffold": Scaffold(kind="custom", note="A function.")})
    assert prepare([run.path], track="one", out=tmp_path / "mine", entered=own, tracks=board).findings == []


def test_what_a_submitter_says_is_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "entry.yaml"
    cases: tuple[tuple[Callable[[dict[str, Any]], Any], str], ...] = (
        (lambda content: content.pop("disclosure"), "disclosure: is missing"),
        (lambda content: content["entry"].update(revision="main"), "moves: name a commit"),
        (lambda content: content["entry"].update(openness="very"), "entry.openness cannot be 'very'"),
        (lambda content: content["entry"].update(url="javascript:alert(1)"), "entry.url"),
        (lambda content: content.update(tier="verified"), "tier: there is no such field"),
    )
    for how, said in cases:
        content = json.loads(json.dumps(ENTRY))
        how(content)
        file.write_text(yaml.safe_dump(content))
        with pytest.raises(DataError, match=said):
            read_entered(file)


def test_no_folder_of_this_machine_is_published(newcomer: Newcomer) -> None:
    text = (newcomer.submission / "submission.json").read_text()
    assert str(newcomer.home) not in text
    assert str(Path.home()) not in text


TRAINED = ENTERED.model_copy(
    update={"disclosure": ENTERED.disclosure.model_copy(update={"training": "lrat", "data": "Pairs of ours."})}
)


def test_training_that_is_said_here_must_be_shown(newcomer: Newcomer, tracks: Tracks, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="with --pairs"):
        prepare(runs_of(newcomer), track="demo", out=tmp_path / "mine", entered=TRAINED, tracks=tracks)


def test_pairs_are_scanned_and_disclosed(newcomer: Newcomer, tracks: Tracks, tmp_path: Path) -> None:
    small = {"task.documents": 1000}
    run = lrat_bench.run("synth-wiki", split="train", retriever="oracle", limit=4, out=tmp_path / "train", set=small)
    lrat_bench.mine([run.path], out=tmp_path / "pairs", filter="none")
    words: dict[str, Any] = {"track": "demo", "tracks": tracks, "pairs": [tmp_path / "pairs"]}
    found = prepare(runs_of(newcomer), out=tmp_path / "mine", entered=TRAINED, **words)
    assert found.submission is not None
    told = found.submission.disclosure
    assert [(one.name, one.runs, one.tainted) for one in told.pairs] == [("pairs", ("train",), False)]
    assert [(one.task, one.questions, one.queries) for one in told.contamination] == [(task, 0, 0) for task in TASKS]
    assert validate(tmp_path / "mine", tracks).findings == []
    with pytest.raises(UsageError, match=r"disclosure\.training is 'none', but"):
        prepare(runs_of(newcomer), out=tmp_path / "other", entered=ENTERED, **words)


def test_pairs_of_the_evaluation_are_refused(newcomer: Newcomer, tracks: Tracks, tmp_path: Path) -> None:
    lrat_bench.mine(runs_of(newcomer)[:1], out=tmp_path / "pairs", filter="none", allow_eval=True)
    words: dict[str, Any] = {"track": "demo", "tracks": tracks, "pairs": [tmp_path / "pairs"]}
    with pytest.raises(UsageError, match=r"the training pairs share \d+ questions with synth-wiki"):
        prepare(runs_of(newcomer), out=tmp_path / "mine", entered=TRAINED, **words)
    assert not (tmp_path / "mine").exists()


def test_a_retriever_alone_is_entered_too(task_folder: Path, tmp_path: Path) -> None:
    task = load_task(str(task_folder))[0]
    board = one_track(tmp_path / "t.yaml", task, kind="retrieval", rank="evidence_nDCG@10", k=100, fixed=None)
    made = lrat_bench.retrieve(str(task_folder), retriever="bm25", k=100, out=tmp_path / "retrieval")
    found = prepare([made.path], track="one", out=tmp_path / "alone", entered=ENTERED, tracks=board)
    assert found.findings == []
    assert found.submission is not None
    (run,) = found.submission.runs
    assert run.metrics == made.metrics.metrics
    assert (run.agent, run.judge, run.seed) == (None, None, None)
    change_records(tmp_path / "alone", "bridge", lambda lines: lines[0].update(hits=lines[0]["hits"][::-1]) and None)
    assert any("nDCG@10: value is" in str(one) for one in validate(tmp_path / "alone", board).findings)
    change_records(tmp_path / "alone", "bridge", lambda lines: lines[0].update(hits=["d1", "d1"]) and None)
    assert any("holds document 'd1' twice" in str(one) for one in validate(tmp_path / "alone", board).findings)
    ceiling = lrat_bench.retrieve(str(task_folder), retriever="rrf:oracle+bm25", k=100, out=tmp_path / "ceiling")
    with pytest.raises(UsageError, match=r"retriever 'rrf:oracle\+bm25' is made from the judgements"):
        prepare([ceiling.path], track="one", out=tmp_path / "ceiling-of-it", entered=ENTERED, tracks=board)
    assert not (tmp_path / "ceiling-of-it").exists()
    change_records(tmp_path / "alone", "bridge", lambda lines: lines[0].update(hits=[f"x{n}" for n in range(101)]))
    assert any(
        "has 101 hits, and the track asks for 100" in str(one) for one in validate(tmp_path / "alone", board).findings
    )
    run_of = lrat_bench.run(str(task_folder), retriever="none", out=tmp_path / "run")
    with pytest.raises(UsageError, match="is not what track one ranks"):
        prepare([run_of.path], track="one", out=tmp_path / "other", entered=ENTERED, tracks=board)


def test_of_a_guarded_task_no_text_lies_in_the_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_cards_folder", lambda: tmp_path / "cards")
    write_card(tmp_path / "cards", browsecomp_card())
    catalog.prepare_task("browsecomp-copy", sources=[str(write_browsecomp(tmp_path / "copy", questions=6))])
    tree = tmp_path / "tree"
    (tree / ".git").mkdir(parents=True)
    run = lrat_bench.run("browsecomp-copy", retriever="bm25", out=tree / "run")
    board = one_track(tmp_path / "t.yaml", load_task("browsecomp-copy")[0])
    found = prepare([run.path], track="one", out=tree / "guarded", entered=ENTERED, tracks=board)
    assert found.findings == []
    telling = ("gate of smiths", "hangs", *(f"the {word}" for word in WORDS))
    for file in (file for file in (tree / "guarded").rglob("*") if file.is_file()):
        assert [words for words in telling if words in file.read_text()] == []
    lines = (tree / "guarded" / "records" / "browsecomp-copy.jsonl").read_text().splitlines()
    assert all(CANARY in line for line in lines)
    again = validate(tree / "guarded", board)
    assert again.numbers["browsecomp-copy"].metrics == Run(run.path).metrics.metrics
