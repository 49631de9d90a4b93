"""One text is continued: searches and answers are found in it, and results are written into it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.agent.formats.search_r1 import SearchR1
from lrat_bench.agent.tools import offered
from lrat_bench.errors import UsageError
from lrat_bench.model.seam import Message, Sampling, Turn
from lrat_bench.task.protocol import Rollout

FORMAT = SearchR1()


def decode(text: str, finish: str | None = "stop", *, may_call: bool = True) -> Turn:
    return FORMAT.decode(Turn(text=text, finish_reason=finish, reasoning_source="none"), number=2, may_call=may_call)


def text_of(history: list[Message], wire_format: SearchR1 = FORMAT) -> str:
    request = wire_format.request(history, (), may_call=True, sampling=Sampling())
    assert request.raw
    (message,) = request.messages
    return message.content


def test_only_search_is_offered() -> None:
    assert [tool.name for tool in FORMAT.offer(offered(Rollout()))] == ["search"]
    with pytest.raises(UsageError, match="can only search, and the protocol offers get_document"):
        FORMAT.offer(offered(Rollout(tools=("get_document",))))


def test_the_text_begins_as_a_chat_of_the_model_s_family() -> None:
    history = FORMAT.start("Question: x", ())
    text = text_of(history)
    assert text.startswith("<|im_start|>user\n")
    assert text.endswith("\n\nQuestion: x<|im_end|>\n<|im_start|>assistant\n")
    assert all(tag in text for tag in ("<think>", "<search>", "<information>", "<answer>"))
    system = text_of(history, SearchR1(system="You search."))
    assert system == f"<|im_start|>system\nYou search.<|im_end|>\n{text}"
    plain = text_of(history, SearchR1(template="plain"))
    assert "<|" not in plain
    assert plain.endswith("Question: x\n\n")


def test_a_question_cannot_end_its_message() -> None:
    assert text_of(FORMAT.start("Question: <|im_end|>?", ())).count("<|im_end|>") == 1


def test_a_request_stops_at_a_search() -> None:
    request = FORMAT.request([Message("user", "x")], (), may_call=True, sampling=Sampling(stop=("</s>",)))
    assert (request.sampling.stop, request.tools) == (("</s>", "</search>", "</answer>"), ())


@pytest.mark.parametrize(
    "text",
    [
        "<think>So.</think>\n<search> the bridge </search>",
        "<think>So.</think>\n<search> the bridge ",
        "<think>So.</think>\n<search> the bridge </search>\n<information>Marr.</information><answer>Marr</answer>",
        "So.</think>\n<search> the bridge ",
        "<think>So. <search> the bridge ",
        "<think>So. <search> the bridge </search>",
    ],
    ids=["closed", "stopped", "imagined", "unopened", "unclosed thought, stopped", "unclosed thought"],
)
def test_a_search_is_found_and_the_text_goes_on_behind_it(text: str) -> None:
    turn = decode(text)
    assert [(call.id, call.name, json.loads(call.arguments)) for call in turn.calls] == [
        ("c2_0", "search", {"query": "the bridge"})
    ]
    assert (turn.reasoning, turn.reasoning_source, turn.text) == ("So.", "text", "")
    history = FORMAT.start("Question: x", ())
    FORMAT.append(history, turn, ['{"results": []}'])
    written = text[: text.index("bridge ")] + "bridge </search>"
    assert text_of(history).endswith(f'assistant\n{written}\n\n<information>{{"results": []}}</information>\n\n')


@pytest.mark.parametrize("text", ["<think>So.</think><answer> Marr </answer> Bye.", "<think>So.</think><answer>Marr"])
def test_an_answer_is_what_stands_in_its_tags(text: str) -> None:
    assert (decode(text).text, decode(text).calls) == ("Marr", ())


@pytest.mark.parametrize("text", ["I think it was Marr.", "<think>So.</think>", "<search>  </search>", ""])
def test_a_continuation_with_neither_is_told_so_inside_the_text(text: str) -> None:
    turn = decode(text)
    assert (turn.calls, turn.text) == ((), "")
    history = FORMAT.start("Question: x", ())
    FORMAT.nudge(history, turn, "Go on.")
    assert text_of(history).endswith(f"assistant\n{text}\n\n<information>Go on.</information>\n\n")


def test_only_the_last_word_needs_no_tag() -> None:
    assert decode("<think>So.</think>It was Marr.", may_call=False).text == "It was Marr."
    assert decode("<think>So.</think><answer>Marr</answer>", may_call=False).text == "Marr"
    assert decode("<search>x</search>", may_call=False).text == ""


def test_a_search_that_the_output_limit_cut_is_none() -> None:
    assert decode("<think>So.</think><search>the bri", "length").calls == ()
    assert decode("<search>the bridge</search>", "length").calls != ()
    assert decode("<think>I was going to", "length").reasoning == "I was going to"


def test_reasoning_may_name_the_tags() -> None:
    turn = decode("<think>Shall I use <search> or <answer>?</think><search>bridge</search>")
    assert json.loads(turn.calls[0].arguments) == {"query": "bridge"}
    assert turn.reasoning == "Shall I use <search> or <answer>?"


PIECES = ["</information>", "<information>", "<search>", "</search>", "<answer>", "<think>", "</think>", "<|im_end|>"]
MARKED = st.lists(st.sampled_from([*PIECES, "\n", '"', "\\"]) | st.text(max_size=4), max_size=8).map("".join)


@given(MARKED)
def test_a_result_stays_in_its_place_and_is_not_changed(text: str) -> None:
    history = FORMAT.start("Question: x", ())
    FORMAT.append(history, decode("<search>bridge"), [json.dumps({"text": text})])
    shown = text_of(history).partition("</search>\n\n<information>")[2].removesuffix("</information>\n\n")
    assert json.loads(shown) == {"text": text}
    assert not any(mark in shown for mark in PIECES)


@given(MARKED, st.sampled_from(["stop", "length", None]), st.booleans())
def test_no_mixture_of_tags_can_crash_the_decoder(text: str, finish: Any, may_call: bool) -> None:
    turn = decode(text, finish, may_call=may_call)
    history = FORMAT.start("Question: x", ())
    FORMAT.append(history, turn, ["{}"] * len(turn.calls))
    text_of(history)
