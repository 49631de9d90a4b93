"""`rerank:MODEL@A` orders what A finds by a cross-encoder, each pair the same whatever it is scored with."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import make_cross_encoder, make_encoder

from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.retriever.device import Compute
from lrat_bench.retriever.model_files import ModelFiles
from lrat_bench.retriever.rerank import CrossScorer, Reranked, make_rerank

MakeContext = Callable[..., BuildContext]

WORDS = "mason bridge river harbour town village kiln tower ferry market abbey orchard".split()
TEXTS = {f"d{n:02d}": " ".join(random.Random(n).choices(WORDS, k=3 * n % 61 + 1)) for n in range(40)}
QUERIES = ["mason", "bridge river", "town village kiln tower ferry"]


class First:
    """Finds the first documents by docid."""

    name = "first"
    fingerprint: str | None = "f"

    def __init__(self, docids: Sequence[str] = tuple(TEXTS)) -> None:
        self._docids = docids
        self.depths: list[int] = []

    def prepare(self, progress: Progress) -> None:
        """Nothing to build."""

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        self.depths.append(k)
        ranking = [Ranked(docid, -float(rank)) for rank, docid in enumerate(self._docids)][:k]
        return [ranking if query.strip() else [] for query in queries]

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cross_encoder(tmp_path_factory.mktemp("models") / "cross", vocabulary=WORDS)


@pytest.fixture
def scorer(model: Path, tmp_path: Path) -> CrossScorer:
    return CrossScorer(ModelFiles("cross", model, tmp_path), compute=Compute("cpu", "float32"))


@pytest.fixture
def make(scorer: CrossScorer, make_context: MakeContext) -> Callable[..., Reranked]:
    def reranked(first: First | None = None, *, depth: int = 20) -> Reranked:
        return Reranked("rerank:x", first or First(), scorer, make_context(TEXTS).corpus, depth=depth)

    return reranked


def test_scores_are_the_logits_of_the_library(scorer: CrossScorer, model: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    pairs = [(query, text) for query in QUERIES for text in TEXTS.values()]
    library = CrossEncoder(str(model), device="cpu", activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(scorer.score(pairs), library.predict(pairs), atol=1e-5)


@pytest.mark.parametrize(
    ("stored", "prompt"),
    [
        ({"prompts": {"web": "river bridge "}, "default_prompt_name": "web"}, "river bridge "),
        ({"prompts": {"web": "river bridge "}, "default_prompt_name": None}, ""),
        ({"prompts": {"web": ""}, "default_prompt_name": "web"}, ""),
    ],
)
def test_a_prompt_that_the_model_stores_as_its_default_stands_before_every_pair(
    stored: dict[str, Any], prompt: str, model: Path, scorer: CrossScorer, tmp_path: Path
) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    library = CrossEncoder(str(model), device="cpu", activation_fn=torch.nn.Identity())
    library.save_pretrained(str(tmp_path / "prompted"), create_model_card=False)
    place = tmp_path / "prompted" / "config_sentence_transformers.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | stored))
    library = CrossEncoder(str(tmp_path / "prompted"), device="cpu", activation_fn=torch.nn.Identity())
    own = CrossScorer(ModelFiles("own", tmp_path / "prompted", tmp_path), compute=Compute("cpu", "float32"))
    pairs = [(query, text) for query in QUERIES for text in list(TEXTS.values())[:10]]
    np.testing.assert_allclose(own.score(pairs), library.predict(pairs), atol=1e-5)
    assert np.allclose(own.score(pairs), scorer.score(pairs), atol=1e-3) is (prompt == "")
    assert own.describe()["prompt"] == prompt


def test_pairs_are_cut_where_told_and_else_where_the_model_says(model: Path, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    library = CrossEncoder(str(model), device="cpu", activation_fn=torch.nn.Identity())
    library.max_seq_length = 10
    files, compute = ModelFiles("cross", model, tmp_path), Compute("cpu", "float32")
    cut, whole = CrossScorer(files, compute=compute, pair_tokens=10), CrossScorer(files, compute=compute)
    pairs = [("mason", text) for text in TEXTS.values()]
    np.testing.assert_allclose(cut.score(pairs), library.predict(pairs), atol=1e-5)
    assert not np.allclose(cut.score(pairs), whole.score(pairs), atol=1e-3)
    assert [scorer.describe()["pair_tokens"] for scorer in (cut, whole)] == [10, 512]


def test_a_pair_scores_the_same_to_the_last_bit_alone_and_in_any_company(scorer: CrossScorer) -> None:
    pairs = [(query, text) for query in QUERIES for text in TEXTS.values()]
    alone = {pair: scorer.score([pair])[0] for pair in pairs[::5]}
    for seed in range(4):
        mixed = random.Random(seed).sample(pairs, k=random.Random(seed).randint(2, len(pairs)))
        for pair, score in zip(mixed, scorer.score(mixed), strict=True):
            assert alone.setdefault(pair, score) == score


def test_what_was_found_is_ordered_by_its_scores(make: Callable[..., Reranked], scorer: CrossScorer) -> None:
    found = make(depth=20).search(QUERIES, 8)
    for query, ranking in zip(QUERIES, found, strict=True):
        scores = {docid: scorer.score([(query, TEXTS[docid])])[0] for docid in list(TEXTS)[:20]}
        assert ranking == sorted((Ranked(*one) for one in scores.items()), key=lambda hit: (-hit.score, hit.docid))[:8]
    assert len({ranking[0].docid for ranking in found}) > 1


def test_depth_is_asked_of_the_first_or_k_where_that_is_more(make: Callable[..., Reranked]) -> None:
    first = First()
    reranked = make(first, depth=7)
    assert [len(reranked.search(["mason"], k)[0]) for k in (3, 7, 12, 100)] == [3, 7, 12, 40]
    assert first.depths == [7, 7, 12, 100]


def test_a_short_ranking_is_the_beginning_of_a_long_one(make: Callable[..., Reranked]) -> None:
    reranked = make(depth=7)
    (long,) = reranked.search(["mason"], 40)
    assert sorted(long, key=lambda hit: (-hit.score, hit.docid)) == long
    assert [hit.docid for hit in long[7:]] == list(TEXTS)[7:40]
    for k in (1, 7, 8, 20):
        assert reranked.search(["mason"], k) == [long[:k]]


def test_equal_texts_come_by_rising_docid(scorer: CrossScorer, make_context: MakeContext) -> None:
    texts = {"b": "mason", "c": "mason", "a": "mason"}
    reranked = Reranked("rerank:x", First(list(texts)), scorer, make_context(texts).corpus, depth=5)
    assert [hit.docid for hit in reranked.search(["bridge"], 5)[0]] == ["a", "b", "c"]


def test_nothing_found_stays_nothing(make: Callable[..., Reranked]) -> None:
    assert make().search(["", "mason"], 5)[0] == []
    assert make(First([])).search(["mason"], 5) == [[]]
    assert make().search([], 5) == []


@pytest.mark.parametrize("query", ["\ud800", "🌉", "mason " * 5_000])
def test_any_query_is_answered(query: str, make: Callable[..., Reranked]) -> None:
    assert len(make().search([query], 5)[0]) == 5


def test_a_document_that_the_corpus_has_not_is_an_error_of_the_first(make: Callable[..., Reranked]) -> None:
    with pytest.raises(RolloutFailure, match="'first' found document 'nowhere', which the corpus has not"):
        make(First(["d00", "nowhere"])).search(["mason"], 5)


def test_the_fingerprint_holds_model_depth_and_the_first(
    make_context: MakeContext, model: Path, tmp_path: Path
) -> None:
    other = make_cross_encoder(tmp_path / "other", vocabulary=WORDS, seed=1)

    def made(folder: Path = model, arm: str = "none", **settings: Any) -> str | None:
        return make_rerank(f"{folder}@{arm}", make_context(TEXTS, settings=settings)).fingerprint

    assert made() == made(depth=100, device="cpu")
    different = [made(), made(other), made(depth=5), made(pair_tokens=64), made(dtype="bfloat16")]
    assert len(set(different)) == len(different)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"depth": 2.5}, "setting 'depth' of retriever 'rerank' must be a whole number, got 2.5"),
        ({"depth": 0}, "setting 'depth' of retriever 'rerank' must be a number from 1"),
        ({"pair_tokens": 64.5}, "setting 'pair_tokens' of retriever 'rerank' must be a whole number, got 64.5"),
    ],
)
def test_depth_and_length_are_whole_numbers(
    settings: dict[str, Any], said: str, make_context: MakeContext, model: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        make_rerank(f"{model}@none", make_context(TEXTS, settings=settings))


def test_a_model_that_fetches_code_from_elsewhere_has_no_fingerprint(
    make_context: MakeContext, model: Path, tmp_path: Path
) -> None:
    fetching = Path(shutil.copytree(model, tmp_path / "fetching"))
    config = json.loads((fetching / "config.json").read_text())
    (fetching / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "a/b--modeling.Own"}}))
    settings = {"trust_remote_code": True}
    assert make_rerank(f"{model}@none", make_context(TEXTS, settings=settings)).fingerprint is not None
    assert make_rerank(f"{fetching}@none", make_context(TEXTS, settings=settings)).fingerprint is None


@pytest.mark.parametrize("argument", [None, "", "model", "@bm25", "model@"])
def test_a_model_and_a_retriever_must_be_named(argument: str | None, make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match="is written rerank:MODEL@A"):
        make_rerank(argument, make_context(TEXTS))


def test_what_scores_no_pairs_is_refused(make_context: MakeContext, tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder", vocabulary=WORDS)
    with pytest.raises(UsageError, match="is a SentenceTransformer, and a CrossEncoder is needed here: give dense:"):
        make_rerank(f"{encoder}@none", make_context(TEXTS))
    for name in ("modules.json", "config_sentence_transformers.json"):
        (encoder / name).unlink()
    with pytest.raises(UsageError, match="is a BertModel, which scores no pairs"):
        make_rerank(f"{encoder}@none", make_context(TEXTS))


def test_pairs_longer_than_the_model_are_refused(make_context: MakeContext, model: Path) -> None:
    made = make_rerank(f"{model}@none", make_context(TEXTS, settings={"pair_tokens": 513}))
    with pytest.raises(UsageError, match="has positions for 512 tokens, and pair_tokens asks for 513"):
        made.prepare(no_progress)


@pytest.mark.usefixtures("lucene")
def test_words_make_a_reranker_over_a_fusion_of_retrievers(
    make_context: MakeContext, model: Path, tmp_path: Path
) -> None:
    encoder = make_encoder(tmp_path / "encoder", vocabulary=WORDS)
    spec = f"rerank:{model}@rrf:bm25+dense:{encoder}"
    settings = {"depth": 10, "rrf.depth": 5, "rrf.bm25.k1": 1.2, "rrf.dense": {"passage_tokens": 16}}
    reranked = load_retriever(spec, make_context(TEXTS, settings=settings))
    try:
        reranked.prepare(no_progress)
        found = reranked.search(QUERIES, 5)
        assert {len(ranking) for ranking in found} == {5}
        assert reranked.name == spec
        assert reranked.fingerprint is not None
        first = reranked.describe()["first"]  # type: ignore[attr-defined]
        assert first["depth"] == 5
        assert first["arms"][1]["passage_tokens"] == 16
        assert first["arms"][1]["query_tokens"] == 512
    finally:
        reranked.close()
