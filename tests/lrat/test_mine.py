"""Mining runs: what comes out, what is refused, and what is kept when it ends early."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mining_world import QUESTIONS, make_run, write_lrat_file, write_task

from lrat_bench.errors import DataError, Halt, LratBenchError, RolloutFailure, RunIncomplete, UsageError
from lrat_bench.files import locked, sha256_file
from lrat_bench.lrat.intensity import fit, raw_weight, share_of
from lrat_bench.lrat.mining import mine as mining
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.lrat.mining.output import Drafts
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.relevance.base import Opinion, RelevanceJudge
from lrat_bench.lrat.relevance.rules import RulesRelevance
from lrat_bench.task.tokenizer import load_tokenizer
from lrat_bench.trajectory import Browse, Search, Think, Trajectory


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the task `world`, its run `train` and its run `test`."""
    folder = tmp_path_factory.mktemp("made")
    task = write_task(folder / "world")
    make_run(task, folder / "train")
    make_run(task, folder / "test", split="test")
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return shutil.copytree(made / "train", tmp_path / "train")


def mine(run: Path | list[Path], out: Path, **more: Any) -> Pairs:
    return mine_runs(run if isinstance(run, list) else [run], out, **more)


def records(pairs: Path) -> dict[str, bytes]:
    """What the folder holds, the manifest aside."""
    names = ("pairs.jsonl", "rejected.jsonl", "undecided.jsonl", "judgements.jsonl")
    return {name: (pairs / name).read_bytes() for name in names if (pairs / name).exists()}


class Judge:
    """Says what a function says of a reasoning, and counts."""

    name = "mine"
    fingerprint = "mine"

    def __init__(self, says: Callable[[str], Opinion]) -> None:
        self.says = says
        self.asked: list[str] = []

    async def judge(self, query: str, docid: str, reasoning: str) -> Opinion:
        assert query
        assert docid
        self.asked.append(reasoning)
        return self.says(reasoning)

    async def close(self) -> None:
        pass


@pytest.fixture
def judged_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], Opinion]], Judge]:
    """Puts a judge of one's own in the place of the one that is named."""

    def use(says: Callable[[str], Opinion]) -> Judge:
        judge = Judge(says)
        assert isinstance(judge, RelevanceJudge)
        monkeypatch.setattr(mining, "load_relevance", lambda *_, **__: judge)
        return judge

    return use


def test_a_run_gives_pairs_with_weights(made: Path, tmp_path: Path) -> None:
    pairs = mine(made / "train", tmp_path / "pairs")
    manifest = pairs.manifest
    counts = manifest.counts
    right = QUESTIONS - 1
    assert (counts.trajectories, counts.mined, counts.browses) == (QUESTIONS, right, 2 * right)
    assert counts.by_verdict == {"correct": right, "incorrect": 1}
    assert (counts.candidates, counts.kept, counts.rejected, counts.undecided) == (2 * right, right, right, 0)
    kept = list(pairs.kept())
    assert {pair.question_id for pair in kept} == {f"t{n}" for n in range(right)}
    assert all(pair.satisfied and pair.correct and pair.run == "train" for pair in kept)
    assert all(pair.satisfied is False and pair.weight is None for pair in pairs.rejected())
    assert [*pairs.all()] == [*kept, *pairs.rejected()]
    lengths = [pair.reasoning_tokens for pair in kept]
    assert lengths == [10 + 4 * n for n in range(right)]
    assert manifest.intensity is not None
    assert manifest.intensity.pooled == fit([float(length or 0) for length in lengths])
    for pair in kept:
        assert pair.weight == pytest.approx(raw_weight(pair.reasoning_tokens or 0, 18) / (manifest.mu or 0))
    assert sum(pair.weight or 0 for pair in kept) / right == pytest.approx(1)


def test_pairs_are_what_the_trajectories_say(made: Path, tmp_path: Path) -> None:
    pairs = mine(made / "train", tmp_path / "pairs", relevance="none", outcome="all", statuses="all")
    trajectories = {}
    for line in (made / "train" / "trajectories.jsonl").read_text().splitlines():
        found = Trajectory.model_validate_json(line)
        trajectories[found.question_id] = found
    kept = list(pairs.kept())
    assert len(kept) == 2 * QUESTIONS
    for pair in kept:
        steps = trajectories[pair.question_id].steps
        browse = steps[pair.step]
        first = next(step for step in steps if isinstance(step, Search))
        opened = {step.docid for step in steps if isinstance(step, Browse)}
        assert isinstance(browse, Browse)
        assert (browse.docid, browse.turn, first.query) == (pair.pos_id, pair.turn, pair.query)
        assert pair.neg_ids == tuple(hit.docid for hit in first.hits if hit.docid not in opened)
        thought = next(step for step in steps[pair.step :] if isinstance(step, Think))
        assert pair.reasoning_tokens == len(list(load_tokenizer("regex-v1").spans(thought.text)))
        assert pair.satisfied is None


