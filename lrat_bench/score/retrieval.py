"""Retrieval alone: queries are searched, and their rankings scored against what is judged of their questions.

No agent and no language model takes part. The conventions are those of `trec_eval -c`: every judged query counts, and
one that finds nothing counts 0. It is the protocol of BrowseComp-Plus for retrievers (Chen et al. 2025, Section 4;
`-m ndcg_cut.10 -m recall.5,100,1000`), on evidence and on gold documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import RolloutFailure, UsageError, foreign
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import Ranked, Retriever, SearchContext
from lrat_bench.retriever.rankings import checked_rankings
from lrat_bench.score.measured import About, Measured
from lrat_bench.score.metrics.ranking import ranking_measures
from lrat_bench.score.metrics.recall import recall
from lrat_bench.score.score import Metric
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.question import Qrels

__all__ = [
    "QUESTION_MEASURES",
    "REPLAY_MEASURES",
    "Asked",
    "Kind",
    "Query",
    "RetrievalScores",
    "Scored",
    "score_retrieval",
    "search_queries",
    "shallow",
    "summarise_retrieval",
    "union_recall",
]

Kind = Literal["evidence", "gold"]
"""Which judgements: documents that support the answer, or documents that state it."""

QUESTION_MEASURES = ("nDCG@10", "R@5", "R@100", "R@1000", "RR@10")
"""For questions as queries."""

REPLAY_MEASURES = ("nDCG@10", "R@5", "R@10", "RR@10", "Success@10")
"""For queries that agents issued, who see a short list."""

_BATCH = 64
_CHECKED = 10
"""Queries that are searched together, and documents of a ranking that are looked for in the corpus."""

_SAID = {
    "nDCG": ("nDCG", "Normalised discounted cumulative gain of the first {k} documents, {kind} as relevant"),
    "R": ("share", "Share of the question's {kind} documents among the first {k}"),
    "RR": ("reciprocal rank", "1 / rank of the first {kind} document, 0 where none is among the first {k}"),
    "Success": ("share", "Share of queries with at least one {kind} document among the first {k}"),
    "union_R": (
        "share",
        "Share of the question's {kind} documents in the lists of a trajectory, cut at its run's k (at most {k})",
    ),
}


class Query(NamedTuple):
    """One query, and the question whose judgements count for it."""

    qid: str
    text: str
    question_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The queries of one trajectory.

    Attributes:
        name: of the trajectory.
        question_id: what it was about.
        queries: ids of its queries.
        k: documents that its run shows per list.
    """

    name: str
    question_id: str
    queries: tuple[str, ...]
    k: int


@dataclass(frozen=True)
class Scored:
    """What rankings are worth.

    Attributes:
        measured: a row per query; columns are named KIND_MEASURE, as `evidence_nDCG@10`.
        found: query id → the judged documents in its ranking, and the rank of each, from 1.
    """

    measured: Measured
    found: Mapping[str, Mapping[str, int]] = field(repr=False)


class RetrievalScores(BaseModel):
    """The content of a retrieval's `metrics.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    schema_: Literal["lrat-bench/retrieval-metrics/1"] = Field(default="lrat-bench/retrieval-metrics/1", alias="schema")
    queries: int = Field(ge=0, description="how many were searched")
    questions: int = Field(ge=0, description="how many questions they belong to")
    k: int = Field(ge=1, description="documents that were asked for")
    left_out: tuple[str, ...] = Field(description="measures that look deeper than k")
    metrics: tuple[Metric, ...]

    def metric(self, name: str) -> Metric | None:
        """The metric of that name, where there is one."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def search_queries(
    retriever: Retriever,
    queries: Sequence[Query],
    k: int,
    *,
    corpus: Corpus | None = None,
    progress: Progress = no_progress,
) -> Iterator[tuple[Query, list[Ranked]]]:
    """The ranking of each query, in their order; searched in batches and held to the contract of a retriever.

    Args:
        retriever: prepared.
        queries: each with its question, which only `oracle` is to read.
        k: documents per query at most.
        corpus: where the documents of rankings must be; not looked at unless given.
        progress: told after each batch.

    Raises:
        UsageError: the retriever failed or broke its contract, or found what the corpus lacks.
    """
    progress("searching", 0, len(queries))
    for start in range(0, len(queries), _BATCH):
        batch = queries[start : start + _BATCH]
        texts = [query.text for query in batch]
        contexts = [SearchContext(query.question_id) for query in batch]
        try:
            with foreign(f"retriever {retriever.name!r} failed at a batch that starts with {texts[0][:80]!r}"):
                found = retriever.search(texts, k, contexts=contexts)
            rankings = checked_rankings(found, retriever=retriever.name, queries=texts, k=k)
        except RolloutFailure as failure:
            raise UsageError(str(failure)) from failure
        for query, ranking in zip(batch, rankings, strict=True):
            _require_known(ranking[:_CHECKED], corpus)
            yield query, ranking
        progress("searching", start + len(batch), len(queries))


