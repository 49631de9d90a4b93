"""Relevance judgements in TREC's format: `qid iteration docid relevance`, one judgement a line."""

from __future__ import annotations

from pathlib import Path

from lrat_bench.errors import DataError
from lrat_bench.task.jsonl import decode, open_lines
from lrat_bench.task.question import Qrels

__all__ = ["read_qrels"]


def read_qrels(file: Path) -> Qrels:
    """The relevant documents of each question (relevance above 0; grades are not told apart).

    The second column is not read. Blank lines are ignored, repeated lines count once. A question whose documents are
    all judged not relevant is absent, as one that is not judged.

    Raises:
        DataError: a line has not four columns, its relevance is not an integer, or it contradicts an earlier line;
            or the file holds no judgement.
    """
    judged: dict[tuple[str, str], bool] = {}
    with open_lines(file) as stream:
        for number, raw in enumerate(stream, 1):
            columns = decode(raw, file, number).split()
            if not columns:
                continue
            if len(columns) != 4:
                problem = f"{len(columns)} columns instead of the four of TREC qrels: qid 0 docid relevance"
                raise DataError(problem, file=file, line=number)
            qid, _, docid, relevance = columns
            try:
                relevant = int(relevance) > 0
            except ValueError:
                raise DataError(f"relevance {relevance!r} is not an integer", file=file, line=number) from None
            if judged.setdefault((qid, docid), relevant) != relevant:
                problem = f"document {docid!r} is judged both relevant and not relevant for question {qid!r}"
                raise DataError(problem, file=file, line=number)
    if not judged:
        raise DataError("holds no judgement: remove the file where there are none", file=file)
    relevant_docids: dict[str, set[str]] = {}
    for (qid, docid), relevant in judged.items():
        if relevant:
            relevant_docids.setdefault(qid, set()).add(docid)
    return {qid: frozenset(docids) for qid, docids in relevant_docids.items()}
