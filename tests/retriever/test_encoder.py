"""The encoder gives the vectors of sentence-transformers, and a query's does not depend on who else asks."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import make_encoder

from lrat_bench.errors import UsageError
from lrat_bench.retriever.device import Compute, choose_compute
from lrat_bench.retriever.encoder import Encoder, Encoding
from lrat_bench.retriever.loading import load_model
from lrat_bench.retriever.model_files import ModelFiles

WORDS = "the mason of tarn built a bridge over river ostrel harbour town village veyle kilns in 1402 his three".split()
TEXTS = [
    "Aldwin Marr was a mason of Tarn. He raised three bridges.",
    "Tarn",
    "",
    "Tarn is a harbour town on the river Ostrel, and Veyle a village in which kilns stand. " * 6,
    "the village of Veyle",
]
QUERIES = [" ".join(random.Random(i).choices(WORDS, k=1 + 3 * i)) for i in range(24)]
PLAIN = Encoding(
    query_prompt="",
    document_prompt="",
    pooling=None,
    query_tokens=None,
    passage_tokens=None,
    truncate_dim=None,
    dtype="float32",
)

MakeEncoder = Callable[..., Encoder]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each kind."""
    root = tmp_path_factory.mktemp("models")
    return {
        "bert": make_encoder(root / "bert", texts=[*TEXTS, *WORDS], kind="bert", tokens=64),
        "qwen3": make_encoder(root / "qwen3", texts=[*TEXTS, *WORDS], kind="qwen3", tokens=64),
    }


@pytest.fixture
def encoder_of(folders: dict[str, Path], tmp_path: Path) -> MakeEncoder:
    """Makes an encoder over one of the models."""

    def make(kind: str = "bert", *, folder: Path | None = None, batch_size: int = 2, **encoding: Any) -> Encoder:
        files = ModelFiles(kind, folder or folders[kind], tmp_path / "cache")
        settings: dict[str, Any] = {name: getattr(PLAIN, name) for name in PLAIN.__slots__} | encoding
        return Encoder(files, Encoding(**settings), device="cpu", batch_size=batch_size)

    return make


