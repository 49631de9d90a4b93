"""`lrat-bench train` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.exceptions import Exit
from training_world import World, make_pair, write_pairs

import lrat_bench
from lrat_bench.cli.main import main
from lrat_bench.cli.train import _show, _speaking_of
from lrat_bench.errors import RunIncomplete
from lrat_bench.lrat.training.card import model_card
from lrat_bench.lrat.training.processes import Refused
from lrat_bench.lrat.training.record import ModelRecord
from lrat_bench.lrat.training.train import TrainedModel

QUICK = ["--epochs", "1", "--lr", "1e-3", "--batch", "8", "--group", "3"]


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return int(stop.value.code or 0)


def test_it_trains_and_says_what_came_of_it(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("train", world.pairs, "--base", world.base, "-o", tmp_path / "model", "--preset", "small", *QUICK)
    assert call(*words) == 0
    out, err = capsys.readouterr()
    assert "reweight" in out
    assert str(tmp_path / "model") in out.replace("\n", "")
    assert "step 3/3  loss" in err
    assert "{'loss'" not in out + err  # the library's own words
    assert call(*words) == 0
    assert "was trained already; nothing was done" in " ".join(capsys.readouterr().out.split())


def test_json_is_one_document(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("train", world.pairs, "--base", world.base, "-o", tmp_path / "model", *QUICK, "--no-in-batch", "--json")
    assert call(*words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trained"] is True
    assert found["recipe"]["in_batch"] is False
    assert found["recipe"]["temperature"] == 0.02
    assert found["schema"] == "lrat-bench/model/1"
    ModelRecord.model_validate({key: value for key, value in found.items() if key not in ("path", "trained")})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--group", "1"], "recipe: group cannot be 1: must be at least 2"),
        (["--task", "no-such-task"], "unknown task 'no-such-task'"),
        (["--eval", "nowhere"], "nowhere is not a run folder"),
        (["--precision", "float16"], "precision float16 needs a GPU: take float32 or bfloat16"),
        (["--stage", "filter", "--shuffle", "weights"], "--shuffle weights changes nothing"),
    ],
)
def test_what_does_not_fit_is_one_line(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert call("train", world.pairs, "--base", world.base, "-o", tmp_path / "model", *words) == 2
    err = capsys.readouterr().err
    (line,) = [line for line in err.splitlines() if line.startswith("lrat-bench:")]
    assert said in line


def test_a_folder_without_pairs_is_said_to_have_none(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("train", tmp_path, "--base", world.base, "-o", tmp_path / "model") == 2
    assert "holds no pairs" in capsys.readouterr().err


def test_the_card_says_what_it_was_trained_on(world: World, tmp_path: Path) -> None:
    call("train", world.pairs, "--base", world.base, "-o", tmp_path / "model", *QUICK)
    text = (tmp_path / "model" / "README.md").read_text()
    matter = yaml.safe_load(text.split("---")[1])
    assert matter["base_model"] == "base"
    assert matter["language"] == "en"
    assert "sentence-transformers" in matter["tags"]
    for said in (
        "SentenceTransformer(",
        "Stage `reweight`",
        "agent scripted",
        "split train",
        "| lr | 0.001 |",
        "rule: attributed",
    ):
        assert said in text
    assert str(tmp_path) not in text
    record = ModelRecord.model_validate_json((tmp_path / "model" / "lrat-bench.json").read_bytes())
    spoilt = record.model_copy(update={"tainted": True})
    assert "Trained on evaluation questions" in model_card(spoilt, name="model")
    assert "Trained on evaluation questions" not in text


def test_neither_record_nor_card_says_where_things_lay(world: World, tmp_path: Path) -> None:
    kept = [make_pair(number, world.texts, weight=0.5 + number) for number in range(8)]
    dense = "dense:/home/somebody/models/tiny"
    pairs = write_pairs(tmp_path / "p\n# owned | [x](y)", world.task, world.corpus.fingerprint, kept, retriever=dense)
    model = tmp_path / "m\n# owned"
    assert call("train", pairs, "--base", world.base, "-o", model, *QUICK) == 0
    card, record = (model / "README.md").read_text(), (model / "lrat-bench.json").read_text()
    for text in (card, record):
        assert "somebody" not in text
        assert str(world.task.parent) not in text
        assert "dense:tiny" in text
    assert not [line for line in card.splitlines() if line.startswith("# owned")]
    assert r"**p # owned \| \[x\](y)**" in card
    assert 'SentenceTransformer("m\\n# owned")' in card


def test_the_evaluation_shown_is_that_of_the_weights_kept(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lrat_bench.run(str(world.task), "heuristic", "oracle", split="train", out=tmp_path / "run").path
    words = ("train", world.pairs, "--base", world.base, "-o", tmp_path / "model", *QUICK, "--epochs", "3")
    assert call(*words, "--eval", run) == 0
    record = ModelRecord.model_validate_json((tmp_path / "model" / "lrat-bench.json").read_bytes())
    assert [one.step for one in record.evaluations] == [0, 3, 6, 9]
    for kept, said in ((9, ""), (6, ", weights of step 6")):
        capsys.readouterr()
        _show(TrainedModel(tmp_path / "model", record.model_copy(update={"kept_step": kept})))
        out = " ".join(capsys.readouterr().out.split())
        shown = [one for one in record.evaluations if f"eval, step {one.step} RR@10" in out]
        assert [one.step for one in shown] == [0, kept]
        assert (", weights of" in out) == bool(said)
        assert said in out


def test_another_process_says_what_it_alone_has_met_and_who_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as stop, _speaking_of(1):
        raise RunIncomplete("the GPU's memory does not hold a batch")
    assert stop.value.exit_code == 3
    assert capsys.readouterr().err == "lrat-bench: rank 1: the GPU's memory does not hold a batch\n"
    with pytest.raises(Exit) as stop, _speaking_of(1):
        raise Refused("another training", 2)
    assert (stop.value.exit_code, capsys.readouterr().err) == (2, "")


def test_help_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom lrat_bench.cli.main import main\ntry: main(['train', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'transformers', 'numpy', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
