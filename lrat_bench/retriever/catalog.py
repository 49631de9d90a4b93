"""The retrievers there are, and how one is made from what a user types."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from lrat_bench.errors import UnknownName, UsageError, foreign
from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.registry import Entry, Registry, load_object
from lrat_bench.retriever.base import BuildContext, Ranked, Retriever, SearchContext
from lrat_bench.retriever.settings import refuse_unknown_settings

__all__ = ["RETRIEVERS", "load_retriever"]

RETRIEVERS = Registry(
    "retriever",
    {
        "bm25": Entry("lrat_bench.retriever.bm25:make_bm25", "Lucene BM25; bm25:INDEX_DIR for an Anserini index"),
        "dense": Entry("lrat_bench.retriever.dense:make_dense", "dense:MODEL, a sentence-transformers model"),
        "http": Entry(
            "lrat_bench.retriever.remote:make_http", "http://HOST/…, a retriever that another process serves"
        ),
        "https": Entry("lrat_bench.retriever.remote:make_https", "https://HOST/…, the same, encrypted on the way"),
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

    Returns:
        the retriever; where one that is not built in has settings, they are added to its fingerprint.

    Raises:
        UnknownName: neither a registered name nor a module that can be found.
        UsageError: it cannot be made, what was made is no retriever, or it is set something and takes no settings.
    """
    name, colon, argument = spec.partition(":")
    built_in = name in RETRIEVERS and RETRIEVERS.entry(name).origin == "lrat-bench"
    if name in RETRIEVERS:
        found, given = RETRIEVERS.load(name), argument if colon else None
    elif colon and _is_module(name):
        found, given = load_object(spec), None
    else:
        hint = f"There is no module {name!r} either." if colon else "Or name your own as module:object."
        raise UnknownName("retriever", name, RETRIEVERS, hint=hint)
    if _is_retriever(found):
        refuse_unknown_settings(spec, context.settings, ())
        return _checked(spec, found)
    # Before the factory is called, which may take settings out as it reads them.
    configured, settings = bool(context.settings) and not built_in, _fingerprint_of(context.settings)
    made = _checked(spec, _call(spec, found, given, context))
    return _Configured(made, settings) if configured else made


class _Configured:
    """A retriever that is not built in, whose settings are added to its fingerprint: it need not know of them.

    Args:
        made: what searches; left as it is, since not every object can be written to.
        settings: their fingerprint; None where they have none.
    """

    def __init__(self, made: Retriever, settings: str | None) -> None:
        self._made = made
        self.name = made.name
        parts = [made.fingerprint, settings]
        self.fingerprint: str | None = None if None in parts else fingerprint(parts)

    def __getattr__(self, name: str) -> Any:
        """What it has beside (`describe`, `encode_shard`)."""
        return getattr(self._made, name)

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`."""
        self._made.prepare(progress)

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        return self._made.search(queries, k, contexts=contexts)

    def close(self) -> None:
        """As `Retriever.close`."""
        self._made.close()


def _fingerprint_of(settings: Mapping[str, Any]) -> str | None:
    """None where a value, given from Python, is nothing that JSON can hold."""
    try:
        return fingerprint(settings)
    except (TypeError, ValueError):
        return None


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
        if _takes(signature, argument, context):
            return factory(argument, context)
        refuse_unknown_settings(spec, context.settings, ())
        return factory()


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
