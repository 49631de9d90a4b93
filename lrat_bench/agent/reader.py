"""What agents are shown of a corpus: snippets and documents, cut as the protocol says."""

from __future__ import annotations

from functools import lru_cache

from lrat_bench.errors import RolloutFailure
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.snippet import cut, snippet
from lrat_bench.task.tokenizer import load_tokenizer

__all__ = ["Reader"]

_REMEMBERED = 8192
"""Snippets kept in memory: agents of one run meet the same documents again and again."""


class Reader:
    """Reads and cuts; one serves all sessions of a run.

    Args:
        corpus: where the documents are.
        rollout: says by what tokenizer and how long.

    Raises:
        UsageError: the protocol's tokenizer cannot be had.
    """

    def __init__(self, corpus: Corpus, rollout: Rollout) -> None:
        self._corpus = corpus
        self._rollout = rollout
        self._tokenizer = load_tokenizer(rollout.snippet_tokenizer)
        self.snippet = lru_cache(_REMEMBERED)(self._snippet)

    def __contains__(self, docid: str) -> bool:
        return docid in self._corpus

    def document(self, docid: str) -> str | None:
        """A document, whole or cut; None where the corpus has none of that id.

        Raises:
            RolloutFailure: it cannot be read.
        """
        text = self._contents(docid)
        return None if text is None else cut(text, self._rollout.document_tokens, self._tokenizer)

    def _snippet(self, docid: str) -> str | None:
        """The beginning of a document; otherwise as `document`."""
        text = self._contents(docid)
        return None if text is None else snippet(text, self._rollout.snippet_tokens, self._tokenizer)

    def _contents(self, docid: str) -> str | None:
        try:
            found = self._corpus.get(docid)
        except OSError as error:
            raise RolloutFailure(f"corpus: cannot read document {docid!r}: {error}") from error
        return None if found is None else found.contents
