"""A batch as tensors: texts, prompts, lengths, weights and document numbers."""

from __future__ import annotations

from typing import Any

import pytest
from sentence_transformers import SentenceTransformer
from training_world import World, make_pair

from lrat_bench.errors import UsageError
from lrat_bench.lrat.training.collate import Collator, Prompts, check_documents
from lrat_bench.lrat.training.examples import Example, Examples, draw_negatives, make_examples
from lrat_bench.lrat.training.recipe import Recipe

RECIPE = Recipe(group=4, query_tokens=16, passage_tokens=8)


@pytest.fixture(scope="module")
def model(world: World) -> SentenceTransformer:
    return SentenceTransformer(str(world.base), device="cpu")


@pytest.fixture(scope="module")
def examples(world: World) -> Examples:
    pairs = [make_pair(number, world.texts, weight=0.5 + number) for number in range(8)]
    return make_examples(pairs, [], RECIPE)


def collator(model: Any, examples: Examples, world: World, prompts: Prompts = Prompts()) -> Collator:  # noqa: B008
    return Collator(model, examples, world.corpus, RECIPE, prompts)


def texts_of(model: SentenceTransformer, tokens: Any) -> list[str]:
    found: list[str] = model.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return found


def test_documents_come_column_by_column_with_the_positives_first(
    model: SentenceTransformer, examples: Examples, world: World
) -> None:
    batch = collator(model, examples, world)([(1, 3), (1, 5)])
    rows = [examples.rows[3], examples.rows[5]]
    groups = [
        (row.pos_id, *draw_negatives(row.neg_ids, 3, seed=0, epoch=1, row=at))
        for row, at in zip(rows, (3, 5), strict=True)
    ]
    cut = [" ".join(world.texts[group[at]].split()[:6]) for at in range(4) for group in groups]
    assert texts_of(model, batch["document_input_ids"]) == cut  # eight tokens, two of which frame the text
    assert texts_of(model, batch["query_input_ids"]) == [row.query for row in rows]
    assert batch["label"]["weight"].tolist() == [row.weight for row in rows]
    assert model.max_seq_length == 512


def test_numbers_are_those_of_documents(model: SentenceTransformer, examples: Examples, world: World) -> None:
    batch = collator(model, examples, world)([(0, 0), (0, 1)])["label"]
    assert batch["docids"].shape == (2, 4)
    own = batch["docids"][:, 0]
    for row in range(2):
        assert own[row] in batch["positives"][row]
        assert not set(batch["docids"][row, 1:].tolist()) & set(batch["positives"][row].tolist())


def test_prompts_are_put_before_texts(model: SentenceTransformer, examples: Examples, world: World) -> None:
    batch = collator(model, examples, world, Prompts("ask : ", ""))([(0, 0)])
    assert texts_of(model, batch["query_input_ids"]) == [f"ask : {examples.rows[0].query}"]
    assert texts_of(model, batch["document_input_ids"])[0].startswith("w")


def test_a_row_without_negatives_has_empty_slots(model: SentenceTransformer, world: World) -> None:
    rows = (Example("w1 w2", "d1", (), "q", 1.0), Example("w3", "d2", ("d3",), "q2", 2.0))
    examples = Examples(rows, {"q": frozenset({"d1"}), "q2": frozenset({"d2"})}, 0, 1, 0)
    batch = collator(model, examples, world)([(0, 0), (0, 1)])
    assert batch["label"]["docids"].tolist() == [[0, -1, -1, -1], [1, 2, 2, 2]]
    assert len(batch["document_input_ids"]) == 8


def test_a_missing_document_is_named(world: World) -> None:
    check_documents(list(world.texts), world.corpus)
    with pytest.raises(UsageError, match="document 'nowhere' of the pairs is not in corpus 'task'"):
        check_documents(["d1", "nowhere"], world.corpus)