@pytest.mark.parametrize(("outcome", "mined"), [("correct", QUESTIONS - 1), ("incorrect", 1), ("all", QUESTIONS)])
def test_trajectories_are_chosen_by_their_verdict(made: Path, tmp_path: Path, outcome: str, mined: int) -> None:
    pairs = mine(made / "train", tmp_path / "pairs", outcome=outcome, relevance="none")
    assert pairs.manifest.counts.mined == mined
    assert {pair.correct for pair in pairs.kept()} == {"correct": {True}, "incorrect": {False}}.get(
        outcome, {True, False}
    )


def test_the_ungraded_are_neither_correct_nor_incorrect(run: Path, tmp_path: Path) -> None:
    (run / "verdicts.jsonl").unlink()
    for outcome in ("correct", "incorrect"):
        with pytest.raises(UsageError, match=rf"none of {QUESTIONS} .*{QUESTIONS} ungraded.*`lrat-bench score` judges"):
            mine(run, tmp_path / "pairs", outcome=outcome)
        assert not (tmp_path / "pairs").exists()
    assert mine(run, tmp_path / "pairs", outcome="all").manifest.counts.by_verdict == {"ungraded": QUESTIONS}


def test_trajectories_are_chosen_by_how_they_ended(run: Path, tmp_path: Path) -> None:
    file = run / "trajectories.jsonl"
    first, *rest = file.read_text().splitlines()
    forced = Trajectory.model_validate_json(first).model_copy(update={"status": "forced"})
    file.write_text("\n".join([forced.to_json(), *rest]) + "\n")
    for chosen, mined in (
        ("answered", QUESTIONS - 1),
        ("forced", 1),
        ("answered,forced", QUESTIONS),
        ("all", QUESTIONS),
    ):
        pairs = mine(run, tmp_path / chosen, statuses=chosen, outcome="all", relevance="none")
        assert pairs.manifest.counts.mined == mined
    with pytest.raises(LratBenchError, match="unknown status 'done'"):
        mine(run, tmp_path / "x", statuses=["answered", "done"])


def test_runs_on_evaluation_questions_are_refused_unless_allowed_and_leave_a_mark(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"which evaluates: .* makes every number on them void.*--allow-eval"):
        mine([made / "train", made / "test"], tmp_path / "pairs")
    assert not (tmp_path / "pairs").exists()
    assert not mine(made / "train", tmp_path / "clean").manifest.tainted
    tainted = mine([made / "train", made / "test"], tmp_path / "pairs", allow_eval=True)
    assert tainted.manifest.tainted
    assert {pair.run for pair in tainted.kept()} == {"train", "test"}


def test_runs_over_different_corpora_are_refused_by_name(made: Path, tmp_path: Path) -> None:
    other = make_run(write_task(tmp_path / "other", documents=30), tmp_path / "elsewhere").path
    with pytest.raises(UsageError, match=r"train and .*elsewhere are over different corpora"):
        mine([made / "train", other], tmp_path / "pairs")


def test_runs_that_cannot_be_told_apart_are_refused(made: Path, run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are both called 'train'"):
        mine([made / "train", run], tmp_path / "pairs")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, said in (("empty", "holds neither a manifest.json nor run files"), ("gone", "is not there")):
        with pytest.raises(UsageError, match=f"{name} {said}"):
            mine(tmp_path / name, tmp_path / "pairs")


def test_the_same_call_again_asks_nothing_and_changes_nothing(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge]
) -> None:
    judge = judged_by(lambda reasoning: Opinion("irrelevant" if "not help" in reasoning else "relevant", "So."))
    first = mine(made / "train", tmp_path / "pairs")
    before = records(first.path)
    assert len(judge.asked) == 2 * (QUESTIONS - 1)
    mine(made / "train", tmp_path / "pairs")
    assert len(judge.asked) == 2 * (QUESTIONS - 1)
    assert records(first.path) == before


