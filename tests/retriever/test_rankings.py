"""A retriever that breaks its contract is told so; one that keeps it gets the one order that counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.errors import RolloutFailure
from lrat_bench.retriever.base import Ranked
from lrat_bench.retriever.rankings import checked_rankings

rankings = st.dictionaries(st.text(max_size=3), st.sampled_from([0.0, 1.0, 2.5, -1.0]), max_size=8)


def check(found: Any, queries: int = 1, k: int = 3) -> list[list[Ranked]]:
    return checked_rankings(found, retriever="theirs", queries=["query"] * queries, k=k)


@given(rankings, st.randoms())
def test_the_order_is_falling_score_then_rising_docid_however_it_came(ranking: dict[str, float], random: Any) -> None:
    hits = list(ranking.items())
    random.shuffle(hits)
    (settled,) = check([hits], k=8)
    assert settled == sorted(settled, key=lambda hit: (-hit.score, hit.docid))
    assert dict(settled) == ranking
    assert check([settled], k=8) == [settled]


def test_plain_pairs_and_numpy_scores_become_ranked() -> None:
    (settled,) = check([[("a", 1), ("b", np.float32(2))]])
    assert settled == [Ranked("b", 2.0), Ranked("a", 1.0)]
    assert all(type(hit.score) is float for hit in settled)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "'NoneType' for 2 queries"),
        ([[]], "1 lists for 2 queries"),
        ([[("a", 1), ("b", 1), ("c", 1), ("d", 1)], []], "4 documents where k = 3"),
        ([[("a", 1), ("a", 0)], []], "'a' twice"),
        ([[("a", math.nan)], []], "'a' the score nan"),
        ([[("a", math.inf)], []], "'a' the score inf"),
        ([[("a", "high")], []], "('a', 'high'), which is not (docid, score)"),
        ([["a"], []], "'a', which is not (docid, score)"),
        ([[(7, 1.0)], []], "docid 7, which is not a string"),
    ],
)
def test_a_broken_contract_is_named_with_the_retriever(found: Any, said: str) -> None:
    with pytest.raises(RolloutFailure) as caught:
        check(found, queries=2)
    assert "retriever 'theirs'" in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
