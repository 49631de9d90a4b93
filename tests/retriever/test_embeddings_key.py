"""Vectors are of one corpus by one model: another of either, whatever it is called, has vectors of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tiny_model import make_encoder

from lrat_bench.progress import no_progress
from lrat_bench.retriever.base import BuildContext, Ranked
from lrat_bench.retriever.dense import make_dense

MakeContext = Callable[..., BuildContext]

WORDS = "mason bridge river harbour town village".split()
ONE = {"a": "mason bridge", "b": "river", "c": "harbour town"}
OTHER = {"a": "village", "b": "mason mason", "c": "bridge town river"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models of one name, one shape and one size."""
    folder = tmp_path_factory.mktemp("models")
    return (
        make_encoder(folder / "one" / "tiny", vocabulary=WORDS, seed=1),
        make_encoder(folder / "other" / "tiny", vocabulary=WORDS, seed=2),
    )


def ranking(model: Path, context: BuildContext) -> list[Ranked]:
    with closing(make_dense(str(model), context)) as dense:
        dense.prepare(no_progress)
        return dense.search(["river town"], 3)[0]


def test_another_corpus_of_the_same_name_and_docids_is_encoded_anew(
    models: tuple[Path, Path], make_context: MakeContext, tmp_path: Path
) -> None:
    first = ranking(models[0], make_context(ONE, cache=tmp_path / "shared"))
    second = ranking(models[0], make_context(OTHER, cache=tmp_path / "shared"))
    assert second == ranking(models[0], make_context(OTHER, cache=tmp_path / "own")) != first


def test_another_model_of_the_same_name_encodes_anew(
    models: tuple[Path, Path], make_context: MakeContext, tmp_path: Path
) -> None:
    first, second = (ranking(model, make_context(ONE, cache=tmp_path / "shared")) for model in models)
    assert second == ranking(models[1], make_context(ONE, cache=tmp_path / "own")) != first


def test_the_fingerprint_is_of_the_model_and_not_of_its_place(
    models: tuple[Path, Path], make_context: MakeContext, tmp_path: Path
) -> None:
    copy = shutil.copytree(models[0], tmp_path / "copy")
    one, other, same = (make_dense(str(model), make_context(ONE)).fingerprint for model in (*models, copy))
    assert one == same != other