def test_another_configuration_is_refused_with_what_differs_unless_fresh(made: Path, tmp_path: Path) -> None:
    mine(made / "train", tmp_path / "pairs")
    before = records(tmp_path / "pairs")
    with pytest.raises(UsageError, match=r"holds other pairs \(differs in: outcome, rule\)"):
        mine(made / "train", tmp_path / "pairs", rule="paper", outcome="all")
    assert records(tmp_path / "pairs") == before
    assert mine(made / "train", tmp_path / "pairs", rule="paper", fresh=True).manifest.rule == "paper"


def test_nothing_of_anybody_elses_is_discarded(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    shutil.copytree(made / "test", out)
    for fresh in (False, True):
        with pytest.raises(UsageError, match=r"manifest\.json"):
            mine(made / "train", out, fresh=fresh)
    assert (out / "trajectories.jsonl").exists()


def test_two_do_not_mine_into_one_folder_at_a_time(made: Path, tmp_path: Path) -> None:
    mine(made / "train", tmp_path / "pairs")
    with locked(tmp_path / "pairs" / ".lock"), pytest.raises(UsageError, match="another process is mining into"):
        mine(made / "train", tmp_path / "pairs")


def test_a_judge_that_fails_rejects_nothing_and_is_asked_again(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge]
) -> None:
    def sometimes(reasoning: str) -> Opinion:
        if "very very" in reasoning:
            raise RolloutFailure("502 from the endpoint")
        return Opinion("undecided", error="no opinion") if "not help" in reasoning else Opinion("relevant")

    judged_by(sometimes)
    pairs = mine(made / "train", tmp_path / "pairs")
    counts = pairs.manifest.counts
    assert (counts.kept, counts.rejected, counts.undecided, counts.owed) == (1, 0, 9, 9)
    assert {one.reason for one in pairs.undecided()} == {"502 from the endpoint", "no opinion"}
    assert all(one.owed and one.satisfied is None for one in pairs.undecided())
    again = judged_by(lambda _: Opinion("relevant"))
    counts = mine(made / "train", tmp_path / "pairs").manifest.counts
    assert len(again.asked) == 9
    assert (counts.kept, counts.undecided, counts.owed) == (10, 0, 0)


def test_an_outage_stops_the_asking_and_keeps_what_was_said(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge]
) -> None:
    def falls_over(_: str) -> Opinion:
        if len(judge.asked) > 3:
            raise Halt("the endpoint is down")
        return Opinion("relevant")

    judge = judged_by(falls_over)
    counts = mine(made / "train", tmp_path / "pairs", concurrency=1).manifest.counts
    assert len(judge.asked) == 4
    assert (counts.kept, counts.rejected, counts.owed) == (3, 0, 7)
    judge = judged_by(lambda _: Opinion("relevant"))
    assert mine(made / "train", tmp_path / "pairs").manifest.counts.kept == 10
    assert len(judge.asked) == 7


def test_pairs_that_are_all_rejected_are_written_for_the_naive_stage(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge]
) -> None:
    judged_by(lambda _: Opinion("irrelevant"))
    pairs = mine(made / "train", tmp_path / "pairs")
    assert (len([*pairs.kept()]), len([*pairs.rejected()]), pairs.manifest.intensity) == (0, 10, None)


def test_a_judge_that_says_nonsense_has_failed(made: Path, tmp_path: Path, judged_by: Callable[..., Judge]) -> None:
    nonsense: dict[str, Any] = {
        "not an Opinion": "yes",
        "whose reply is 5, which must be a text": Opinion("relevant", reply=5),  # type: ignore[arg-type]
        "whose error is 5, which must be a text": Opinion("undecided", error=5),  # type: ignore[arg-type]
        "whose usage is None, which must be a Usage": Opinion("relevant", usage=None),  # type: ignore[arg-type]
    }
    for said, opinion in nonsense.items():
        judged_by(lambda _, opinion=opinion: opinion)
        pairs = mine(made / "train", tmp_path / "pairs")
        assert pairs.manifest.counts.owed == 10
        assert said in next(pairs.undecided()).reason


