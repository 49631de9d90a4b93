"""Loading models of sentence-transformers: in silence, from a folder alone, and with one line for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from lrat_bench.errors import LratBenchError, MissingLibrary, UsageError
from lrat_bench.retriever.device import Compute, import_torch
from lrat_bench.retriever.model_files import DENSE_EXTRA, ModelFiles

__all__ = ["import_sentence_transformers", "load_model", "longest_input", "positions"]

_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer")
"""Models whose positions begin behind the padding token's, so that two of them are never used."""


def load_model(
    files: ModelFiles, make: Callable[..., Any], *, compute: Compute, trust_remote_code: bool, **options: Any
) -> Any:
    """Make a model of sentence-transformers from its folder, ready for inference.

    Args:
        files: its folder, which has been found safe.
        make: the class.
        compute: where, and in which numbers.
        trust_remote_code: whether code in the folder may run.
        options: of the class.

    Raises:
        UsageError: it cannot be loaded.
    """
    torch = import_torch()
    try:
        with _no_bars():
            model = make(
                str(files.folder),
                device=compute.device,
                trust_remote_code=trust_remote_code,
                local_files_only=True,
                model_kwargs={"dtype": getattr(torch, compute.dtype), "use_safetensors": True},
                **options,
            )
    except LratBenchError:
        raise
    except Exception as error:  # whatever transformers has against a folder
        reason = " ".join(str(error).split())[:300]
        raise UsageError(
            f"model {files.name!r} cannot be loaded ({type(error).__name__}: {reason}): get it anew, or take another"
        ) from error
    _cast_other_parts(model, getattr(torch, compute.dtype))
    return model.eval()


def _cast_other_parts(model: Any, dtype: Any) -> None:
    """Put the weights of parts that are no transformer, which do not ask for a type when they are loaded, into one.

    What a transformer keeps in float32 whatever its weights are in stays so: rotary positions of a few thousand tokens
    cannot be told apart in bfloat16.
    """
    from transformers import PreTrainedModel

    loaded = {
        id(weight) for part in model.modules() if isinstance(part, PreTrainedModel) for weight in part.parameters()
    }
    for weight in model.parameters():
        if id(weight) not in loaded:
            weight.data = weight.data.to(dtype)


def positions(model: Any) -> int | None:
    """How many tokens a model has positions for; None where its configuration does not say."""
    config = getattr(model, "config", None)
    found = getattr(config, "max_position_embeddings", None)
    if not isinstance(found, int) or found < 1:
        return None
    return found - 2 * (getattr(config, "model_type", "") in _OFFSET_POSITIONS)


def longest_input(model: Any, task: Literal["query", "document"] | None = None) -> int | None:
    """At how many tokens a model cuts its input, unless told otherwise; None where nothing says.

    Args:
        model: of sentence-transformers.
        task: which a model may limit by itself (`query_length`), or have other parts for.
    """
    body = model[0]
    if task in (routes := getattr(body, "sub_modules", {})):
        model = body = routes[task][0]
    processing = getattr(body, "processing_kwargs", {}).get("text") or {}
    own = processing.get("max_length") or getattr(body, f"{task}_length", None) or getattr(body, "max_seq_length", None)
    # A tokenizer that knows of no limit says 1e30.
    limits = [limit for limit in (own, positions(model)) if limit is not None and limit < 1e9]
    return int(min(limits)) if limits else None


def import_sentence_transformers() -> Any:
    """The library, on first use.

    Raises:
        MissingLibrary: it is not installed.
    """
    try:
        import sentence_transformers
    except ImportError:
        raise MissingLibrary("sentence-transformers, which runs dense models,", install=DENSE_EXTRA) from None
    return sentence_transformers


@contextmanager
def _no_bars() -> Iterator[None]:
    """Without the bars that transformers draws, which would run into our own."""
    from transformers.utils import logging

    library: Any = logging
    shown = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            library.enable_progress_bar()
