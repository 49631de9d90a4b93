"""Every way to name an agent leads to one, and what does not fit is refused before anything is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.backbones import backbones
from lrat_bench.agent.catalog import find_backbone, load_agent
from lrat_bench.agent.function import FunctionAgent
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.model.access import remote

ADDRESS = {"api_base": "http://localhost:1/v1"}


def model_agent(spec: str, **settings: Any) -> Agent:
    found = load_agent(spec, settings)
    assert isinstance(found, Agent)
    return found


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's with an agent of every kind."""
    (tmp_path / "brought.py").write_text(
        "from lrat_bench.agent.agent import Agent\n"
        "from lrat_bench.model.heuristic import Heuristic\n"
        "async def function(question, tools): return 'x'\n"
        "def sync(question, tools): return 'x'\n"
        "class Callable:\n"
        "    async def __call__(self, question, tools): return 'x'\n"
        "def made(settings): return function\n"
        "def broken(settings): raise KeyError(settings['depth'])\n"
        "agent = Agent('mine', Heuristic())\n"
        "model = Heuristic()\n"
        "text = 'x'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brought", raising=False)
    return "brought"


def test_a_row_makes_an_agent_with_all_its_settings() -> None:
    agent = model_agent("tongyi-deepresearch", **ADDRESS, temperature=0.5)
    row = backbones()["tongyi-deepresearch"]
    assert (agent.name, agent.format.name, agent.context_tokens) == ("tongyi-deepresearch", "tags", 131072)
    assert (agent.sampling.temperature, agent.sampling.presence_penalty, agent.sampling.top_k) == (0.5, 1.1, -1)
    assert agent.presentation == row.presentation
    assert agent.row is not None
    assert agent.row["sampling"]["temperature"] == 0.5
    model = remote(agent.model)
    assert model is not None
    assert (model.spec.model, model.connection.api_base) == (row.model, ADDRESS["api_base"])


def test_what_changes_an_agent_changes_its_fingerprint_and_an_address_does_not() -> None:
    one = model_agent("glm-4.7", **ADDRESS).fingerprint
    assert model_agent("glm-4.7", api_base="http://elsewhere:2/v1", timeout_seconds=5).fingerprint == one
    for changed in (
        {"temperature": 0.1}, {"context_tokens": 9999}, {"format": "tags"}, {"model": "hosted_vllm/other"},
        {"revision": "x"}, {"extra_body.a": 1}, {"presentation.search.name": "find"}, {"passback": "none"},
    ):  # fmt: skip
        assert model_agent("glm-4.7", **ADDRESS, **changed).fingerprint != one, changed


def test_a_litellm_id_takes_the_settings_of_its_row_or_the_defaults() -> None:
    known = model_agent("anthropic/claude-sonnet-4-6")
    assert (known.name, known.model.name) == ("anthropic/claude-sonnet-4-6",) * 2
    assert known.sampling.temperature is None
    unknown = model_agent("groq/llama")
    assert (unknown.format.name, unknown.sampling.temperature, unknown.sampling.max_tokens) == ("native", 1.0, 8192)


def test_a_row_s_own_id_is_the_row_and_another_id_is_not_served_by_its_command() -> None:
    row = backbones()["glm-4.7"]
    assert find_backbone(str(row.model)) == row
    other = find_backbone("hosted_vllm/zai-org/GLM-4.7-FP8")
    assert other is not None
    assert other.extra_body == row.extra_body
    assert not other.serving


def test_a_yaml_file_is_an_agent(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("base: qwen3\nmodel: hosted_vllm/mine\n")
    agent = model_agent(str(file), **ADDRESS)
    assert (agent.name, agent.model.name, agent.sampling.top_k) == ("mine", "hosted_vllm/mine", 20)
    with pytest.raises(DataError, match="nowhere"):
        load_agent(str(tmp_path / "nowhere.yaml"))


def test_another_model_under_a_row_s_settings_has_a_name_of_its_own() -> None:
    agent = model_agent("qwen3", model="hosted_vllm/qwen3-8b", **ADDRESS)
    assert agent.name == "qwen3:hosted_vllm/qwen3-8b"


@pytest.mark.parametrize(
    ("spec", "settings", "words"),
    [
        ("glm-4.7", {}, "server of yours.*agents show glm-4.7.*agent.api_base"),
        ("hosted_vllm/x", {}, "server of yours.*agent.api_base"),
        ("qwen3", ADDRESS, "family of models"),
        ("glm", {"api_base": "localhost"}, "agent.api_base cannot be 'localhost'"),
        ("openai/", {}, "no LiteLLM id"),
        ("openai/gpt 4", {}, "no LiteLLM id"),
        ("heuristic", {"temperature": 1}, "no settings"),
        ("glm-4.8", {}, "unknown agent 'glm-4.8'.*did you mean 'glm-4.7'"),
    ],
)
def test_what_cannot_be_run_is_refused(
    spec: str, settings: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    with pytest.raises(UsageError, match=words) as refused:
        load_agent(spec, settings)
    assert "\n" not in str(refused.value)


def test_an_address_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", "http://localhost:1/v1")
    assert model_agent("glm-4.7").name == "glm-4.7"


def test_objects_of_the_user_s_are_agents(own_module: str) -> None:
    for name in ("function", "Callable", "made"):
        assert isinstance(load_agent(f"{own_module}:{name}"), FunctionAgent), name
    assert load_agent(f"{own_module}:made", {"depth": 3}).name == "brought:made"
    for name, known in (("agent", "mine"), ("model", "heuristic")):
        assert model_agent(f"{own_module}:{name}").name == known


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("function", {"depth": 1}, "is a function and takes no settings"),
        ("agent", {"depth": 1}, "takes no settings"),
        ("sync", {}, "must be async"),
        ("text", {}, "gave a str"),
        ("broken", {"depth": 1}, "cannot be made: KeyError"),
        ("nothing", {}, "cannot load"),
    ],
)
def test_objects_that_are_none_are_refused(own_module: str, name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_agent(f"{own_module}:{name}", settings)


def test_unknown_names_are_offered_the_nearest() -> None:
    with pytest.raises(UnknownName, match="'heuristic'"):
        load_agent("heuristics")


def test_naming_a_model_imports_no_heavy_library() -> None:
    code = (
        "import sys; from lrat_bench.agent.catalog import load_agent; load_agent('claude'); "
        "print([name for name in ('litellm', 'torch', 'pandas', 'openai', 'httpx') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