def test_a_judges_own_words_are_recorded_without_its_secrets(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_by(lambda _: Opinion("relevant"))
    words = {"model": "mine", "sent": {"api_key": "sk-1", "headers": [{"Authorization": "sk-2"}], "seed": 5}}
    monkeypatch.setattr(Judge, "describe", lambda _: words, raising=False)
    recorded = mine(made / "train", tmp_path / "pairs").manifest.relevance_judge
    assert (recorded["model"], recorded["sent"]["seed"]) == ("mine", 5)
    assert "sk-" not in (tmp_path / "pairs" / "manifest.json").read_text()


class Sleepy(Judge):
    """Takes another time over each reasoning, so that what was asked first is not answered first."""

    async def judge(self, query: str, docid: str, reasoning: str) -> Opinion:
        await asyncio.sleep(random.random() / 50)
        return await super().judge(query, docid, reasoning)


def test_concurrency_changes_no_byte(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Sleepy(lambda reasoning: Opinion("irrelevant" if "not help" in reasoning else "relevant"))
    monkeypatch.setattr(mining, "load_relevance", lambda *_, **__: judge)
    found = [mine(made / "train", tmp_path / str(many), concurrency=many).path for many in (1, 3, 64)]
    one, *others = [
        {name: data for name, data in records(path).items() if name != "judgements.jsonl"} for path in found
    ]
    assert all(other == one for other in others)


def without_thoughts(run: Path, change: Callable[[Think], Think | None]) -> None:
    """Rewrite what was thought in the trajectories of a run; verdicts go, since they are of others."""
    lines = []
    for line in (run / "trajectories.jsonl").read_text().splitlines():
        found = Trajectory.model_validate_json(line)
        steps = [change(step) if isinstance(step, Think) else step for step in found.steps]
        lines.append(found.model_copy(update={"steps": tuple(step for step in steps if step)}).to_json())
    (run / "trajectories.jsonl").write_text("\n".join(lines) + "\n")


def test_missing_reasoning_is_neither_rejected_nor_given_a_weight(run: Path, tmp_path: Path) -> None:
    without_thoughts(run, lambda step: None if "not help" in step.text else step)
    pairs = mine(run, tmp_path / "pairs", outcome="all")
    counts = pairs.manifest.counts
    assert (counts.kept, counts.rejected, counts.undecided, counts.owed) == (QUESTIONS, 0, QUESTIONS, 0)
    assert counts.without_reasoning == QUESTIONS
    assert {one.reason for one in pairs.undecided()} == {"nothing was thought after it"}
    naive = mine(run, tmp_path / "naive", outcome="all", relevance="none")
    assert naive.manifest.counts.without_weight == QUESTIONS
    assert [pair.weight is None for pair in naive.kept()] == [pair.reasoning_tokens is None for pair in naive.kept()]


def test_a_summary_is_judged_and_has_no_length(run: Path, tmp_path: Path) -> None:
    without_thoughts(run, lambda step: step.model_copy(update={"source": "summary"}))
    pairs = mine(run, tmp_path / "pairs", outcome="all")
    assert (pairs.manifest.counts.unmeasurable, pairs.manifest.counts.rejected) == (2 * QUESTIONS, QUESTIONS)
    assert pairs.manifest.intensity is None
    assert all(pair.weight is None and pair.reasoning_tokens is None for pair in pairs.kept())


def test_withheld_reasoning_is_not_judged(run: Path, tmp_path: Path) -> None:
    without_thoughts(run, lambda step: step.model_copy(update={"source": "hidden", "text": "", "tokens": 300}))
    with pytest.raises(UsageError, match="none of 12 candidates has reasoning that could be judged"):
        mine(run, tmp_path / "pairs", outcome="all")
    assert mine(run, tmp_path / "all", outcome="all", relevance="none").manifest.counts.kept == 2 * QUESTIONS


def test_reasoning_that_was_cut_off_is_no_part_of_the_fit_and_weighs_what_there_is(run: Path, tmp_path: Path) -> None:
    without_thoughts(run, lambda step: step.model_copy(update={"censored": "very" in step.text}))
    pairs = mine(run, tmp_path / "pairs", outcome="all")
    intensity = pairs.manifest.intensity
    assert intensity is not None
    assert intensity.pooled == fit([10.0])
    assert pairs.manifest.counts.censored == QUESTIONS - 1
    longest = max(pairs.kept(), key=lambda pair: pair.reasoning_tokens or 0)
    assert longest.censored
    assert longest.weight == pytest.approx(raw_weight(longest.reasoning_tokens or 0, 10) / 0.5)


def test_each_agent_may_have_its_own_scale(made: Path, tmp_path: Path) -> None:
    terse = make_run(made / "world", tmp_path / "terse", name="terse").path
    without_thoughts(terse, lambda step: step.model_copy(update={"text": step.text.replace("very ", "")}))
    runs = [made / "train", terse]
    pooled = mine(runs, tmp_path / "pooled", outcome="all").manifest.intensity
    pairs = mine(runs, tmp_path / "agent", outcome="all", scale="agent")
    own = pairs.manifest.intensity
    assert pooled is not None
    assert own is not None
    assert own.by_agent == pooled.by_agent
    assert {name: scale.beta for name, scale in own.by_agent.items()} == {"reader": 20, "terse": 10}
    assert all(pair.weight == pytest.approx(1) for pair in pairs.kept() if pair.run == "terse")


def test_records_that_cannot_be_read_are_counted(run: Path, tmp_path: Path) -> None:
    with (run / "trajectories.jsonl").open("a") as stream:
        stream.write("no json\n")
    assert mine(run, tmp_path / "pairs").manifest.counts.unreadable == 1


def test_documents_are_looked_up_where_the_task_is_at_hand(
    made: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert mine(made / "train", tmp_path / "here").manifest.documents_checked
    task = shutil.copytree(made / "world", tmp_path / "world")
    moved = make_run(task, tmp_path / "run").path
    shutil.move(task, tmp_path / "moved")
    pairs = mine(moved, tmp_path / "away")
    assert not pairs.manifest.documents_checked
    assert "documents are not looked up, since the task is not at hand" in caplog.text
    assert mine(moved, tmp_path / "again", task=str(tmp_path / "moved")).manifest.documents_checked
    with pytest.raises(UsageError, match="is not the one this run was made on"):
        mine(moved, tmp_path / "wrong", task=str(write_task(tmp_path / "wrong-task", documents=30)))


LRAT = (
    ("search", "bridge", "d1 d2 zz"),
    ("read", "d1"),
    ("think", "It says that the bridge is old."),
    ("read", "zz"),
    ("think", "Not helpful."),
    ("end", "Tarn"),
)


def test_lrats_files_need_no_task_and_nobody_has_judged_their_answers(tmp_path: Path) -> None:
    write_lrat_file(tmp_path / "bm25" / "1.json", LRAT)
    with pytest.raises(UsageError, match=r"1 ungraded.*--outcome all.*nobody can judge the answers of LRAT's files"):
        mine(tmp_path / "bm25", tmp_path / "pairs")
    pairs = mine(tmp_path / "bm25", tmp_path / "pairs", outcome="all")
    (kept,) = pairs.kept()
    (rejected,) = pairs.rejected()
    assert (kept.run, kept.query, kept.pos_id, kept.neg_ids) == ("bm25/1.json", "bridge", "d1", ("d2",))
    assert (rejected.pos_id, rejected.neg_ids, kept.correct, kept.turn) == ("zz", ("d2",), None, None)
    assert (pairs.manifest.corpus, pairs.manifest.task, pairs.manifest.documents_checked) == (None, None, False)


def test_documents_that_the_corpus_lacks_are_left_out_and_counted(tmp_path: Path) -> None:
    write_lrat_file(tmp_path / "bm25" / "1.json", LRAT)
    task = write_task(tmp_path / "world")
    pairs = mine(tmp_path / "bm25", tmp_path / "pairs", outcome="all", task=str(task), relevance="none")
    assert [pair.pos_id for pair in pairs.kept()] == ["d1"]
    assert pairs.manifest.counts.absent == 1
    assert pairs.manifest.corpus is not None
    steps = (("search", "q", "d1 yy"), ("read", "d1"), ("think", "So."), ("end", "Tarn."))
    write_lrat_file(tmp_path / "bm25" / "2.json", steps)
    again = mine(tmp_path / "bm25", tmp_path / "more", outcome="all", task=str(task), relevance="none")
    assert again.manifest.counts.absent_negatives == 1


def test_a_file_that_is_none_is_passed_over_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_lrat_file(tmp_path / "bm25" / "1.json", LRAT)
    (tmp_path / "bm25" / "2.json").write_text("torn")
    assert mine(tmp_path / "bm25", tmp_path / "pairs", outcome="all").manifest.counts.unreadable == 1
    assert "2.json: not JSON" in caplog.text


def test_the_released_builders_rejected_documents_are_samples_and_negatives(tmp_path: Path) -> None:
    write_lrat_file(tmp_path / "bm25" / "1.json", LRAT)
    pairs = mine(tmp_path / "bm25", tmp_path / "pairs", outcome="all", rule="lrat-code")
    (kept,) = pairs.kept()
    (rejected,) = pairs.rejected()
    assert (kept.pos_id, kept.neg_ids) == ("d1", ("zz", "d2"))
    assert (rejected.pos_id, rejected.neg_ids, rejected.satisfied) == ("zz", ("d2",), False)


def test_where_judgements_hang_together_one_that_fails_leaves_its_trajectory_undecided(
    tmp_path: Path, judged_by: Callable[..., Judge]
) -> None:
    for name in ("1", "2"):
        write_lrat_file(tmp_path / "bm25" / f"{name}.json", [*LRAT[:4], ("think", f"Not helpful, {name}."), LRAT[-1]])
    judged_by(lambda text: Opinion("undecided", error="down") if text.endswith("1.") else Opinion("relevant"))
    pairs = mine(tmp_path / "bm25", tmp_path / "pairs", outcome="all", rule="lrat-code")
    assert {pair.run for pair in pairs.kept()} == {"bm25/2.json"}
    assert [(one.pos_id, one.neg_ids, one.owed) for one in pairs.undecided()] == [("d1", (), True), ("zz", (), True)]


def test_unfinished_and_foreign_folders_are_no_pairs(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no pairs: it has no manifest\.json"):
        Pairs.open(tmp_path)
    with pytest.raises(DataError, match="of a run, which holds no pairs: mine it first"):
        Pairs.open(made / "train")
    pairs = mine(made / "train", tmp_path / "pairs")
    manifest = json.loads((pairs.path / "manifest.json").read_text())
    assert list(Pairs.open(pairs.path).kept()) == list(pairs.kept())
    (pairs.path / "manifest.json").write_text(json.dumps({**manifest, "finished": False}))
    with pytest.raises(UsageError, match="was interrupted: give the same"):
        Pairs.open(pairs.path)
    (pairs.path / "manifest.json").write_text(json.dumps({**manifest, "rule": "other"}))
    with pytest.raises(DataError, match=r"not a manifest of pairs of this version \(rule cannot be 'other'"):
        Pairs.open(pairs.path)
    (pairs.path / "pairs.jsonl").write_text(next(pairs.rejected()).to_json() + '\n{"schema": "other"}\n')
    with pytest.raises(DataError, match=r"pairs\.jsonl:2: not a pair of this version"):
        list(pairs.kept())


def test_a_full_disk_leaves_the_old_pairs(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = mine(made / "train", tmp_path / "pairs")
    before = records(pairs.path)

    def full(_: Pair) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Pair, "to_json", full)
    with pytest.raises(UsageError, match=r"cannot write the pairs in .*: No space left on device"):
        mine(made / "train", tmp_path / "pairs")
    monkeypatch.undo()
    assert records(pairs.path) == before
    assert not list(pairs.path.glob(".*.draft"))


def test_a_journal_that_cannot_be_written_ends_the_mining(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    judged_by(lambda _: Opinion("relevant"))
    monkeypatch.setattr("lrat_bench.runs.store.append_line", full)
    with pytest.raises(RunIncomplete, match=r"cannot write .*judgements\.jsonl: No space left"):
        mine(made / "train", tmp_path / "pairs")


SLOW = """
import asyncio, sys
from lrat_bench.lrat.relevance.rules import RulesRelevance
from lrat_bench.lrat.relevance import rules
from lrat_bench.cli.main import main

class Slow(RulesRelevance):
    async def judge(self, query, docid, reasoning):
        await asyncio.sleep(0.1)
        return await super().judge(query, docid, reasoning)

rules.RulesRelevance = Slow
main(["mine", *sys.argv[1:], "--concurrency", "1", "--no-plot"])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_costs_no_judgement(made: Path, tmp_path: Path, how: signal.Signals) -> None:
    out = tmp_path / "pairs"
    words = [sys.executable, "-c", SLOW, str(made / "train"), "-o", str(out)]
    started = subprocess.Popen(words, env={**os.environ}, stderr=subprocess.PIPE, text=True)
    journal = out / "judgements.jsonl"
    end = time.monotonic() + 20
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 3) and time.monotonic() < end:
        time.sleep(0.02)
    started.send_signal(how)
    _, said = started.communicate(timeout=20)
    if how == signal.SIGINT:
        assert started.returncode == 3
        assert "keeps every judgement that was made, and the same command goes on" in said
    done = journal.read_bytes().count(b"\n")
    assert 3 <= done < 10
    with pytest.raises(UsageError, match="was interrupted"):
        Pairs.open(out)
    with journal.open("a") as stream:
        stream.write('{"schema": "lrat-bench/rel')
    pairs = mine(made / "train", out)
    assert len(journal.read_bytes().splitlines()) == 10
    assert not list(out.glob(".*.draft"))
    expected = mine(made / "train", tmp_path / "whole")
    assert list(pairs.kept()) == list(expected.kept())
    assert RulesRelevance.fingerprint == pairs.manifest.relevance_fingerprint


def test_the_order_in_which_rollouts_ended_changes_no_byte(run: Path, tmp_path: Path) -> None:
    first = records(mine(run, tmp_path / "first").path)
    file = run / "trajectories.jsonl"
    file.write_text("".join(reversed(file.read_text().splitlines(keepends=True))))
    again = records(mine(run, tmp_path / "again").path)
    assert again["pairs.jsonl"] == first["pairs.jsonl"]
    assert again["rejected.jsonl"] == first["rejected.jsonl"]
    asked = [pair.question_id for pair in Pairs(tmp_path / "again").kept()]
    assert asked == [f"t{n}" for n in range(QUESTIONS - 1)]


def changed(run: Path, question: str, **fields: Any) -> None:
    """Rewrite the trajectory of a question."""
    file = run / "trajectories.jsonl"
    found = [Trajectory.model_validate_json(line) for line in file.read_text().splitlines()]
    lines = [one.model_copy(update=fields if one.question_id == question else {}).to_json() for one in found]
    file.write_text("\n".join(lines) + "\n")


def test_a_trajectory_without_an_answer_is_incorrect_as_in_the_runs_own_numbers(run: Path, tmp_path: Path) -> None:
    changed(run, "t0", status="turn_limit", answer=None)
    pairs = mine(run, tmp_path / "pairs", outcome="incorrect", statuses="all", relevance="none")
    assert pairs.manifest.counts.by_verdict == {"correct": QUESTIONS - 2, "incorrect": 2}
    assert {(pair.question_id, pair.correct) for pair in pairs.kept()} == {("t0", False), (f"t{QUESTIONS - 1}", False)}


def test_a_trajectory_that_infrastructure_ended_is_not_incorrect(run: Path, tmp_path: Path) -> None:
    changed(run, "t0", status="error", answer=None)
    pairs = mine(run, tmp_path / "pairs", outcome="incorrect", statuses="all", relevance="none")
    assert list(pairs.manifest.counts.by_verdict.items()) == [("correct", 4), ("incorrect", 1), ("ungraded", 1)]


def test_verdicts_are_counted_in_one_order_whichever_comes_first(run: Path, tmp_path: Path) -> None:
    changed(run, "t0", answer=None)
    assert list(mine(run, tmp_path / "pairs").manifest.counts.by_verdict) == ["correct", "incorrect"]


def test_a_verdict_counts_while_the_answers_it_was_given_under_are_accepted(tmp_path: Path) -> None:
    task = write_task(tmp_path / "world")
    run = make_run(task, tmp_path / "run").path
    questions = (task / "questions.jsonl").read_text()
    (task / "questions.jsonl").write_text(questions.replace('["right"]', '["right", "correct"]'))
    with pytest.raises(UsageError, match=f"by verdict: {QUESTIONS} ungraded"):
        mine(run, tmp_path / "pairs")


def test_repeats_that_a_run_does_not_select_any_more_are_not_mined(made: Path, tmp_path: Path) -> None:
    run = make_run(made / "world", tmp_path / "run", repeats=2).path
    assert mine(run, tmp_path / "both", outcome="all").manifest.counts.trajectories == 2 * QUESTIONS
    make_run(made / "world", tmp_path / "run", repeats=1)
    assert mine(run, tmp_path / "one", outcome="all").manifest.counts.trajectories == QUESTIONS


class Killed(BaseException):
    """Nothing handles it, as nothing handles a kill."""


def test_a_kill_among_the_last_renames_leaves_no_pairs_that_pass_for_whole(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = run / "trajectories.jsonl", tmp_path / "pairs"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:3]))
    mine(run, out)
    file.write_text("".join(lines))
    commit = Drafts.commit

    def dies(self: Drafts, *names: str) -> None:
        commit(self, names[0])
        raise Killed

    monkeypatch.setattr(Drafts, "commit", dies)
    with pytest.raises(Killed):
        mine(run, out)
    with pytest.raises(UsageError, match="was interrupted: give the same"):
        Pairs.open(out)
    monkeypatch.undo()
    mine(run, out)
    assert Pairs.open(out).manifest.pairs == sha256_file(out / "pairs.jsonl")
    assert len([*Pairs.open(out).kept()]) == QUESTIONS - 1


def test_a_failure_at_the_end_of_mining_a_folder_again_deletes_nothing_of_it(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records(mine(made / "train", tmp_path / "pairs", relevance="none").path)

    def full(*_: object) -> None:
        raise UsageError("cannot write")

    monkeypatch.setattr(Drafts, "commit", full)
    with pytest.raises(UsageError, match="cannot write"):
        mine(made / "train", tmp_path / "pairs", relevance="none")
    assert records(tmp_path / "pairs") == before


def test_pairs_are_not_written_among_the_trajectories(run: Path, tmp_path: Path) -> None:
    file = write_lrat_file(tmp_path / "bm25" / "1.json", LRAT)
    for source, out in ((run, run), (tmp_path / "bm25", tmp_path / "run" / ".." / "bm25"), (file, file.parent)):
        for fresh in (False, True):
            with pytest.raises(UsageError, match="holds the trajectories that are mined: give another folder"):
                mine(source, out, outcome="all", fresh=fresh)
    assert [path.name for path in (tmp_path / "bm25").iterdir()] == ["1.json"]


def test_documents_that_share_a_reasoning_share_its_length(tmp_path: Path) -> None:
    both = (("search", "q", "d1 d2 d3"), ("read", "d1"), ("read", "d2"), ("think", "so " * 12), ("end", "x"))
    one = (("search", "q", "d1 d2 d3"), ("read", "d1"), ("think", "so " * 3), ("end", "x"))
    for name, steps in (("1", both), ("2", one), ("3", one)):
        write_lrat_file(tmp_path / "bm25" / f"{name}.json", steps)
    pairs = mine(tmp_path / "bm25", tmp_path / "pairs", outcome="all", relevance="none")
    lengths = [share_of(pair.reasoning_tokens or 0, pair.shared) for pair in pairs.kept()]
    assert lengths == [6, 6, 3, 3]
    assert pairs.manifest.intensity is not None
    assert pairs.manifest.intensity.pooled == fit(lengths)
    expected = [raw_weight(length, 4.5) / (pairs.manifest.mu or 0) for length in lengths]
    assert [pair.weight for pair in pairs.kept()] == pytest.approx(expected)


def tokenizer_of(file: Path, letters: str) -> str:
    """A tokenizer that knows these letters and drops all others."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE({letter: at for at, letter in enumerate(letters)}, []))
    made.save(str(file))
    return str(file)


def test_an_agent_whose_thoughts_have_no_tokens_has_no_scale_and_leaves_the_others_theirs(
    made: Path, tmp_path: Path
) -> None:
    mute = make_run(made / "world", tmp_path / "mute", name="mute").path
    without_thoughts(mute, lambda step: step.model_copy(update={"text": "hm"}))
    spec = tokenizer_of(tmp_path / "tokenizer.json", "vert")
    runs = [made / "train", make_run(made / "world", tmp_path / "more").path, mute]
    pairs = mine(runs, tmp_path / "pairs", scale="agent", outcome="all", relevance="none", tokenizer=spec)
    assert pairs.manifest.intensity is not None
    assert set(pairs.manifest.intensity.by_agent) == {"reader"}
    assert {pair.weight is None for pair in pairs.kept() if pair.run == "mute"} == {True}
    assert None not in {pair.weight for pair in pairs.kept() if pair.run != "mute"}


def test_lengths_are_measured_anew_without_asking_the_judge_again(
    made: Path, tmp_path: Path, judged_by: Callable[..., Judge]
) -> None:
    judge = judged_by(lambda _: Opinion("relevant"))
    useless = tokenizer_of(tmp_path / "tokenizer.json", "#")
    with pytest.raises(UsageError, match="give another one with --tokenizer"):
        mine(made / "train", tmp_path / "pairs", tokenizer=useless)
    asked = len(judge.asked)
    pooled = mine(made / "train", tmp_path / "pairs").manifest
    apart = mine(made / "train", tmp_path / "pairs", scale="agent").manifest
    assert len(judge.asked) == asked
    assert (pooled.tokenizer, pooled.scale, apart.scale) == ("regex-v1", "pooled", "agent")
