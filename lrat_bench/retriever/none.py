"""`none`: offers the tools and finds nothing. The closed-book floor of a task."""

from __future__ import annotations

from collections.abc import Sequence

from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import BuildContext, Ranked, SearchContext
from lrat_bench.retriever.settings import refuse_argument, refuse_unknown_settings

__all__ = ["NoRetriever", "make_none"]


def make_none(argument: str | None, context: BuildContext) -> NoRetriever:
    """The factory of `none`.

    Raises:
        UsageError: it was given an argument or a setting; it has none.
    """
    refuse_argument("none", argument)
    refuse_unknown_settings("none", context.settings, ())
    return NoRetriever()


class NoRetriever:
    """Answers every query with an empty list."""

    name = "none"
    fingerprint: str | None = fingerprint({"retriever": "none"})

    def prepare(self, progress: Progress) -> None:
        """Nothing to build."""

    def search(
        self,
        queries: Sequence[str],
        k: int,  # noqa: ARG002
        *,
        contexts: Sequence[SearchContext] | None = None,  # noqa: ARG002
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        return [[] for _ in queries]

    def close(self) -> None:
        """Nothing to let go of."""
