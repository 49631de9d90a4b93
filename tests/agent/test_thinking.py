"""Reasoning is found wherever a server puts it, and nothing else is taken for reasoning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.agent.formats.thinking import Parted, part, parted
from lrat_bench.model.seam import Turn

PROSE = st.text().map(lambda text: text.strip("\n")).filter(lambda text: "think>" not in text)


@pytest.mark.parametrize(
    ("text", "field", "found"),
    [
        ("The mason.", None, Parted(None, "The mason.")),
        ("The mason.", "I know.", Parted("I know.", "The mason.")),
        ("\n\nThe mason.", "\nI know.\n", Parted("I know.", "The mason.")),
        ("<think>\nI know.\n</think>\n\nThe mason.", None, Parted("I know.", "The mason.")),
        ("I know.\n</think>\n\nThe mason.", None, Parted("I know.", "The mason.")),
        ("<think>One.</think>A<think>Two.</think>B", None, Parted("One.\n\nTwo.", "AB")),
        ("One.</think>A<think>Two.</think>B", None, Parted("One.\n\nTwo.", "AB")),
        ("A<think>Two.</think>B", "One.", Parted("One.\n\nTwo.", "AB")),
        ("<think>I was going to", None, Parted("I was going to", "", closed=False)),
        ("<think>\n\n</think>\n\nThe mason.", None, Parted("", "The mason.")),
        ("One.</think>A</think>B", None, Parted("One.", "AB")),
        ("The tag </think> ends it.", "I know.", Parted("I know.", "The tag </think> ends it.")),
        ("The tag <think> begins it.", None, Parted(None, "The tag <think> begins it.")),
        ("<think>I know.</think>It is <think>.", None, Parted("I know.", "It is <think>.")),
        ("", "", Parted("", "")),
    ],
)
def test_each_placement_is_read(text: str, field: str | None, found: Parted) -> None:
    assert part(text, field) == found


@given(PROSE, PROSE.filter(bool))
def test_all_placements_give_the_same(reasoning: str, text: str) -> None:
    wanted = Parted(reasoning, text)
    assert part(text, reasoning) == wanted
    assert part(f"<think>\n{reasoning}\n</think>\n\n{text}") == wanted
    assert part(f"{reasoning}\n</think>\n\n{text}") == wanted


@given(st.text())
def test_a_field_is_believed_whatever_stands_in_it(reasoning: str) -> None:
    found = part("The mason.", f"<think>{reasoning}</think><tool_call>")
    assert found == Parted(f"<think>{reasoning}</think><tool_call>", "The mason.")


@given(st.lists(st.sampled_from(["<think>", "</think>", "a", "\n", "<tool_call>"])).map("".join))
def test_no_tag_that_was_closed_is_left_in_a_text(text: str) -> None:
    found = part(text)
    if "</think>" in text:
        assert found.reasoning is not None
    assert "</think>" not in found.text


def test_where_reasoning_comes_from_is_told() -> None:
    inline = parted(Turn(text="<think>I know.</think>The mason.", reasoning_source="none"))
    assert (inline.reasoning, inline.reasoning_source) == ("I know.", "text")
    summary = parted(Turn(text="The mason.", reasoning="I know.", reasoning_source="summary"))
    assert (summary.reasoning, summary.reasoning_source) == ("I know.", "summary")
    hidden = parted(Turn(text="The mason.", reasoning_source="hidden"))
    assert (hidden.reasoning, hidden.reasoning_source) == (None, "hidden")
