"""What a model meant by a call is carried out; what it cannot have meant is explained to it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.agent.reading import ReadCall, Unreadable, read_call
from lrat_bench.model.seam import ToolCall

BOTH = ("search", "get_document")


def read(name: str, arguments: object, tools: tuple[str, ...] = BOTH) -> ReadCall | Unreadable:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return read_call(ToolCall("c", name, text), tools)


@pytest.mark.parametrize(
    ("name", "arguments", "tool", "entries"),
    [
        ("search", {"query": "a bridge"}, "search", ("a bridge",)),
        ("search", {"query": ["one", "two"]}, "search", ("one", "two")),
        ("search", {"queries": '["one", "two"]'}, "search", ("one", "two")),
        ("local_knowledge_base_retrieval", {"user_query": "x"}, "search", ("x",)),
        ("functions.search", {"q": " padded "}, "search", ("padded",)),
        ("get_document", {"docid": "d1"}, "get_document", ("d1",)),
        ("get_document", {"docid": 17}, "get_document", ("17",)),
        ("visit", {"url": ["d1", "d2"], "goal": "dates"}, "get_document", ("d1", "d2")),
        ("browse", {"url": "d1", "query": "ignored"}, "get_document", ("d1",)),
        ("search", {"query": "[not a list"}, "search", ("[not a list",)),
        ("search", {"query": "['one', 'two']"}, "search", ("one", "two")),
        ("search", {"query": ["one", None]}, "search", ("one",)),
        ("search", {"query": None, "q": "x"}, "search", ("x",)),
        ("get_document", {"docid": 12.0}, "get_document", ("12",)),
        ("browser.search", {"query": "x", "topn": 5, "source": "web"}, "search", ("x",)),
        ("web_search", {"queries": ["x"]}, "search", ("x",)),
        ("retrieve", {"query": "x"}, "search", ("x",)),
        ("open", {"id": "d1", "cursor": 3, "loc": 0, "pattern": "mason"}, "get_document", ("d1",)),
        ("browser.open", {"id": 17, "num_lines": 40}, "get_document", ("17",)),
        ("fetch_url", {"url": ["d1"], "purpose": "dates"}, "get_document", ("d1",)),
        ("open_url", {"urls": '["d1", "d2"]'}, "get_document", ("d1", "d2")),
    ],
)
def test_known_names_and_shapes_are_understood(name: str, arguments: object, tool: str, entries: object) -> None:
    assert read(name, arguments) == ReadCall(tool, entries)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        "search<|channel|>commentary",
        "search<|constrain|>json",
        "functions.search<|channel|>json",
        "to=functions.search",
        "default_api:search",
        " `Search` ",
        '"search"',
        "search()",
    ],
)
def test_what_clings_to_a_name_is_no_part_of_it(name: str) -> None:
    assert read(name, {"query": "x"}) == ReadCall("search", ("x",))


@pytest.mark.parametrize("text", ['{"query": "a bridge",}', "{'query': 'a bridge'}", '{"query": "a bridge"'])
def test_broken_json_is_mended_and_counted(text: str) -> None:
    assert read("search", text) == ReadCall("search", ("a bridge",), repaired=True)


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("google", {"query": "x"}, "no tool 'google'"),
        ("g" * 500, {"query": "x"}, f"no tool '{'g' * 80}';"),
        ("<|channel|>", {"query": "x"}, "no tool '<|channel|>'"),
        (" ", {"query": "x"}, "names no tool"),
        ("search", {"text": "x"}, "'query' is missing (given: 'text')"),
        ("search", {}, "'query' is missing (given: none)"),
        ("search", {"query": None}, "'query' is missing (given: none)"),
        ("search", {"query": ""}, "empty"),
        ("search", {"query": ["ok", {"text": "x"}]}, "no text"),
        ("search", {"query": True}, "no text"),
        ("search", "no json at all", "not a JSON object"),
        ("search", "", "not a JSON object"),
        ("search", "[1, 2]", "not a JSON object"),
        ("search", "[" * 100_000, "not a JSON object, and too long to be mended"),
        ("search", '{"query": "' + "a " * 5_000, "not a JSON object, and too long to be mended"),
    ],
)
def test_what_cannot_be_read_is_answered_with_the_right_form(name: str, arguments: object, says: str) -> None:
    result = read(name, arguments)
    assert isinstance(result, Unreadable)
    assert says in result.problem
    assert 'search({"query": "…"})' in result.problem


def test_a_tool_that_is_not_on_offer_is_no_tool() -> None:
    result = read("get_document", {"docid": "d1"}, ("search",))
    assert isinstance(result, Unreadable)
    assert "get_document(" not in result.problem


@given(st.text(), st.text())
def test_nothing_a_model_writes_can_crash_the_reader(name: str, arguments: str) -> None:
    read(name, arguments)
