"""A run folder is completed by the same call, never mixed with another run, and loses nothing that was finished."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_model import make_encoder

import lrat_bench
from lrat_bench.errors import FatalModelError, RolloutFailure, RunIncomplete, UsageError
from lrat_bench.files import locked
from lrat_bench.model.scripted import ScriptedModel, answers, calls
from lrat_bench.model.seam import Request, Turn
from lrat_bench.runs.run import Run

RIGHT = {"bridge over": "Aldwin Marr", "town lies": "Tarn", "kilns": "Veyle"}


def knowing(fail: Callable[[str], Exception | None] = lambda _: None) -> lrat_bench.Agent:
    """An agent that searches, reads and answers right, unless told to fail on a question."""

    def play(request: Request) -> Turn:
        prompt = request.messages[0].content
        marker = next(marker for marker in RIGHT if marker in prompt)
        if error := fail(marker):
            raise error
        done = sum(message.role == "assistant" for message in request.messages)
        if done == 0:
            return calls("search", query=marker)
        if done == 1:
            docid = json.loads(request.messages[-1].content)["results"][0]["docid"]
            return calls("get_document", docid=docid, reasoning="That one.")
        return answers(f"Exact Answer: {RIGHT[marker]}")

    return lrat_bench.Agent("knowing", ScriptedModel(play))


def run(task: Path, out: Path, agent: Any = None, **more: Any) -> Run:
    return lrat_bench.run(task=str(task), agent=agent or knowing(), retriever="oracle", out=out, **more)


def content(found: Run) -> dict[tuple[str, int], Any]:
    return {trajectory.key: trajectory.content() for trajectory in found.trajectories}


def test_a_run_leaves_everything_a_reader_needs(task_folder: Path, tmp_path: Path) -> None:
    found = run(task_folder, tmp_path / "run")
    assert sorted(path.name for path in found.path.iterdir() if path.name != ".lock") == [
        "logs", "manifest.json", "metrics.json", "per_question.jsonl", "run.trec", "trajectories.jsonl",
        "verdicts.jsonl",
    ]  # fmt: skip
    assert found.metrics.metric("success_rate").value == 1
    assert found.metrics.metric("evidence_recall").value == 1
    assert found.metrics.metric("steps").value == 2
    assert found.manifest.questions == ("q1", "q2")
    assert found.manifest.split_role == "eval"
    assert len(found.manifest.invocations) == 1
    first = (found.path / "run.trec").read_text().splitlines()[0].split()
    assert first[:4] == ["q1", "Q0", "d1", "1"]
    frame = found.to_dataframe()
    assert list(frame["outcome"]) == ["correct", "correct"]


def test_the_manifest_says_how_a_model_was_used(task_folder: Path, tmp_path: Path) -> None:
    model = make_encoder(tmp_path / "model", vocabulary=["tarn", "mason"], prompts={"query": "query: "}, tokens=64)
    found = lrat_bench.run(str(task_folder), knowing(), f"dense:{model}", out=tmp_path / "run")
    told = ("query_tokens", "passage_tokens", "query_prompt", "pooling", "dimensions", "dtype", "commit")
    expected = [64, 64, "query: ", "mean", 32, "float32", None]
    assert [found.manifest.retriever[name] for name in told] == expected
    again = lrat_bench.run(str(task_folder), knowing(), f"dense:{model}", out=tmp_path / "run")
    assert again.manifest.retriever == found.manifest.retriever


def test_concurrency_changes_nothing(task_folder: Path, tmp_path: Path) -> None:
    one = content(run(task_folder, tmp_path / "1", concurrency=1, repeats=3))
    many = content(run(task_folder, tmp_path / "16", concurrency=16, repeats=3))
    assert one == many
    assert len(one) == 6


def test_the_same_call_again_does_nothing_and_more_repeats_extend(task_folder: Path, tmp_path: Path) -> None:
    run(task_folder, tmp_path / "run", limit=1)
    before = (tmp_path / "run" / "trajectories.jsonl").read_bytes()
    run(task_folder, tmp_path / "run", limit=1)
    assert (tmp_path / "run" / "trajectories.jsonl").read_bytes() == before
    grown = run(task_folder, tmp_path / "run", repeats=2)
    assert (tmp_path / "run" / "trajectories.jsonl").read_bytes().startswith(before)
    assert grown.metrics.n == 4
    assert run(task_folder, tmp_path / "run", limit=1).metrics.n == 1
    assert len(content(grown)) == 4


def test_errors_are_owed_and_retried_and_other_endings_are_final(task_folder: Path, tmp_path: Path) -> None:
    down = knowing(lambda marker: RolloutFailure("502") if marker == "town lies" else None)
    broken = run(task_folder, tmp_path / "run", down)
    assert broken.metrics.outcomes == {"correct": 1, "incorrect": 0, "ungraded": 0, "errored": 1}
    assert broken.metrics.success_bound == 1
    assert [(t.status, t.attempts, t.error) for t in broken.trajectories if t.question_id == "q2"] == [
        ("error", 1, "502")
    ]
    mended = run(task_folder, tmp_path / "run")
    assert mended.metrics.metric("success_rate").value == 1
    assert [t.attempts for t in mended.trajectories] == [1, 2]


def test_a_model_that_can_answer_nothing_stops_the_run_and_keeps_what_is_done(
    task_folder: Path, tmp_path: Path
) -> None:
    locked_out = knowing(lambda marker: FatalModelError("wrong key") if marker == "town lies" else None)
    with pytest.raises(RunIncomplete, match="1 of 2 rollouts done: the model can answer nothing: wrong key"):
        run(task_folder, tmp_path / "run", locked_out, concurrency=1)
    assert [record.status for record in Run(tmp_path / "run").trajectories] == ["answered", "error"]
    assert Run(tmp_path / "run").metrics.outcomes["errored"] == 1


def test_another_run_is_refused_with_what_differs(task_folder: Path, tmp_path: Path) -> None:
    run(task_folder, tmp_path / "run")
    with pytest.raises(UsageError, match=r"differs in: protocol, seed"):
        run(task_folder, tmp_path / "run", seed=5, set={"protocol.k": 3})
    run(task_folder, tmp_path / "run", seed=5, fresh=True)
    assert Run(tmp_path / "run").manifest.seed == 5


def test_a_renamed_task_folder_goes_on_with_the_same_run(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = lrat_bench.run(task=str(task_folder), agent=knowing(), retriever="oracle")
    task_folder.rename(tmp_path / "renamed")
    again = lrat_bench.run(task="./renamed", agent=knowing(), retriever="oracle")
    assert again.path == first.path
    assert len(again.manifest.invocations) == 2


def test_a_protocol_named_with_the_task_is_kept(task_folder: Path, tmp_path: Path) -> None:
    (task_folder / "task.yaml").write_text(
        "default_protocol: a\nprotocols: {a: {rollout: {k: 7}}, b: {rollout: {k: 3}}}\n"
    )
    task = lrat_bench.load_task(f"{task_folder}@b")
    assert lrat_bench.run(task, knowing(), "oracle", out=tmp_path / "run").manifest.protocol.rollout.k == 3


def test_settings_of_parts_that_are_made_already_are_refused(task_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"agent\.x cannot be set on agent 'knowing'"):
        run(task_folder, tmp_path / "run", set={"agent.x": 1})


def test_a_dataframe_needs_no_second_look_for_the_task(task_folder: Path, tmp_path: Path) -> None:
    found = run(task_folder, tmp_path / "run")
    task_folder.rename(tmp_path / "moved")
    assert len(found.to_dataframe()) == 2
    assert list(found.to_dataframe(judge="contains")["outcome"]) == ["ungraded", "ungraded"]


def test_a_callers_model_stays_open(task_folder: Path, tmp_path: Path) -> None:
    class Closing(ScriptedModel):
        closed = 0

        async def close(self) -> None:
            self.closed += 1

    model = Closing([answers("x")])
    run(task_folder, tmp_path / "run", lrat_bench.Agent("a", model))
    assert model.closed == 0


def test_a_tokenizer_counts_by_content_wherever_it_lies(task_folder: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    from lrat_bench.runs.resolve import Settings, resolve

    identities = []
    for name in ("one", "two"):
        made = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
        made.pre_tokenizer = pre_tokenizers.Whitespace()
        made.save(str(tmp_path / f"{name}.json"))
        settings = Settings.of({"protocol.snippet_tokenizer": str(tmp_path / f"{name}.json")})
        config = resolve(task=str(task_folder), agent="heuristic", retriever="none", settings=settings)
        identities.append(config.identity)
    assert identities[0] == identities[1]


def test_records_without_a_manifest_are_not_taken_over(task_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "trajectories.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match="no manifest"):
        run(task_folder, tmp_path / "run")
    assert (tmp_path / "run" / "trajectories.jsonl").read_text() == "{}\n"


def test_a_second_process_is_refused(task_folder: Path, tmp_path: Path) -> None:
    with locked(tmp_path / "run" / ".lock"), pytest.raises(UsageError, match="another process is writing"):
        run(task_folder, tmp_path / "run")


def test_corrupt_lines_are_owed_again_and_the_rest_is_kept(task_folder: Path, tmp_path: Path) -> None:
    first = run(task_folder, tmp_path / "run")
    whole = content(first)
    path = first.path / "trajectories.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"{rubbish\n" + lines[1][: len(lines[1]) // 2])
    assert content(run(task_folder, tmp_path / "run")) == whole


def test_a_run_works_where_an_event_loop_is_running(task_folder: Path, tmp_path: Path) -> None:
    async def notebook() -> Run:
        return run(task_folder, tmp_path / "run")

    assert asyncio.run(notebook()).metrics.n == 2


def test_scores_under_another_judge_leave_the_first_judges_verdicts(task_folder: Path, tmp_path: Path) -> None:
    from lrat_bench.api import rescore

    wordy = {marker: f"I think it is {answer}." for marker, answer in RIGHT.items()}
    agent = lrat_bench.Agent(
        "wordy", ScriptedModel({m: [answers(text + "\nSo.\nThere.")] for m, text in wordy.items()})
    )
    found = run(task_folder, tmp_path / "run", agent)
    assert found.metrics.metric("success_rate").value == 0
    _, manifest, scores = rescore(found.path, judge="contains")
    assert scores.metric("success_rate").value == 1
    assert manifest.protocol.scoring.judge == "contains"
    assert len(list(found.folder.verdicts.scan())) == 4
    assert rescore(found.path)[2].metric("success_rate").value == 0


def test_a_changed_task_is_not_scored(task_folder: Path, tmp_path: Path) -> None:
    from lrat_bench.api import rescore

    found = run(task_folder, tmp_path / "run")
    questions = task_folder / "questions.jsonl"
    questions.write_text(questions.read_text().replace("Which town lies", "Which city lies"))
    with pytest.raises(UsageError, match="not the one this run was made on"):
        rescore(found.path)


def test_answers_that_change_are_judged_again_without_running_again(task_folder: Path, tmp_path: Path) -> None:
    from lrat_bench.api import rescore

    found = run(task_folder, tmp_path / "run")
    assert found.metrics.outcomes["correct"] == 2
    trajectories = (found.path / "trajectories.jsonl").read_bytes()
    questions = task_folder / "questions.jsonl"
    questions.write_text(questions.read_text().replace('["Tarn"]', '["Varn"]'))
    _, _, scores = rescore(found.path)
    assert scores.outcomes["correct"] == 1
    questions.write_text(questions.read_text().replace('["Varn"]', '["Varn", "Tarn"]'))
    again = run(task_folder, tmp_path / "run")
    assert again.metrics.outcomes["correct"] == 2
    assert (found.path / "trajectories.jsonl").read_bytes() == trajectories


SLOW = """
import asyncio
from lrat_bench import Request, Turn
from lrat_bench.model.heuristic import Heuristic

