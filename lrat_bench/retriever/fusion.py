"""`rrf:A+B`: reciprocal rank fusion of retrievers (Cormack, Clarke and Büttcher, SIGIR 2009).

A document's score is the sum of 1 / (k0 + rank) over the rankings that it is in, ranks counted from 1, with the paper's
k0 of 60. Scores of the retrievers themselves, which no scale relates, are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.progress import Progress
from lrat_bench.retriever.arms import close_arms, load_arms, own_settings, split_arms
from lrat_bench.retriever.base import BuildContext, Ranked, Retriever, SearchContext
from lrat_bench.retriever.rankings import checked_rankings
from lrat_bench.retriever.settings import number_setting, whole_setting

__all__ = ["Fusion", "fuse", "make_rrf"]

_K0 = 60
_DEPTH = 100


def make_rrf(argument: str | None, context: BuildContext) -> Fusion:
    """The factory of `rrf:A+B`.

    Settings: `k0` (60), `depth` (100: documents of each arm that are fused), and those of an arm under its name, as in
    `bm25.k1`.

    Raises:
        UsageError: there are not two arms, one cannot be made, or a setting is wrong.
    """
    specs = split_arms(argument) if argument else []
    if len(specs) < 2:
        raise UsageError(f"retriever 'rrf' fuses at least two, as in rrf:bm25+dense:MODEL; got {argument!r}")
    settings = own_settings("rrf", context.settings, ("k0", "depth"), specs)
    k0 = number_setting("rrf", settings, "k0", _K0, low=0)
    depth = whole_setting("rrf", settings, "depth") or _DEPTH
    return Fusion(f"rrf:{argument}", load_arms(specs, context), k0=k0, depth=depth)


class Fusion:
    """Several retrievers, one ranking.

    Args:
        name: as typed.
        arms: the retrievers, which it prepares and closes.
        k0: how little the first ranks stand out.
        depth: documents of each arm that are fused. Where more are asked for, what lies deeper comes behind, so that a
            ranking of ten is the beginning of one of a thousand.
    """

    def __init__(self, name: str, arms: Sequence[Retriever], *, k0: float, depth: int) -> None:
        self.name = name
        self._arms = list(arms)
        self._k0 = k0
        self._depth = depth
        parts = [arm.fingerprint for arm in arms]
        self.fingerprint: str | None = (
            None if None in parts else fingerprint({"retriever": "rrf", "arms": parts, "k0": k0, "depth": depth})
        )

    def prepare(self, progress: Progress) -> None:
        """As `Retriever.prepare`, of every arm."""
        for arm in self._arms:
            arm.prepare(progress)

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """As `Retriever.search`."""
        depth = max(k, self._depth)
        rankings = [
            checked_rankings(
                arm.search(queries, depth, contexts=contexts), retriever=arm.name, queries=queries, k=depth
            )
            for arm in self._arms
        ]
        return [self._fused(of_query)[:k] for of_query in zip(*rankings, strict=True)]

    def _fused(self, rankings: Sequence[Sequence[Ranked]]) -> list[Ranked]:
        head = fuse([ranking[: self._depth] for ranking in rankings], k0=self._k0)
        found = {hit.docid for hit in head}
        tail = fuse(rankings, k0=self._k0)
        # Sums of reciprocals lie between 0 and the number of arms.
        below = len(self._arms) + 1
        return head + [Ranked(hit.docid, hit.score - below) for hit in tail if hit.docid not in found]

    def close(self) -> None:
        """Close every arm."""
        close_arms(self._arms)

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        arms = [getattr(arm, "describe", dict)() | {"name": arm.name} for arm in self._arms]
        return {"k0": self._k0, "depth": self._depth, "arms": arms}


def fuse(rankings: Sequence[Sequence[Ranked]], *, k0: float = _K0) -> list[Ranked]:
    """The documents of some rankings by falling sum of 1 / (k0 + rank), equal ones by rising docid.

    Args:
        rankings: each best first, no docid twice in one.
        k0: Cormack et al. 2009, k of equation 1.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.docid] = scores.get(hit.docid, 0.0) + 1 / (k0 + rank)
    return sorted((Ranked(docid, score) for docid, score in scores.items()), key=lambda hit: (-hit.score, hit.docid))
