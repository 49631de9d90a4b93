"""A protocol names a tokenizer by a built-in name, a file, a folder, or a revision on the hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.errors import DataError, UsageError
from lrat_bench.task.tokenizer import RegexTokenizer, Tokenizer, load_tokenizer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    from tokenizers import Tokenizer as Library
    from tokenizers import models, pre_tokenizers, processors

    library = Library(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "a": 2, "b": 3, "[PAD]": 4}, unk_token="[UNK]"))
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    library.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    library.enable_truncation(max_length=2)
    library.enable_padding(length=8, pad_id=4, pad_token="[PAD]")
    path = tmp_path / "tokenizer.json"
    library.save(str(path))
    return path


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n\u3000", []),
        ("Don't panic!", ["Don", "'", "t", "panic", "!"]),
        ("snake_case 3.14 x²", ["snake_case", "3", ".", "14", "x²"]),
        ("Привет, мир", ["Привет", ",", "мир"]),
        ("東京都", ["東京都"]),
        ("e\u0301té", ["e", "\u0301", "té"]),
        ("👩\u200d🚀…", ["👩", "\u200d", "🚀", "…"]),
    ],
)
def test_regex_v1_is_runs_of_word_characters_and_single_others(text: str, tokens: list[str]) -> None:
    assert [text[start:end] for start, end in load_tokenizer("regex-v1").spans(text)] == tokens


@given(st.text())
def test_regex_v1_covers_everything_but_whitespace_once(text: str) -> None:
    spans = list(RegexTokenizer().spans(text))
    covered = [index for start, end in spans for index in range(start, end)]
    assert covered == [index for index, character in enumerate(text) if not character.isspace()]


def test_a_tokenizer_that_knows_no_unknown_words_says_so_in_one_line(tmp_path: Path) -> None:
    from tokenizers import Tokenizer as Library
    from tokenizers import models

    Library(models.WordLevel({"a": 0}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UsageError, match=r"cannot read a text: .*take another tokenizer"):
        list(load_tokenizer(str(tmp_path)).spans("b"))


def test_a_file_and_its_folder_are_the_same_tokenizer(file: Path) -> None:
    by_file, by_folder = load_tokenizer(str(file)), load_tokenizer(str(file.parent))
    assert isinstance(by_file, Tokenizer)
    assert by_file.fingerprint == by_folder.fingerprint
    assert by_file.name == str(file)
    assert list(by_file.spans("a b")) == list(by_folder.spans("a b"))


def test_special_tokens_truncation_and_padding_of_the_file_are_off(file: Path) -> None:
    assert list(load_tokenizer(str(file)).spans("a b a b c")) == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]


def test_a_tokenizer_is_loaded_once(file: Path) -> None:
    assert load_tokenizer(str(file)) is load_tokenizer(str(file))
    assert load_tokenizer("regex-v1") is load_tokenizer("regex-v1")


@pytest.mark.parametrize("spec", ["regex-v2", "Qwen/Qwen3-0.6B", "@main", "name@", ""])
def test_an_unknown_tokenizer_is_answered_with_what_can_be_given(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError, match=r"tokenizer '.*': (give 'regex-v1'.*revision is required|the folder holds no)"
    ):
        load_tokenizer(spec)


def test_a_folder_without_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the folder holds no tokenizer\.json"):
        load_tokenizer(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match=r"tokenizer\.json: not a tokenizer\.json that `tokenizers` can read"):
        load_tokenizer(str(tmp_path))


def test_offline_a_hub_name_that_is_not_cached_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match=r"'some/model@0123abc' is not in the local cache .* fetch it while online"):
        load_tokenizer("some/model@0123abc")
