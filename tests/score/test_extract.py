"""The final answer is read out of whatever an agent wrapped it in."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.score.extract import Extracted, extract

FORMAT = "Explanation: Seine [12], so it is Paris.\nExact Answer: Paris\nConfidence: 90%"


@pytest.mark.parametrize(
    "text",
    [
        FORMAT,
        "**Explanation:** because\n**Exact Answer:** Paris\n**Confidence:** 90%",
        "**Explanation**: because\n**Exact Answer**: **Paris**\n**Confidence**: **90%**",
        "### Exact Answer: Paris\n### Confidence: 90 %",
        "- exact answer: `Paris`\n- confidence: 0.9",
        "EXACT ANSWER:\n\nParis\n\nCONFIDENCE: 90",
        "Exact Answer： Paris\nConfidence： 90％",
        "It is so. Exact Answer: Paris, Confidence: 90%",
        "Exact Answer: Lyon\nNo, wait.\nExact Answer: Paris\nConfidence: 50%\nConfidence Score: ~90%",
        f"<answer>{FORMAT}</answer>",
        f"<answer>{FORMAT}",
        "<answer>Paris</answer>\nConfidence: 90%",
        "<answer></answer><ANSWER>\nParis\n</ANSWER> Confidence: 90%",
        "Exact Answer: <answer>Paris</answer>\nConfidence: 90%",
        f"<think>Exact Answer: Lyon\nConfidence: 10%</think>\n{FORMAT}",
        "Exact Answer: Paris\nExact Answer:\nConfidence: 90%",
    ],
)
def test_answer_and_confidence_are_found_in_every_dress(text: str) -> None:
    assert extract(text) == Extracted("Paris", 0.9)


@pytest.mark.parametrize("text", ["Exact Answer:", "Exact Answer:\nConfidence: 5%", "**Exact Answer:** **"])
def test_a_field_without_a_value_is_no_answer(text: str) -> None:
    assert extract(text).answer == ""


@given(st.text(alphabet=st.characters(exclude_characters="<>", exclude_categories=["Cs"])))
def test_a_text_without_any_field_is_its_own_answer(text: str) -> None:
    if "exact" not in text.casefold():
        assert extract(text).answer == text.strip("*_`" + string.whitespace)


@pytest.mark.parametrize(
    ("stated", "confidence"),
    [
        ("100%", 1.0),
        ("0%", 0.0),
        ("72.5%", 0.725),
        ("85", 0.85),
        ("0.85", 0.85),
        ("1", 1.0),
        ("1%", 0.01),
        ("140%", None),
        ("high", None),
        ("", None),
    ],
)
def test_confidence_is_a_share_or_unknown(stated: str, confidence: float | None) -> None:
    assert extract(f"Exact Answer: x\nConfidence: {stated}").confidence == confidence


def test_an_answer_may_hold_colons_and_brackets() -> None:
    assert extract("Exact Answer: Alien: Covenant (2017)\nConfidence: 70%").answer == "Alien: Covenant (2017)"


def test_reading_a_text_takes_time_in_proportion_to_its_length() -> None:
    for hostile in (
        "Exact Answer: x" + " " * 200_000 + "y" + " _*" * 100_000,
        "<answer>" * 50_000,
        "confidence " * 50_000,
    ):
        extract(hostile)
