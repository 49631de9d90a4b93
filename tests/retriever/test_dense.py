"""`dense:MODEL` from words to rankings: made cheaply, encoded once, the same whoever else asks."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import make_cross_encoder, make_encoder

from lrat_bench.cli.main import main
from lrat_bench.errors import UsageError
from lrat_bench.progress import no_progress
from lrat_bench.retriever import dense as module
from lrat_bench.retriever import embeddings
from lrat_bench.retriever.base import BuildContext, Ranked, Retriever
from lrat_bench.retriever.batching import MicroBatcher
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.retriever.dense import Dense, make_dense
from lrat_bench.retriever.rankings import checked_rankings

MakeContext = Callable[..., BuildContext]
Open = Callable[..., Any]

WORDS = "mason bridge river harbour town village kiln tower ferry market abbey orchard".split()
TEXTS = {f"d{n:03d}": " ".join(random.Random(n).choices(WORDS, k=n % 17 + 1)) for n in range(120)}
QUERIES = [" ".join(random.Random(-n).choices(WORDS, k=n % 9 + 1)) for n in range(1, 40)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("models") / "tiny", vocabulary=WORDS)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (embeddings, module):
        monkeypatch.setattr(place, "BLOCK", 50)


@pytest.fixture
def opened(make_context: MakeContext, model: Path) -> Open:
    """Opens the dense retriever over some texts, and closes it at the end of the `with` block."""

    @contextmanager
    def open_dense(texts: Mapping[str, str] = TEXTS, **options: Any) -> Iterator[Dense]:
        with closing(make_dense(str(model), make_context(texts, **options))) as retriever:
            retriever.prepare(no_progress)
            yield retriever

    return open_dense


def command(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(str(ended.value.code))


def docids(ranking: list[Ranked]) -> list[str]:
    return [hit.docid for hit in ranking]


def test_a_document_is_found_by_its_own_words(opened: Open) -> None:
    with opened() as dense:
        for docid in ("d016", "d033", "d101"):
            (found,) = dense.search([TEXTS[docid]], 5)
            assert TEXTS[found[0].docid] == TEXTS[docid]
            assert found[0].score == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("k", [1, 10, 119, 120, 1000])
def test_rankings_keep_the_contract(k: int, opened: Open) -> None:
    texts = TEXTS | {"same": TEXTS["d016"], "also": TEXTS["d016"], "blank": " \n"}
    with opened(texts) as dense:
        found = dense.search(QUERIES, k)
        assert found == checked_rankings(found, retriever="dense", queries=QUERIES, k=k)
        assert {len(ranking) for ranking in found} == {min(k, len(texts))}
        longer = dense.search(QUERIES, k + 7)
        assert [ranking[:k] for ranking in longer] == found
        assert docids(dense.search([TEXTS["d016"]], 3)[0]) == ["also", "d016", "same"]


@pytest.mark.parametrize("query", ["", " ", "\n\t\u3000"])
def test_an_empty_query_finds_nothing(query: str, opened: Open) -> None:
    with opened() as dense:
        empty, other = dense.search([query, "mason"], 3)
        assert dense.search([query], 3) == [[]]
        assert dense.search([], 3) == []
    assert empty == []
    assert len(other) == 3


@pytest.mark.parametrize("query", ["\ud800", "🌉" * 50, "mason " * 10_000, "\x00", "word\u0301"])
def test_any_query_is_answered(query: str, opened: Open) -> None:
    with opened() as dense:
        assert len(dense.search([query], 3)[0]) == 3


def test_many_agents_at_once_find_what_one_finds_alone(opened: Open) -> None:
    async def ask(retriever: Retriever) -> list[list[Ranked]]:
        batcher = MicroBatcher(retriever, workers=2)
        found = await asyncio.gather(*(batcher.search(query, 10) for query in QUERIES * 2))
        await batcher.aclose()
        return list(found)

    with opened() as dense:
        alone = [dense.search([query], 10)[0] for query in QUERIES]
    with opened() as dense:
        assert asyncio.run(ask(dense)) == alone * 2


def test_the_corpus_is_encoded_once_whatever_is_set_of_queries_and_of_the_index(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(cache=tmp_path / "one") as dense:
        expected = dense.search(QUERIES, 5)
    (folder,) = (tmp_path / "one" / "embeddings").iterdir()
    assert folder.name.startswith("memory-tiny-")
    monkeypatch.setattr("lrat_bench.retriever.encoder.Encoder.documents", lambda *_: pytest.fail("encoded again"))
    with opened(cache=tmp_path / "one", settings={"query_tokens": 4, "index": "Flat", "batch_size": 1}) as dense:
        found = dense.search(QUERIES, 5)
    assert found != expected
    with opened(cache=tmp_path / "one", settings={"index": "Flat"}) as dense:
        assert dense.search(QUERIES, 5) == expected
    with (
        pytest.raises(pytest.fail.Exception, match="encoded again"),
        opened(cache=tmp_path / "one", settings={"passage_tokens": 8}),
    ):
        pass


def test_titles_are_part_of_the_text(make_context: MakeContext, model: Path) -> None:
    from lrat_bench.task.corpus import Document

    context = make_context({"a": "mason", "b": "river"})
    context.task.corpus._documents["a"] = Document("a", "harbour ferry", "mason")  # type: ignore[attr-defined]
    with closing(make_dense(str(model), context)) as dense:
        dense.prepare(no_progress)
        (found,) = dense.search(["harbour ferry mason"], 1)
    assert found[0].docid == "a"
    assert found[0].score == pytest.approx(1, abs=1e-6)


def test_making_it_imports_no_library_of_models(model: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"docid": "a", "text": "b"}\n')
    script = f"""
