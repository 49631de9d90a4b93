"""Models are known by content, found without a network, and loaded only where that is safe."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_model import make_encoder

from lrat_bench.errors import UsageError
from lrat_bench.files import sha256_file
from lrat_bench.retriever import model_files
from lrat_bench.retriever.model_files import ModelFiles, find_model
from lrat_bench.retriever.prompts import document_prompt, query_prompt


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("models") / "one", texts=["tarn is a town"])


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "model"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty local cache of the hub, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def put_in_hub(hub: Path, name: str, folder: Path, *, revision: str = "main") -> Path:
    commit = "0" * 39 + "1"
    home = hub / f"models--{name.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / revision).write_text(commit)
    return Path(shutil.copytree(folder, home / "snapshots" / commit))


def place_part(model: Path, place: object) -> None:
    """Let the list of a model's parts name another place for the second one."""
    modules = json.loads((model / "modules.json").read_text())
    modules[1]["path"] = place
    (model / "modules.json").write_text(json.dumps(modules))


def fingerprint_of(folder: Path, cache: Path) -> str:
    return find_model(str(folder), revision=None, cache=cache).fingerprint()


def test_a_model_is_the_same_wherever_it_lies_and_whatever_lies_beside_it(model: Path, tmp_path: Path) -> None:
    before = fingerprint_of(model, tmp_path)
    (model / "README.md").write_text("a card")
    (model / "trainer_state.json").write_text("{}")
    (model / "optimizer.pt").write_bytes(b"state")
    moved = Path(shutil.copytree(model, tmp_path / "elsewhere" / "äöü"))
    assert fingerprint_of(moved, tmp_path) == before


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "tokenizer.json",
        "config.json",
        "config_sentence_transformers.json",
        "1_Pooling/config.json",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer_config.json",
    ],
)
def test_a_model_is_another_when_a_file_that_decides_its_vectors_is(name: str, model: Path, tmp_path: Path) -> None:
    before = fingerprint_of(model, tmp_path)
    (model / name).write_bytes((model / name).read_bytes() + b" ")
    assert fingerprint_of(model, tmp_path) != before


SOMEBODYS = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "bpe.codes",
    "added_tokens.json",
    "special_tokens_map.json",
    "sentencepiece.bpe.model",
    "qwen.tiktoken",
    "preprocessor_config.json",
    "chat_template.jinja",
    "router_config.json",
    "model.safetensors.index.json",
    "modeling.py",
)
"""What decides the vectors of models that have it: vocabularies, templates, code."""


@pytest.mark.parametrize("name", [*SOMEBODYS, "1_Pooling/vocab.txt", "1_Pooling/modeling.py", "deep/er/modeling.py"])
def test_a_model_is_another_with_a_file_more_that_decides_its_vectors(name: str, model: Path, tmp_path: Path) -> None:
    before = fingerprint_of(model, tmp_path)
    (model / name).parent.mkdir(parents=True, exist_ok=True)
    (model / name).write_text("{}")
    assert fingerprint_of(model, tmp_path) != before


def test_what_decides_the_vectors_is_fetched_and_nothing_else(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub
    from huggingface_hub.utils._paths import filter_repo_objects

    names = [*SOMEBODYS, *(f"0_Transformer/{name}" for name in (*SOMEBODYS, "model.safetensors", "weights.json"))]
    for name in names:
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_text("{}")
    modules = json.loads((model / "modules.json").read_text())
    (model / "modules.json").write_text(json.dumps([{**modules[0], "path": "0_Transformer"}, *modules[1:]]))
    needed = {path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()}
    for name in (
        "README.md",
        "pytorch_model.bin",
        "tf_model.h5",
        "onnx/model.onnx",
        "0_Transformer/flax_model.msgpack",
    ):
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_text("elsewhere")

    def fetch(name: str, *, revision: str | None, local_files_only: bool = False, allow_patterns: Any = None) -> str:
        if local_files_only:
            raise OSError("not here")
        there = [path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()]
        for one in filter_repo_objects(there, allow_patterns=allow_patterns):
            (tmp_path / "fetched" / one).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(model / one, tmp_path / "fetched" / one)
        return str(tmp_path / "fetched")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    files = find_model("org/name", revision=None, cache=tmp_path)
    assert {path.relative_to(files.folder).as_posix() for path in files.folder.rglob("*") if path.is_file()} == needed
    assert files.fingerprint() == fingerprint_of(model, tmp_path)


def test_the_routes_of_a_router_are_part_of_a_model(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, model / "document_0_Transformer")
    (model / "router_config.json").write_text("{}")
    before = fingerprint_of(model, tmp_path)
    weights = model / "document_0_Transformer" / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"0")
    assert fingerprint_of(model, tmp_path) != before
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(UsageError, match="as a pickle alone"):
        find_model(str(model), revision=None, cache=tmp_path).refuse_unsafe(trust_remote_code=False)


