"""What a retriever returned, held to its contract before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lrat_bench.errors import RolloutFailure
from lrat_bench.retriever.base import Ranked

__all__ = ["checked_rankings"]


def checked_rankings(found: Any, *, retriever: str, queries: Sequence[str], k: int) -> list[list[Ranked]]:
    """The rankings in the order that counts everywhere: falling score, equal scores by rising docid.

    Args:
        found: what `Retriever.search` returned.
        retriever: its name, for messages.
        queries: what it was asked.
        k: how many documents it was asked for.

    Raises:
        RolloutFailure: not one list per query, more than k documents in one, a document twice, an entry that is not
            (docid, score), or a score that is not a finite number.
    """
    if not isinstance(found, Sequence) or len(found) != len(queries):
        what = f"{len(found)} lists" if isinstance(found, Sequence) else repr(type(found).__name__)
        raise RolloutFailure(
            f"retriever {retriever!r} returned {what} for {len(queries)} queries: return one list each"
        )
    return [_checked(list(one), retriever, query, k) for one, query in zip(found, queries, strict=True)]


def _checked(ranking: list[Any], retriever: str, query: str, k: int) -> list[Ranked]:
    def broken(problem: str) -> RolloutFailure:
        return RolloutFailure(f"retriever {retriever!r}, query {query[:80]!r}: {problem}")

    if len(ranking) > k:
        raise broken(f"returned {len(ranking)} documents where k = {k}")
    checked: dict[str, Ranked] = {}
    for entry in ranking:
        try:
            docid, score = entry
            score = float(score)
        except (TypeError, ValueError):
            raise broken(f"returned {entry!r}, which is not (docid, score)") from None
        if not isinstance(docid, str):
            raise broken(f"returned docid {docid!r}, which is not a string")
        if not math.isfinite(score):
            raise broken(f"gave document {docid!r} the score {score}")
        if docid in checked:
            raise broken(f"returned document {docid!r} twice")
        checked[docid] = Ranked(docid, score)
    return sorted(checked.values(), key=lambda hit: (-hit.score, hit.docid))