import sys
from pathlib import Path
from lrat_bench.retriever.base import BuildContext
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.task.jsonl_corpus import JsonlCorpus
class Task: corpus = JsonlCorpus(Path({str(tmp_path / "corpus.jsonl")!r}), cache=Path({str(tmp_path)!r}))
made = load_retriever("dense:" + {str(model)!r}, BuildContext(Task, {{}}, Path({str(tmp_path)!r})))
assert made.fingerprint
print([name for name in ("torch", "transformers", "sentence_transformers", "faiss") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_fingerprint_holds_what_changes_a_ranking_and_nothing_else(
    make_context: MakeContext, model: Path, tmp_path: Path
) -> None:
    def made(*, pinned: int | None = None, **settings: Any) -> str | None:
        context = replace(make_context(TEXTS, settings=settings), passage_tokens=pinned)
        return make_dense(str(model), context).fingerprint

    plain = made()
    assert plain == made(batch_size=7, device="cpu", dtype="float32", storage="float32", index="exact")
    assert made(pinned=64) == made(passage_tokens=64) == made(pinned=64, passage_tokens=64) != plain
    others = [
        made(query_prompt="query: "),
        made(document_prompt="passage: "),
        made(pooling="cls"),
        made(query_tokens=16),
        made(truncate_dim=8),
        made(dtype="bfloat16"),
        made(storage="float16"),
        made(index="HNSW16"),
        made(index="HNSW16", search={"efSearch": 64}),
    ]
    assert len({plain, *others}) == len(others) + 1
    assert made(index="HNSW16", **{"search.efSearch": 64}) == others[-1]


def test_what_is_used_is_described(make_context: MakeContext, model: Path) -> None:
    told = make_dense(str(model), make_context(TEXTS, settings={"query_prompt": "query: "})).describe()
    assert told["query_prompt"] == "query: "
    assert told["query_prompt_from"] == "set"
    assert told["document_prompt_from"] == "none"
    assert told["dtype"] == "float32"
    assert "torch" in told["versions"]
    json.dumps(told)


def test_what_was_left_to_the_model_is_described_once_it_is_open(make_context: MakeContext, model: Path) -> None:
    with closing(make_dense(str(model), make_context(TEXTS))) as dense:
        told, before = dense.describe(), dense.fingerprint
        assert (told["query_tokens"], told["pooling"], told["commit"]) == (None, None, None)
        dense.prepare(no_progress)
        told = dense.describe()
    assert (told["query_tokens"], told["passage_tokens"], told["pooling"], told["dimensions"]) == (512, 512, "mean", 32)
    assert dense.fingerprint == before
    json.dumps(told)


def test_a_model_that_fetches_code_from_elsewhere_has_no_fingerprint(
    make_context: MakeContext, model: Path, tmp_path: Path
) -> None:
    fetching = Path(shutil.copytree(model, tmp_path / "fetching"))
    config = json.loads((fetching / "config.json").read_text())
    (fetching / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "a/b--modeling.Own"}}))
    context = make_context(TEXTS, settings={"trust_remote_code": True})
    assert make_dense(str(model), context).fingerprint is not None
    assert make_dense(str(fetching), context).fingerprint is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"poling": "mean"}, "did you mean 'pooling'"),
        ({"pooling": "average"}, "unknown pooling of retriever 'dense' 'average': known: cls"),
        ({"dtype": "int8"}, "unknown dtype"),
        ({"storage": "int8"}, "unknown storage"),
        ({"query_prompt": {"query": None}}, r"must be a text, got .*in double quotes"),
        ({"query_tokens": 0}, "a number from 1"),
        ({"query_tokens": 1.5}, "whole number"),
        ({"passage_tokens": "many"}, "a number from 1"),
        ({"truncate_dim": True}, "a number from 1"),
        ({"trust_remote_code": "yes"}, "true or false"),
        ({"search": {"nprobe": 3}}, "is of an approximate search"),
        ({"search.nprobe": 3}, "is of an approximate search"),
        ({"index": "HNSW16", "search": 3}, "must be a mapping"),
        ({"index": "HNSW16", "search": {"nprob": 3}}, "did you mean 'nprobe'"),
        ({"index": "HNSW16", "search": {"efSearch": "x"}}, "a number from 1"),
        ({"index": "HNSW16", "search": {"efSearch": 16.5}}, "'efSearch' .* must be a whole number, got 16.5"),
        ({"index": "HNSW16", "search.rescore": 2.5}, "'rescore' .* must be a whole number, got 2.5"),
        ({"revision": "main"}, "has no revision"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(
    settings: dict[str, Any], said: str, make_context: MakeContext, model: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        make_dense(str(model), make_context(TEXTS, settings=settings))


def test_a_protocol_that_pins_the_length_is_not_contradicted(make_context: MakeContext, model: Path) -> None:
    context = replace(make_context(TEXTS, settings={"passage_tokens": 32}), passage_tokens=64)
    with pytest.raises(UsageError, match=r"pins passage_tokens to 64, and retriever.passage_tokens asks for 32"):
        make_dense(str(model), context)
    assert make_dense(str(model), replace(context, passage_tokens=32)).describe()["passage_tokens"] == 32


@pytest.mark.parametrize("argument", [None, ""])
def test_a_model_must_be_named(argument: str | None, make_context: MakeContext) -> None:
    with pytest.raises(UsageError, match="needs a model: dense:FOLDER"):
        make_dense(argument, make_context(TEXTS))


def test_models_of_other_kinds_are_refused(make_context: MakeContext, tmp_path: Path, model: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (plain / name).write_bytes((model / name).read_bytes())
    with pytest.raises(UsageError, match=r"has no modules.json: give --set retriever.pooling"):
        make_dense(str(plain), make_context(TEXTS))
    (plain / "config_sentence_transformers.json").write_text('{"model_type": "SparseEncoder"}')
    with pytest.raises(UsageError, match="is a SparseEncoder, and a SentenceTransformer is needed"):
        make_dense(str(plain), make_context(TEXTS, settings={"pooling": "mean"}))


@pytest.mark.parametrize("settings", [{}, {"pooling": "mean"}])
def test_a_cross_encoder_is_sent_to_the_reranker(
    settings: dict[str, Any], make_context: MakeContext, tmp_path: Path
) -> None:
    model = make_cross_encoder(tmp_path / "cross", vocabulary=WORDS)
    said = re.escape(f"is a CrossEncoder, and a SentenceTransformer is needed here: give rerank:{model}@bm25")
    with pytest.raises(UsageError, match=said):
        make_dense(str(model), make_context(TEXTS, settings=settings))


@pytest.mark.parametrize("tainted", [True, False, None])
def test_a_model_trained_on_evaluation_questions_is_told_and_described(
    tainted: bool | None, make_context: MakeContext, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained = Path(shutil.copytree(model, tmp_path / "trained"))
    if tainted is not None:
        (trained / "lrat-bench.json").write_text(json.dumps({"tainted": tainted}))
    made = make_dense(str(trained), make_context(TEXTS))
    assert made.describe()["tainted"] is tainted
    assert made.fingerprint == make_dense(str(model), make_context(TEXTS)).fingerprint
    said = f"model {str(trained)!r} was trained on pairs of evaluation questions: its numbers on them say nothing"
    assert caplog.messages == ([said] if tainted else [])


def test_a_wrong_factory_string_costs_no_encoding(opened: Open, tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="FAISS cannot make"),
        opened(cache=tmp_path / "one", settings={"index": "HNWS"}),
    ):
        pass
    assert not (tmp_path / "one" / "embeddings").exists()


def test_it_must_be_prepared(make_context: MakeContext, model: Path) -> None:
    with pytest.raises(RuntimeError, match="prepare"):
        make_dense(str(model), make_context(TEXTS)).search(["mason"], 1)


def test_half_as_large_vectors_rank_nearly_the_same(opened: Open) -> None:
    with opened() as dense:
        full = dense.search(QUERIES, 10)
    with opened(settings={"storage": "float16"}) as dense:
        half = dense.search(QUERIES, 10)
    for one, other in zip(full, half, strict=True):
        np.testing.assert_allclose([hit.score for hit in one], [hit.score for hit in other], atol=2e-3)


def test_parts_are_encoded_from_the_command_line(
    task_folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embeddings, "BLOCK", 2)
    words = ("index", "--task", task_folder, "--retriever", f"dense:{model}")
    assert command(*words, "--shard", "1/2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["encoded"] == {"documents": 2, "blocks": 1, "of_blocks": 2, "mended": 0}
    assert (told["shard"], told["complete"], told["documents"]) == ("1/2", False, 4)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert command(*words) == 0
    assert "part 0/2 done" in (said := capsys.readouterr().out)
    assert "4 of 4 documents are encoded (2 of 2 blocks). All parts are there." in said
    assert command(*words, "--shard", "0/1", "--set", "retriever.index=Flat") == 0
    assert "4 documents ready" in capsys.readouterr().out
    assert len(list((tmp_path / "cache").glob("embeddings/*/faiss-*/index.faiss"))) == 1


def test_a_launcher_asks_for_no_parts_of_what_has_none(
    task_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLURM_PROCID", "1")
    monkeypatch.setenv("SLURM_NTASKS", "2")
    assert command("index", "--task", task_folder, "--retriever", "none") == 0
    assert "4 documents ready" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--retriever", "none", "--shard", "0/2"), "'none' is built in one piece, and has no part 0/2: leave --shard"),
        (("--retriever", "none", "--shard", "2/2"), "no shard '2/2': of 2, they are counted from 0 to 1"),
    ],
)
def test_parts_of_what_has_none_are_refused(
    words: tuple[str, ...], said: str, task_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("index", "--task", task_folder, *words) == 2
    assert said in capsys.readouterr().err


def test_it_is_found_by_name(make_context: MakeContext, model: Path) -> None:
    made = load_retriever(f"dense:{model}", make_context(TEXTS))
    assert isinstance(made, Dense)
    assert made.name == f"dense:{model}"