def reference(folder: Path, **options: Any) -> Any:
    """The library itself."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", **options)


@pytest.mark.parametrize("kind", ["bert", "qwen3"])
def test_vectors_are_those_of_the_library_normalised(
    kind: str, encoder_of: MakeEncoder, folders: dict[str, Path]
) -> None:
    own = encoder_of(kind, query_prompt="mason of ", document_prompt="village ")
    library = reference(folders[kind])
    texts = [text for text in TEXTS if text]
    documents = library.encode_document(texts, prompt="village ", normalize_embeddings=True)
    queries = library.encode_query(QUERIES, prompt="mason of ", normalize_embeddings=True)
    np.testing.assert_allclose(own.documents(texts), documents, atol=2e-6)
    np.testing.assert_allclose(own.queries(QUERIES), queries, atol=2e-6)
    assert not np.allclose(own.queries(QUERIES), encoder_of(kind).queries(QUERIES), atol=1e-3)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_the_librarys_and_leaves_rotary_positions_in_float32(
    dtype: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    files = ModelFiles("qwen3", folders["qwen3"], tmp_path / "cache")
    own = load_model(files, SentenceTransformer, compute=Compute("cpu", dtype), trust_remote_code=False)
    library = reference(folders["qwen3"], model_kwargs={"dtype": getattr(torch, dtype)})
    assert {str(weight.dtype) for weight in own.parameters()} == {f"torch.{dtype}"}
    buffers = {name: buffer.dtype for name, buffer in own.named_buffers() if "inv_freq" in name}
    assert buffers == dict.fromkeys(buffers, torch.float32)
    assert buffers
    text = [" ".join(random.Random(5).choices(WORDS, k=50))]
    np.testing.assert_array_equal(own.encode(text), library.encode(text))


def test_what_is_no_transformer_is_put_into_the_same_numbers(tmp_path: Path, folders: dict[str, Path]) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = reference(folders["bert"])
    model.append(Dense(model.get_embedding_dimension(), 8))
    model.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    files = ModelFiles("model", tmp_path / "model", tmp_path / "cache")
    own = load_model(files, SentenceTransformer, compute=Compute("cpu", "bfloat16"), trust_remote_code=False)
    assert {str(weight.dtype) for weight in own.parameters()} == {"torch.bfloat16"}
    assert own.encode(["tarn"]).shape == (1, 8)


@pytest.mark.parametrize("kind", ["bert", "qwen3"])
def test_the_vector_of_a_query_is_the_same_bit_for_bit_alone_and_in_any_company(
    kind: str, encoder_of: MakeEncoder
) -> None:
    # Lengths around the steps of 16 that texts are padded to, where a batch has no padding of its own, and beyond
    # what the model takes.
    queries = [*QUERIES, *("tarn " * n for n in (13, 14, 15, 16, 30, 61, 62, 63, 64, 200))]
    alone = {query: encoder_of(kind).queries([query])[0].tobytes() for query in queries[::3]}
    for seed in range(6):
        mixed = random.Random(seed).sample(queries, k=random.Random(seed).randint(2, len(queries)))
        for query, vector in zip(mixed, encoder_of(kind).queries(mixed), strict=True):
            assert alone.setdefault(query, vector.tobytes()) == vector.tobytes()


def test_a_query_that_was_asked_before_is_remembered(encoder_of: MakeEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = encoder_of()
    first = encoder.queries(["tarn", "veyle"])
    monkeypatch.setattr(encoder, "_encode_queries", lambda texts: pytest.fail(f"encoded {texts} again"))
    assert encoder.queries(["veyle", "tarn", "veyle"]).tobytes() == first[[1, 0, 1]].tobytes()


def test_only_so_many_queries_are_remembered_the_last_ones(
    encoder_of: MakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrat_bench.retriever.encoder._REMEMBERED", 2)
    encoder = encoder_of()
    encode, encoded = encoder._encode_queries, list[str]()

    def encode_and_tell(texts: list[str]) -> Any:
        encoded.extend(texts)
        return encode(texts)

    monkeypatch.setattr(encoder, "_encode_queries", encode_and_tell)
    for query in ("tarn", "veyle", "tarn", "ostrel", "tarn", "veyle"):
        encoder.queries([query])
    assert encoded == ["tarn", "veyle", "ostrel", "veyle"]


def test_documents_come_in_the_order_given_and_a_blank_one_is_like_nothing(encoder_of: MakeEncoder) -> None:
    told: list[int] = []
    found = encoder_of(batch_size=1).documents(TEXTS, told.append)
    assert told == [5]
    assert not found[2].any()
    for text, vector in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(encoder_of().documents([text])[0], vector, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0, 1, 1], atol=1e-6)


def test_how_many_are_encoded_is_told_on_the_way(encoder_of: MakeEncoder) -> None:
    told: list[int] = []
    encoder_of(batch_size=1).documents(["tarn"] * 20, told.append)
    assert told == [8, 16, 20]


@pytest.mark.parametrize("text", ["\ud800 tarn", "🌉 Ostrel \x00", "\u200fעיר", "a" * 100_000])
def test_any_text_can_be_encoded(text: str, encoder_of: MakeEncoder) -> None:
    assert np.isfinite(encoder_of().queries([text])).all()
    assert np.isfinite(encoder_of().documents([text])).all()


def test_lengths_cut_queries_and_documents_each_by_their_own(encoder_of: MakeEncoder) -> None:
    encoder = encoder_of(query_tokens=4, passage_tokens=5)
    words = "tarn bridge mason village"  # one token each, and two for [CLS] and [SEP]
    cut, whole = encoder.queries([words, "tarn bridge"])
    np.testing.assert_array_equal(cut, whole)
    cut, whole = encoder.documents([words, "tarn bridge mason"])
    np.testing.assert_allclose(cut, whole, atol=1e-6)


def stating(folder: Path, made: Path, **configuration: Any) -> Path:
    """A copy of a model whose transformer is configured otherwise."""
    copy = Path(shutil.copytree(made, folder))
    place = copy / "sentence_bert_config.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | configuration))
    return copy


@pytest.mark.parametrize(
    ("configuration", "query_tokens", "passage_tokens"),
    [
        ({"query_length": 6, "document_length": 9}, 6, 9),
        ({"query_length": 6}, 6, 64),
        ({"processing_kwargs": {"text": {"max_length": 7}}, "query_length": 6}, 7, 7),
        ({"max_seq_length": 5, "document_length": 9}, 5, 9),
    ],
)
def test_a_model_keeps_the_lengths_that_it_states(
    configuration: dict[str, Any],
    query_tokens: int,
    passage_tokens: int,
    encoder_of: MakeEncoder,
    folders: dict[str, Path],
    tmp_path: Path,
) -> None:
    folder = stating(tmp_path / "model", folders["bert"], **configuration)
    own, library = encoder_of(folder=folder), reference(folder)
    text = " ".join(WORDS * 6)
    expected = library.encode_query([text], normalize_embeddings=True)
    np.testing.assert_allclose(own.queries([text]), expected, atol=2e-6)
    expected = library.encode_document([text], normalize_embeddings=True)
    np.testing.assert_allclose(own.documents([text]), expected, atol=2e-6)
    assert (own.in_force()["query_tokens"], own.in_force()["passage_tokens"]) == (query_tokens, passage_tokens)
    set_otherwise = encoder_of(folder=folder, query_tokens=12, passage_tokens=13)
    same = encoder_of(query_tokens=12, passage_tokens=13)
    np.testing.assert_array_equal(set_otherwise.queries([text]), same.queries([text]))
    np.testing.assert_array_equal(set_otherwise.documents([text]), same.documents([text]))


def test_a_router_sends_queries_and_documents_each_their_own_way(
    encoder_of: MakeEncoder, folders: dict[str, Path], tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Router

    # Its tokenizer numbers all words otherwise.
    other = make_encoder(tmp_path / "other", texts=[*TEXTS, *WORDS], vocabulary=["aaa"], seed=1, tokens=8)
    router = Router.for_query_document(list(reference(other)), list(reference(folders["bert"])))
    routed = SentenceTransformer(modules=[router], device="cpu")
    routed.save_pretrained(str(tmp_path / "routed"), create_model_card=False)
    own = encoder_of(folder=tmp_path / "routed")
    np.testing.assert_array_equal(own.queries(QUERIES), encoder_of(folder=other).queries(QUERIES))
    np.testing.assert_array_equal(own.documents(TEXTS), encoder_of().documents(TEXTS))
    assert own.in_force() == {"pooling": "mean", "query_tokens": 8, "passage_tokens": 64, "dimensions": 32}


def test_no_text_is_longer_than_a_model_has_positions(
    encoder_of: MakeEncoder, folders: dict[str, Path], tmp_path: Path
) -> None:
    boundless = encoder_of(folder=stating(tmp_path / "model", folders["bert"], max_seq_length=100_000))
    text = "tarn " * 2_000
    np.testing.assert_array_equal(boundless.queries([text]), encoder_of(query_tokens=512).queries([text]))
    np.testing.assert_array_equal(boundless.documents([text]), encoder_of(passage_tokens=512).documents([text]))
    assert boundless.in_force()["query_tokens"] == 512


def test_a_model_whose_positions_begin_behind_its_padding_has_two_less(
    encoder_of: MakeEncoder, folders: dict[str, Path], tmp_path: Path
) -> None:
    import transformers

    folder = tmp_path / "roberta"
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folders["bert"]))
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=34, pad_token_id=tokenizer.pad_token_id, **shape
    )
    transformers.RobertaModel(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    encoder = encoder_of(folder=folder, pooling="mean")
    for encode in (encoder.queries, encoder.documents):
        cut, whole = encode(["tarn " * 100, "tarn " * 30])
        np.testing.assert_allclose(cut, whole, atol=1e-6)
    with pytest.raises(UsageError, match="has positions for 32 tokens, and query_tokens asks for 33"):
        encoder_of(folder=folder, pooling="mean", query_tokens=33).queries(["tarn"])


def test_what_was_left_to_the_model_is_told_once_it_is_loaded(encoder_of: MakeEncoder) -> None:
    encoder = encoder_of("qwen3", query_tokens=16, truncate_dim=8)
    assert encoder.in_force() == {}
    encoder.queries(["tarn"])
    assert encoder.in_force() == {"pooling": "lasttoken", "query_tokens": 16, "passage_tokens": 64, "dimensions": 8}
    encoder.close()
    assert encoder.in_force() == {}


def test_dimensions_can_be_cut_and_what_is_left_has_length_1(encoder_of: MakeEncoder, folders: dict[str, Path]) -> None:
    encoder = encoder_of(truncate_dim=8)
    assert encoder.dimensions == 8
    library = reference(folders["bert"], truncate_dim=8)
    np.testing.assert_allclose(
        encoder.documents(["tarn"]), library.encode(["tarn"], normalize_embeddings=True), atol=2e-6
    )
    assert encoder.queries(["tarn", "veyle"]).shape == (2, 8)


def test_pooling_can_be_set_otherwise(encoder_of: MakeEncoder, tmp_path: Path) -> None:
    other = make_encoder(tmp_path / "cls", texts=[*TEXTS, *WORDS], pooling="lasttoken", tokens=64)
    np.testing.assert_array_equal(
        encoder_of(pooling="lasttoken").queries(QUERIES), encoder_of(folder=other).queries(QUERIES)
    )
    assert not np.allclose(encoder_of(pooling="cls").queries(QUERIES), encoder_of().queries(QUERIES), atol=1e-3)


def test_a_model_that_leaves_its_prompt_out_of_the_pool_does_so_however_it_pools(
    encoder_of: MakeEncoder, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["bert"], tmp_path / "model"))
    place = folder / "1_Pooling" / "config.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"include_prompt": False}))
    library = reference(folder)
    library[1].pooling_mode = "max"
    expected = library.encode_query(QUERIES, prompt="mason of ", normalize_embeddings=True)
    own = encoder_of(folder=folder, pooling="max", query_prompt="mason of ")
    np.testing.assert_allclose(own.queries(QUERIES), expected, atol=2e-6)
    other = encoder_of(pooling="max", query_prompt="mason of ")
    assert not np.allclose(own.queries(QUERIES), other.queries(QUERIES), atol=1e-3)


def test_a_folder_of_plain_transformers_is_pooled_as_told(
    encoder_of: MakeEncoder, folders: dict[str, Path], tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (plain / name).write_bytes((folders["bert"] / name).read_bytes())
    np.testing.assert_array_equal(
        encoder_of(folder=plain, pooling="mean").queries(QUERIES), encoder_of().queries(QUERIES)
    )


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ({"passage_tokens": 513}, "has positions for 512 tokens, and passage_tokens asks for 513"),
        ({"query_tokens": 9999}, "has positions for 512 tokens, and query_tokens asks for 9999"),
        ({"truncate_dim": 33}, "gives 32 dimensions, and retriever.truncate_dim asks for 33"),
    ],
)
def test_more_than_a_model_can_do_is_refused(encoding: dict[str, Any], said: str, encoder_of: MakeEncoder) -> None:
    with pytest.raises(UsageError, match=said):
        encoder_of(**encoding).queries(["tarn"])


def test_vectors_that_are_no_numbers_are_refused(
    encoder_of: MakeEncoder, folders: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    broken = tmp_path / "broken"
    make_encoder(broken, texts=TEXTS)
    weights = load_file(broken / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][:] = np.nan
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    for encode in (encoder_of(folder=broken).documents, encoder_of(folder=broken).queries):
        with pytest.raises(UsageError, match="no numbers in float32"):
            encode(["tarn"])


def test_a_device_that_is_not_there_is_one_line(folders: dict[str, Path], tmp_path: Path) -> None:
    encoder = Encoder(ModelFiles("bert", folders["bert"], tmp_path), PLAIN, device="cuda:99", batch_size=1)
    with pytest.raises(UsageError, match=r"cannot use device 'cuda:99' .*retriever\.device=cpu"):
        encoder.queries(["tarn"])


def test_a_damaged_model_is_one_line(tmp_path: Path, encoder_of: MakeEncoder) -> None:
    folder = make_encoder(tmp_path / "model", texts=TEXTS)
    (folder / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(UsageError, match=r"model 'bert' cannot be loaded \(.*\): get it anew"):
        encoder_of(folder=folder).queries(["tarn"])


def test_processes_of_one_machine_take_a_gpu_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrat_bench.retriever.device._has_gpu", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert choose_compute("auto", "auto") == Compute("cuda", "bfloat16")
    for rank, device in (("0", "cuda:0"), ("1", "cuda:1"), ("2", "cuda:0")):
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert choose_compute("auto", "auto") == Compute(device, "bfloat16")
    # srun may show each process its own GPU alone.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert choose_compute("auto", "auto").device == "cuda"
    assert choose_compute("cuda:7", "float16") == Compute("cuda:7", "float16")
