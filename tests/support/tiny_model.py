"""Tiny models with random weights, made on the fly: real folders that sentence-transformers loads, in kilobytes.

    folder = make_encoder(tmp_path / "model", texts=corpus_texts)                   # a one-layer BERT
    folder = make_encoder(tmp_path / "model", texts=corpus_texts, kind="qwen3")     # a one-layer Qwen3
    folder = make_cross_encoder(tmp_path / "reranker", texts=corpus_texts)          # a one-layer BERT that scores pairs

Texts that share words have similar vectors even with random weights, so rankings mean something.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

__all__ = ["make_cross_encoder", "make_encoder", "words_of"]

_MOST_TOKENS = 512


def words_of(texts: Iterable[str]) -> list[str]:
    """The words and signs of some texts, each once, in order."""
    return sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())})


def make_encoder(
    folder: Path,
    *,
    texts: Iterable[str] = (),
    vocabulary: Iterable[str] = (),
    dim: int = 32,
    layers: int = 1,
    seed: int = 0,
    kind: Literal["bert", "qwen3"] = "bert",
    pooling: Literal["mean", "lasttoken"] | None = None,
    prompts: Mapping[str, str] | None = None,
    tokens: int = _MOST_TOKENS,
) -> Path:
    """A sentence-transformers folder with random weights.

    Args:
        folder: where it goes; made when missing.
        texts: the tokenizer knows their words.
        vocabulary: further words.
        dim: length of a vector; a multiple of 4.
        layers: of the transformer.
        seed: of the weights.
        kind: an encoder, or a decoder (padded on the left).
        pooling: how token vectors become one; an encoder's mean or a decoder's last token, unless given.
        prompts: stored in the folder.
        tokens: longest input, `max_seq_length`.

    Returns:
        the folder.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    how = pooling or ("mean" if kind == "bert" else "lasttoken")
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        backbone = _write_backbone(Path(scratch), kind, [*texts, *vocabulary], dim, layers, seed)
        body = Transformer(str(backbone), max_seq_length=tokens)
        model = SentenceTransformer(modules=[body, Pooling(dim, pooling_mode=how)], device="cpu")
        model.prompts.update(prompts or {})
        model.save(str(folder), create_model_card=False)
    return folder


def make_cross_encoder(
    folder: Path,
    *,
    texts: Iterable[str] = (),
    vocabulary: Iterable[str] = (),
    dim: int = 32,
    layers: int = 1,
    seed: int = 0,
) -> Path:
    """A folder that `CrossEncoder` loads: a BERT with one label and random weights; arguments as of `make_encoder`."""
    with _quiet():
        return _write_backbone(folder, "cross", [*texts, *vocabulary], dim, layers, seed)


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars for files of kilobytes."""
    import transformers

    logging: Any = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _write_backbone(folder: Path, kind: str, texts: list[str], dim: int, layers: int, seed: int) -> Path:
    import torch
    import transformers

    library: Any = transformers  # which types its classes in part
    folder.mkdir(parents=True, exist_ok=True)
    decoder = kind == "qwen3"
    words = words_of(texts)
    special = ["<|endoftext|>", "[UNK]"] if decoder else ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = _tokenizer({word: number for number, word in enumerate(dict.fromkeys([*special, *words]))}, decoder)
    names: dict[str, Any] = (
        {"pad_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "[UNK]", "padding_side": "left"}
        if decoder
        else {
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        }
    )
    size = tokenizer.get_vocab_size()
    shape: dict[str, Any] = {
        "vocab_size": size,
        "hidden_size": dim,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 2 * dim,
        "max_position_embeddings": _MOST_TOKENS,
    }
    model: Any
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if decoder:
            model = library.Qwen3Model(
                library.Qwen3Config(**shape, num_key_value_heads=1, head_dim=dim // 2, eos_token_id=0, pad_token_id=0)
            )
        elif kind == "cross":
            # Weights of 0.02, BERT's own, would give every pair nearly the same score.
            model = library.BertForSequenceClassification(
                library.BertConfig(**shape, num_labels=1, initializer_range=0.4)
            )
        else:
            model = library.BertModel(library.BertConfig(**shape))
    model.save_pretrained(str(folder))
    fast = library.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=_MOST_TOKENS, **names)
    fast.save_pretrained(str(folder))
    return folder


def _tokenizer(vocabulary: dict[str, int], decoder: bool) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    if decoder:
        ends = [("<|endoftext|>", vocabulary["<|endoftext|>"])]
        tokenizer.post_processor = TemplateProcessing(single="$A <|endoftext|>", special_tokens=ends)
    else:
        ends = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
        )
    return tokenizer
