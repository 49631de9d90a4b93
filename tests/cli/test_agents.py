"""`lrat-bench agents`: what there is, and for each agent what is sent and what to type."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from said import Command

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.backbones import backbones
from lrat_bench.agent.catalog import load_agent
from lrat_bench.runs.resolve import Settings
from lrat_bench.task.protocol import Rollout


@pytest.fixture
def command(command: Command) -> Command:
    """Runs `lrat-bench agents WORDS…`."""
    return partial(command, "agents")


def shown(command: Command, agent: str) -> Any:
    code, out, err = command("show", agent, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_list_has_every_agent_and_every_row(command: Command) -> None:
    code, out, _ = command("list")
    assert code == 0
    found = json.loads(command("list", "--json")[1])
    assert [one["name"] for one in found] == ["heuristic", *backbones()]
    for one in found:
        assert one["name"] in out
        assert one["summary"]


@pytest.mark.parametrize("name", list(backbones()))
def test_a_row_s_commands_stand_on_lines_of_their_own(command: Command, name: str) -> None:
    code, out, _ = command("show", name)
    assert code == 0
    lines = out.splitlines()
    for line in (*backbones()[name].serving.values(), shown(command, name)["run"]):
        assert line in lines


@pytest.mark.parametrize("name", list(backbones()))
def test_the_run_command_makes_the_agent(command: Command, name: str) -> None:
    words = shown(command, name)["run"].split()
    settings = Settings.parse(words[at + 1] for at, word in enumerate(words) if word == "--set")
    assert load_agent(words[words.index("--agent") + 1], settings.agent).name.startswith(name)


def test_show_says_what_is_offered_and_what_is_sent(command: Command) -> None:
    found = shown(command, "tongyi-deepresearch")
    assert found["tools"] == {
        "search": 'search({"query": ["…"]})',
        "get_document": 'visit({"url": ["…"], "goal": "…"})',
    }
    assert {key: found["sent"][key] for key in ("temperature", "top_p", "presence_penalty", "max_tokens")} == {
        "temperature": 0.85,
        "top_p": 0.95,
        "presence_penalty": 1.1,
        "max_tokens": 10000,
    }
    assert found["sent"]["extra_body"]["top_k"] == -1
    assert "<tool_response>" in found["sent"]["stop"]
    assert found["sources"]
    text = command("show", "tongyi-deepresearch")[1]
    for words in ('visit({"url": ["…"], "goal": "…"})', "temperature: 0.85", "f72f75d", "serve it with SGLang"):
        assert words in text


def test_a_format_that_cannot_browse_offers_no_browsing(command: Command) -> None:
    assert list(shown(command, "search-r1")["tools"]) == ["search"]


def test_litellm_ids_files_and_registered_agents_are_shown_too(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("base: qwen3\nmodel: hosted_vllm/mine\n")
    assert shown(command, "mine.yaml")["run"].endswith(
        "--agent mine.yaml --set agent.api_base=http://localhost:8000/v1"
    )
    assert shown(command, "anthropic/claude-sonnet-4-6")["model"] == "anthropic/claude-sonnet-4-6"
    assert shown(command, "groq/llama")["sent"] == {"temperature": 1.0, "top_p": 1.0, "max_tokens": 8192}
    assert shown(command, "heuristic")["run"] == "lrat-bench run --agent heuristic"
    assert "lrat-bench run --agent heuristic" in command("show", "heuristic")[1].splitlines()


def test_show_has_settings_in_place(command: Command) -> None:
    words = ("agent.temperature=0.2", "agent.stop=END", "agent.presentation.search.name=find", "agent.extra_body.a=1")
    given = [word for one in words for word in ("--set", one)]
    code, out, err = command("show", "qwen3", *given, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["model"] is None
    assert found["tools"]["search"] == 'find({"query": "…"})'
    assert (found["sent"]["temperature"], found["sent"]["stop"], found["sent"]["extra_body"]["a"]) == (0.2, ["END"], 1)
    run = shlex.split(found["run"])
    assert run[-4:] == ["--set", "agent.model=hosted_vllm/MODEL", "--set", "agent.api_base=http://localhost:8000/v1"]
    settings = Settings.parse(run[at + 1] for at, word in enumerate(run) if word == "--set")
    agent = load_agent("qwen3", settings.agent)
    assert isinstance(agent, Agent)
    assert agent.sent(Rollout()) == found["sent"]
    assert "  temperature: 0.2" in command("show", "qwen3", *given)[1].splitlines()


def test_show_serves_no_other_model_than_the_row_s(command: Command) -> None:
    code, out, err = command(
        "show",
        "glm-4.7",
        "--set",
        "agent.model=hosted_vllm/mine",
        "--set",
        "agent.api_base=http://there:1/v1",
        "--json",
    )
    assert code == 0, err
    found = json.loads(out)
    assert (found["model"], found["serving"]) == ("hosted_vllm/mine", {})
    assert found["run"].count("api_base") == 1


def test_an_agent_of_one_s_own_has_no_row(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_agents.py").write_text("async def agent(question, tools): return 'x'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, out, _ = command("show", "my_own_agents:agent")
    assert (code, len(out.splitlines())) == (0, 1)
    assert "is an agent of your own, and has no row" in out
    assert out.endswith("lrat-bench run --agent my_own_agents:agent\n")
    assert shown(command, "my_own_agents:agent")["origin"] == "my_own_agents"


def test_the_list_breaks_no_id(command: Command) -> None:
    said = command("list")[1]
    for row in backbones().values():
        for one in (row.model,) if row.model else row.match:
            assert one in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("qwen3", "--set", "agent.temprature=1"), "did you mean 'temperature'"),
        (("qwen3", "--set", "protocol.k=5"), "agents show takes settings of the agent only, got protocol"),
        (("heuristic", "--set", "agent.x=1"), "has no row to show agent.x in"),
        (("json:loads", "--set", "agent.x=1"), "has no row to show agent.x in"),
        (("json:nothing",), "cannot load 'json:nothing'"),
    ],
)
def test_a_setting_that_cannot_be_shown_is_refused(command: Command, words: tuple[str, ...], says: str) -> None:
    code, out, err = command("show", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("agent", "words"), [("glm-4.8", "did you mean 'glm-4.7'"), ("openai/", "LiteLLM id"), ("no.yaml", "no.yaml")]
)
def test_what_is_not_there_is_said_in_a_line(command: Command, agent: str, words: str) -> None:
    code, out, err = command("show", agent)
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1


def test_lists_and_rows_are_shown_without_a_heavy_library() -> None:
    code = (
        "import sys\nfrom lrat_bench.cli.main import main\n"
        "for words in (['agents', 'list'], ['agents', 'show', 'claude']):\n"
        "    try:\n        main(words)\n    except SystemExit as stop:\n        assert stop.code == 0\n"
        "print([name for name in ('litellm', 'torch', 'pandas', 'openai', 'httpx') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
