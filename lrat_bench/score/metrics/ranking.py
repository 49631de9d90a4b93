"""Ranking measures, as trec_eval computes them, from explicit ranks.

The document at rank r of a list of K gets the score K − r + 1, whatever the retriever's own scores are. Those may tie
(already in single precision, in which trec_eval holds them), and the providers behind `ir_measures` break ties in
opposite ways: by falling docid in RR, by rising docid in RR@k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import fsum
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.score.metrics.measure import Measure, Observation
from lrat_bench.task.question import Qrels

__all__ = ["FIRST_QUERY_NDCG_10", "RankingScore", "ranking_measures"]


@dataclass(frozen=True, slots=True)
class RankingScore:
    """One ranking measure.

    Attributes:
        measure: its name as `ir_measures` writes it (`nDCG@10`).
        by_query: qid → value, for every judged query.
    """

    measure: str
    by_query: Mapping[str, float]

    @property
    def mean(self) -> float | None:
        """Mean over the judged queries; None where there are none."""
        return fsum(self.by_query.values()) / len(self.by_query) if self.by_query else None


def ranking_measures(
    rankings: Mapping[str, Sequence[str]], qrels: Qrels, measures: Sequence[str]
) -> tuple[RankingScore, ...]:
    """Score rankings against binary judgements.

    Args:
        rankings: qid → docids, best first, none twice.
        qrels: the judged queries; one without a ranking scores 0, one without a relevant document is left out, and
            rankings of other queries are ignored.
        measures: names of `ir_measures` (https://ir-measur.es): "nDCG@10", "R@100", "RR@10", "AP".

    Returns:
        one score per measure, in their order.

    Raises:
        UsageError: a measure is unknown or cannot be computed here, or a ranking holds a document twice.
    """
    import ir_measures

    parsed = [_parse(name) for name in measures]
    judged = {qid: dict.fromkeys(sorted(docids), 1) for qid, docids in qrels.items() if docids}
    run = {qid: _scores_from_ranks(qid, rankings[qid]) for qid in judged if rankings.get(qid)}
    values: dict[str, dict[str, float]] = {str(measure): dict.fromkeys(judged, 0.0) for measure in parsed}
    if run:
        try:
            for value in ir_measures.iter_calc(parsed, judged, run):
                values[str(value.measure)][value.query_id] = float(value.value)
        except ValueError as error:
            raise UsageError(f"cannot compute {list(measures)!r}: {error}") from None
    return tuple(RankingScore(str(measure), values[str(measure)]) for measure in parsed)


@cache
def _parse(name: str) -> Any:
    import ir_measures

    try:
        measure: Any = ir_measures.parse_measure(name)
        measure.validate_params()
    except (AssertionError, NameError, ValueError):
        raise UsageError(
            f"{name!r} is no ranking measure: write it as ir_measures does, 'nDCG@10' or 'R@100' (https://ir-measur.es)"
        ) from None
    return measure


def _scores_from_ranks(qid: str, ranking: Sequence[str]) -> dict[str, float]:
    scores = {docid: float(len(ranking) - at) for at, docid in enumerate(ranking)}
    if len(scores) < len(ranking):
        twice = next(docid for docid in scores if ranking.count(docid) > 1)
        raise UsageError(f"the ranking of query {qid!r} holds document {twice!r} twice: rank each document once")
    return scores


def _first_query_ndcg_10(seen: Observation) -> float | None:
    if not seen.evidence or not seen.searches:
        return None
    by_rank = sorted(seen.searches[0].hits, key=lambda hit: hit.rank)
    ranking = tuple(dict.fromkeys(hit.docid for hit in by_rank))
    return ranking_measures({"first": ranking}, {"first": seen.evidence}, ["nDCG@10"])[0].mean


FIRST_QUERY_NDCG_10 = Measure(
    name="first_query_ndcg@10",
    definition=(
        "nDCG@10, with evidence as relevant, of the retriever's list for the agent's first successful query, averaged "
        "over questions that have evidence, such a query, and did not error; a list shorter than 10 is scored as it is."
    ),
    unit="nDCG",
    direction="higher",
    of=_first_query_ndcg_10,
)
