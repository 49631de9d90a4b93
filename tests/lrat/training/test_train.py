"""A training, from pairs to a folder: what it leaves, how it goes on, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tiny_model import make_encoder
from training_world import World, make_pair, write_pairs

from lrat_bench.errors import DataError, RunIncomplete, UnknownName, UsageError
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import Undecided
from lrat_bench.lrat.pairs_manifest import Scale
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.recipe import Recipe, make_recipe
from lrat_bench.lrat.training.record import Counts, Evaluation, LossCurve, ModelRecord, Step
from lrat_bench.lrat.training.schedule import share_of_peak
from lrat_bench.lrat.training.train import TrainedModel, train
from lrat_bench.lrat.training.trainer import _encode

RECIPE = Recipe(epochs=2, lr=1e-3, batch=5, group=3, temperature=0.05, query_tokens=16, passage_tokens=24)
"""24 rows: five batches an epoch, the last one of four rows."""


def go(world: World, out: Path, *, recipe: Recipe = RECIPE, **more: Any) -> TrainedModel:
    given = {"pairs": [world.pairs], "base": str(world.base), "out": out, "recipe": recipe, **more}
    return train(**given)


class Pulled(Exception):
    """The plug."""


def pull_at(step: int) -> Callable[[Step | Evaluation, int], None]:
    def on_line(line: Step | Evaluation, total: int) -> None:
        if line.kind == "step" and line.step == step:
            raise Pulled

    return on_line


def same_weights(one: Path, other: Path) -> bool:
    mine, theirs = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    return mine.keys() == theirs.keys() and all(torch.equal(mine[key], theirs[key]) for key in mine)


def a_record() -> dict[str, Any]:
    """What `lrat-bench.json` holds, of some model."""
    return ModelRecord(
        identity={"seed": 0}, base="base", base_fingerprint="f", recipe=RECIPE, query_prompt="", document_prompt="",
        pairs=(), tainted=False, processes=1, steps=1, per_epoch=1, seconds=0.0, kept_step=1, versions={}, files=(),
        loss=LossCurve(first=0.0, last=0.0, tenths=()),
        counts=Counts(
            kept=0, rejected=0, rows=0, questions=0, documents=0, without_weight=0, without_negatives=0,
            false_negatives=0,
        ),
    ).to_dict()  # fmt: skip


@pytest.fixture(scope="module")
def trained(world: World, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return go(world, tmp_path_factory.mktemp("trained") / "model")


def test_the_folder_is_one_that_sentence_transformers_loads(trained: TrainedModel, world: World) -> None:
    model = SentenceTransformer(str(trained.path), device="cpu")
    assert model.encode_query(["w1 w2"]).shape == (1, 16)
    assert not same_weights(trained.path, world.base)
    assert {path.name for path in trained.path.iterdir()} == {
        *trained.record.files,
        "lrat-bench.json",
        "training_log.jsonl",
    }


def test_the_loss_falls(trained: TrainedModel) -> None:
    log = ModelFolder(trained.path).read_log()
    assert [line.step for line in log] == list(range(1, 11))
    assert trained.record.loss.last < 0.8 * trained.record.loss.first
    assert trained.record.steps == 10
    assert trained.record.per_epoch == 5


def test_the_positives_rank_higher_than_before(world: World, tmp_path: Path) -> None:
    def rank(folder: Path) -> float:
        model = SentenceTransformer(str(folder), device="cpu")
        docids = list(world.texts)
        documents = model.encode_document([world.texts[docid] for docid in docids], normalize_embeddings=True)
        pairs = [make_pair(number, world.texts, weight=1.0) for number in range(24)]
        queries = model.encode_query([pair.query for pair in pairs], normalize_embeddings=True)
        scores = queries @ documents.T
        own = [row[docids.index(pair.pos_id)] for row, pair in zip(scores, pairs, strict=True)]
        return float(sum((row > mine).sum() for row, mine in zip(scores, own, strict=True)))

    long = RECIPE.model_copy(update={"epochs": 8})
    assert rank(go(world, tmp_path / "model", recipe=long).path) < rank(world.base)


def test_the_record_says_what_it_was_trained_on(trained: TrainedModel, world: World) -> None:
    record = trained.record
    assert record.base == "base"
    assert record.counts.model_dump() == {
        "kept": 24, "rejected": 3, "undecided": 0, "rows": 24, "questions": 10, "documents": record.counts.documents,
        "without_weight": 0, "without_negatives": 0, "false_negatives": record.counts.false_negatives,
    }  # fmt: skip
    (source,) = record.pairs
    assert (source.name, source.rule, source.task) == ("pairs", "attributed", "task")
    assert source.corpus == world.corpus.fingerprint
    assert source.runs[0]["agent"] == "scripted"
    assert record.recipe == RECIPE
    assert (record.device, record.precision) == ("cpu", "float32")
    assert str(world.task.parent) not in (trained.path / "lrat-bench.json").read_text()
    assert not record.tainted
    assert record.versions["torch"] == torch.__version__


def test_a_taint_of_the_base_is_not_washed_off(world: World, tmp_path: Path) -> None:
    base = shutil.copytree(world.base, tmp_path / "base")
    (base / "lrat-bench.json").write_text('{"tainted": true}')
    assert go(world, tmp_path / "model", base=str(base)).record.tainted


def test_the_same_training_again_is_not_done_again(trained: TrainedModel, world: World) -> None:
    before = (trained.path / "model.safetensors").stat().st_mtime_ns
    again = go(world, trained.path)
    assert not again.trained
    assert again.record == trained.record
    assert (trained.path / "model.safetensors").stat().st_mtime_ns == before


def test_another_recipe_in_the_same_folder_is_refused_by_the_keys_that_differ(
    trained: TrainedModel, world: World
) -> None:
    other = RECIPE.model_copy(update={"lr": 2e-3, "seed": 7})
    with pytest.raises(UsageError, match=r"holds another training \(differs in: lr, seed\)"):
        go(world, trained.path, recipe=other)
    with pytest.raises(UsageError, match=r"differs in: base"):
        go(world, trained.path, base=str(world.steady))
    assert (trained.path / "lrat-bench.json").exists()


def test_fresh_discards_what_a_training_left_and_nothing_else(world: World, tmp_path: Path) -> None:
    short = RECIPE.model_copy(update={"epochs": 1})
    first = go(world, tmp_path / "model", recipe=short)
    (first.path / "notes.txt").write_text("mine")
    second = go(world, first.path, recipe=short.model_copy(update={"seed": 1}), fresh=True)
    assert second.record.recipe.seed == 1
    assert (first.path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["../precious", "{}/precious", "..", ".", ""])
def test_nothing_is_deleted_outside_the_folder_whatever_it_says(world: World, tmp_path: Path, name: str) -> None:
    """The folder may have been downloaded."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "years of work").touch()
    record = {**a_record(), "files": ["model.safetensors", name.format(tmp_path)]}
    model = tmp_path / "model"
    model.mkdir()
    (model / "lrat-bench.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"files.*is no name in the model folder"):
        go(world, model, fresh=True)
    (model / "lrat-bench.json").unlink()
    unfinished = model / "checkpoints"
    unfinished.mkdir()
    (unfinished / "training.json").write_text("{}")
    (unfinished / "files.json").write_text(json.dumps(record["files"]))
    with pytest.raises(DataError, match=r"files\.json: not a list of names in the model folder"):
        go(world, model, fresh=True)
    (unfinished / "files.json").write_text("{")
    with pytest.raises(DataError, match=r"files\.json: not a list of names"):
        go(world, model, fresh=True)
    assert [path.name for path in precious.iterdir()] == ["years of work"]


def test_of_a_link_the_link_is_deleted(world: World, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "checkpoint-1").mkdir()
    model = tmp_path / "model"
    model.mkdir()
    (model / "lrat-bench.json").write_text(json.dumps({**a_record(), "files": ["linked"]}))
    for name in ("linked", "checkpoints"):
        (model / name).symlink_to(precious)
    assert go(world, model, recipe=RECIPE.model_copy(update={"epochs": 1}), fresh=True).trained
    assert [path.name for path in precious.iterdir()] == ["checkpoint-1"]
    assert not (model / "linked").is_symlink()


def test_a_model_that_is_not_all_there_is_not_said_to_be_trained(
    trained: TrainedModel, world: World, tmp_path: Path
) -> None:
    copy = shutil.copytree(trained.path, tmp_path / "model")
    (copy / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"its model\.safetensors is gone: give --fresh"):
        go(world, copy)


def test_what_a_kill_left_of_a_beginning_or_an_end_is_removed(
    trained: TrainedModel, world: World, tmp_path: Path
) -> None:
    blank = tmp_path / "blank" / "checkpoints"
    blank.mkdir(parents=True)
    (blank / ".training.json.ab.tmp").write_text("{")
    short = RECIPE.model_copy(update={"epochs": 1})
    assert go(world, blank.parent, recipe=short, fresh=True).trained
    ended = shutil.copytree(trained.path, tmp_path / "ended")
    for left in ("checkpoints/checkpoint-10", ".saving"):
        (ended / left).mkdir(parents=True)
    (ended / "checkpoints" / "training.json").write_text(json.dumps(trained.record.identity))
    (ended / ".lrat-bench.json.ab.tmp").write_text("{")
    (ended / ".lock").touch()
    assert not go(world, ended).trained
    assert {path.name for path in ended.iterdir()} == {path.name for path in trained.path.iterdir()}


@pytest.mark.parametrize(("step", "mini_batch"), [(3, None), (5, 4), (8, None)])
def test_a_training_that_was_cut_off_ends_as_if_it_had_not_been(
    trained: TrainedModel, world: World, tmp_path: Path, step: int, mini_batch: int | None
) -> None:
    recipe = RECIPE.model_copy(update={"mini_batch": mini_batch})
    whole = trained.path if mini_batch is None else go(world, tmp_path / "whole", recipe=recipe).path
    with pytest.raises(Pulled):
        go(world, tmp_path / "cut", recipe=recipe, checkpoint_steps=2, on_line=pull_at(step))
    resumed = go(world, tmp_path / "cut", recipe=recipe, checkpoint_steps=2)
    # The plug is pulled before the checkpoint of that step.
    assert resumed.resumed_from == {3: 2, 5: 4, 8: 6}[step]
    assert same_weights(resumed.path, whole)
    log = ModelFolder(resumed.path).read_log()
    assert [line.step for line in log] == list(range(1, 11))
    assert [line.loss for line in log if isinstance(line, Step)] == [
        line.loss for line in ModelFolder(whole).read_log() if isinstance(line, Step)
    ]


def test_a_checkpoint_that_was_not_written_in_full_is_passed_over(
    trained: TrainedModel, world: World, tmp_path: Path
) -> None:
    with pytest.raises(Pulled):
        go(world, tmp_path / "cut", checkpoint_steps=2, on_line=pull_at(7))
    there = ModelFolder(tmp_path / "cut").checkpoints
    assert sorted(path.name for path in there.path.glob("checkpoint-*")) == ["checkpoint-5", "checkpoint-6"]
    other = shutil.copytree(tmp_path / "cut", tmp_path / "other")
    (there.path / "checkpoint-6" / "complete.json").unlink()
    # Marked, and not what was marked.
    (other / "checkpoints" / "checkpoint-6" / "optimizer.pt").write_bytes(b"torn")
    for cut in (tmp_path / "cut", other):
        resumed = go(world, cut, checkpoint_steps=2)
        assert resumed.resumed_from == 5
        assert same_weights(resumed.path, trained.path)


@pytest.mark.parametrize("name", ["optimizer.pt", "model.safetensors", "trainer_state.json", "rng_state.pth"])
def test_a_checkpoint_that_cannot_be_read_is_named(world: World, tmp_path: Path, name: str) -> None:
    with pytest.raises(Pulled):
        go(world, tmp_path / "cut", checkpoint_steps=2, on_line=pull_at(3))
    file = ModelFolder(tmp_path / "cut").checkpoints.path / "checkpoint-2" / name
    file.write_bytes(b"?" * file.stat().st_size)
    with pytest.raises(DataError, match=r"checkpoint-2: cannot be read \(\w+\): delete this folder"):
        go(world, tmp_path / "cut", checkpoint_steps=2)
    shutil.rmtree(file.parent)
    assert go(world, tmp_path / "cut", checkpoint_steps=2).resumed_from == 0


def test_a_training_that_was_cut_off_while_saving_is_saved_again(
    trained: TrainedModel, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(*_: object) -> None:
        raise Pulled

    with monkeypatch.context() as patch:
        patch.setattr("lrat_bench.lrat.training.folder.ModelFolder.finish", pulled)
        with pytest.raises(Pulled):
            go(world, tmp_path / "cut")
    resumed = go(world, tmp_path / "cut")
    assert resumed.resumed_from == 10
    assert same_weights(resumed.path, trained.path)
    assert len(ModelFolder(resumed.path).read_log()) == 10


def test_a_rejected_document_more_is_another_training(trained: TrainedModel, world: World, tmp_path: Path) -> None:
    """It takes a document from the negatives of its question."""
    kept = [make_pair(number, world.texts, weight=0.25 + 1.5 * (number % 2)) for number in range(24)]
    for name, pairs in (("rejected", [make_pair(39, world.texts, weight=None)]), ("undecided", [])):
        other = write_pairs(tmp_path / name, world.task, world.corpus.fingerprint, kept, pairs)
        with pytest.raises(UsageError, match=r"differs in: pairs\)"):
            go(world, trained.path, pairs=[other])


def test_the_learning_rate_is_that_of_the_schedule(world: World, tmp_path: Path) -> None:
    done = go(world, tmp_path / "model", recipe=RECIPE.model_copy(update={"warmup": 0.3}))
    found = [line.lr for line in ModelFolder(done.path).read_log() if isinstance(line, Step)]
    assert found == pytest.approx([1e-3 * share_of_peak(step, warmup=3, steps=10) for step in range(10)])
    assert found[0] > 0


def test_an_interruption_keeps_the_checkpoints(world: World, tmp_path: Path) -> None:
    def interrupt(line: Step | Evaluation, total: int) -> None:
        if line.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(RunIncomplete, match="the same command goes on"):
        go(world, tmp_path / "cut", checkpoint_steps=2, on_line=interrupt)
    assert ModelFolder(tmp_path / "cut").checkpoints.latest is not None


def test_prompts_are_trained_with_and_saved(world: World, tmp_path: Path) -> None:
    short = RECIPE.model_copy(update={"epochs": 1})
    plain = go(world, tmp_path / "plain", recipe=short)
    prompted = go(world, tmp_path / "prompted", recipe=short, query_prompt="ask: ", document_prompt="")
    assert not same_weights(plain.path, prompted.path)
    assert prompted.record.query_prompt == "ask: "
    model = SentenceTransformer(str(prompted.path), device="cpu")
    assert model.prompts["query"] == "ask: "
    asked = model.encode(["ask: w1 w2"])
    assert model.encode_query(["w1 w2"]) == pytest.approx(asked, abs=1e-6)


def test_a_default_prompt_of_the_base_is_put_before_nothing(world: World, tmp_path: Path) -> None:
    stored = {"query": "ask : ", "passage": "w1 ", "clustering": "w2 "}
    base = make_encoder(tmp_path / "base", texts=world.texts.values(), vocabulary=["ask", ":"], dim=16, prompts=stored)
    config = base / "config_sentence_transformers.json"
    plain = config.read_text()
    short = RECIPE.model_copy(update={"epochs": 1})
    bare = go(world, tmp_path / "bare", recipe=short, base=str(base), query_prompt="", document_prompt="")
    config.write_text(json.dumps({**json.loads(plain), "default_prompt_name": "passage"}))
    done = go(world, tmp_path / "model", recipe=short, base=str(base), query_prompt="", document_prompt="")
    assert same_weights(done.path, bare.path)
    model = SentenceTransformer(str(done.path), device="cpu")
    assert model.prompts == {"clustering": "w2 ", "query": "", "document": ""}
    assert model.default_prompt_name is None
    config.write_text(json.dumps({**json.loads(plain), "default_prompt_name": "clustering"}))
    kept = go(world, tmp_path / "kept", recipe=short, base=str(base), query_prompt="", document_prompt="")
    assert same_weights(kept.path, bare.path)
    model = SentenceTransformer(str(kept.path), device="cpu")
    assert model.default_prompt_name == "clustering"
    evaluated, plainly = _encode(model, ["w3 w4"], "", 16), _encode(model, ["w2 w3 w4"], "", 16)
    assert not torch.allclose(evaluated, plainly)
    assert torch.allclose(plainly, model.encode(["w3 w4"], convert_to_tensor=True, normalize_embeddings=True))


@pytest.mark.parametrize(("stage", "rows"), [("naive", 27), ("filter", 24), ("reweight", 24)])
def test_each_stage_has_its_rows(world: World, tmp_path: Path, stage: Any, rows: int) -> None:
    recipe = RECIPE.model_copy(update={"stage": stage, "epochs": 1})
    assert go(world, tmp_path / "model", recipe=recipe).record.counts.rows == rows


@pytest.mark.parametrize(
    "changes",
    [
        {"gradient_checkpointing": True},
        {"precision": "bfloat16"},
        {"normaliser": "weight-sum"},
        {"in_batch": False, "mini_batch": 7},
    ],
    ids=str,
)
def test_every_way_of_computing_trains(world: World, tmp_path: Path, changes: dict[str, Any]) -> None:
    base = make_encoder(tmp_path / "qwen3", texts=world.texts.values(), dim=16, kind="qwen3")
    done = go(world, tmp_path / "model", recipe=RECIPE.model_copy(update=changes), base=str(base))
    assert done.record.loss.last < done.record.loss.first
    assert all(one.dtype == torch.float32 for one in load_file(done.path / "model.safetensors").values())


def test_weights_change_the_model(trained: TrainedModel, world: World, tmp_path: Path) -> None:
    unweighted = go(world, tmp_path / "model", recipe=RECIPE.model_copy(update={"stage": "filter"}))
    assert not same_weights(unweighted.path, trained.path)


def test_a_loss_that_drops_the_weights_ends_the_training(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lrat_bench.lrat.training import info_nce

    def dropped(queries: Any, documents: Any, weights: Any, **more: Any) -> Any:
        return info_nce.weighted_info_nce(queries, documents, torch.ones_like(weights), **more)

    monkeypatch.setattr("lrat_bench.lrat.training.loss.weighted_info_nce", dropped)
    for mini_batch in (None, 4):
        recipe = RECIPE.model_copy(update={"mini_batch": mini_batch})
        with pytest.raises(UsageError, match="does not depend on the weights"):
            go(world, tmp_path / f"model-{mini_batch}", recipe=recipe)


def test_a_loss_that_is_no_number_ends_the_training(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the loss is nan at step \d+: take a lower --lr.* with --fresh"):
        go(world, tmp_path / "model", recipe=RECIPE.model_copy(update={"lr": 1e30, "max_grad_norm": 0.0}))
    assert go(world, tmp_path / "model", recipe=RECIPE.model_copy(update={"epochs": 1}), fresh=True).trained


def test_what_mends_too_little_memory_is_said_to_be_another_training(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("lrat_bench.lrat.training.trainer.Trainer.training_step", full)
    with pytest.raises(UsageError, match=r"--mini-batch 8, or .* --passage-tokens; with --fresh"):
        go(world, tmp_path / "model")


def test_weights_that_are_all_equal_are_refused(mined: Callable[..., Path], world: World, tmp_path: Path) -> None:
    equal = mined([make_pair(number, world.texts, weight=1.0) for number in range(8)])
    with pytest.raises(UsageError, match=r"all 8 are 1\.0: that is --stage filter"):
        go(world, tmp_path / "model", pairs=[equal])


def test_a_document_that_the_corpus_lacks_is_named(mined: Callable[..., Path], world: World, tmp_path: Path) -> None:
    pairs = [make_pair(number, world.texts, weight=1.0 + number) for number in range(8)]
    odd = pairs[3].model_copy(update={"neg_ids": ("d1", "d-none")})
    with pytest.raises(UsageError, match="document 'd-none' of the pairs is not in corpus"):
        go(world, tmp_path / "model", pairs=[mined([*pairs, odd])])
    assert not (tmp_path / "model").exists()


def test_rows_without_negatives_are_trained_on(mined: Callable[..., Path], world: World, tmp_path: Path) -> None:
    pairs: list[Pair] = [
        make_pair(number, world.texts, weight=1.0 + number, negatives=number % 3) for number in range(9)
    ]
    for in_batch in (True, False):
        recipe = RECIPE.model_copy(update={"in_batch": in_batch, "epochs": 1})
        path = mined(pairs) if in_batch else tmp_path / "mined"
        done = go(world, tmp_path / f"model-{in_batch}", recipe=recipe, pairs=[path])
        assert done.record.counts.without_negatives == 3


def test_weights_of_two_scales_are_not_mixed(world: World, tmp_path: Path) -> None:
    folders = []
    for at, (beta, mu) in enumerate([(12.0, 2.0), (12.0, 2.0), (40.0, 2.0), (12.0, 3.0)]):
        kept = [make_pair(number, world.texts, weight=0.5 + number) for number in range(8 * at, 8 * at + 8)]
        folders.append(
            write_pairs(
                tmp_path / f"p{at}", world.task, world.corpus.fingerprint, kept, scale=Scale(beta=beta, mu=mu, n=8)
            )
        )
    short = RECIPE.model_copy(update={"epochs": 1})
    for other in folders[2:]:
        with pytest.raises(UsageError, match=r"are not on one scale \(β .* µ .*\): mine the runs together"):
            go(world, tmp_path / "model", pairs=[folders[0], other])
    assert go(world, tmp_path / "one", pairs=folders[:2], recipe=short).record.counts.rows == 16
    unweighted = short.model_copy(update={"stage": "filter"})
    assert go(world, tmp_path / "filter", pairs=folders, recipe=unweighted).record.counts.rows == 32


def test_what_could_not_be_judged_is_read(world: World, tmp_path: Path) -> None:
    kept = [make_pair(number, world.texts, weight=0.5 + number) for number in range(8)]
    folder = write_pairs(tmp_path / "pairs", world.task, world.corpus.fingerprint, kept)
    browse = {**make_pair(39, world.texts, weight=None).model_dump(by_alias=True), "reason": "withheld", "owed": False}
    (folder / "undecided.jsonl").write_text(f"{Undecided(**browse).to_json()}\n")
    naive = RECIPE.model_copy(update={"epochs": 1, "stage": "naive"})
    counts = go(world, tmp_path / "naive", pairs=[folder], recipe=naive).record.counts
    assert (counts.rows, counts.undecided) == (9, 1)
    filtered = naive.model_copy(update={"stage": "filter"})
    counts = go(world, tmp_path / "filter", pairs=[folder], recipe=filtered).record.counts
    assert (counts.rows, counts.undecided) == (8, 1)


def test_a_precision_that_the_machine_lacks_claims_no_folder(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="float16 needs a GPU"):
        go(world, tmp_path / "model", recipe=RECIPE.model_copy(update={"precision": "float16"}))
    assert not (tmp_path / "model").exists()


def test_another_corpus_is_refused(world: World, tmp_path: Path) -> None:
    folder = write_pairs(
        tmp_path / "pairs", world.task, "0" * 64, [make_pair(n, world.texts, weight=1.0 + n) for n in (1, 2)]
    )
    with pytest.raises(UsageError, match="is not the one that the pairs were mined on"):
        go(world, tmp_path / "model", pairs=[folder])
    with pytest.raises(UsageError, match="are of different corpora"):
        go(world, tmp_path / "model", pairs=[world.pairs, folder])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pairs": []}, "no pairs are given"),
        ({"base": "./no-such-model"}, "there is no model folder './no-such-model'"),
        ({"recipe": RECIPE.model_copy(update={"keep": "best"})}, "give a run with --eval"),
        ({"checkpoint_steps": 0}, "checkpoint_steps must be at least 1"),
        ({"recipe": RECIPE.model_copy(update={"shuffle": "weights", "stage": "filter"})}, "changes nothing in stage"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    world: World, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        go(world, tmp_path / "model", **given)
    assert not (tmp_path / "model").exists()


def test_a_folder_of_something_else_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(UsageError, match=r"holds something else than a training \(thesis\.tex\)"):
            go(world, tmp_path, fresh=fresh)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_is_no_model_is_said_to_be_none(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no model: it has neither"):
        go(world, tmp_path / "model", base=str(world.task))


def test_a_base_that_does_not_load_is_one_line(world: World, tmp_path: Path) -> None:
    broken = shutil.copytree(world.base, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(UsageError, match="cannot be loaded"):
        go(world, tmp_path / "model", base=str(broken))
    assert not (tmp_path / "model" / "lrat-bench.json").exists()


def test_a_record_that_is_none_is_named(trained: TrainedModel, world: World, tmp_path: Path) -> None:
    (tmp_path / "lrat-bench.json").write_text(json.dumps({"schema": "lrat-bench/model/9"}))
    with pytest.raises(DataError, match="not a model record of this version"):
        go(world, tmp_path)


def test_recipes_start_from_a_preset() -> None:
    assert make_recipe() == Recipe()
    small = make_recipe("small", {"lr": 3e-5, "batch": None})
    assert (small.lr, small.batch, small.temperature, small.group) == (3e-5, 16, 0.05, 4)
    with pytest.raises(UnknownName, match="unknown preset 'smal': did you mean 'small'"):
        make_recipe("smal")
    with pytest.raises(UsageError, match="recipe: group cannot be 1: must be at least 2"):
        make_recipe("paper", {"group": 1})
    with pytest.raises(UsageError, match="recipe: lrr: there is no such field"):
        make_recipe("paper", {"lrr": 1})


def test_the_papers_recipe_is_the_default() -> None:
    recipe = Recipe()
    assert (recipe.epochs, recipe.lr, recipe.batch, recipe.group) == (2, 1e-6, 32, 10)
    assert (recipe.temperature, recipe.passage_tokens, recipe.normaliser) == (0.02, 512, "mean")