class Slow(Heuristic):
    async def complete(self, request: Request) -> Turn:
        await asyncio.sleep(0.02)
        return await super().complete(request)

slow = Slow()
"""


def big_task(folder: Path) -> Path:
    """Sixty questions with a document each."""
    folder.mkdir()
    numbers = range(60)
    corpus = [{"docid": f"d{n}", "title": f"Town {n}", "text": f"Town {n} has a tower of {n} steps."} for n in numbers]
    questions = [
        {"qid": f"q{n}", "question": f"Which town has a tower of {n} steps?", "answers": [f"Town {n}"]} for n in numbers
    ]
    for name, records in (("corpus", corpus), ("questions", questions)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "qrels.trec").write_text("".join(f"q{n} 0 d{n} 1\n" for n in numbers))
    return folder


def start(folder: Path, out: Path, where: Path) -> subprocess.Popen[str]:
    (where / "slow_agent.py").write_text(SLOW)
    command = [sys.executable, "-m", "lrat_bench.cli", "run", "--task", str(folder), "--agent", "slow_agent:slow"]
    command += ["--retriever", "oracle", "--out", str(out), "--concurrency", "4"]
    environment = {**os.environ, "PYTHONPATH": str(where)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_lines(path: Path, many: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < many:
        assert time.monotonic() < deadline, "the run does not get going"
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_stopped_in_the_middle_ends_like_an_uninterrupted_one(tmp_path: Path, how: signal.Signals) -> None:
    folder = big_task(tmp_path / "towns")
    first = start(folder, tmp_path / "stopped", tmp_path)
    wait_for_lines(tmp_path / "stopped" / "trajectories.jsonl", 10)
    first.send_signal(how)
    _, said = first.communicate(timeout=60)
    if how == signal.SIGINT:
        assert first.returncode == 3
        assert said.strip().splitlines()[-1].startswith("lrat-bench: interrupted;")
        assert "Traceback" not in said
    kept = (tmp_path / "stopped" / "trajectories.jsonl").read_bytes()
    finished = kept[: kept.rfind(b"\n") + 1]
    assert 10 <= finished.count(b"\n") < 60

    for out in ("stopped", "whole"):
        again = start(folder, tmp_path / out, tmp_path)
        _, said = again.communicate(timeout=120)
        assert again.returncode == 0, said
    assert (tmp_path / "stopped" / "trajectories.jsonl").read_bytes().startswith(finished)
    assert (tmp_path / "stopped" / "trajectories.jsonl").read_bytes().count(b"\n") == 60
    stopped, whole = Run(tmp_path / "stopped"), Run(tmp_path / "whole")
    assert content(stopped) == content(whole)
    timeless = [[m for m in r.metrics.metrics if m.name != "seconds"] for r in (stopped, whole)]
    assert timeless[0] == timeless[1]


HANGING = """
import time

