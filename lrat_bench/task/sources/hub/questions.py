"""The questions of a benchmark, with their judgements, written as files of a task folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lrat_bench.errors import DataError
from lrat_bench.files import encodable, write_atomic
from lrat_bench.guard import Guard
from lrat_bench.task.hub_card import HubCard, JudgementsPart, Part, QuestionsPart
from lrat_bench.task.jsonl import Line
from lrat_bench.task.question import same_wording
from lrat_bench.task.sources.hub.fields import text_at, texts_at
from lrat_bench.task.sources.hub.rows import read_rows

__all__ = ["Asked", "overlap", "read_asked", "write_asked"]

Locate = Callable[[str, Part], list[Path]]
"""The files of a part, by its name."""


@dataclass(frozen=True, slots=True)
class _Question:
    qid: str
    text: str
    answers: tuple[str, ...]
    split: str


@dataclass
class Asked:
    """What is asked, and what is relevant to it.

    Attributes:
        questions: in order.
        evidence: qid → docids that support the answer; None where the benchmark does not say.
        gold: qid → docids that state the answer; None where it does not say.
        files: that the questions were read from.
    """

    questions: list[_Question] = field(default_factory=list)
    evidence: dict[str, list[str]] | None = None
    gold: dict[str, list[str]] | None = None
    files: list[Path] = field(default_factory=list)


def read_asked(card: HubCard, locate: Locate, *, guard: Guard | None) -> Asked:
    """Read the questions of every split.

    Args:
        card: where they are.
        locate: finds the files of a part.
        guard: of the benchmark, where its texts are encrypted.

    Raises:
        DataError: a row lacks a field, cannot be decrypted, or occurs twice; or gold is not among the evidence.
    """
    asked = Asked(
        evidence=None if card.evidence is None else _judged(card.evidence, "evidence", locate),
        gold=None if card.gold is None else _judged(card.gold, "gold", locate),
    )
    seen: dict[str, str] = {}
    for split, part in card.questions.items():
        files = locate("questions", part)
        asked.files += files
        for row in _rows(card, part, files, guard):
            if part.judged and not (asked.evidence or {}).get(row.question.qid):
                continue
            question = row.question
            if question.qid in seen:
                raise DataError(f"question {question.qid!r} occurs twice", file=row.file)
            seen[question.qid] = split
            asked.questions.append(_Question(question.qid, question.text, question.answers, split))
            for judged, docids in ((asked.evidence, row.evidence), (asked.gold, row.gold)):
                if judged is not None and docids:
                    judged[question.qid] = docids
    for judged in filter(None, (asked.evidence, asked.gold)):
        for qid in judged.keys() - seen.keys():  # of other splits
            del judged[qid]
    if asked.gold is not None and asked.evidence is not None:
        _check_gold(asked.gold, asked.evidence, asked.files)
    return asked


def write_asked(asked: Asked, folder: Path, *, guard: Guard | None) -> None:
    """Write `questions.jsonl`, guarded where the benchmark is, and the qrels."""
    encode = (lambda line: line) if guard is None else guard.encode
    lines = []
    for one in asked.questions:
        record = {"qid": one.qid, "question": one.text, "answers": list(one.answers) or None, "split": one.split}
        lines.append(encode(json.dumps(record, ensure_ascii=False)))
    write_atomic(folder / "questions.jsonl", "".join(f"{line}\n" for line in lines))
    for name, judged in (("qrels.trec", asked.evidence), ("qrels.gold.trec", asked.gold)):
        if judged:
            found = (f"{qid} 0 {docid} 1\n" for qid, docids in judged.items() for docid in docids)
            write_atomic(folder / name, "".join(found))


def _check_gold(gold: Mapping[str, list[str]], evidence: Mapping[str, list[str]], files: list[Path]) -> None:
    """What states the answer supports it."""
    for qid, docids in gold.items():
        if alone := sorted(set(docids) - set(evidence.get(qid, ()))):
            raise DataError(
                f"question {qid!r}: gold document {alone[0]!r} is not among its evidence: the copy is damaged, or of "
                "another version",
                file=files[0].parent,
            )


@dataclass(frozen=True, slots=True)
class _Row:
    question: _Question
    evidence: list[str]
    gold: list[str]
    file: Path


def _rows(card: HubCard, part: QuestionsPart, files: list[Path], guard: Guard | None) -> list[_Row]:
    key = guard if part.encrypted else None
    judged = {
        name: found.of_questions
        for name, found in (("evidence", card.evidence), ("gold", card.gold))
        if found is not None and found.of_questions is not None
    }
    template = "{row}" in part.qid
    fields = [part.question, *filter(None, (part.answers, None if template else part.qid)), *judged.values()]
    rows: list[_Row] = []
    for file in files:
        for number, row in enumerate(read_rows(file, fields=fields, columns=part.columns), 1):
            if part.first is not None and len(rows) >= part.first:
                return rows
            try:
                qid = part.qid.replace("{row}", str(len(rows))) if template else text_at(row, part.qid)
                text = text_at(row, part.question, guard=key)
                answers = tuple(dict.fromkeys(texts_at(row, part.answers, guard=key))) if part.answers else ()
                docids = {name: list(dict.fromkeys(texts_at(row, path, guard=key))) for name, path in judged.items()}
            except ValueError:
                raise DataError(
                    f"row {number}: a text is not encrypted under the canary of this benchmark, so it is another "
                    "version, or no copy of it",
                    file=file,
                ) from None
            for name, path, value in (("id", part.qid, qid), ("question", part.question, text)):
                if not value or not value.strip():
                    raise DataError(f"row {number} has no {name} in {path!r}", file=file)
            if part.answers and not any(answer.strip() for answer in answers):
                raise DataError(f"row {number} has no answer in {part.answers!r}", file=file)
            kept = tuple(answer for answer in answers if answer.strip())
            qid = _identifier(str(qid), part.qid, file, number)
            for name, path in judged.items():
                docids[name] = [_identifier(docid, path, file, number) for docid in docids[name]]
            question = _Question(qid, encodable(str(text)), tuple(map(encodable, kept)), "")
            rows.append(_Row(question, docids.get("evidence", []), docids.get("gold", []), file))
    return rows


def _judged(part: JudgementsPart, name: str, locate: Locate) -> dict[str, list[str]]:
    """Judgements in rows of their own; those that questions carry come with them."""
    found: dict[str, list[str]] = {}
    if part.rows is None:
        return found
    fields = (part.qid, part.docid, part.relevance)
    for file in locate(name, part.rows):
        for number, row in enumerate(read_rows(file, fields=fields, columns=part.rows.columns), 1):
            qid, docid, relevance = (text_at(row, path) for path in fields)
            if qid is None or docid is None:
                raise DataError(f"row {number} has no {part.qid!r} or no {part.docid!r}", file=file)
            if relevance is None or _grade(relevance, file, number) > 0:
                qid = _identifier(qid, part.qid, file, number)
                found.setdefault(qid, []).append(_identifier(docid, part.docid, file, number))
    return found


def _identifier(given: str, field: str, file: Path, number: int) -> str:
    """An id as task folders hold it: without spaces, since TREC files are split at them."""
    return Line(file, number, {field: encodable(given)}).identifier(field)


def _grade(relevance: str, file: Path, number: int) -> float:
    try:
        return float(relevance)
    except ValueError:
        raise DataError(f"row {number} has the relevance {relevance!r}, which is no number", file=file) from None


def overlap(mine: Mapping[str, str], others: Mapping[str, str]) -> list[tuple[str, str]]:
    """Ids of questions that two sets share, by their texts, case and punctuation aside.

    Args:
        mine: id → text.
        others: id → text.
    """
    known = {same_wording(text): qid for qid, text in others.items()}
    return [(qid, known[same]) for qid, text in mine.items() if (same := same_wording(text)) in known]
