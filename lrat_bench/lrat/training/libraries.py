"""The libraries that training needs beside those of dense retrieval."""

from __future__ import annotations

from lrat_bench.errors import MissingLibrary

__all__ = ["require_libraries"]


def require_libraries() -> None:
    """See that they are there.

    Raises:
        MissingLibrary: the `train` extra is not installed.
    """
    try:
        import accelerate
        import datasets
        import sentence_transformers  # noqa: F401
    except ImportError as error:
        raise MissingLibrary(error.name or "sentence-transformers", install='"lrat-bench[train]"') from None
    del accelerate, datasets