class Hanging:
    name = fingerprint = "hanging"
    def prepare(self, progress): pass
    def search(self, queries, k, *, contexts=None): time.sleep(1000)
    def close(self): pass
"""


def test_a_retriever_that_hangs_does_not_keep_the_run_from_ending(task_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "lrat_bench.cli", "run", "--task", str(task_folder)]
    command += ["--retriever", "hanging:Hanging", "--out", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "trajectories.jsonl").parent.joinpath("manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert said.strip().splitlines()[-1].startswith("lrat-bench: interrupted;")


def test_a_full_disk_stops_the_run_and_what_is_done_goes_on_later(tmp_path: Path) -> None:
    folder = big_task(tmp_path / "towns")
    out = tmp_path / "run"
    words = ["run", "--task", str(folder), "--retriever", "oracle", "--out", str(out)]
    code = f"""
import resource, signal
from lrat_bench.cli.main import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
main({words!r})
"""
    full = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert full.returncode == 3, full.stderr
    assert "rollouts done: cannot write to" in full.stderr.splitlines()[-1]
    kept = (out / "trajectories.jsonl").read_bytes()
    assert kept.endswith(b"\n")
    assert 0 < kept.count(b"\n") < 60
    again = subprocess.run(
        [sys.executable, "-m", "lrat_bench.cli", *words], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert (out / "trajectories.jsonl").read_bytes().startswith(kept)
    assert Run(out).metrics.outcomes["errored"] == 0
