"""A snippet is the text up to its n-th token, as the full tokenization has it, without tokenizing the document."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from lrat_bench.task import hf_tokenizer
from lrat_bench.task.hf_tokenizer import HfTokenizer
from lrat_bench.task.snippet import cut, snippet
from lrat_bench.task.tokenizer import RegexTokenizer

SAMPLE = [
    "The quick brown fox doesn't jump over 1234567 lazy dogs;   they'd rather sleep.\n\n\tAnd so, on we go…",
    "9876543210" * 4 + " " + "876543210" * 4 + " " + "76543210" * 4,
    "  Ａll  kinds\r\n of ﬁne text: 東京都の人口は約1400万人です。",
    "naïve café e\u0301 👩\u200d🚀🚀 한국어 __init__ (x==y)",
]

GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FROM_THE_RIGHT = r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))| ?\p{L}+|[^\s\p{L}\p{N}]|\s+(?!\S)|\s"


def byte_level(pattern: str) -> Library:
    library = Library(models.BPE())
    library.normalizer = normalizers.NFC()
    library.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    library.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    library.train_from_iterator(
        SAMPLE, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    library.add_special_tokens(["<|endoftext|>"])
    library.add_tokens([AddedToken("<tool>", lstrip=True, rstrip=True, normalized=False)])
    return library


def metaspace_unigram() -> Library:
    library = Library(models.Unigram())
    library.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    library.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    library.train_from_iterator(
        SAMPLE,
        trainers.UnigramTrainer(vocab_size=120, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False),
    )
    return library


def bert_word_piece() -> Library:
    library = Library(models.WordPiece(unk_token="[UNK]"))
    library.normalizer = normalizers.BertNormalizer()
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    library.train_from_iterator(
        SAMPLE, trainers.WordPieceTrainer(vocab_size=150, special_tokens=["[UNK]"], show_progress=False)
    )
    return library


def unsplit_bpe() -> Library:
    library = Library(models.BPE(unk_token="<unk>", fuse_unk=True))
    library.train_from_iterator(
        SAMPLE, trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False)
    )
    return library


KINDS: dict[str, Callable[[], Library]] = {
    "gpt-4 byte-level": lambda: byte_level(GPT4),
    "digits grouped from the right": lambda: byte_level(FROM_THE_RIGHT),
    "metaspace unigram": metaspace_unigram,
    "bert word piece": bert_word_piece,
    "unsplit bpe": unsplit_bpe,
}


class Counting(HfTokenizer):
    """Counts the characters handed to the library."""

    characters = 0

    def _encode(self, text: str) -> tuple[list[tuple[int, int]], list[int]]:
        self.characters += len(text)
        return super()._encode(text)


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Counting]:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    KINDS[request.param]().save(str(file))
    return Library.from_file(str(file)), Counting(file, name=request.param)


@pytest.fixture
def short_prefixes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many prefixes per text, so that many places are cut at."""
    monkeypatch.setattr(hf_tokenizer, "_FIRST", 3)
    monkeypatch.setattr(hf_tokenizer, "_GROWTH", 2)


