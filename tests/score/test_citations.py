"""Citations: what an answer names in brackets, among what its agent saw."""

from __future__ import annotations

import pytest

from lrat_bench.score.metrics.citations import cited

SEEN = frozenset({"12", "13", "d-7", "Tarn,_town", "1998"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        ("12 and (13)", ""),
        ("by [12]", "12"),
        ("[12][13]", "12 13"),
        ("[12, 13; d-7]", "12 13 d-7"),
        ("[docid: 12] [DocID:13] [doc_id=12, doc d-7]", "12 13 d-7"),
        ("【12†L3-L5】 【13】", "12 13"),
        ("[Tarn,_town]", "Tarn,_town"),
        ("[ 12 ]", "12"),
        ("[[12]]", "12"),
        ("[14] [p. 3] [2001]", ""),
        ("[1998]", "1998"),
        ("[d12]", ""),
        ("[]【】[ ]", ""),
        ("[12", ""),
    ],
)
def test_a_bracketed_docid_is_a_citation_if_the_agent_saw_the_document(text: str, found: str) -> None:
    assert cited(text, SEEN) == frozenset(found.split())


def test_a_text_of_nothing_but_brackets_takes_no_time() -> None:
    assert cited("[" * 200_000 + "12" + "]" * 200_000, SEEN) == {"12"}
