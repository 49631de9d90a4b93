"""Contamination: what training pairs share with the questions that a retriever is to be evaluated on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.task.question import Question, same_wording
from lrat_bench.task.task import Task

__all__ = ["Contamination", "Shared", "scan"]

_SHINGLE = 8
"""Words in a row that two texts must share to count as near: chance does not make so many."""
_KINDS = ("question_id", "query", "near", "evidence")
_EXAMPLES = 5  # of each kind


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shared(_Record):
    """One pair and one question of the evaluation that it shares something with."""

    how: str = Field(description="question_id, query (the same text), near (words in a row), evidence (the positive)")
    question_id: str = Field(description="of the evaluation")
    run: str = Field(description="of the pair")
    pair_question_id: str
    step: int = Field(description="of the pair's browse")


class Contamination(_Record):
    """What a scan has found."""

    task: str
    split: str
    pairs: int = Field(ge=0, description="read: kept, rejected and undecided")
    same_task: bool = Field(description="whether pairs were mined on this very task, so that ids can be compared")
    question_ids: int = Field(ge=0, description="questions of the evaluation that pairs were mined on")
    queries: int = Field(ge=0, description="questions whose text a pair has for a query, case and punctuation aside")
    near: int = Field(ge=0, description=f"questions that share {_SHINGLE} words in a row with a query")
    evidence: int = Field(ge=0, description="questions of which an evidence document is the positive of a pair")
    evidence_pairs: int = Field(ge=0, description="pairs with such a positive")
    same_corpus: bool = Field(description="whether the documents are of the task's corpus, so that ids count")
    examples: tuple[Shared, ...] = Field(description="the first questions of each kind, with the first pair")

    @property
    def clean(self) -> bool:
        """Whether no question is shared, in any wording; evidence is shared wherever the corpus is."""
        return not (self.question_ids or self.queries or self.near)


@dataclass
class _Scan:
    """One pass over pairs."""

    questions: Sequence[Question]
    evidence: dict[str, set[str]]
    by_id: bool
    found: dict[str, set[str]] = field(default_factory=lambda: {how: set() for how in _KINDS})
    examples: dict[str, list[Shared]] = field(default_factory=lambda: {how: [] for how in _KINDS})
    pairs: int = 0
    evidence_pairs: int = 0

    def __post_init__(self) -> None:
        self.ids = {question.qid for question in self.questions}
        self.texts: dict[str, str] = {}
        self.shingles: dict[str, set[str]] = {}
        for question in self.questions:
            text = same_wording(question.text)
            self.texts[text] = question.qid
            for shingle in _shingles(text):
                self.shingles.setdefault(shingle, set()).add(question.qid)

    def read(self, pair: Pair) -> None:
        self.pairs += 1
        if self.by_id and pair.question_id in self.ids:
            self._note("question_id", pair.question_id, pair)
        query = same_wording(pair.query)
        if (qid := self.texts.get(query)) is not None:
            self._note("query", qid, pair)
        for qid in {qid for shingle in _shingles(query) for qid in self.shingles.get(shingle, ())}:
            self._note("near", qid, pair)
        if supported := self.evidence.get(pair.pos_id):
            self.evidence_pairs += 1
            for qid in sorted(supported):
                self._note("evidence", qid, pair)

    def _note(self, how: str, qid: str, pair: Pair) -> None:
        if qid in self.found[how]:
            return
        self.found[how].add(qid)
        if len(self.examples[how]) < _EXAMPLES:
            self.examples[how].append(
                Shared(how=how, question_id=qid, run=pair.run, pair_question_id=pair.question_id, step=pair.step)
            )


def scan(folders: Iterable[str | Path], task: Task, *, split: str | None = None) -> Contamination:
    """Look for questions of an evaluation in training pairs, by id, by text, and by their evidence.

    Pairs are read as a stream; the questions are held in memory. Ids are compared where the pairs were mined on the
    same questions, documents where they are of the same corpus: elsewhere equal ids mean nothing.

    Args:
        folders: of pairs.
        task: whose questions are evaluated on.
        split: of the task; its default one unless given.

    Raises:
        UsageError: a folder holds no pairs, or the task has no such split.
    """
    chosen = split or task.default_split
    questions = task.select(chosen)
    opened = [Pairs.open(folder) for folder in folders]
    same_corpus = all(pairs.manifest.corpus == task.corpus.fingerprint for pairs in opened)
    same_task = any(source.task == task.name for pairs in opened for source in pairs.manifest.sources)
    evidence: dict[str, set[str]] = {}
    if same_corpus:
        for question in questions:
            for docid in (task.evidence or {}).get(question.qid, ()):
                evidence.setdefault(docid, set()).add(question.qid)
    found = _Scan(questions, evidence, by_id=same_task)
    for pairs in opened:
        for read in (pairs.kept(), pairs.rejected(), pairs.undecided()):
            for pair in read:
                found.read(pair)
    return Contamination(
        task=task.name,
        split=chosen,
        pairs=found.pairs,
        same_task=same_task,
        question_ids=len(found.found["question_id"]),
        queries=len(found.found["query"]),
        near=len(found.found["near"]),
        evidence=len(found.found["evidence"]),
        evidence_pairs=found.evidence_pairs,
        same_corpus=same_corpus,
        examples=tuple(one for how in _KINDS for one in found.examples[how]),
    )


def _shingles(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[start : start + _SHINGLE]) for start in range(len(words) - _SHINGLE + 1)}
