"""TREC runs: one ranking a question, `qid Q0 docid rank score tag` a line; one search step with its hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import NamedTuple

from lrat_bench.errors import UsageError
from lrat_bench.exchange.record import Imported
from lrat_bench.files import encodable
from lrat_bench.trajectory import Hit, Search, Trajectory

__all__ = ["is_trec", "ranking", "read_trec"]

_COLUMNS = 6


class _Line(NamedTuple):
    qid: str
    docid: str
    rank: int
    score: float
    tag: str
    number: int


def is_trec(line: str) -> bool:
    """Whether a line is one of a TREC run."""
    return _parsed(line, 0) is not None


def read_trec(lines: Iterable[str], place: str) -> Iterator[Imported | UsageError]:
    """The rankings of a run, one question at a time; of a line that is none, what is wrong.

    Documents come by falling score, equal ones by rank, each once. The query is the question itself, so it stands
    empty here until it is known which that is.

    Args:
        lines: of the file; those of one question stand together.
        place: of the file, for messages.
    """
    group: list[_Line] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parsed = _parsed(line, number)
        if parsed is None:
            yield UsageError(f"{place}:{number}: not a line of a TREC run: qid Q0 docid rank score tag")
            continue
        if group and parsed.qid != group[0].qid:
            yield _imported(group, place)
            group = []
        group.append(parsed)
    if group:
        yield _imported(group, place)


def ranking(trajectory: Trajectory) -> list[tuple[str, float]]:
    """The ranking that stands for a trajectory, as (docid, score) by falling score.

    That of its only search as the retriever gave it; of several, the documents that they showed, in order of
    appearance, each once. Where scores are not known or do not fall, places stand in for them.
    """
    searches = [step for step in trajectory.steps if isinstance(step, Search) and step.error is None]
    if len(searches) == 1:
        hits = sorted(searches[0].hits, key=lambda hit: hit.rank)
        scores = [hit.score for hit in hits if hit.score is not None]
        if len(scores) == len(hits) and scores == sorted(scores, reverse=True):
            return [(hit.docid, score) for hit, score in zip(hits, scores, strict=True)]
        docids = [hit.docid for hit in hits]
    else:
        docids = list(dict.fromkeys(hit.docid for search in searches for hit in search.hits if hit.shown))
    return [(docid, float(len(docids) - at)) for at, docid in enumerate(docids)]


def _parsed(line: str, number: int) -> _Line | None:
    parts = line.split()
    if len(parts) != _COLUMNS:
        return None
    qid, _, docid, rank, score, tag = parts
    try:
        value = float(score)
        return _Line(encodable(qid), encodable(docid), int(rank), value, tag, number) if isfinite(value) else None
    except ValueError:
        return None


def _imported(lines: list[_Line], place: str) -> Imported:
    best: dict[str, float] = {}
    for line in sorted(lines, key=lambda one: (-one.score, one.rank)):
        best.setdefault(line.docid, line.score)
    hits = tuple(Hit(docid=docid, score=score, rank=rank) for rank, (docid, score) in enumerate(best.items(), 1))
    trajectory = Trajectory(
        task="unknown",
        protocol="unknown",
        question_id=lines[0].qid,
        agent="none",
        retriever=encodable(lines[0].tag),
        origin="trec",
        status=None,
        steps=(Search(turn=None, call=0, query="", hits=hits),),
    )
    return Imported(f"{place}:{lines[0].number}", trajectory)
