"""The last request of one conversation, as it goes over the wire, for every backbone row.

Two searches at once, a call that cannot be read, a document, and then the answer is asked for: whatever the model
reasoned before must still be in the body where the row says that it goes back. The bodies stand in `golden/`;
`make golden` writes them anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from behind import two_hits
from wall import Wall, standing

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.backbones import Backbone
from lrat_bench.agent.catalog import find_backbone
from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.agent.loop import play
from lrat_bench.agent.presentation import form_of
from lrat_bench.agent.reader import Reader
from lrat_bench.agent.session import Session
from lrat_bench.model.scripted import ScriptedModel
from lrat_bench.model.seam import Message, Request, ToolCall, Turn
from lrat_bench.task.protocol import Rollout
from lrat_bench.task.task import Task

GOLDEN = Path(__file__).parent / "golden"
ROWS = {
    "tongyi-deepresearch": "tongyi-deepresearch",
    "webexplorer": "webexplorer",
    "agentcpm-explore": "agentcpm-explore",
    "gpt-oss-120b": "gpt-oss-120b",
    "minimax-m2.1": "minimax-m2.1",
    "glm-4.7": "glm-4.7",
    "qwen3-32b": "qwen3-32b",
    "qwen3-30b-a3b-thinking": "qwen3-30b-a3b-thinking",
    "search-r1": "search-r1",
    "gpt-5": "openai/responses/gpt-5.6",
    "gpt-4.1": "openai/gpt-4.1",
    "claude": "anthropic/claude-opus-5-5",
    "gemini": "gemini/gemini-3.1-pro-preview",
    "deepseek": "deepseek/deepseek-v4-pro",
}
"""File → agent."""

THOUGHTS = ("First the bridge and the mason.", "That was no proper call.", "d1 looks right.")
QUERIES = ("bridge Ostrel", "mason Tarn")


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    with standing() as found:
        yield found


def presented(row: Backbone, tool: str, values: tuple[str, ...]) -> ToolCall:
    """A call in the row's own terms."""
    shown = form_of(tool, row.presentation)
    given: Any = list(values) if shown.many else values[0]
    return ToolCall("", shown.name, json.dumps({shown.argument: given, **dict.fromkeys(shown.extra, "the mason")}))


def script(row: Backbone) -> list[Turn]:
    """What the model says, in fields, or in the text where the row's format looks for it there."""
    broken = ToolCall("", form_of("search", row.presentation).name, '"bridge')
    calls = (
        (presented(row, "search", QUERIES), presented(row, "search", QUERIES[1:])),
        (broken,),
        (presented(row, "get_document", ("d1",)),),
    )
    turns = [said(row, thought, made, n) for n, (thought, made) in enumerate(zip(THOUGHTS, calls, strict=True))]
    # Where the chat template has opened the reasoning, the model ends it before it answers.
    ended = "It was him.\n</think>\n\n" if row.format_options.get("opened") else ""
    return [*turns, Turn(text=f"{ended}Exact Answer: Aldwin Marr")]


def said(row: Backbone, thought: str, calls: tuple[ToolCall, ...], number: int) -> Turn:
    if row.format == "search_r1":
        # It has no call that cannot be read but an empty one, and no other tool.
        query = QUERIES[number] if number < 2 else ""
        return Turn(text=f"<think>{thought}</think>\n<search>{query}</search>", reasoning_source="none")
    if row.format == "tags":
        blocks = "\n".join(
            f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>' for call in calls
        )
        opening = "" if row.format_options.get("opened") else "<think>\n"
        return Turn(text=f"{opening}{thought}\n</think>\n\n{blocks}", reasoning_source="none")
    named = tuple(replace(call, id=f"provider-{number}-{n}") for n, call in enumerate(calls))
    extra = {"message": message(row, thought, named, number)} if row.passback == "message" else {}
    return Turn(reasoning=thought, calls=named, finish_reason="tool_calls", extra=extra)


def message(row: Backbone, thought: str, calls: tuple[ToolCall, ...], number: int) -> dict[str, Any]:
    """LiteLLM's message for a provider that wants its own back: signed thoughts, encrypted items."""
    made = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]
    found: dict[str, Any] = {"role": "assistant", "content": None, "reasoning_content": thought, "tool_calls": made}
    match (row.model or "").partition("/")[0]:
        case "anthropic":
            found["thinking_blocks"] = [{"type": "thinking", "thinking": thought, "signature": f"SIGNED-{number}"}]
        case "gemini":
            for call in made:
                call["provider_specific_fields"] = {"thought_signature": f"U0lHTkVE{number}"}
        case "openai":
            item = {"type": "reasoning", "id": f"rs_{number}", "encrypted_content": f"ENCRYPTED-{number}"}
            found["reasoning_items"] = [{**item, "summary": [{"type": "summary_text", "text": thought}]}]
    return found


def last_request(row: Backbone, task: Task) -> Request:
    """What the model is asked when the answer is forced after three turns."""
    asked: list[Request] = []

    class Watched(ScriptedModel):
        async def complete(self, request: Request) -> Turn:
            asked.append(request)
            turn = script(row)[len(asked) - 1]
            if request.raw and len(asked) == 4:
                return replace(turn, text=f"<answer>{turn.text}</answer>")
            return turn

    rollout = Rollout(max_turns=3, snippet_tokens=8, document_tokens=16)
    session = Session("q1", rollout, two_hits, Reader(task.corpus, rollout))
    written: WireFormat = row.wire_format()
    agent = Agent("golden", Watched([]), written, row.sampling_values(), None, row.presentation)
    episode = asyncio.run(play("Who built it?", agent, session, seed=7))
    assert (episode.status, len(asked)) == ("forced", 4)
    return asked[-1]


@pytest.mark.parametrize("name", ROWS)
def test_the_body_is_the_golden_one_and_holds_all_reasoning(
    wall: Wall, bridge: Task, name: str, request: pytest.FixtureRequest
) -> None:
    row = find_backbone(ROWS[name])
    assert row is not None
    body = wall.body(row.spec(), last_request(row, bridge))
    text = json.dumps(body, ensure_ascii=False)
    if row.passback != "none":
        kept = ("ENCRYPTED", "SIGNED", "U0lHTkVE")
        signs = [sign for sign in kept if f"{sign}-0" in text or f"{sign}0" in text]
        for number, thought in enumerate(THOUGHTS):
            assert thought in text or any(f"{sign}{dash}{number}" in text for sign in signs for dash in ("-", ""))
    file = GOLDEN / f"{name}.json"
    if request.config.getoption("--golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(body, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    assert body == json.loads(file.read_text())


def test_no_user_message_stands_in_the_middle_of_a_loop(bridge: Task) -> None:
    for name in ROWS.values():
        row = find_backbone(name)
        assert row is not None
        if row.format == "search_r1":
            continue
        head, *rest = (message for message in last_request(row, bridge).messages if message.role != "system")
        assert head.role == "user"
        assert all(_is_result(message) for message in rest if message.role != "assistant")


def _is_result(message: Message) -> bool:
    wrapped = message.content.startswith("<tool_response>") and message.content.endswith("</tool_response>")
    return message.role == "tool" or wrapped
