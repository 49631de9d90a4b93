"""The heuristic plays an agent: it completes a conversation by rules, and by nothing but the conversation."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrat_bench.model.heuristic import Heuristic, Settings
from lrat_bench.model.seam import Message, Model, Request, Tool, ToolCall, Turn

SEARCH = Tool("search", "", {"type": "object"})
GET_DOCUMENT = Tool("get_document", "", {"type": "object"})
TOOLS = (SEARCH, GET_DOCUMENT)

PAGES = {
    "d1": "Ostrel Water\nThe Ostrel Water is a river of the north. It runs for 41 kilometres. On its bank is Fenholm.",
    "d2": "Tamble Stream\nThe Tamble Stream is a river of the north. It runs for 23 kilometres. On its bank lies Marl.",
    "d3": "Kessing Bridge\nThe Kessing Bridge is a bridge of grey granite. It carries the road over the Ostrel Water. "
    "Plans were drawn by Ilda Marrow.",
    "d4": "Harl Bridge\nThe Harl Bridge is a bridge of grey granite. It carries the road over the Tamble Stream.",
    "d5": "Ilda Marrow\nIlda Marrow was an architect. She was born in 1803 and kept falcons.",
    "d6": "Dovell Museum\nThe Dovell Museum shows clocks. It is the pride of Marl.",
}
QUESTION = "Which bridge of grey granite crosses a river that runs for 41 kilometres?"


def ask(question: str) -> Message:
    return Message("user", f"You answer by research.\n\nQuestion: {question}")


def hits(query: str, docids: Sequence[str], pages: dict[str, str] = PAGES) -> str:
    results = [{"docid": docid, "score": 1.0, "snippet": pages[docid][:90]} for docid in docids]
    return json.dumps({"query": query, "results": results})


def complete(messages: Sequence[Message], *, tools: tuple[Tool, ...] = TOOLS, may_call: bool = True) -> Turn:
    request = Request(tuple(messages), tools=tools, tool_choice="auto" if may_call else "none")
    return asyncio.run(Heuristic().complete(request))


def overlap(query: str) -> list[str]:
    """A tiny retriever: documents by the number of words that they share with the query."""
    asked = set(query.lower().split())
    shared = {docid: len(asked & set(text.lower().replace(".", " ").split())) for docid, text in PAGES.items()}
    return [docid for docid in sorted(shared, key=lambda docid: (-shared[docid], docid)) if shared[docid]][:4]


def nothing(query: str) -> list[str]:
    return []


def research(
    question: str = QUESTION, *, search: Callable[[str], list[str]] = overlap, tools: tuple[Tool, ...] = TOOLS
) -> list[Message]:
    """The whole conversation about one question, ending with the answer."""
    messages = [ask(question)]
    while True:
        turn = complete(messages, tools=tools)
        messages.append(Message("assistant", turn.text, turn.reasoning, turn.calls))
        if not turn.calls:
            return messages
        for call in turn.calls:
            arguments = json.loads(call.arguments)
            if call.name == "search":
                content = hits(arguments["query"], search(arguments["query"]))
            else:
                content = json.dumps({"docid": arguments["docid"], "text": PAGES[arguments["docid"]]})
            messages.append(Message("tool", content, call_id=call.id))


def after_opening(docid: str, question: str = QUESTION) -> list[Message]:
    """A conversation in which one document was found and opened."""
    search = ToolCall("c0", "search", json.dumps({"query": question}))
    opened = ToolCall("c1", "get_document", json.dumps({"docid": docid}))
    return [
        ask(question),
        Message("assistant", "", "…", (search,)),
        Message("tool", hits(question, [docid]), call_id="c0"),
        Message("assistant", "", "…", (opened,)),
        Message("tool", json.dumps({"docid": docid, "text": PAGES[docid]}), call_id="c1"),
    ]


def exact_answer(text: str) -> str:
    explanation, answer, confidence = text.rsplit("\n", 2)
    assert explanation.startswith("Explanation: ")
    assert confidence.startswith("Confidence: ")
    assert confidence.endswith("%")
    return answer.removeprefix("Exact Answer: ")


def test_it_is_a_model() -> None:
    assert isinstance(Heuristic(), Model)


def test_it_finds_an_answer_that_no_single_document_gives() -> None:
    conversation = research()
    assert exact_answer(conversation[-1].content) == "Kessing Bridge"
    assert "[d3]" in conversation[-1].content


def test_it_begins_with_a_search_and_opens_what_it_found() -> None:
    names = [call.name for message in research() for call in message.calls]
    assert names[0] == "search"
    assert "get_document" in names


def test_it_never_repeats_a_call() -> None:
    calls = [(call.name, call.arguments) for message in research() for call in message.calls]
    assert len(set(calls)) == len(calls)


def test_call_ids_are_unique_within_a_conversation() -> None:
    ids = [call.id for message in research() for call in message.calls]
    assert len(set(ids)) == len(ids)


def test_the_same_conversation_gets_the_same_turn_from_any_instance_at_any_time() -> None:
    conversation = research()
    for end, message in enumerate(conversation):
        if message.role == "assistant":
            turn = complete(conversation[:end])
            assert (turn.text, turn.reasoning, turn.calls) == (message.content, message.reasoning, message.calls)


def test_conversations_do_not_touch_each_other() -> None:
    model = Heuristic()
    requests = [
        Request(tuple(after_opening(docid, question)), tools=TOOLS)
        for docid in PAGES
        for question in (QUESTION, "Who was born in 1803?")
    ]

    async def together() -> list[Turn]:
        return await asyncio.gather(*map(model.complete, requests))

    assert asyncio.run(together()) == [complete(request.messages) for request in requests]


def test_the_turn_does_not_depend_on_the_process() -> None:
    program = (
        "import asyncio, json, sys\n"
        "from lrat_bench.model.heuristic import Heuristic\n"
        "from lrat_bench.model.seam import *\n"
        "made = [Message(**{**m, 'calls': tuple(ToolCall(*c) for c in m['calls'])}) for m in json.load(sys.stdin)]\n"
        "tools = (Tool('search', '', {}), Tool('get_document', '', {}))\n"
        "for end in range(1, len(made) + 1, 2):\n"
        "    print(asyncio.run(Heuristic().complete(Request(tuple(made[:end]), tools))))\n"
    )
    plain = [
        {
            "role": m.role,
            "content": m.content,
            "reasoning": m.reasoning,
            "calls": [[c.id, c.name, c.arguments] for c in m.calls],
            "call_id": m.call_id,
        }
        for m in research()[:-1]
    ]

    def run(seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(plain),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert run("1") == run("2") != ""


def test_it_can_reach_neither_task_nor_retriever() -> None:
    program = "import sys, lrat_bench.model.heuristic; print(*(m for m in sys.modules if m.startswith('lrat_bench.')))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "lrat_bench.model.heuristic" in loaded
    assert not [name for name in loaded if name.split(".")[1] not in {"model", "trajectory", "files", "errors"}]


def test_with_nothing_found_it_says_unknown_and_stops_early() -> None:
    conversation = research(search=nothing)
    assert exact_answer(conversation[-1].content) == "unknown"
    assert sum(len(message.calls) for message in conversation) <= 5
    assert "Confidence: 0%" in conversation[-1].content


def test_when_no_tool_may_be_called_it_answers_at_once() -> None:
    for conversation in (after_opening("d3"), [ask(QUESTION)], []):
        turn = complete(conversation, may_call=False)
        assert not turn.calls
        assert turn.finish_reason == "stop"
        assert exact_answer(turn.text) == ("Kessing Bridge" if len(conversation) > 1 else "unknown")


def test_without_get_document_it_works_from_snippets() -> None:
    conversation = research(tools=(SEARCH,))
    assert {call.name for message in conversation for call in message.calls} == {"search"}
    assert exact_answer(conversation[-1].content) in {"Kessing Bridge", "Harl Bridge"}


def test_without_search_it_has_nothing_to_open() -> None:
    turn = complete([ask(QUESTION)], tools=(GET_DOCUMENT,))
    assert not turn.calls
    assert exact_answer(turn.text) == "unknown"


def test_a_document_that_helps_is_quoted_and_one_that_does_not_gets_one_line() -> None:
    helpful = complete(after_opening("d3")).reasoning or ""
    useless = complete(after_opening("d6")).reasoning or ""
    assert "The Kessing Bridge is a bridge of grey granite." in helpful
    assert "\n" not in useless
    assert "does not help" in useless
    assert len(helpful.split()) > 3 * len(useless.split())


def test_a_name_found_in_a_document_is_searched_for() -> None:
    turn = complete(after_opening("d3"))
    assert turn.calls[0].name == "search"
    assert any(name in turn.calls[0].arguments for name in ("Kessing", "Ostrel", "Marrow"))


def test_it_spends_no_more_calls_than_its_settings_allow() -> None:
    model = Heuristic(Settings(steps=2))
    calls = [call for m in research() for call in m.calls][:2]
    assert len(calls) == 2
    turn = asyncio.run(model.complete(Request(tuple(research()[:5]), tools=TOOLS)))
    assert not turn.calls


def test_tokens_are_counted_and_cost_nothing() -> None:
    first, second = (complete(messages).usage for messages in (after_opening("d3")[:1], after_opening("d3")))
    assert first.prompt_tokens is not None
    assert second.prompt_tokens is not None
    assert 0 < first.prompt_tokens < second.prompt_tokens
    assert second.completion_tokens is not None
    assert second.reasoning_tokens is not None
    assert 0 < second.reasoning_tokens < second.completion_tokens
    assert (second.llm_calls, second.cost_usd) == (1, 0.0)


def test_the_fingerprint_follows_the_settings() -> None:
    assert Heuristic().fingerprint == Heuristic(Settings()).fingerprint
    assert Heuristic().fingerprint != Heuristic(Settings(steps=9)).fingerprint


@pytest.mark.parametrize(
    ("question", "docids", "answer"),
    [
        ("In what year was Ilda Marrow born?", ["d5", "d3"], "1803"),
        ("How many kilometres does the Ostrel Water run for?", ["d1", "d2"], "41"),
        ("Are both the Ostrel Water and the Tamble Stream rivers?", ["d1", "d2"], "yes"),
        ("Are the Dovell Museum and the Tamble Stream both rivers of the north?", ["d2", "d6"], "no"),
        ("Which river runs for more kilometres, the Ostrel Water or the Tamble Stream?", ["d1", "d2"], "Ostrel Water"),
        ("Who drew the plans of the Kessing Bridge?", ["d3", "d5"], "Ilda Marrow"),
    ],
)
def test_answers_have_the_form_that_the_question_asks_for(question: str, docids: list[str], answer: str) -> None:
    messages = [ask(question)]
    for number, docid in enumerate(docids):
        call = ToolCall(f"c{number}", "get_document", json.dumps({"docid": docid}))
        messages += [
            Message("assistant", "", "…", (call,)),
            Message("tool", json.dumps({"docid": docid, "text": PAGES[docid]}), call_id=call.id),
        ]
    assert exact_answer(complete(messages, may_call=False).text) == answer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["docid", "results", "snippet", "text", "error", "query"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=30)
@given(st.text(max_size=200), st.one_of(st.text(max_size=60), JSON.map(json.dumps)), st.sampled_from(["c0", "x", None]))
def test_nothing_that_a_tool_says_can_break_it(question: str, content: str, call_id: str | None) -> None:
    for name, arguments in pairwise(["search", '{"query": "a"}', "get_document", "not json", "search", "[1]"]):
        messages = [
            ask(question),
            Message("assistant", "", None, (ToolCall("c0", name, arguments),)),
            Message("tool", content, call_id=call_id),
        ]
        for may_call in (True, False):
            turn = complete(messages, may_call=may_call)
            assert bool(turn.calls) != bool(turn.text)


def test_a_list_valued_call_is_read_too() -> None:
    call = ToolCall("c0", "search", json.dumps({"query": ["granite", "rivers"]}))
    content = f"[{hits('granite', ['d3', 'd4'])}, {hits('rivers', ['d1'])}]"
    messages = [ask(QUESTION), Message("assistant", "", None, (call,)), Message("tool", content, call_id="c0")]
    assert exact_answer(complete(messages, may_call=False).text) in {"Kessing Bridge", "Harl Bridge"}


def test_results_taken_out_of_the_conversation_are_not_asked_for_again() -> None:
    conversation = [
        Message("tool", "(removed)", call_id=message.call_id) if message.role == "tool" else message
        for message in after_opening("d3")
    ]
    turn = complete(conversation)
    before = [(call.name, call.arguments) for message in conversation for call in message.calls]
    assert all((call.name, call.arguments) not in before for call in turn.calls)
