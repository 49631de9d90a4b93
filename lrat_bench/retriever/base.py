"""What a retriever is: queries in, ranked lists of document ids out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from lrat_bench.progress import Progress
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.task import Task

__all__ = ["BuildContext", "Ranked", "Retriever", "SearchContext"]


class Ranked(NamedTuple):
    """One document of a ranking and its score (higher is better; the scale is the retriever's own)."""

    docid: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchContext:
    """Who asks: the question and the documents its agent has already been shown.

    Only `oracle` may read it; a retriever under test that did would be measuring something else.
    """

    question_id: str
    seen: frozenset[str] = frozenset()


@runtime_checkable
class Retriever(Protocol):
    """Searches a corpus; called from several threads at once, and never forked.

    Attributes:
        name: as typed (`bm25`, `dense:PATH`).
        fingerprint: of weights and settings, never of built bytes or paths; None where it cannot be known
            (a remote service), which makes a run not rankable.
    """

    name: str
    fingerprint: str | None

    def prepare(self, progress: Progress) -> None:
        """Build or open what searching needs; called once before the first search. Building is shown to `progress`.

        Making the object itself is cheap, so that its name and fingerprint are known before anything is spent.

        Raises:
            UsageError: it cannot be built or opened; the message says how to mend it.
        """
        ...

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """The k best documents for each query.

        Args:
            queries: any text, of any length, in any language; an empty query finds nothing.
            k: how many documents at most, at least 1.
            contexts: one per query, where the caller knows them.

        Returns:
            one list per query, by falling score; equal scores by rising docid; no docid twice.
        """
        ...

    def close(self) -> None:
        """Let go of files and handles."""
        ...


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What a retriever's factory gets: `factory(argument, context) -> Retriever`.

    Attributes:
        task: whose corpus is searched; `oracle` reads its qrels, a retriever under test only `task.corpus`.
        settings: what `--set retriever.key=value` gave; a factory refuses keys that it does not know.
        cache: folder for indexes.
        passage_tokens: how much of a document a dense retriever encodes, where the protocol pins it.
    """

    task: Task
    settings: dict[str, Any]
    cache: Path
    passage_tokens: int | None = None

    @property
    def corpus(self) -> Corpus:
        """The corpus of the task."""
        return self.task.corpus
