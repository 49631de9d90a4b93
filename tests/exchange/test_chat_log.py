"""Chat logs of Tongyi DeepResearch and its kin become trajectories with turns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from foreign import blocks, browses, hits, searches

from lrat_bench.exchange.chat_log import ChatLog
from lrat_bench.exchange.record import Imported
from lrat_bench.trajectory import Answer, Think, Trajectory


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def told(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": "\n".join(f"<tool_response>\n{text}\n</tool_response>" for text in texts)}


def calling(name: str, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def imported(*messages: dict[str, Any], **more: Any) -> Imported:
    start = [{"role": "system", "content": "Use the tools."}, {"role": "user", "content": "Which town?"}]
    record = {
        "question": "Which town?",
        "answer": "gold",
        "messages": [*start, *messages],
        "termination": "answer",
        **more,
    }
    reader = ChatLog()
    assert reader.recognises(record)
    return reader.read(record, "here", origin=None, decrypt=None)


def log(*messages: dict[str, Any], **more: Any) -> Trajectory:
    return imported(*messages, **more).trajectory


LINKS = (
    "A Google search for 'one' found 2 results:\n\n## Web Results\n1. [Bridge](https://x.example/a)\nOld.\n\n2. [M](b)"
)


def test_a_log_is_read_turn_by_turn() -> None:
    found = log(
        said(f"<think>Begin.</think>\n{calling('search', query=['one', 'two'])}"),
        told(f"{LINKS}\n=======\n{LINKS.replace('one', 'two').replace('a)', 'c)')}"),
        said(f"<think>Open it.</think>{calling('visit', url=['https://x.example/a', 'b'], goal='the town')}"),
        told("The useful information in https://x.example/a …"),
        said("<think>So it is.</think>\n<answer>Tarn</answer>"),
        prediction="Tarn",
    )
    one, two = searches(found)
    assert [(step.query, step.turn, step.call, step.error) for step in (one, two)] == [
        ("one", 0, 0, None), ("two", 0, 0, None),
    ]  # fmt: skip
    assert hits(one) == [("https://x.example/a", 1, True), ("b", 2, True)]
    assert two.hits[0].docid == "https://x.example/c"
    assert [(step.docid, step.turn, step.found) for step in browses(found)] == [
        ("https://x.example/a", 1, True), ("b", 1, True),
    ]  # fmt: skip
    assert [(step.turn, step.text) for step in found.steps if isinstance(step, Think)] == [
        (0, "Begin."), (1, "Open it."), (2, "So it is."),
    ]  # fmt: skip
    assert (found.answer, found.status, found.origin, found.question_id) == ("Tarn", "answered", "chat-log", "")


def test_its_turns_are_the_messages_of_the_assistant() -> None:
    found = log(said(calling("search", query="one")), told(LINKS), said("Hm."), said("<answer>Tarn</answer>"))
    assert [one.turn for one in found.turns] == [0, 1, 2]
    assert found.usage.completion_tokens is None


def test_of_several_calls_only_the_answered_one_was_carried_out() -> None:
    both = calling("search", query="one") + calling("search", query="two")
    one, two = searches(log(said(both), told(blocks("a", "one")), said("<answer>x</answer>")))
    assert (one.error, two.error, two.call) == (None, "not carried out", 1)


def test_calls_in_fields_are_answered_by_messages_of_tools() -> None:
    calls = [
        {"id": "c1", "function": {"name": "search", "arguments": '{"query": "one"}'}},
        {"id": "c2", "function": {"name": "get_document", "arguments": {"docid": "9"}}},
    ]
    found = log(
        said("", tool_calls=calls, reasoning_content="Begin."),
        {"role": "tool", "tool_call_id": "c2", "content": "[Document not found]"},
        {"role": "tool", "tool_call_id": "c1", "content": blocks("a b")},
        said("<answer>x</answer>"),
    )
    assert [hit.docid for hit in searches(found)[0].hits] == ["a", "b"]
    assert [(step.docid, step.found, step.call) for step in browses(found)] == [("9", False, 1)]
    assert isinstance(found.steps[0], Think)


def test_a_call_is_read_as_its_agent_reads_it() -> None:
    found = log(said("<tool_call>{'name': 'search', 'arguments': {'query': ['one',]}}</tool_call>"), told(blocks("a")))
    assert [step.query for step in searches(found)] == ["one"]


def test_a_template_that_opens_the_thought_is_seen_through() -> None:
    found = log(said("Begin.</think><answer>Tarn</answer>"))
    assert [step.text for step in found.steps if isinstance(step, Think | Answer)] == ["Begin.", "Tarn"]


@pytest.mark.parametrize(
    ("termination", "prediction", "status", "answer"),
    [
        ("generate an answer as token limit reached", "Tarn", "forced", "Tarn"),
        ("format error: generate an answer as token limit reached", "Tarn", "forced", "Tarn"),
        ("answer", "", "no_answer", None),
        ("answer not found", "No answer found.", "no_answer", None),
        ("exceed available llm calls", "No answer found.", "turn_limit", None),
        ("No answer found after 2h30mins", "No answer found after 2h30mins", "time_limit", None),
        ("exceed available llm calls", "Tarn", "turn_limit", "Tarn"),
        ("some new word", "Tarn", "forced", "Tarn"),
        ("some new word", "No answer found.", "no_answer", None),
        ("answer", ["Tarn", "or so"], "answered", "Tarn\nor so"),
        (None, "Tarn", None, None),
    ],
)
def test_their_words_for_an_ending_are_ours_and_none_is_none(
    termination: str | None, prediction: str | list[str], status: str | None, answer: str | None
) -> None:
    found = log(said("<think>Hm.</think>"), termination=termination, prediction=prediction)
    assert (found.status, found.answer) == (status, answer)


def test_texts_in_several_parts_are_whole() -> None:
    thought = [{"type": "text", "text": "First"}, "then"]
    found = log(said([{"text": "<answer>Tarn"}, "of old</answer>"], reasoning_content=thought))  # type: ignore[arg-type]
    assert [step.text for step in found.steps if isinstance(step, Think | Answer)] == ["First\nthen", "Tarn\nof old"]
    other = log(said("<answer>Tarn</answer>", reasoning_content=None, reasoning="Elsewhere."))
    assert [step.text for step in other.steps if isinstance(step, Think)] == ["Elsewhere."]


def test_what_has_no_id_is_known_by_its_question() -> None:
    found = imported(said("<answer>x</answer>"))
    assert (found.question, found.trajectory.question_id) == ("Which town?", "")
    assert log(said("<answer>x</answer>"), question_id=7.0).question_id == "7"
