"""The intake: records go into a run folder one by one, and what is odd about them is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.exchange.asked import Asked
from lrat_bench.exchange.record import NOT_CARRIED_OUT, Imported, brief, docids_of
from lrat_bench.runs.store import RecordStore
from lrat_bench.trajectory import UNLISTED, Search, Trajectory

__all__ = ["UNKNOWN", "ImportReport", "Intake"]

UNKNOWN = "unknown"
"""What a part is called that nobody has named."""

_SHOWN = 5
"""How many ids a message names."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        path: the run folder.
        imported: records in it.
        questions: of the split: the denominator, times repeats.
        repeats: of the question that was answered most often.
        formats: of the records, each with how many.
        unreadable: records that could not be read; each was said.
        unknown: records left out because the task does not have their question.
        disputed: records whose own counts or docids differ from their steps, which count.
        unlisted: records that show documents without naming them, or by other names than the corpus has, so that
            recall is not known of them.
        foreign: records that show documents that the corpus does not have, among others or alone.
        reworded: records whose text of the question is another one than the task's.
        not_carried_out: queries that were asked in a list of which the client carried out the first alone.
    """

    path: Path
    imported: int
    questions: int
    repeats: int
    formats: dict[str, int]
    unreadable: int
    unknown: int
    disputed: int
    unlisted: int
    foreign: int
    reworded: int
    not_carried_out: int


@dataclass
class Intake:
    """Takes records in, one after the other; remembers ids, and nothing else of them."""

    asked: Asked
    named: tuple[str | None, str | None]
    repeats: bool
    on_problem: Callable[[str], None]
    counted: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    twice: list[tuple[str, str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    agents: dict[str, str] = field(default_factory=dict)
    retrievers: dict[str, str] = field(default_factory=dict)

    def take(self, found: Imported | UsageError, store: RecordStore[Trajectory], protocol: str) -> None:
        """Write a record, or note what is wrong with it."""
        if isinstance(found, UsageError):
            self.counted["unreadable"] += 1
            self.on_problem(str(found))
            return
        question = self.asked.find(found)
        if question is None:
            self.counted["unknown"] += 1
            if len(self.unknown) < _SHOWN:
                self.unknown.append(brief(found.trajectory.question_id) or f"(none: {found.place})")
            return
        before = self.places.setdefault(question.qid, [])
        if before and not self.repeats:
            self.twice.append((question.qid, before[0], found.place))
            return
        before.append(found.place)
        record = self._named(found.trajectory)
        agent = self.named[0] or record.agent
        retriever = self.named[1] or record.retriever
        self.agents.setdefault(agent, found.place)
        self.retrievers.setdefault(retriever, found.place)
        self._count(found, record, asked=question.text)
        steps = [
            step.model_copy(update={"query": question.text}) if isinstance(step, Search) and not step.query else step
            for step in record.steps
        ]
        update = {
            "task": self.asked.task.name,
            "protocol": protocol,
            "question_id": question.qid,
            "repeat": len(before) - 1,
            "agent": agent,
            "retriever": f"unknown:{retriever}",
            "steps": tuple(steps),
        }
        store.append(record.model_copy(update=update).to_json())

    def _named(self, record: Trajectory) -> Trajectory:
        """The record, marked where the corpus has none of the documents that it shows: they go by other names."""
        searched, read = docids_of(record)
        there = [docid in self.asked.task.corpus for docid in searched | read]
        self.counted["foreign"] += not all(there)
        if any(there) or not there or not record.names_documents:
            return record
        return record.model_copy(update={"origin": f"{record.origin or UNKNOWN}{UNLISTED}"})

    def _count(self, found: Imported, record: Trajectory, *, asked: str) -> None:
        self.counted["imported"] += 1
        self.formats[(record.origin or UNKNOWN).removesuffix(UNLISTED)] += 1
        self.counted["disputed"] += not found.claims.hold(record)
        self.counted["unlisted"] += not record.names_documents
        self.counted["reworded"] += found.question is not None and not self.asked.same(found.question, asked)
        self.counted["not_carried_out"] += sum(
            isinstance(step, Search) and step.error == NOT_CARRIED_OUT for step in record.steps
        )

    def refuse_what_does_not_fit(self, *, skip_unknown: bool) -> None:
        """See that what was taken in is one run.

        Raises:
            UsageError: it is not, or is nothing.
        """
        if self.unknown and not skip_unknown:
            raise UsageError(
                f"{self.counted['unknown']} records are of questions that {self.asked.what} does not have "
                f"({', '.join(map(repr, self.unknown))}{', …' if self.counted['unknown'] > _SHOWN else ''}): "
                f"{self.asked.mend}, or leave them out with --skip-unknown"
            )
        if self.twice:
            qid, first, second = self.twice[0]
            more = f", and {len(self.twice) - 1} more such" if len(self.twice) > 1 else ""
            raise UsageError(
                f"question {qid!r} has two records, {first} and {second}{more}: give one of them, or --repeats to take "
                "them for repeats in this order"
            )
        if not self.counted["imported"]:
            raise UsageError(
                f"nothing could be imported: {self.counted['unreadable']} unreadable, {self.counted['unknown']} of "
                "unknown questions"
            )
        for kind, found in (("agent", self.agents), ("retriever", self.retrievers)):
            if len(found) > 1:
                (one, there), (other, elsewhere) = list(found.items())[:2]
                raise UsageError(
                    f"the records are of {len(found)} {kind}s, as {brief(one)!r} ({there}) and {brief(other)!r} "
                    f"({elsewhere}): a run has one; import them apart, or name it with --{kind}"
                )

    def report(self, path: Path, questions: int) -> ImportReport:
        """What was done."""
        return ImportReport(
            path=path,
            questions=questions,
            repeats=self.most,
            formats=dict(self.formats),
            **{
                name: self.counted[name]
                for name in (
                    "imported", "unreadable", "unknown", "disputed", "unlisted", "foreign", "reworded",
                    "not_carried_out",
                )
            },
        )  # fmt: skip

    @property
    def most(self) -> int:
        """Repeats of the question that has most."""
        return max(map(len, self.places.values()))
