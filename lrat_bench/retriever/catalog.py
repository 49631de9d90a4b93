"""The retrievers there are, and how one is made from what a user types."""

from __future__ import annotations

import inspect
import sys
from importlib.util import find_spec
from typing import Any

from lrat_bench.errors import UnknownName, UsageError, foreign
from lrat_bench.registry import Entry, Registry, load_object
from lrat_bench.retriever.base import BuildContext, Retriever

__all__ = ["RETRIEVERS", "load_retriever"]

RETRIEVERS = Registry(
    "retriever",
    {
        "bm25": Entry("lrat_bench.retriever.bm25:make_bm25", "Lucene BM25; bm25:INDEX_DIR for an Anserini index"),
        "dense": Entry("lrat_bench.retriever.dense:make_dense", "dense:MODEL, a sentence-transformers model"),
        "none": Entry("lrat_bench.retriever.none:make_none", "finds nothing: the closed-book floor"),
        "oracle": Entry("lrat_bench.retriever.oracle:make_oracle", "evidence first: the ceiling of a task"),
        "rerank": Entry("lrat_bench.retriever.rerank:make_rerank", "rerank:MODEL@A, a cross-encoder over what A finds"),
        "rrf": Entry("lrat_bench.retriever.fusion:make_rrf", "rrf:A+B, reciprocal rank fusion of retrievers"),
    },
    group="lrat_bench.retrievers",
)
"""Name → a factory `(argument, context) -> Retriever`; `argument` is the text after the colon, or None."""


def load_retriever(spec: str, context: BuildContext) -> Retriever:
    """Make the retriever that `spec` names.

    Args:
        spec: `name`, `name:argument`, or `module:object`, where the object is a factory, a class that is made with
            (argument, context) or with nothing, or a retriever itself.
        context: what it may use.

    Raises:
        UnknownName: neither a registered name nor a module that can be found.
        UsageError: it cannot be made, or what was made is no retriever.
    """
    name, colon, argument = spec.partition(":")
    if name in RETRIEVERS:
        found, given = RETRIEVERS.load(name), argument if colon else None
    elif colon and _is_module(name):
        found, given = load_object(spec), None
    else:
        hint = f"There is no module {name!r} either." if colon else "Or name your own as module:object."
        raise UnknownName("retriever", name, RETRIEVERS, hint=hint)
    return _checked(spec, found if _is_retriever(found) else _call(spec, found, given, context))


def _call(spec: str, factory: Any, argument: str | None, context: BuildContext) -> Any:
    if not callable(factory):
        raise UsageError(f"retriever {spec!r} is {type(factory).__name__!r}, neither a retriever nor a factory of one")
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError) as error:
        raise UsageError(f"retriever {spec!r} cannot be called as a factory: {error}") from error
    if not (_takes(signature, argument, context) or _takes(signature)):
        raise UsageError(f"retriever {spec!r} takes {signature}: a factory takes (argument, context)")
    with foreign(f"retriever {spec!r} cannot be made"):
        return factory(argument, context) if _takes(signature, argument, context) else factory()


def _takes(signature: inspect.Signature, *arguments: object) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _missing(found: object) -> list[str]:
    attributes = [name for name in ("name", "fingerprint") if not hasattr(found, name)]
    return attributes + [
        f"{name}()" for name in ("prepare", "search", "close") if not callable(getattr(found, name, None))
    ]


def _is_retriever(found: object) -> bool:
    return not isinstance(found, type) and not _missing(found)


def _checked(spec: str, made: Any) -> Retriever:
    if missing := _missing(made):
        raise UsageError(
            f"retriever {spec!r} made {type(made).__name__!r}, which is no retriever: it lacks {', '.join(missing)}"
        )
    if not (isinstance(made.name, str) and isinstance(made.fingerprint, str | None)):
        raise UsageError(f"retriever {spec!r}: its name must be a text, and its fingerprint a text or None")
    retriever: Retriever = made
    return retriever


def _is_module(name: str) -> bool:
    # Looking for the top package runs none of its code; what is wrong below it, `load_object` says.
    top = name.partition(".")[0]
    return bool(top) and (top in sys.modules or find_spec(top) is not None)
