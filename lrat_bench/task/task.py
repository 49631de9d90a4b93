"""A task: questions, their relevance judgements, a corpus, and the protocols it is run under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.files import fingerprint
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.protocol import Protocol
from lrat_bench.task.question import Qrels, Question, Role

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """Questions over a corpus. Knows nothing of agents, retrievers or scores.

    Attributes:
        name: as typed (`synth-wiki`), or the folder's name.
        domain: "ID" in-domain (what training data is drawn from), "OOD" out-of-domain, None where it is unknown.
        questions: all splits, in file order.
        corpus: the documents.
        splits: split name → role.
        default_split: the one run when none is named.
        protocols: by name; `default_protocol` is the one used when none is named.
        evidence: documents that support the answer; None where the task cannot say.
        gold: documents that state the answer; None where the task cannot say.
        source: what it was made from (generator and settings, file hashes), for the manifest.
        canary: of a guarded task: what is derived from its questions is kept under it (`lrat_bench.guard`); else None.
    """

    name: str
    domain: Literal["ID", "OOD"] | None
    questions: tuple[Question, ...]
    corpus: Corpus
    splits: Mapping[str, Role]
    default_split: str
    protocols: Mapping[str, Protocol]
    default_protocol: str
    evidence: Qrels | None
    gold: Qrels | None
    source: Mapping[str, object]
    canary: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what is asked: questions, splits and the corpus; names and paths do not enter."""
        return fingerprint(
            {
                "questions": [[q.qid, q.text, q.split] for q in self.questions],
                "splits": dict(self.splits),
                "corpus": self.corpus.fingerprint,
            }
        )

    @cached_property
    def judgements_fingerprint(self) -> str:
        """SHA-256 over what answers are measured by: accepted answers, evidence and gold."""
        return fingerprint(
            {
                "answers": {q.qid: list(q.answers) for q in self.questions},
                "evidence": _sorted(self.evidence),
                "gold": _sorted(self.gold),
            }
        )

    def select(self, split: str | None = None, limit: int | None = None) -> tuple[Question, ...]:
        """The questions of a split, in file order, the first `limit` of them.

        Raises:
            UnknownName: the task has no such split.
            UsageError: `limit` is not positive.
        """
        chosen = split or self.default_split
        if chosen not in self.splits:
            raise UnknownName(f"split of task {self.name!r}", chosen, self.splits)
        if limit is not None and limit < 1:
            raise UsageError(f"limit must be at least 1, got {limit}")
        return tuple(q for q in self.questions if q.split == chosen)[:limit]

    def protocol(self, name: str | None = None) -> Protocol:
        """The protocol `name`, or the default one.

        Raises:
            UnknownName: the task has no such protocol.
        """
        chosen = name or self.default_protocol
        if chosen not in self.protocols:
            raise UnknownName(f"protocol of task {self.name!r}", chosen, self.protocols)
        return self.protocols[chosen]

    def judgements(self, kind: Literal["evidence", "gold"]) -> Qrels | None:
        """The qrels of one kind."""
        return self.evidence if kind == "evidence" else self.gold


def _sorted(qrels: Qrels | None) -> dict[str, list[str]] | None:
    return None if qrels is None else {qid: sorted(docids) for qid, docids in qrels.items()}
