"""Evaluation during training: recorded queries, their evidence, and a pool of what was shown."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from training_world import World

import lrat_bench
from lrat_bench.errors import UsageError
from lrat_bench.lrat.training.evaluate import Replay, read_replay
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.record import Evaluation
from lrat_bench.lrat.training.train import TrainedModel, train

RECIPE = Recipe(epochs=3, lr=1e-3, batch=8, group=3, temperature=0.05, query_tokens=16, passage_tokens=24)


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the heuristic agent asked of the oracle, on the questions of the train split."""
    out = tmp_path_factory.mktemp("runs") / "run"
    return lrat_bench.run(str(world.task), "heuristic", "oracle", split="train", out=out).path


def one_hot(vocabulary: Sequence[str]) -> Any:
    return lambda texts: torch.tensor([[float(word in text.split()) for word in vocabulary] for text in texts])


def test_a_ranking_is_scored_by_its_evidence_and_ties_go_by_docid() -> None:
    replay = Replay(
        queries={"a": "x", "b": "y", "c": "z"},
        evidence={"a": frozenset({"d1"}), "b": frozenset({"d3"}), "c": frozenset({"d9"})},
        pool={"d3": "y", "d2": "y", "d1": "x", "d9": "nothing of it"},
        runs=(),
        without_evidence=0,
        held_out=True,
    )
    measured = replay.measure(one_hot("xyz"), one_hot("xyz"))
    # Ranks 1, 2 (after d2, which has the same score) and 4 (after three that have it too).
    assert measured["RR@10"] == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert measured["R@5"] == 1


def test_queries_come_once_with_the_evidence_of_their_question(run: Path, world: World) -> None:
    replay = read_replay([run], corpus=world.corpus)
    recorded = [
        (trajectory.question_id, step)
        for trajectory in lrat_bench.load_run(run).trajectories
        for step in trajectory.steps
        if step.kind == "search"
    ]
    once = {(qid, step.query) for qid, step in recorded}
    assert sorted(replay.queries.values()) == sorted(query for _, query in once)
    assert len(once) >= 10
    shown = {hit.docid for _, step in recorded for hit in step.hits}
    evidence = {docid for docids in replay.evidence.values() for docid in docids}
    assert set(replay.pool) == shown | evidence
    assert all(replay.pool[docid] == world.texts[docid] for docid in replay.pool)
    assert replay.held_out
    assert replay.without_evidence == 0


def test_training_is_evaluated_before_it_and_after_each_epoch(run: Path, world: World, tmp_path: Path) -> None:
    done = train(pairs=[world.pairs], base=str(world.base), out=tmp_path / "model", recipe=RECIPE, evals=[run])
    assert [one.step for one in done.record.evaluations] == [0, 3, 6, 9]
    logged = [line for line in ModelFolder(done.path).read_log() if isinstance(line, Evaluation)]
    assert tuple(logged) == done.record.evaluations
    assert all(set(one.measures) == {"RR@10", "nDCG@10", "R@5"} for one in logged)
    assert logged[0].measures != logged[-1].measures
    assert "## Evaluation during training" in (done.path / "README.md").read_text()


def test_evaluation_changes_nothing_about_the_steps_between(run: Path, world: World, tmp_path: Path) -> None:
    out = tmp_path / "model"
    done = train(pairs=[world.pairs], base=str(world.steady), out=out, recipe=RECIPE, evals=[run], eval_steps=2)
    plain = train(pairs=[world.pairs], base=str(world.steady), out=tmp_path / "plain", recipe=RECIPE)
    assert [one.step for one in done.record.evaluations] == [0, 2, 4, 6, 8, 9]
    assert done.record.loss == plain.record.loss