FRAGMENTS = st.sampled_from(
    [
        *(" ", "  ", "\t", "\n", "\r\n", " " * 30, "\n \n" * 9, "\u00a0", "\u3000"),
        *("a", "Fox", "they'd", "'", "don't ", "naïve", "lazy dogs ", "x" * 40, "İ", "ß", "ﬁ", "Ａ", "__init__", "ΑΣ"),
        *("1", "12,345.6", "9876543210" * 4, "²", "٣", "½"),
        *("東京都の人口", "。", "한국", "\u1112\u1161\u11ab", "ไทยครับ", "हिन्दी"),
        *("e\u0301", "\u0323\u0301\u0307", "\u0301" * 20, "👩\u200d🚀", "🚀🚀", "🇫🇷🇩🇪"),
        *("\u200b", "\ufeff", "\x00", "\ufffd"),
        *("(", "==", "...", "…", "!?!?", "<|endoftext|>", "<|endof", "|>", "<tool>", "<to", "<unk>", "[UNK]", "▁", "Ġ"),
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=4), max_size=30).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(text=TEXTS)
def test_the_lazy_tokens_are_those_of_the_full_tokenization(
    pair: tuple[Any, Counting], short_prefixes: None, text: str
) -> None:
    library, tokenizer = pair
    assert list(tokenizer.spans(text)) == library.encode(text, add_special_tokens=False).offsets


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(text=TEXTS, tokens=st.integers(1, 60))
def test_a_snippet_ends_where_the_nth_token_of_the_full_tokenization_ends(
    pair: tuple[Any, Counting], short_prefixes: None, text: str, tokens: int
) -> None:
    library, tokenizer = pair
    offsets = library.encode(text, add_special_tokens=False).offsets
    expected = text if len(offsets) < tokens else text[: offsets[tokens - 1][1]]
    assert snippet(text, tokens, tokenizer) == cut(text, tokens, tokenizer) == expected


@given(text=TEXTS, tokens=st.integers(1, 20))
def test_a_regex_v1_snippet_is_a_prefix_of_so_many_tokens(text: str, tokens: int) -> None:
    tokenizer = RegexTokenizer()
    shown = snippet(text, tokens, tokenizer)
    assert text.startswith(shown)
    assert list(tokenizer.spans(shown)) == list(islice(tokenizer.spans(text), tokens))


@pytest.mark.parametrize(
    ("unit", "length"), [("x", 100_000), (" ", 100_000), ("東", 5_000), ("7", 5_000), ("🚀", 5_000)]
)
def test_a_long_text_without_a_word_end_is_fine(pair: tuple[Any, Counting], unit: str, length: int) -> None:
    library, tokenizer = pair
    if tokenizer.name == "unsplit bpe" and length > 5_000:
        pytest.skip("merging one word of that length takes the library a minute")
    text = unit * length + " end."
    assert list(tokenizer.spans(text)) == library.encode(text, add_special_tokens=False).offsets


@pytest.mark.parametrize("tokens", [64, 512])
def test_what_a_snippet_costs_does_not_grow_with_the_document(pair: tuple[Any, Counting], tokens: int) -> None:
    _, tokenizer = pair
    costs = []
    for repeats in (100, 1_000):
        tokenizer.characters = 0
        snippet(SAMPLE[0] * repeats, tokens, tokenizer)
        costs.append(tokenizer.characters)
    if tokenizer.name == "unsplit bpe":
        assert costs == [len(SAMPLE[0]) * 100, len(SAMPLE[0]) * 1_000]
    else:
        assert costs[0] == costs[1] <= 1024 + 4096


@given(TEXTS, st.integers(1, 40))
def test_the_end_of_a_token_is_that_of_its_span(text: str, n: int) -> None:
    tokenizer = RegexTokenizer()
    spans = list(tokenizer.spans(text))
    assert tokenizer.end(text, n) == (spans[n - 1][1] if n <= len(spans) else None)


def test_a_long_word_is_one_token_and_is_never_given_up_in_part() -> None:
    assert RegexTokenizer().end("x" * 1_000_000, 2) is None


def test_no_cap_is_the_whole_text_and_no_token_is_an_error() -> None:
    assert cut("a b ", None, RegexTokenizer()) == "a b "
    assert cut("a b ", 3, RegexTokenizer()) == "a b "
    assert cut("a b ", 2, RegexTokenizer()) == "a b"
    with pytest.raises(ValueError, match="at least 1, got 0"):
        cut("a b", 0, RegexTokenizer())


def test_a_file_that_was_cut_short_keeps_whole_characters(tmp_path: Path) -> None:
    library = byte_level(GPT4)
    file = tmp_path / "tokenizer.json"
    library.save(str(file))
    tokenizer = HfTokenizer(file, name="bytes")
    text = "🦜🦜🦜"
    assert {snippet(text, n, tokenizer) for n in range(1, 13)} == {"🦜", "🦜🦜", "🦜🦜🦜"}
