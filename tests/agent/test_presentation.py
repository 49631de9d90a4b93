"""A model is offered the tools in the terms it was trained on, and corrected in the same."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from behind import Behind, play_on, two_hits
from endpoint_replies import Dialect
from pydantic import ValidationError

from lrat_bench.agent.formats.native import Native
from lrat_bench.agent.formats.tags import Tags
from lrat_bench.agent.presentation import CANONICAL, Presentation, ToolForm, form, present
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.reading import ReadCall, Unreadable, read_call
from lrat_bench.agent.session import Session
from lrat_bench.agent.tools import describe, offered
from lrat_bench.errors import UsageError
from lrat_bench.model.scripted import ScriptedModel, answers, calls
from lrat_bench.model.seam import ToolCall
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Browse, Search

VISITS: Presentation = {
    "search": ToolForm(name="search", argument="query", many=True),
    "get_document": ToolForm(
        name="visit", argument="url", many=True, extra={"goal": "what to look for"}, description="opens pages"
    ),
}
BOTH = ("search", "get_document")


def test_the_canonical_presentation_changes_nothing() -> None:
    tools = offered(Rollout())
    assert present(tools, CANONICAL) == tools
    assert present(tools, {}) == tools


def test_tools_are_presented_with_schemas_that_fit() -> None:
    search, visit = present(offered(Rollout()), VISITS)
    assert (search.name, visit.name) == ("search", "visit")
    assert visit.description == "opens pages"
    assert search.description == offered(Rollout())[0].description
    assert search.parameters["properties"]["query"]["type"] == "array"
    assert search.parameters["properties"]["query"]["items"] == {"type": "string"}
    assert visit.parameters["properties"]["goal"] == {"type": "string", "description": "what to look for"}
    assert visit.parameters["required"] == ["url", "goal"]
    assert visit.parameters["additionalProperties"] is False


@pytest.mark.parametrize("name", ["get_document", "Get_Document"])
def test_two_tools_under_one_name_are_refused(bridge: Task, name: str) -> None:
    alike: Presentation = {"search": ToolForm(name=name, argument="query")}
    with pytest.raises(UsageError, match="tools 'search' and 'get_document' are both presented as 'get_document'"):
        play_on(bridge, ScriptedModel([answers("x")]), Native(), presentation=alike)


def test_a_name_that_only_a_tool_that_is_not_on_offer_has_is_free() -> None:
    alone: Presentation = {"search": ToolForm(name="get_document", argument="query")}
    (search,) = present(offered(Rollout(tools=("search",))), alone)
    assert read_call(ToolCall("c", search.name, '{"query": "x"}'), ("search",), alone) == ReadCall("search", ("x",))


def test_the_right_form_is_shown_as_presented() -> None:
    assert form("search", CANONICAL) == 'search({"query": "…"})'
    assert form("get_document", VISITS) == 'visit({"url": ["…"], "goal": "…"})'
    assert form("search", {}) == 'search({"query": "…"})'


@pytest.mark.parametrize("tool", BOTH)
@pytest.mark.parametrize("presentation", [CANONICAL, VISITS], ids=["canonical", "visits"])
def test_the_form_that_messages_show_can_be_read(tool: str, presentation: Presentation) -> None:
    name, _, arguments = form(tool, presentation).partition("(")
    assert read_call(ToolCall("c", name, arguments[:-1]), BOTH, presentation) == ReadCall(tool, ("…",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("google", {}, 'no tool \'google\'; call search({"query": ["…"]}) or visit({"url": ["…"], "goal": "…"}).'),
        ("visit", {"goal": "dates"}, "'url' is missing (given: 'goal'); write visit("),
        ("visit", {"url": []}, "'url' is empty"),
        ("", {"url": "d1"}, "names no tool; call search("),
    ],
)
def test_mistakes_are_explained_in_the_presented_terms(name: str, arguments: dict[str, Any], says: str) -> None:
    read = read_call(ToolCall("c", name, json.dumps(arguments)), BOTH, VISITS)
    assert isinstance(read, Unreadable)
    assert says in read.problem


def test_a_presented_name_means_what_was_presented() -> None:
    swapped = {"search": ToolForm(name="open", argument="id"), "get_document": ToolForm(name="q", argument="query")}
    assert read_call(ToolCall("c", "open", '{"id": "bridge"}'), BOTH, swapped) == ReadCall("search", ("bridge",))
    assert read_call(ToolCall("c", "q", '{"query": "d1"}'), BOTH, swapped) == ReadCall("get_document", ("d1",))


def test_other_known_names_still_count() -> None:
    assert read_call(ToolCall("c", "get_document", '{"docid": "d1"}'), BOTH, VISITS) == ReadCall(
        "get_document", ("d1",)
    )


@pytest.mark.parametrize("wrong", [{"name": ""}, {"argument": ""}, {"color": "red"}])
def test_a_form_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ToolForm.model_validate({"name": "visit", "argument": "url", **wrong})


@pytest.mark.parametrize("wire_format", [Native(), Tags()], ids=["native", "tags"])
def test_the_model_meets_only_the_presented_tools_and_the_log_only_the_canonical(
    bridge: Task, wire_format: Any
) -> None:
    script = [
        calls("search", query=["bridge", "mason"]),
        calls("visit", url=["d1", "d2"], goal="who built it"),
        calls("google", query="x"),
        answers("Exact Answer: Aldwin Marr"),
    ]
    dialect = Dialect(calls="tags") if isinstance(wire_format, Tags) else Dialect()
    model = Behind(ScriptedModel(script), dialect)
    episode = play_on(bridge, model, wire_format, presentation=VISITS)
    assert [step.query for step in episode.steps if isinstance(step, Search)] == ["bridge", "mason"]
    assert [step.docid for step in episode.steps if isinstance(step, Browse)] == ["d1", "d2"]
    seen = json.dumps(model.bodies[-1])
    assert "get_document" not in seen
    assert "no tool 'google'" in seen
    prompt = next(message["content"] for message in model.bodies[0]["messages"] if message["role"] == "user")
    assert describe(present(offered(Rollout()), VISITS)) in prompt


def test_a_session_of_its_own_speaks_canonically(bridge: Task) -> None:
    at = Session("q1", Rollout(), two_hits, Reader(bridge.corpus, Rollout()))
    (reply,) = asyncio.run(at.execute([ToolCall("c", "google", "{}")]))
    assert "get_document({" in reply.text
