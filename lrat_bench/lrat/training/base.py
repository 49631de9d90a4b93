"""The model that training starts from."""

from __future__ import annotations

from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder
from lrat_bench.lrat.training.collate import Prompts
from lrat_bench.retriever.device import Compute
from lrat_bench.retriever.loading import load_model
from lrat_bench.retriever.model_files import ModelFiles, find_model
from lrat_bench.retriever.prompts import document_prompt, query_prompt

__all__ = ["base_name", "base_prompts", "find_base", "load_base"]

_OTHER_DOCUMENT_NAMES = ("passage", "corpus")
"""Where a document's prompt may lie beside `document`, under which it is saved."""


def find_base(spec: str) -> ModelFiles:
    """The model of a folder or a hub name, as the dense retriever finds it.

    Raises:
        UsageError: there is none, it is not safe to load, or it is none that can be trained here.
    """
    files = find_model(spec, revision=None, cache=cache_folder())
    files.refuse_unsafe(trust_remote_code=False)
    files.refuse_other_kinds("SentenceTransformer")
    if files.modules is None:
        raise UsageError(
            f"model {spec!r} does not say how vectors of tokens become one, since it has no modules.json: save it with "
            "sentence-transformers and a pooling, as it was trained"
        )
    if any(str(module.get("type")).endswith(".Router") for module in files.modules):
        raise UsageError(f"model {spec!r} encodes queries and documents with different parts: take one that does not")
    return files


def base_name(files: ModelFiles) -> str:
    """What a model is called in records: its hub name, or the folder's name; never a path."""
    return files.name if files.hub else files.folder.name


def base_prompts(files: ModelFiles, *, query: str | None, document: str | None) -> Prompts:
    """What is put before texts: what was given, else what the dense retriever puts there."""
    return Prompts(query_prompt(files, query).text, document_prompt(files, document).text)


def load_base(files: ModelFiles, prompts: Prompts) -> Any:
    """The model in float32, with the prompts that it is trained with.

    In float32 whatever it is stored in: at a learning rate of 1e-6 most updates are lost in bfloat16's rounding.

    Raises:
        UsageError: it cannot be loaded.
    """
    from sentence_transformers import SentenceTransformer

    model = load_model(files, SentenceTransformer, compute=Compute("cpu", "float32"), trust_remote_code=False)
    # Saved with the model, so that encode_query, encode_document and the dense retriever put the same before texts.
    others = {name: text for name, text in model.prompts.items() if name not in _OTHER_DOCUMENT_NAMES}
    model.prompts = {**others, "query": prompts.query, "document": prompts.document}
    if model.default_prompt_name not in model.prompts:
        # sentence-transformers refuses to load a model whose default prompt is not among its prompts.
        model.default_prompt_name = None
    return model