def test_the_best_weights_are_kept_where_asked(run: Path, world: World, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    wild = RECIPE.model_copy(update={"keep": "best", "lr": 0.05, "epochs": 5})
    done = train(pairs=[world.pairs], base=str(world.base), out=tmp_path / "model", recipe=wild, evals=[run])
    after = [one for one in done.record.evaluations if one.step]
    best = max(after, key=lambda one: one.measures["nDCG@10"])
    assert done.record.kept_step == best.step
    model = SentenceTransformer(str(done.path), device="cpu")

    def encode(texts: Sequence[str]) -> Any:
        return model.encode(list(texts), convert_to_tensor=True, normalize_embeddings=True)

    measured = read_replay([run], corpus=world.corpus).measure(encode, encode)
    assert measured == pytest.approx(best.measures)


def test_what_chooses_the_weights_is_part_of_the_training(run: Path, world: World, tmp_path: Path) -> None:
    best = RECIPE.model_copy(update={"keep": "best"})

    def again(runs: Sequence[Path], **more: Any) -> TrainedModel:
        return train(pairs=[world.pairs], base=str(world.base), out=tmp_path / "model", recipe=best, evals=runs, **more)

    assert again([run]).trained
    moved = shutil.copytree(run, tmp_path / "renamed")
    assert not again([moved]).trained
    other = lrat_bench.run(
        str(world.task), "heuristic", "oracle", split="train", limit=2, out=tmp_path / "other" / run.name
    ).path
    with pytest.raises(UsageError, match=r"differs in: eval\)"):
        again([other])
    with pytest.raises(UsageError, match=r"differs in: eval_steps\)"):
        again([run], eval_steps=1)


def test_the_record_and_the_card_name_the_runs_that_were_replayed(run: Path, world: World, tmp_path: Path) -> None:
    short = RECIPE.model_copy(update={"epochs": 1})
    done = train(pairs=[world.pairs], base=str(world.base), out=tmp_path / "model", recipe=short, evals=[run])
    (found,) = done.record.evaluated
    assert (found.name, found.task, found.split, found.agent) == ("run", "task", "train", "heuristic")
    assert "- run: task task, split train, agent heuristic, retriever oracle" in (done.path / "README.md").read_text()


def test_a_replay_is_the_same_in_whatever_order_questions_were_finished(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "run")
    lines = (run / "trajectories.jsonl").read_text().splitlines()
    (other / "trajectories.jsonl").write_text("\n".join(lines[::-1]) + "\n")
    assert read_replay([other]).fingerprint == read_replay([run]).fingerprint
    (other / "trajectories.jsonl").write_text("\n".join(lines[1:]) + "\n")
    assert read_replay([other]).fingerprint != read_replay([run]).fingerprint


def test_a_disk_that_refuses_the_best_weights_is_one_line(
    run: Path, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    saved = SentenceTransformer.save_pretrained

    def full(self: Any, path: str, *args: Any, **more: Any) -> None:
        if Path(path).name == "best":
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(self, path, *args, **more)

    best = RECIPE.model_copy(update={"keep": "best", "epochs": 1})
    given: dict[str, Any] = {"pairs": [world.pairs], "base": str(world.base), "out": tmp_path / "model"}
    with monkeypatch.context() as patch:
        patch.setattr(SentenceTransformer, "save_pretrained", full)
        with pytest.raises(UsageError, match=r"cannot write a checkpoint to .*No space left on device; .* goes on"):
            train(**given, recipe=best, evals=[run])
    assert train(**given, recipe=best, evals=[run]).trained


def test_weights_are_not_chosen_by_evaluation_questions(bridge: Any, task_folder: Path, tmp_path: Path) -> None:
    evaluated = lrat_bench.run(str(task_folder), "heuristic", "oracle", out=tmp_path / "run").path
    assert not read_replay([evaluated]).held_out


def test_a_run_over_other_documents_cannot_evaluate(run: Path, bridge: Any) -> None:
    with pytest.raises(UsageError, match="was made on another corpus than the pairs"):
        read_replay([run], corpus=bridge.corpus)
