"""The recipes of examples/agents complete runs: with scripted models, and with stand-ins for programs of vendors."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import lrat_bench
from lrat_bench.runs.run import Run
from lrat_bench.trajectory import Browse, Search, Think

RECIPES = Path(__file__).parents[2] / "examples" / "agents"

SCRIPTED = '''
"""smolagents with a model that follows a script: search, read the first hit, answer with its title."""
import json, os, sys
sys.path.insert(0, {recipes!r})
import smolagents_agent
from smolagents import Model
from smolagents.models import ChatMessage, ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole

class Scripted(Model):
    def generate(self, messages, stop_sequences=None, response_format=None, tools_to_call_from=None, **more):
        role = MessageRole.TOOL_RESPONSE
        results = [block["text"] for one in messages if one.role == role for block in one.content]
        if not results:
            return self.calls("First, the bridge.", "search", query="bridge over the Ostrel")
        if len(results) == 1:
            return self.calls("That one.", "get_document", docid="d2")
        assert "Aldwin Marr was a mason" in results[-1]
        return self.calls("It is him.", "final_answer", answer="Exact Answer: Aldwin Marr")

    def calls(self, text, name, **arguments):
        function = ChatMessageToolCallFunction(name=name, arguments=arguments)
        call = ChatMessageToolCall(function=function, id="1", type="function")
        return ChatMessage(role=MessageRole.ASSISTANT, content=text, tool_calls=[call])

smolagents_agent.make_model = lambda: Scripted(model_id="scripted")
agent = smolagents_agent.agent
if __name__ == "__main__":
    prompt = os.environ["LRAT_BENCH_PROMPT"]
    print(smolagents_agent.solve(prompt, smolagents_agent.over_http, smolagents_agent.make_model())[0])
'''


def expect_search_and_read(run: Run) -> Any:
    (record,) = run.trajectories
    steps = [step for step in record.steps if isinstance(step, Search | Browse)]
    assert [step.kind for step in steps] == ["search", "browse"], record.error
    assert (record.status, record.answer) == ("answered", "Exact Answer: Aldwin Marr")
    assert run.metrics.metric("success_rate").value == 1
    return record


def test_smolagents_as_a_command_and_in_our_process(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "scripted_smolagents.py"
    program.write_text(SCRIPTED.format(recipes=str(RECIPES)))
    words: dict[str, Any] = {"retriever": "oracle", "limit": 1}
    command = f"command:{sys.executable} {program}"
    outside = expect_search_and_read(lrat_bench.run(str(task_folder), command, out=tmp_path / "command", **words))
    monkeypatch.syspath_prepend(str(tmp_path))
    inside = expect_search_and_read(
        lrat_bench.run(str(task_folder), "scripted_smolagents:agent", out=tmp_path / "callable", **words)
    )
    kinds = [step.kind for step in inside.steps]
    assert kinds == ["think", "search", "think", "browse", "think", "answer"]
    assert [step.text for step in inside.steps if isinstance(step, Think)] == [
        "First, the bridge.",
        "That one.",
        "It is him.",
    ]
    tools = [step.model_copy(update={"seconds": 0.0}) for step in inside.steps if isinstance(step, Search | Browse)]
    # The same calls leave the same steps.
    assert tools == [
        step.model_copy(update={"seconds": 0.0}) for step in outside.steps if isinstance(step, Search | Browse)
    ]


def test_plain_httpx(task_folder: Path, tmp_path: Path) -> None:
    command = f"command:{sys.executable} {RECIPES / 'httpx_agent.py'}"
    run = lrat_bench.run(str(task_folder), command, "oracle", limit=1, out=tmp_path / "run")
    (record,) = run.trajectories
    assert [step.kind for step in record.steps] == ["search", "browse", "answer"]
    assert "Confidence: 10%" in str(record.answer)
    assert run.metrics.metric("citation_coverage").value == 1


STAND_IN = '''#!{python} -S
"""Stands in for a vendor's program: finds the server in its configuration, calls it over MCP, prints an answer."""
import json, os, re, sys, urllib.request
words = sys.argv[1:]
if {name!r} == "claude":
    assert words[0] == "-p" and "--strict-mcp-config" in words and words[words.index("--tools") + 1] == ""
    (server,) = json.load(open(words[words.index("--mcp-config") + 1]))["mcpServers"].values()
    url, prompt = server["url"], words[1]
else:
    import tomllib
    assert words[0] == "exec"
    config = tomllib.load(open(os.path.join(os.environ["CODEX_HOME"], "config.toml"), "rb"))
    url, prompt = config["mcp_servers"]["lrat"]["url"], words[-1]
    assert config["web_search"] == "disabled"
assert prompt.endswith("Question: Which mason built the bridge over the Ostrel?")
assert words[words.index("--model") + 1] == "small"

def ask(number, method, **params):
    body = json.dumps({{"jsonrpc": "2.0", "id": number, "method": method, "params": params}}).encode()
    headers = {{"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}}
    return json.load(urllib.request.urlopen(urllib.request.Request(url, body, headers)))["result"]

tools = [tool["name"] for tool in ask(1, "tools/list")["tools"]]
assert tools == ["search", "get_document"], tools
ask(2, "tools/call", name="search", arguments={{"query": "bridge"}})
ask(3, "tools/call", name="get_document", arguments={{"docid": "d2"}})
print("thinking", file=sys.stderr)
print("Exact Answer: Aldwin Marr")
'''


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_scripts_for_programs_of_vendors_hand_on_question_address_and_answer(
    name: str, task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / name
    program.parent.mkdir()
    program.write_text(STAND_IN.format(python=os.path.realpath(sys.executable), name=name))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CLAUDE_MODEL" if name == "claude" else "CODEX_MODEL", "small")
    script = RECIPES / {"claude": "claude_code.sh", "codex": "codex.sh"}[name]
    settings = {
        "agent.env": ["CLAUDE_MODEL" if name == "claude" else "CODEX_MODEL"],
        "agent.answer": "stdout",
        "agent.version": "2.1",
    }
    run = lrat_bench.run(
        str(task_folder), f"command:sh {script}", "oracle", limit=1, set=settings, out=tmp_path / "run"
    )
    expect_search_and_read(run)
    assert run.manifest.rankable