def test_code_in_any_folder_decides_too_and_code_of_elsewhere_pins_nothing(model: Path, tmp_path: Path) -> None:
    before = fingerprint_of(model, tmp_path)
    (model / "deep" / "er").mkdir(parents=True)
    (model / "deep" / "er" / "mine.py").write_text("x = 1")
    assert fingerprint_of(model, tmp_path) != before
    assert find_model(str(model), revision=None, cache=tmp_path).pinned
    configuration = json.loads((model / "tokenizer_config.json").read_text())
    configuration["auto_map"] = {"AutoTokenizer": ["org/repo--tokenizer.Mine", None]}
    (model / "tokenizer_config.json").write_text(json.dumps(configuration))
    assert not find_model(str(model), revision=None, cache=tmp_path).pinned


def test_big_files_are_hashed_once_and_again_when_they_change(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def hash_and_tell(path: Path) -> str:
        hashed.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr(model_files, "_BIG", 0)
    monkeypatch.setattr(model_files, "sha256_file", hash_and_tell)
    first = fingerprint_of(model, tmp_path)
    assert "model.safetensors" in hashed
    hashed.clear()
    assert fingerprint_of(model, tmp_path) == first
    assert not hashed
    weights = model / "model.safetensors"
    times = weights.stat()
    weights.write_bytes(weights.read_bytes()[::-1])
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint_of(model, tmp_path) != first
    assert hashed == ["model.safetensors"]


@pytest.mark.parametrize("beside", [True, False])
def test_pickled_weights_are_refused(beside: bool, model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    if beside:  # another part has better ones
        (model / "1_Pooling" / "model.safetensors").write_bytes(b"")
    with pytest.raises(UsageError, match=r"pickle alone \(pytorch_model.bin\)"):
        find_model(str(model), revision=None, cache=tmp_path).refuse_unsafe(trust_remote_code=True)


def test_a_model_without_weights_is_one_line(model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").unlink()
    with pytest.raises(UsageError, match="has no weights"):
        find_model(str(model), revision=None, cache=tmp_path).refuse_unsafe(trust_remote_code=True)


def test_code_that_comes_with_a_model_runs_only_when_trusted(model: Path, tmp_path: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling.Own"}}))
    files = find_model(str(model), revision=None, cache=tmp_path)
    with pytest.raises(UsageError, match=r"code that came with it \(modeling.Own\).*trust_remote_code=true"):
        files.refuse_unsafe(trust_remote_code=False)
    files.refuse_unsafe(trust_remote_code=True)
    assert files.pinned
    (model / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "a/b--modeling.Own"}}))
    assert not ModelFiles("other", model, tmp_path).pinned


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda model: (model / "adapter_config.json").write_text("{}"), "adapter without the model"),
        (lambda model: (model / "config.json").write_text("[]"), "must hold a JSON object"),
        (lambda model: (model / "modules.json").write_text("{"), "cannot be read as JSON"),
        (lambda model: (model / "modules.json").write_text('["x"]'), "must hold objects with a type, and has 'x'"),
        (lambda model: (model / "modules.json").write_text('[{"path": ""}]'), "must hold objects with a type"),
        (lambda model: place_part(model, "/etc"), "has a part at '/etc'"),
        (lambda model: place_part(model, "a/../../other"), "has a part at 'a/../../other'"),
        (lambda model: place_part(model, 3), "has a part at 3, and all lie in its folder"),
        (lambda model: [path.unlink() for path in model.glob("*.json")], "holds no model"),
    ],
)
def test_a_folder_that_holds_no_whole_model_is_one_line(
    break_it: object, said: str, model: Path, tmp_path: Path
) -> None:
    assert callable(break_it)
    break_it(model)
    with pytest.raises(UsageError, match=said):
        find_model(str(model), revision=None, cache=tmp_path).refuse_unsafe(trust_remote_code=False)


