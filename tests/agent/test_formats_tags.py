"""Calls, reasoning and answers are found in tagged text, however a model bends the form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.agent.backbones import backbones
from lrat_bench.agent.formats.tags import Tags
from lrat_bench.agent.formats.tool_calls import call_text, find_calls
from lrat_bench.agent.reading import ReadCall, Unreadable, read_call
from lrat_bench.agent.tools import offered
from lrat_bench.model.seam import Message, Sampling, ToolCall, Turn
from lrat_bench.task.protocol import Rollout

FORMAT = Tags()
CALL = '<tool_call>\n{"name": "search", "arguments": {"query": "bridge"}}\n</tool_call>'
OTHER = '<tool_call>\n{"name": "get_document", "arguments": {"docid": "d1"}}\n</tool_call>'


def decode(text: str, finish: str | None = "stop", wire_format: Tags = FORMAT, **more: Any) -> Turn:
    return wire_format.decode(Turn(text=text, finish_reason=finish, **more), number=4)


def read(turn: Turn) -> list[ReadCall | Unreadable]:
    return [read_call(call, ("search", "get_document")) for call in turn.calls]


def history_of(turn: Turn, *results: str) -> list[Message]:
    history = FORMAT.start("Question: x", offered(Rollout()))
    if turn.calls:
        FORMAT.append(history, turn, results)
    else:
        FORMAT.nudge(history, turn, "Go on.")
    return history[2:]


def test_the_tools_stand_in_the_system_message_as_a_line_of_json_each() -> None:
    tools = offered(Rollout())
    system, user = FORMAT.start("Question: x", tools)
    assert (system.role, user) == ("system", Message("user", "Question: x"))
    section = system.content[system.content.index("<tools>\n") + 8 : system.content.index("\n</tools>")]
    assert [json.loads(line) for line in section.splitlines()] == [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        for t in tools
    ]
    assert system.content[: system.content.index("<tools>")].count("# Tools\n") == 1
    own = Tags(system="You dig.").start("Question: x", tools)[0].content
    assert own.startswith("You dig.\n\n# Tools\n")


def test_a_request_carries_no_tools_and_stops_before_a_result_is_imagined() -> None:
    request = FORMAT.request([], offered(Rollout()), may_call=False, sampling=Sampling(stop=("</s>",), seed=3))
    assert (request.tools, request.tool_choice, request.sampling.seed) == ((), "none", 3)
    assert request.sampling.stop == ("</s>", "<tool_response>", "\n<tool_response>")
    again = FORMAT.request([], (), may_call=True, sampling=request.sampling)
    assert again.sampling.stop == request.sampling.stop


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (CALL, "So be it."),
        (f"<think>\nSo be it.\n</think>\n\n{CALL}", None),
        (f"So be it.\n</think>\n\n{CALL}", None),
        (f"<think>So be it.\n{CALL}", None),
        ("", f"So be it.\n{CALL}"),
        (f"<think>So</think>\n<think>be it.</think>{CALL}", None),
    ],
    ids=["field", "inline", "unopened", "unclosed", "field that was not closed", "twice"],
)
def test_reasoning_is_found_in_every_place_and_goes_back_inside_the_text(text: str, field: str | None) -> None:
    turn = decode(text, reasoning=field, reasoning_source="none" if field is None else "text")
    assert " ".join((turn.reasoning or "").split()) == "So be it."
    assert (turn.reasoning_source, turn.text, read(turn)) == ("text", "", [ReadCall("search", ("bridge",))])
    said, _ = history_of(turn, "{}")
    assert said == Message("assistant", f"<think>\n{turn.reasoning}\n</think>\n\n{CALL}")
    # What has been taken apart and put together is taken apart in the same way.
    assert decode(said.content) == decode(text, reasoning=field, reasoning_source="text")


def test_without_tags_all_is_reasoning_where_the_template_has_opened_it() -> None:
    opened = Tags(opened=True)
    cut = decode("I was going to", "length", opened, reasoning_source="none")
    assert (cut.reasoning, cut.reasoning_source, cut.text) == ("I was going to", "text", "")
    assert decode("I was going to", "length").text == "I was going to"
    assert decode("So.\n</think>\n\nThe mason.", wire_format=opened).text == "The mason."
    assert decode("The mason.", wire_format=opened, reasoning="So.").text == "The mason."
    assert read(decode(f"So.\n{CALL}", wire_format=opened)) == [ReadCall("search", ("bridge",))]


@pytest.mark.parametrize(
    ("text", "finish", "reasoning", "calls"),
    [
        ("I was going to", "length", "I was going to", []),
        ("I need no tool for that.", "stop", "I need no tool for that.", []),
        (f"So.\n{CALL}", "stop", "So.", ["search"]),
        (f"So.\n</think>\n{CALL}", "stop", "So.", ["search"]),
    ],
    ids=["cut off", "ended", "call", "closed"],
)
def test_a_model_whose_template_opens_its_reasoning_is_read_so_by_its_row(
    text: str, finish: str, reasoning: str, calls: list[str]
) -> None:
    row = backbones()["agentcpm-explore"]
    turn = row.wire_format().decode(Turn(text=text, finish_reason=finish, reasoning_source="none"), number=0)
    assert (turn.reasoning, turn.reasoning_source, turn.text) == (reasoning, "text", "")
    assert [call.name for call in turn.calls] == calls


SEARCH = ReadCall("search", ("bridge",))
MENDED = ReadCall("search", ("bridge",), repaired=True)


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ('{"name": "search", "arguments": {"query": "bridge"}}', [SEARCH]),
        ('{"name": "search", "parameters": {"query": "bridge"}}', [SEARCH]),
        ('{"name": "search", "arguments": "{\\"query\\": \\"bridge\\"}"}', [SEARCH]),
        ('{"name": "search", "query": "bridge"}', [SEARCH]),
        ('{"type": "function", "function": {"name": "search", "arguments": {"query": "bridge"}}}', [SEARCH]),
        ('search({"query": "bridge"})', [SEARCH]),
        ('{"name": " `functions.search`", "arguments": {"query": "bridge"}}', [SEARCH]),
        ('{"name": "search", "arguments": {"query": "bridge"}', [SEARCH]),
        ('{"name": "search", "arguments": {"query": "bridge"}}}', [MENDED]),
        ('{"name": "search", "arguments": {"query": "bridge",}}', [MENDED]),
        ('{"name": "search", "arguments": {"query": "bridge}}', [MENDED]),
        ("{'name': 'search', 'arguments': {'query': 'bridge'}}", [MENDED]),
        ('{"arguments": {"query": "bridge"}, "name": "search"', [MENDED]),
        ('{"name": "search", "arguments": {"query": "bridge"}}\nLet me see.', [MENDED]),
        ('{"name": "search", "arguments": {"query": "bridge"}}\n{"name": "visit", "arguments": {"url": "d1"}}',
         [SEARCH, ReadCall("get_document", ("d1",))]),
        ('[{"name": "search", "arguments": {"query": "bridge"}}]', [SEARCH]),
        ('{"name": "search", "arguments": {"query": "a </tool_call> b"}}', [ReadCall("search", ("a </tool_call> b",))]),
        ('{"name": "search", "arguments": {"query": "a </think> b"}}', [ReadCall("search", ("a </think> b",))]),
    ],
)  # fmt: skip
def test_bent_calls_are_read(block: str, found: list[ReadCall]) -> None:
    turn = decode(f"<tool_call>\n{block}\n</tool_call>")
    assert read(turn) == found
    assert [call.id for call in turn.calls] == [f"c4_{place}" for place in range(len(found))]
    assert (turn.text, turn.reasoning) == ("", None)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("I want to search.", "names no tool"),
        ("", "names no tool"),
        ('{"query": "bridge"}', "names no tool"),
        ('{"name": "google", "arguments": {}}', "no tool 'google'"),
        ('{"name": "search", "arguments": null}', "'query' is missing"),
        ('{"name": "search", "arguments": no json', "not a JSON object"),
        ('{"name": 5, "arguments": {}}', "names no tool"),
        ("[" * 100_000, "names no tool"),
    ],
)
def test_what_cannot_be_read_is_a_call_all_the_same_and_is_answered(block: str, says: str) -> None:
    (problem,) = read(decode(f"<tool_call>\n{block}\n</tool_call>"))
    assert isinstance(problem, Unreadable)
    assert says in problem.problem


def test_every_block_is_a_call_and_the_rest_is_text() -> None:
    turn = decode(f"Let me look.\n{CALL}\nAnd then:\n{OTHER}")
    assert [call.name for call in turn.calls] == ["search", "get_document"]
    assert turn.text == "Let me look.\n\nAnd then:"
    said, shown = history_of(turn, '{"a": 1}', '{"b": 2}')
    assert said.content == f"Let me look.\n{CALL}\nAnd then:\n{OTHER}"
    assert shown == Message(
        "user", '<tool_response>\n{"a": 1}\n</tool_response>\n<tool_response>\n{"b": 2}\n</tool_response>'
    )


def test_the_last_block_may_lack_its_end_unless_the_output_limit_cut_it() -> None:
    open_ended = f"{OTHER}\n{CALL.removesuffix('</tool_call>')}"
    turn = decode(open_ended)
    assert [call.name for call in turn.calls] == ["get_document", "search"]
    assert history_of(turn, "{}", "{}")[0].content == f"{OTHER}\n{CALL}"
    cut = decode(open_ended, "length")
    assert [call.name for call in cut.calls] == ["get_document"]
    assert cut.text == CALL.removesuffix("\n</tool_call>")
    assert decode(f"<think>I could {CALL}", "length").calls == ()


def test_a_block_that_begins_before_the_last_one_was_closed_is_a_call_of_its_own() -> None:
    turn = decode(f"{CALL.removesuffix('</tool_call>')}{OTHER}")
    assert [call.name for call in turn.calls] == ["search", "get_document"]
    assert history_of(turn, "{}", "{}")[0].content == f"{CALL}\n{OTHER}"


def test_calls_that_the_server_has_parsed_are_written_as_the_others_are() -> None:
    turn = decode("", "tool_calls", calls=(ToolCall("x", "search", '{"query": "bridge"}'),), reasoning="So.")
    assert [(call.id, call.name) for call in turn.calls] == [("c4_0", "search")]
    assert history_of(turn, "{}")[0].content == f"<think>\nSo.\n</think>\n\n{CALL}"


def test_what_follows_an_imagined_result_does_not_count() -> None:
    turn = decode(f"{CALL}\n<tool_response>\nIt was Marr.\n</tool_response>\nExact Answer: Marr")
    assert (len(turn.calls), turn.text) == (1, "")
    assert "Marr" not in history_of(turn, "{}")[0].content


def test_reasoning_that_mentions_a_call_makes_none_where_something_follows_it() -> None:
    turn = decode(f"<think>I could write {CALL}, but no.</think>The mason.")
    assert (turn.calls, turn.text) == ((), "The mason.")
    assert read(decode(f"<think>{OTHER}?</think>{CALL}")) == [ReadCall("search", ("bridge",))]


def test_an_answer_loses_its_tags_and_nothing_else() -> None:
    assert decode("<think>So.</think>\n<answer>\nExact Answer: Marr\n</answer>").text == "Exact Answer: Marr"


@given(st.text(), st.sampled_from(["stop", "length", None]), st.booleans())
def test_nothing_a_model_writes_can_crash_the_decoder(text: str, finish: str | None, opened: bool) -> None:
    turn = decode(text, finish, Tags(opened=opened))
    history_of(turn, *["{}"] * len(turn.calls))


PIECES = ["<tool_call>", "</tool_call>", "<think>", "</think>", "<tool_response>", "</tool_response>", "<|im_end|>"]
MARKED = st.lists(st.sampled_from([*PIECES, "\n", "{", "}", '"', "\\"]) | st.text(max_size=4), max_size=8).map("".join)


@given(st.lists(st.sampled_from([*PIECES, CALL, '{"name": "search"', "a"]), max_size=8).map("".join))
def test_no_mixture_of_tags_can_crash_the_decoder(text: str) -> None:
    turn = decode(text)
    assert len(history_of(turn, *["{}"] * len(turn.calls))) == 2


@given(st.lists(MARKED, min_size=1, max_size=3))
def test_calls_about_markup_come_through_as_they_were_made(queries: list[str]) -> None:
    made = [ToolCall("", "search", json.dumps({"query": query})) for query in queries]
    found = find_calls("\n".join(map(call_text, made)))
    assert [json.loads(call.arguments) for call in found.calls] == [{"query": query} for query in queries]
    assert found.text.strip() == ""


@given(MARKED)
def test_reasoning_about_markup_makes_no_call_and_ends_no_reasoning(reasoning: str) -> None:
    turn = decode(CALL, reasoning=reasoning)
    assert read(turn) == [SEARCH]
    content = history_of(turn, "{}")[0].content
    assert content.count("<think>") == content.count("</think>") == 1
    assert content.endswith(f"</think>\n\n{CALL}")


@given(st.lists(MARKED, min_size=1, max_size=3))
def test_results_stay_in_their_blocks(texts: list[str]) -> None:
    results = [json.dumps({"docid": "d1", "text": text}) for text in texts]
    turn = decode("\n".join([CALL] * len(results)))
    shown = history_of(turn, *results)[1].content
    blocks = shown.removeprefix("<tool_response>\n").removesuffix("\n</tool_response>")
    inside = blocks.split("\n</tool_response>\n<tool_response>\n")
    assert [json.loads(block)["text"] for block in inside] == texts
    assert not any(mark in block for block in inside for mark in PIECES)
