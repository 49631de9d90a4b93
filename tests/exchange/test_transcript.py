"""Texts into which a model wrote its searches become trajectories."""

from __future__ import annotations

import pytest
from foreign import hits, searches

from lrat_bench.exchange.transcript import Transcript, read_transcript
from lrat_bench.trajectory import Think, Trajectory

SEARCH_R1 = """\
<think>I need the bridge.</think>
<search> stone bridge </search>

<information>Doc 1(Title: "Bridge") Of stone.
Doc 2(Title: "Mason") Of Tarn.
</information>

<think>Now the mason.</think><search>mason of Tarn</search><information>Doc 1(Title: "Mason") Of Tarn.</information>
<think>So.</think><answer> Tarn </answer>"""

R1_SEARCHER = """\
<think>I need the bridge. <|begin_of_query|> stone bridge<|end_of_query|>

<|begin_of_documents|>
(1)Bridge: of stone.
(2)Mason: of Tarn.
<|end_of_documents|>

So it is.</think>
<answer>Tarn</answer>"""


def thoughts(found: Trajectory) -> list[tuple[int | None, str]]:
    return [(step.turn, step.text) for step in found.steps if isinstance(step, Think)]


def test_search_r1_is_read_turn_by_turn() -> None:
    found = read_transcript(SEARCH_R1, "here").trajectory
    assert [(step.query, step.turn, step.error) for step in searches(found)] == [
        ("stone bridge", 0, None), ("mason of Tarn", 1, None),
    ]  # fmt: skip
    assert thoughts(found) == [(0, "I need the bridge."), (1, "Now the mason."), (2, "So.")]
    assert (found.answer, found.status, found.origin) == ("Tarn", "answered", "search-r1+unlisted")


def test_its_turns_end_with_its_searches() -> None:
    assert [one.turn for one in read_transcript(SEARCH_R1, "here").trajectory.turns] == [0, 1, 2]
    cut, _, _ = SEARCH_R1.partition("<think>So.")
    assert [one.turn for one in read_transcript(cut, "here").trajectory.turns] == [0, 1]


def test_r1_searcher_is_read_the_same() -> None:
    found = read_transcript(R1_SEARCHER, "here").trajectory
    assert [(step.query, step.turn) for step in searches(found)] == [("stone bridge", 0)]
    assert thoughts(found) == [(0, "I need the bridge."), (1, "So it is.")]
    assert (found.answer, found.origin) == ("Tarn", "r1-searcher+unlisted")


def test_a_text_in_several_parts_is_whole() -> None:
    found = Transcript().read({"id": 1, "output": SEARCH_R1.split("\n")}, "here", origin=None, decrypt=None)
    assert found.trajectory.steps == read_transcript(SEARCH_R1, "here").trajectory.steps


def test_a_list_that_names_its_documents_is_read() -> None:
    text = (
        "<search>q</search><information>DocID:5\n[Bridge]\nOld.\n\nDocID:7\n[M]\nOld.</information><answer>x</answer>"
    )
    found = read_transcript(text, "here").trajectory
    assert (hits(searches(found)[0]), found.origin) == ([("5", 1, True), ("7", 2, True)], "search-r1")


@pytest.mark.parametrize(
    "prompt",
    [
        "<|im_start|>user\nUse <search> query </search>, end in <answer>x</answer>.<|im_end|>\n<|im_start|>assistant\n",
        "Answer the given question. Use <search> query </search>, then <answer> x </answer>. Question: Which town?\n",
        "Use <|begin_of_query|> query <|end_of_query|>, end with <answer>x</answer>.\nUser:Which?\nAssistant: ",
    ],
)
def test_tags_in_the_prompt_are_no_searches(prompt: str) -> None:
    assert read_transcript(prompt + SEARCH_R1, "here").trajectory == read_transcript(SEARCH_R1, "here").trajectory


def test_one_that_breaks_off_has_neither_answer_nor_status() -> None:
    found = read_transcript(SEARCH_R1.partition("<information>")[0], "here").trajectory
    assert (found.status, found.answer, searches(found)[0].error) == (None, None, "no output")


def test_the_text_may_stand_in_a_field_of_an_object() -> None:
    reader = Transcript()
    record = {"id": 4.0, "question": "Which town?", "golden_answers": ["gold"], "output": SEARCH_R1}
    assert reader.recognises(record)
    found = reader.read(record, "here", origin="search-r1", decrypt=None)
    assert (found.trajectory.question_id, found.question, found.trajectory.answer) == ("4", "Which town?", "Tarn")
    assert not reader.recognises({"output": "no tags"})
