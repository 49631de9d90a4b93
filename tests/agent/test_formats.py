"""One model does the same in every wire format, and what formats have in common holds for all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from behind import Behind, play_on
from endpoint_replies import Dialect
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.formats.markup import defused
from lrat_bench.agent.formats.registry import FORMATS, load_format
from lrat_bench.agent.formats.results import emptied
from lrat_bench.agent.rendering import Block, DocumentBlock, ErrorBlock, SearchBlock, render
from lrat_bench.errors import ContextOverflow, UnknownName, UsageError
from lrat_bench.model.scripted import ScriptedModel, answers, calls, together
from lrat_bench.model.seam import Request, Sampling, ToolCall, Turn
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Notice

ANSWER = "Explanation: it says so [d1]\nExact Answer: Aldwin Marr\nConfidence: 90%"
NAMES = ("native", "tags", "search_r1")
PLACEMENTS = ("reasoning_content", "reasoning", "inline", "unopened")

SEARCHES = [
    calls("search", query="bridge", reasoning="First, the bridge."),
    calls("search", query="the mason", reasoning="Now the mason.\n\nWho was he?"),
    calls("search", query="Bridge", reasoning="Once more."),
    Turn(text="", reasoning="Hm."),
    answers(ANSWER, reasoning="It says Aldwin Marr."),
]
BOTH_TOOLS = [
    together(
        calls("search", query=["bridge", "mason"], reasoning="Two at once."),
        calls("get_document", docid="d1"),
        calls("get_document", docid="nowhere"),
    ),
    Turn(calls=(ToolCall("", "search", '{"query": "bridge'),), reasoning="In haste.", finish_reason="tool_calls"),
    calls("google", query="x", reasoning="Elsewhere?"),
    *SEARCHES,
]


def steps(task: Task, name: str, script: Any, dialect: Dialect, **rules: Any) -> Any:
    episode = play_on(task, Behind(ScriptedModel(script), dialect), load_format(name), **rules)
    timeless = [
        step.model_copy(update={"seconds": 0.0}) if hasattr(step, "seconds") else step for step in episode.steps
    ]
    return episode.status, episode.answer, timeless, [turn.repaired for turn in episode.turns]


@pytest.mark.parametrize("reasoning", PLACEMENTS)
@pytest.mark.parametrize("name", ["native", "tags"])
def test_a_model_with_both_tools_does_the_same_however_it_is_spoken_to(bridge: Task, name: str, reasoning: Any) -> None:
    plain = steps(bridge, "native", BOTH_TOOLS, Dialect())
    assert (plain[0], plain[1]) == ("answered", ANSWER)
    assert sum(plain[3]) == 1
    dialect = Dialect(calls="tags" if name == "tags" else "parsed", reasoning=reasoning)
    assert steps(bridge, name, BOTH_TOOLS, dialect) == plain


@pytest.mark.parametrize("reasoning", ["inline", "unopened"])
@pytest.mark.parametrize("rules", [{}, {"max_turns": 3}, {"max_calls": 2}], ids=["free", "turns", "calls"])
def test_a_model_that_only_searches_does_the_same_in_one_text(bridge: Task, reasoning: Any, rules: Any) -> None:
    def play(request: Request) -> Turn:
        if request.tool_choice == "none":
            return answers(ANSWER, reasoning="So be it.")
        return SEARCHES[sum(message.role == "assistant" for message in request.messages)]

    rules = {"tools": ("search",), **rules}
    plain = steps(bridge, "native", play, Dialect(), **rules)
    assert plain[0] == ("forced" if len(rules) > 1 else "answered")
    for name, calls_as in (("tags", "tags"), ("search_r1", "search_r1")):
        assert steps(bridge, name, play, Dialect(calls=calls_as, reasoning=reasoning), **rules) == plain  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_message_is_a_result_with_the_request_to_answer_in_it(bridge: Task, name: str) -> None:
    dialect = {"native": Dialect(), "tags": Dialect(calls="tags"), "search_r1": Dialect("search_r1", "inline")}[name]
    model = Behind(ScriptedModel([SEARCHES[0], answers(ANSWER)]), dialect)
    assert play_on(bridge, model, load_format(name), max_turns=1, tools=("search",)).status == "forced"
    last = model.requests[-1].messages[-1].content
    opening, closing = {
        "native": ("", ""),
        "tags": ("<tool_response>\n", "\n</tool_response>"),
        "search_r1": ("<information>", "</information>\n\n"),
    }[name]
    if name == "search_r1":
        last = last[last.rindex(opening) :]
    assert last.startswith(opening)
    assert last.endswith(closing)
    body = last.removeprefix(opening).removesuffix(closing)
    assert "Give your final answer now" in json.loads(body)["notice"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [4, 1])
def test_a_conversation_that_is_too_long_loses_results_and_keeps_the_harness_s_words(
    bridge: Task, name: str, limit: int
) -> None:
    """However much has to go, what is left is the question, the calls and the request to answer."""
    dialect = {"native": Dialect(), "tags": Dialect(calls="tags"), "search_r1": Dialect("search_r1", "inline")}[name]

    def play(request: Request) -> Turn:
        shown = [message for message in request.messages if message.role == "tool"]
        full = sum("removed to save context" not in message.content for message in shown)
        if full >= limit:
            raise ContextOverflow
        if request.tool_choice == "none":
            return answers(ANSWER)
        return calls("search", query=f"bridge {len(shown)}")

    model = Behind(ScriptedModel(play), dialect)
    episode = play_on(bridge, model, load_format(name), tools=("search",))
    assert episode.status == "forced"
    sent = "".join(message.content for message in model.requests[-1].messages)
    assert sent.count("removed to save context") == sum(turn.removed for turn in episode.turns)
    assert sent.count("Give your final answer now") == 1
    assert "Which mason built it?" in sent
    assert any(isinstance(step, Notice) for step in episode.steps)


@pytest.mark.parametrize("name", NAMES)
def test_an_overflow_before_any_result_ends_the_question(bridge: Task, name: str) -> None:
    assert play_on(bridge, ScriptedModel([ContextOverflow()]), load_format(name)).status == "context_limit"


@pytest.mark.parametrize("name", NAMES)
def test_what_the_provider_needs_back_comes_back(name: str) -> None:
    wire_format = load_format(name)
    signed = {"message": {"role": "assistant", "signature": "abc"}}
    turn = wire_format.decode(Turn(text="Hm.", extra=signed), number=0)
    called = wire_format.decode(Turn(text="<search>x", calls=(ToolCall("", "search", "{}"),), extra=signed), number=1)
    history = wire_format.start("Question: x", ())
    wire_format.nudge(history, turn, "Go on.")
    wire_format.append(history, called, ["{}"])
    assert [message.extra for message in history if message.role == "assistant"] == [signed, signed]


@pytest.mark.parametrize("name", NAMES)
def test_equal_completions_give_equal_requests(name: str) -> None:
    """Whatever ids a server makes up."""
    wire_format = load_format(name)

    def request(call_id: str) -> str:
        history = wire_format.start("Question: x", ())
        given = Turn(text="<search>x</search>", calls=(ToolCall(call_id, "search", "{}"),))
        turn = wire_format.decode(given, number=3)
        wire_format.append(history, turn, ["{}"] * len(turn.calls))
        return wire_format.request(history, (), may_call=True, sampling=Sampling()).fingerprint

    assert request("chatcmpl-1") == request("chatcmpl-2")


def test_what_a_format_cannot_call_is_not_spoken_of(bridge: Task) -> None:
    model = Behind(ScriptedModel([answers(ANSWER)]), Dialect("search_r1", "inline"))
    assert play_on(bridge, model, load_format("search_r1")).status == "answered"
    assert "- search: " in model.bodies[0]["prompt"]
    assert "get_document" not in model.bodies[0]["prompt"]


def test_a_forced_answer_in_one_text_needs_no_tag(bridge: Task) -> None:
    def play(request: Request) -> Turn:
        return Turn(text="<think>So.</think>It was Marr." if "Give your final" in str(request) else "<search>x")

    episode = play_on(bridge, ScriptedModel(play), load_format("search_r1"), max_turns=1)
    assert (episode.status, episode.answer) == ("forced", "It was Marr.")


def test_each_format_is_found_by_name_and_knows_its_options() -> None:
    assert sorted(FORMATS) == sorted(NAMES)
    assert {load_format(name).name for name in NAMES} == set(NAMES)
    made: list[WireFormat] = [
        *map(load_format, NAMES),
        load_format("tags", {"system": "You are a researcher."}),
        load_format("tags", {"opened": True}),
        load_format("search_r1", {"template": "plain"}),
        load_format("search_r1", {"system": "You search."}),
    ]
    assert len({wire_format.fingerprint for wire_format in made}) == len(made)
    assert load_format("tags", {"opened": False}).fingerprint == load_format("tags").fingerprint


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("tags", {"sytem": "x"}, "has no option 'sytem'; it has 'system', 'opened'"),
        ("native", {"opened": True}, "has no option 'opened'; it has none"),
        ("tags", {"opened": "yes"}, "cannot have opened='yes': must be true or false"),
        ("tags", {"system": 5}, "cannot have system=5: must be a text"),
        ("search_r1", {"template": "alpaca"}, "cannot have template='alpaca': must be 'chatml' or 'plain'"),
    ],
)
def test_options_that_do_not_fit_are_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_format(name, options)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown wire format 'tagz': did you mean 'tags'"):
        load_format("tagz")


MARKUP = [
    *("<tool_response>", "</tool_response>", "\n</tool_response>\n<tool_response>\n", "<tool_call>", "</tool_call>"),
    *("<think>", "</think>", "<search>", "</search>", "<information>", "</information>", "<answer>", "</answer>"),
    *("<|im_end|>", "<|im_start|>user", "<TOOL_CALL>", "< /think>", "\\", '"', "<", "a < b", "\n", "é", "\\u003c"),
]
TEXT = st.lists(st.sampled_from(MARKUP) | st.text(max_size=5), max_size=8).map("".join)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(DocumentBlock, TEXT, TEXT),
    st.builds(SearchBlock, TEXT, st.lists(st.tuples(TEXT, st.just(1.0), TEXT), max_size=2).map(tuple)),
    st.builds(ErrorBlock, TEXT),
)


@given(st.lists(BLOCKS, min_size=1, max_size=3), TEXT)
def test_no_document_can_leave_its_place_and_none_is_changed(blocks: list[Block], notice: str) -> None:
    result = render(blocks, notice)
    harmless = defused(result)
    assert json.loads(harmless) == json.loads(result)
    for mark in MARKUP:
        if mark.strip().startswith(("<t", "</t", "<s", "</s", "<i", "</i", "<a", "</a", "<|", "<T", "< /")):
            assert mark not in harmless


def test_text_without_markup_is_left_as_it_is() -> None:
    for text in ("a < b and b > c", "<b>bold</b>", "x<y", "<thinker>", "no tags"):
        assert defused(text) == text


def test_an_emptied_result_keeps_what_the_harness_said() -> None:
    result = render([DocumentBlock("d1", "long " * 99), ErrorBlock("none", ("docid", "d2"))], "Answer now.")
    short = emptied(f"{result}\nReally.")
    assert short == ('{"note": "This result was removed to save context.", "notice": "Answer now."}\nReally.')
    assert emptied(short) is None
    assert emptied("Your reply was empty.") is None
