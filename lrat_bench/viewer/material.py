"""What the task adds to trajectories: the wording of questions, what counts as evidence, titles and texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lrat_bench.errors import LratBenchError, UsageError
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.scoring import find_task
from lrat_bench.task.corpus import Document
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.question import Question
from lrat_bench.task.task import Task
from lrat_bench.task.tokenizer import Tokenizer, load_tokenizer

__all__ = ["LONGEST_TEXT", "Cuts", "Material", "Shown"]

LONGEST_TEXT = 200_000
"""Characters of one document that a page holds at most."""

_FRONT_MATTER = re.compile(r"---\n(?:(?!title:)[^\n]*\n){0,8}title:[ \t]*([^\n]{1,300})\n")
"""Pages of BrowseComp-Plus's corpus have no title beside the text; their text begins with one."""

_BEGINNING = 80
"""Characters of a text that stand for a title."""

_TITLES = 200_000
"""Titles kept in memory: the same documents are hit again and again."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How much of a document's text the agents of one protocol were shown, in characters; None is all of it.

    Attributes:
        snippet: in a result list.
        document: when they read it.
    """

    snippet: int | None
    document: int | None


@dataclass(frozen=True)
class Cuts:
    """Where the documents of one protocol are cut.

    Attributes:
        rollout: says how long.
        tokenizer: counts; None where it is not at hand.
    """

    rollout: Rollout
    tokenizer: Tokenizer | None

    @classmethod
    def of(cls, rollout: Rollout) -> Cuts:
        """The cuts of a protocol."""
        try:
            return cls(rollout, load_tokenizer(rollout.snippet_tokenizer))
        except LratBenchError:
            return cls(rollout, None)

    def shown(self, document: Document) -> Shown | None:
        """How much of a document was shown; None where the tokenizer is not at hand to say."""
        if self.tokenizer is None:
            return None
        contents = document.contents
        before = len(contents) - len(document.text)
        cap = self.rollout.document_tokens

        def within(end: int | None) -> int | None:
            return None if end is None else max(0, end - before)

        return Shown(
            within(self.tokenizer.end(contents, self.rollout.snippet_tokens)),
            None if cap is None else within(self.tokenizer.end(contents, cap)),
        )


class Material:
    """A task, or the reason why there is none.

    Args:
        task: None where it is not at hand.
        missing: why it is not, for people; None where it is.
    """

    def __init__(self, task: Task | None, missing: str | None = None) -> None:
        self.task = task
        self.missing = missing
        self._questions = {} if task is None else {question.qid: question for question in task.questions}
        self.title = lru_cache(_TITLES)(self._title)

    @classmethod
    def find(cls, manifest: Manifest, *, task: str | None, texts: bool, progress: Progress = no_progress) -> Material:
        """The task of a run, where it is at hand.

        Args:
            manifest: of the run.
            task: where it lies now; it must be there then.
            texts: whether it is wanted at all.
            progress: told how preparing it goes.

        Raises:
            UsageError: it was named and is not there, or is another one.
        """
        if not texts:
            return cls(None, "texts were left out (--no-texts)")
        try:
            return cls(find_task(manifest, task=task, progress=progress))
        except UsageError as error:
            if task is not None:
                raise
            return cls(None, str(error))

    def question(self, qid: str) -> Question | None:
        """The question of an id."""
        return self._questions.get(qid)

    def relevant(self, qid: str) -> tuple[Sequence[str] | None, Sequence[str] | None]:
        """Evidence and gold of a question, sorted; None where the task cannot say."""
        if self.task is None:
            return None, None
        judged = (self.task.evidence, self.task.gold)
        evidence, gold = (None if qrels is None else sorted(qrels.get(qid, ())) for qrels in judged)
        return evidence, gold

    def document(self, docid: str) -> Document | None:
        """A document; None where the corpus has none of that id, or is not at hand."""
        return None if self.task is None else self.task.corpus.get(docid)

    def _title(self, docid: str) -> str | None:
        """Title of a document, else what its text says it is, else how it begins; None where there is none."""
        found = self.document(docid)
        if found is None or found.title:
            return None if found is None else found.title
        said = _FRONT_MATTER.match(found.text)
        if said:
            return said.group(1).strip().strip("\"'")
        begins = " ".join(found.text[: 2 * _BEGINNING].split())
        return begins if len(begins) <= _BEGINNING else f"{begins[:_BEGINNING].rsplit(' ', 1)[0]} …"
