"""What the cells of a sweep share: tasks, loaded once, and retrievers, made, opened and closed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder, canonical_json
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import BuildContext, Ranked, Retriever, SearchContext
from lrat_bench.retriever.catalog import load_retriever
from lrat_bench.runs.command import close
from lrat_bench.task.catalog import load_task
from lrat_bench.task.task import Task

__all__ = ["Shared", "Shelf"]


class Shared:
    """A retriever that several runs use one after the other: each prepares it, and the first one does.

    Where preparing it failed, it fails at once for the others: what takes an hour to fail is not tried six times.
    """

    def __init__(self, made: Retriever) -> None:
        self._made = made
        self.name = made.name
        self.fingerprint = made.fingerprint
        self._open = False
        self._closed = False
        self._failed: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        """What it has beside (`describe`)."""
        return getattr(self._made, name)

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`, once."""
        if self._failed is not None:
            raise self._failed
        if self._open:
            return
        try:
            self._made.prepare(progress)
        except Exception as error:
            self._failed = error
            raise
        self._open, self._closed = True, False

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        return self._made.search(queries, k, contexts=contexts)

    def close(self) -> None:
        """As `Retriever.close`, once; it can be prepared again."""
        if not self._closed:
            self._open, self._closed = False, True
            self._made.close()


@dataclass
class Shelf:
    """Tasks and retrievers of a sweep, by what they are made from.

    Attributes:
        progress: told how preparing tasks goes.
    """

    progress: Progress = no_progress
    _tasks: dict[str, Task | UsageError] = field(default_factory=dict)
    _retrievers: dict[str, Shared | UsageError] = field(default_factory=dict)

    def task(self, spec: str, settings: Mapping[str, Any]) -> Task:
        """The task that a user names; its default protocol is the one that is named with it.

        Raises:
            UsageError: there is none, or it refuses its settings; the same again when it is asked for again.
        """
        key = canonical_json([spec, dict(settings)])
        if key not in self._tasks:
            try:
                loaded, protocol = load_task(spec, settings=settings, progress=self.progress)
                self._tasks[key] = replace(loaded, default_protocol=protocol.name)
            except UsageError as error:
                self._tasks[key] = error
        return _given(self._tasks[key])

    def retriever(
        self, spec: str, settings: Mapping[str, Any], *, task: Task, passage_tokens: int | None
    ) -> tuple[str, Shared]:
        """The retriever that a user names over the corpus of a task, and a key that is its own.

        Raises:
            UsageError: there is none, or it refuses its settings; the same again when it is asked for again.
        """
        parts = (task.fingerprint, task.judgements_fingerprint, spec, dict(settings), passage_tokens)
        key = canonical_json(parts)
        if key not in self._retrievers:
            context = BuildContext(task, dict(settings), cache_folder(), passage_tokens=passage_tokens)
            try:
                self._retrievers[key] = Shared(load_retriever(spec, context))
            except UsageError as error:
                self._retrievers[key] = error
        return key, _given(self._retrievers[key])

    def close(self, key: str) -> None:
        """Close one retriever: no cell that is still to come uses it."""
        found = self._retrievers.get(key)
        if isinstance(found, Shared):
            close(found)

    def close_all(self) -> None:
        """Close every retriever."""
        for key in self._retrievers:
            self.close(key)


T = TypeVar("T")


def _given(found: T | UsageError) -> T:
    if isinstance(found, UsageError):
        raise found
    return found