def _require_known(ranking: Sequence[Ranked], corpus: Corpus | None) -> None:
    if corpus is not None and (unknown := [hit.docid for hit in ranking if hit.docid not in corpus]):
        raise UsageError(
            f"the retriever returned document {unknown[0]!r}, which the corpus lacks: its index was built from another "
            "corpus; build it again from this one"
        )


def shallow(measures: Sequence[str], k: int) -> tuple[str, ...]:
    """The measures that a ranking of k documents supports: those that look no deeper."""
    return tuple(name for name in measures if _depth(name) <= k)


def _depth(measure: str) -> int:
    return int(measure.rpartition("@")[2])


def score_retrieval(
    found: Iterable[tuple[Query, Sequence[str]]], *, judgements: Mapping[Kind, Qrels], measures: Sequence[str]
) -> Scored:
    """Score rankings, read as a stream, by the judgements of their questions.

    Args:
        found: queries with their rankings (docids, best first); an empty ranking scores 0.
        judgements: evidence, gold, or both; a query of a question without judgements of a kind has no value there.
        measures: names of `ir_measures` with a cut: `nDCG@10`, `R@5`.

    Raises:
        UsageError: a measure cannot be computed, or a ranking holds a document twice.
    """
    columns = tuple(f"{kind}_{name}" for kind in judgements for name in measures)
    queries: list[Query] = []
    values: list[list[float]] = []
    kept: dict[str, dict[str, int]] = {}
    coming = iter(found)
    while batch := list(islice(coming, _BATCH)):
        by_column: dict[str, Mapping[str, float]] = {}
        for kind, qrels in judgements.items():
            judged = {query.qid: qrels.get(query.question_id, frozenset()) for query, _ in batch}
            rankings = {query.qid: ranking for query, ranking in batch}
            scores = ranking_measures(rankings, judged, measures)
            by_column |= {f"{kind}_{name}": one.by_query for name, one in zip(measures, scores, strict=True)}
        for query, ranking in batch:
            queries.append(query)
            values.append([by_column[name].get(query.qid, np.nan) for name in columns])
            relevant = frozenset[str]().union(*(qrels.get(query.question_id, ()) for qrels in judgements.values()))
            kept[query.qid] = {docid: rank for rank, docid in enumerate(ranking, 1) if docid in relevant}
    array = np.array(values, dtype=np.float64).reshape(len(queries), len(columns))
    ids = tuple(query.qid for query in queries)
    return Scored(Measured(ids, tuple(query.question_id for query in queries), columns, array), kept)


def union_recall(scored: Scored, asked: Sequence[Asked], *, judgements: Mapping[Kind, Qrels], k: int) -> Measured:
    """What share of the judged documents the queries of a trajectory find together: what its agent would see.

    An agent sees as much of a list as its run shows, so a ranking is cut where that is less than was searched.

    Args:
        scored: the queries' rankings of k documents.
        asked: which trajectory issued which queries; one without any finds nothing.
        judgements: as in `score_retrieval`.
        k: the cut of the rankings.

    Returns:
        a row per trajectory; columns are named KIND_union_R@k, with the deepest cut of any.
    """
    cuts = [min(k, one.k) for one in asked]
    array = np.full((len(asked), len(judgements)), np.nan)
    for row, (one, cut) in enumerate(zip(asked, cuts, strict=True)):
        together = {docid for qid in one.queries for docid, rank in scored.found[qid].items() if rank <= cut}
        for column, qrels in enumerate(judgements.values()):
            share = recall(together, qrels.get(one.question_id))
            array[row, column] = np.nan if share is None else share
    names = tuple(f"{kind}_union_R@{max(cuts, default=k)}" for kind in judgements)
    return Measured(tuple(one.name for one in asked), tuple(one.question_id for one in asked), names, array)


def summarise_retrieval(
    tables: Sequence[Measured], *, k: int, left_out: Sequence[str] = (), seed: int = 0
) -> RetrievalScores:
    """Means with 95 % intervals over questions.

    Args:
        tables: of the queries, and of the trajectories where queries are replayed.
        k: documents that were asked for.
        left_out: measures that look deeper.
        seed: of the bootstrap.
    """
    about = {name: _about(name) for table in tables for name in table.measures}
    metrics = [metric for table in tables for metric in table.means(about, seed=seed)]
    kinds = list(dict.fromkeys(metric.name.partition("_")[0] for metric in metrics))
    return RetrievalScores(
        queries=len(tables[0].ids),
        questions=len(set(tables[0].questions)),
        k=k,
        left_out=tuple(left_out),
        metrics=tuple(sorted(metrics, key=lambda metric: kinds.index(metric.name.partition("_")[0]))),
    )


def _about(name: str) -> About:
    read = re.fullmatch(r"(evidence|gold)_(\w+)@(\d+)", name)
    assert read is not None
    kind, measure, cut = read.groups()
    unit, words = _SAID[measure]
    said = words.format(k=cut, kind=kind)
    of = "trajectories" if measure == "union_R" else "queries"
    return About(name, f"{said}, over all {of} of questions with {kind}.", unit)
