"""The texts of documents, which trajectories do not hold, as the agents of a run were shown them."""

from __future__ import annotations

from lrat_bench.agent.reader import Reader
from lrat_bench.errors import RolloutFailure, UsageError
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task

__all__ = ["Texts"]


class Texts:
    """A `Look` into the corpus of a task.

    Args:
        task: at hand.
        rollout: says how snippets and documents are cut.
    """

    def __init__(self, task: Task, rollout: Rollout) -> None:
        self._corpus = task.corpus
        self._reader = Reader(task.corpus, rollout)

    def __call__(self, docid: str, whole: bool) -> tuple[str, str] | None:
        """Title and text; None of a document that the corpus lacks.

        Raises:
            UsageError: the corpus cannot be read.
        """
        try:
            text = self._reader.document(docid) if whole else self._reader.snippet(docid)
            found = None if text is None else self._corpus.get(docid)
        except (OSError, RolloutFailure) as error:
            raise UsageError(f"the corpus cannot be read: {error}") from error
        if text is None or found is None:
            return None
        return " ".join(found.title.split()) or text.partition("\n")[0], text
