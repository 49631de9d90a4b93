"""The scripted model plays what it is given, wherever and however often the conversation comes by."""

from __future__ import annotations

import asyncio
import json

import pytest

from lrat_bench.errors import ContextOverflow, UsageError
from lrat_bench.model.scripted import Script, ScriptedModel, answers, calls, together
from lrat_bench.model.seam import Message, Model, Request, Turn


def conversation(prompt: str, turns: int = 0) -> Request:
    told = [Message("user", prompt)]
    for number in range(turns):
        told += [Message("assistant", "", calls=()), Message("tool", "{}", call_id=f"call-{number}-0")]
    return Request(tuple(told))


def play(model: ScriptedModel, request: Request) -> Turn:
    return asyncio.run(model.complete(request))


SCRIPT = [calls("search", query="bridge"), calls("get_document", docid="d1"), answers("Aldwin")]


def test_it_is_a_model() -> None:
    assert isinstance(ScriptedModel(SCRIPT), Model)


def test_the_conversation_says_where_the_script_stands() -> None:
    model = ScriptedModel(SCRIPT)
    for place in (2, 0, 1, 0):  # in any order: nothing is remembered
        assert [c.name for c in play(model, conversation("q", place)).calls] == [c.name for c in SCRIPT[place].calls]


def test_calls_are_json_and_carry_ids_of_their_own() -> None:
    turn = play(
        ScriptedModel([together(calls("search", query="é", reasoning="look"), calls("search", query=["a", "b"]))]),
        conversation("q"),
    )
    assert [json.loads(call.arguments) for call in turn.calls] == [{"query": "é"}, {"query": ["a", "b"]}]
    assert len({call.id for call in turn.calls}) == 2
    assert turn.reasoning == "look"
    assert turn.finish_reason == "tool_calls"


def test_each_question_can_have_a_script() -> None:
    model = ScriptedModel({"river": [answers("Ostel")], "bridge": [answers("Aldwin")]})
    assert play(model, conversation("Which bridge?")).text == "Aldwin"
    assert play(model, conversation("Which river?")).text == "Ostel"
    with pytest.raises(UsageError, match=r"'Which town\?'.*'river', 'bridge'"):
        play(model, conversation("Which town?"))


def test_a_function_sees_the_request() -> None:
    model = ScriptedModel(lambda request: answers(request.messages[0].content.upper()))
    assert play(model, conversation("q", 3)).text == "Q"


def test_errors_and_functions_can_stand_in_a_script() -> None:
    model = ScriptedModel([ContextOverflow("too long"), lambda request: answers(str(len(request.messages)))])
    with pytest.raises(ContextOverflow, match="too long"):
        play(model, conversation("q"))
    assert play(model, conversation("q", 1)).text == "3"


def test_a_script_that_runs_out_says_so_or_ends_as_told() -> None:
    with pytest.raises(UsageError, match="has 3 turns and turn 4 was asked for"):
        play(ScriptedModel(SCRIPT), conversation("q", 3))
    assert play(ScriptedModel(SCRIPT, then=answers("enough")), conversation("q", 3)).text == "enough"


def test_the_fingerprint_follows_the_script() -> None:
    scripts: list[Script] = [SCRIPT, SCRIPT[:2], [ContextOverflow("a")], [ContextOverflow("b")]]
    prints = {ScriptedModel(script).fingerprint for script in scripts}
    assert len(prints) == 4
    assert ScriptedModel(list(SCRIPT)).fingerprint in prints
