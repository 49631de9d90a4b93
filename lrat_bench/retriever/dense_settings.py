"""What can be set of dense retrieval, read and checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.retriever.device import DTYPES, Compute, choose_compute
from lrat_bench.retriever.encoder import POOLINGS
from lrat_bench.retriever.faiss_index import SEARCH_SETTINGS
from lrat_bench.retriever.milvus_place import EXACT_KIND, MILVUS, MilvusIndex
from lrat_bench.retriever.settings import number_setting, refuse_unknown_settings, whole_setting

__all__ = [
    "DenseSettings",
    "choice_setting",
    "read_compute",
    "read_settings",
    "text_setting",
    "yes_no_setting",
]

EXACT = "exact"
"""The index that is none: every document is scored."""

STORAGES = ("float32", "float16")
"""Numbers that vectors may be stored in."""

_BATCH = 32
_SEARCH = "search."


@dataclass(frozen=True, slots=True)
class DenseSettings:
    """Settings of `dense`, as in `--set retriever.passage_tokens=512`.

    Attributes:
        revision: branch, tag or commit of a model of the hub.
        query_prompt: put before a query; None is what the model stores, or its family needs.
        document_prompt: put before a document; None as above.
        pooling: how vectors of tokens become one; None is the model's own.
        query_tokens: longest query, in the model's tokens, with prompt and special tokens; None is the model's own.
        passage_tokens: longest document, counted so; a protocol may pin it.
        truncate_dim: dimensions kept, of a model that was trained for it (Matryoshka).
        compute: device and dtype; `auto` is a GPU with bfloat16 where there is one, else the CPU with float32.
        batch_size: documents encoded together; changes speed alone.
        index: `exact`, a factory string of FAISS, or `milvus:PLACE`.
        milvus: that place, and how it indexes; None where the index is another one.
        search: parameters of a search with FAISS or Milvus.
        storage: numbers that vectors are stored in; float16 halves them.
        trust_remote_code: whether code that came with the model may run.
    """

    revision: str | None
    query_prompt: str | None
    document_prompt: str | None
    pooling: str | None
    query_tokens: int | None
    passage_tokens: int | None
    truncate_dim: int | None
    compute: Compute
    batch_size: int
    index: str
    milvus: MilvusIndex | None
    storage: str
    trust_remote_code: bool
    search: dict[str, float] = field(default_factory=dict)


_KEYS = (
    "revision",
    "query_prompt",
    "document_prompt",
    "pooling",
    "query_tokens",
    "passage_tokens",
    "truncate_dim",
    "device",
    "dtype",
    "batch_size",
    "index",
    "milvus_index",
    "milvus_params",
    "milvus_token_env",
    "search",
    "storage",
    "trust_remote_code",
)


def read_settings(settings: Mapping[str, Any], *, passage_tokens: int | None) -> DenseSettings:
    """Read what was set.

    Args:
        settings: key → value; `search` is a mapping, or keys of the form `search.nprobe`.
        passage_tokens: what the protocol pins.

    Raises:
        UsageError: a key is unknown or a value wrong, or one contradicts the protocol.
    """
    flat = {key: value for key, value in settings.items() if not key.startswith(_SEARCH)}
    refuse_unknown_settings("dense", flat, _KEYS)
    index = text_setting("dense", settings, "index") or EXACT
    return DenseSettings(
        revision=text_setting("dense", settings, "revision"),
        query_prompt=text_setting("dense", settings, "query_prompt"),
        document_prompt=text_setting("dense", settings, "document_prompt"),
        pooling=choice_setting("dense", settings, "pooling", POOLINGS),
        query_tokens=whole_setting("dense", settings, "query_tokens"),
        passage_tokens=_passage_tokens(settings, passage_tokens),
        truncate_dim=whole_setting("dense", settings, "truncate_dim"),
        compute=read_compute("dense", settings),
        batch_size=whole_setting("dense", settings, "batch_size") or _BATCH,
        index=index,
        milvus=_milvus(settings, index),
        search=_search(settings, index),
        storage=choice_setting("dense", settings, "storage", STORAGES) or "float32",
        trust_remote_code=yes_no_setting("dense", settings, "trust_remote_code"),
    )


def read_compute(retriever: str, settings: Mapping[str, Any]) -> Compute:
    """Device and dtype, `auto` resolved."""
    device = text_setting(retriever, settings, "device") or "auto"
    return choose_compute(device, choice_setting(retriever, settings, "dtype", ("auto", *DTYPES)) or "auto")


def text_setting(retriever: str, settings: Mapping[str, Any], key: str) -> str | None:
    """The text under `key`; None where it is not set.

    Raises:
        UsageError: it is no text.
    """
    value = settings.get(key)
    if isinstance(value, str | None):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # a commit may be all digits
    raise UsageError(
        f"setting {key!r} of retriever {retriever!r} must be a text, got {value!r}: write it in double quotes within "
        f"the shell's own, as in --set 'retriever.{key}=\"query: \"'"
    )


def choice_setting(retriever: str, settings: Mapping[str, Any], key: str, choices: Collection[str]) -> str | None:
    """One of some words; None where it is not set.

    Raises:
        UnknownName: it is another one.
    """
    value = settings.get(key)
    if value is not None and value not in choices:
        raise UnknownName(f"{key} of retriever {retriever!r}", str(value), choices)
    return value


def yes_no_setting(retriever: str, settings: Mapping[str, Any], key: str) -> bool:
    """A yes or no; no where it is not set.

    Raises:
        UsageError: it is neither.
    """
    value = settings.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"setting {key!r} of retriever {retriever!r} must be true or false, got {value!r}")
    return value


def _passage_tokens(settings: Mapping[str, Any], pinned: int | None) -> int | None:
    given = whole_setting("dense", settings, "passage_tokens")
    if pinned is not None and given not in (None, pinned):
        raise UsageError(
            f"the protocol pins passage_tokens to {pinned}, and retriever.passage_tokens asks for {given}: leave that "
            f"out, or give --set protocol.passage_tokens={given}, which makes the protocol custom"
        )
    return pinned if pinned is not None else given


def _milvus(settings: Mapping[str, Any], index: str) -> MilvusIndex | None:
    if not index.startswith(MILVUS):
        for key in ("milvus_index", "milvus_params", "milvus_token_env"):
            if settings.get(key) is not None:
                raise UsageError(f"retriever.{key} is of Milvus, and retriever.index is {index!r}: give milvus:PLACE")
        return None
    params = settings.get("milvus_params")
    if not isinstance(params, Mapping | None):
        raise UsageError(
            "setting 'milvus_params' of retriever 'dense' must be a mapping, as in milvus_params={M: 16}, got "
            f"{params!r}"
        )
    return MilvusIndex(
        index.removeprefix(MILVUS),
        kind=text_setting("dense", settings, "milvus_index") or EXACT_KIND,
        params={str(name): value for name, value in (params or {}).items()},
        search=_search(settings, index),
        token_env=text_setting("dense", settings, "milvus_token_env"),
    )


def _search(settings: Mapping[str, Any], index: str) -> dict[str, float]:
    together = settings.get("search")
    if not isinstance(together, Mapping | None):
        raise UsageError(
            f"setting 'search' of retriever 'dense' must be a mapping, as in search={{nprobe: 16}}, got {together!r}"
        )
    given = {str(key): value for key, value in (together or {}).items()}
    given |= {key.removeprefix(_SEARCH): value for key, value in settings.items() if key.startswith(_SEARCH)}
    if given and index == EXACT:
        raise UsageError(
            f"retriever.search.{next(iter(given))} is of an approximate search, and retriever.index is {EXACT!r}: "
            "give an index, as in --set retriever.index=HNSW32, or leave it out"
        )
    for key in given:
        if key not in SEARCH_SETTINGS:
            raise UnknownName("search parameter of retriever 'dense'", key, SEARCH_SETTINGS)
    numbers: dict[str, float] = {}
    for key, value in given.items():
        if key == "k_factor":
            numbers[key] = number_setting("dense", given, key, 1, low=1, high=1e9)
        elif value is not None:
            numbers[key] = whole_setting("dense", given, key, low=0 if key == "qb" else 1, high=1e9) or 0
    return numbers