@pytest.mark.parametrize(
    ("argument", "revision", "said"),
    [
        ("/no/such", None, "there is no model folder '/no/such'"),
        ("a/b/c", None, "there is no model folder"),
        (" ", None, "there is no model folder"),
        ("org/name", None, r"model 'org/name' is neither a folder nor in .*: run `hf download org/name` while online"),
        ("org/name", "v1", r"`hf download org/name --revision v1`"),
        ("not a name!", None, "neither a folder"),
    ],
)
def test_a_model_that_is_not_here_is_one_line(
    argument: str, revision: str | None, said: str, hub: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        find_model(argument, revision=revision, cache=tmp_path)


def test_a_model_of_the_hub_is_found_in_the_local_cache(model: Path, hub: Path, tmp_path: Path) -> None:
    there = put_in_hub(hub, "org/name", model)
    files = find_model("org/name", revision=None, cache=tmp_path)
    assert files.folder == there
    assert files.commit == "0" * 39 + "1"
    assert find_model(str(model), revision=None, cache=tmp_path).commit is None
    assert files.fingerprint() == fingerprint_of(model, tmp_path)
    with pytest.raises(UsageError, match="neither a folder nor in"):
        find_model("org/name", revision="v2", cache=tmp_path)


def test_a_model_of_which_a_part_was_fetched_is_not_taken_for_whole(model: Path, hub: Path, tmp_path: Path) -> None:
    there = put_in_hub(hub, "org/name", model)
    (there / "model.safetensors").unlink()
    with pytest.raises(UsageError, match="not whole in the local cache"):
        find_model("org/name", revision=None, cache=tmp_path)
    (there / "model-1.safetensors").write_bytes(b"")
    (there / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-2.safetensors"}}))
    with pytest.raises(UsageError, match="not whole in the local cache"):
        find_model("org/name", revision=None, cache=tmp_path)


def test_a_revision_is_of_the_hub(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no revision"):
        find_model(str(model), revision="main", cache=tmp_path)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({}, ("", "")),
        ({"query": "q: ", "document": "d: "}, ("q: ", "d: ")),
        ({"query": "q: ", "document": "", "passage": "p: "}, ("q: ", "p: ")),
        ({"corpus": "c: ", "passage": "p: "}, ("", "p: ")),
        ({"query": "", "document": "", "corpus": ""}, ("", "")),
    ],
)
def test_prompts_are_those_that_the_model_stores(
    stored: dict[str, str], expected: tuple[str, str], model: Path, tmp_path: Path
) -> None:
    (model / "config_sentence_transformers.json").write_text(json.dumps({"prompts": stored}))
    files = find_model(str(model), revision=None, cache=tmp_path)
    assert (query_prompt(files, None).text, document_prompt(files, None).text) == expected
    assert query_prompt(files, "mine ").text == "mine "
    assert document_prompt(files, "").text == ""


def test_prompts_without_names_are_one_line(model: Path, tmp_path: Path) -> None:
    (model / "config_sentence_transformers.json").write_text('{"prompts": "query: "}')
    files = find_model(str(model), revision=None, cache=tmp_path)
    with pytest.raises(UsageError, match=r"config_sentence_transformers\.json: must store prompts by name"):
        query_prompt(files, None)


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("intfloat/e5-base-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-small", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", "", ""),
        ("someone/e5-base-v2", "", ""),
        (
            "Qwen/Qwen3-Embedding-0.6B",
            "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
            "",
        ),
    ],
)
def test_families_that_need_prompts_and_do_not_store_them_are_known(
    name: str, query: str, document: str, model: Path, hub: Path, tmp_path: Path
) -> None:
    put_in_hub(hub, name, model)
    files = find_model(name, revision=None, cache=tmp_path)
    assert (query_prompt(files, None).text, document_prompt(files, None).text) == (query, document)
