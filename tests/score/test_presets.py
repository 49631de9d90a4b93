"""The papers' judges by name, any model by its LiteLLM id; what is set in vain is refused."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.model.access import Access
from lrat_bench.model.scripted import ScriptedModel, answers
from lrat_bench.model.seam import Model
from lrat_bench.model.spec import Connection, ModelSpec
from lrat_bench.score.judges.llm import LlmJudge
from lrat_bench.score.judges.presets import Preset, preset_of, presets
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.judges.rubrics import RUBRICS
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

HOME = Connection(api_base="http://127.0.0.1:1/v1")


def preset(judge: str, **parameters: Any) -> Preset:
    return preset_of(Scoring(judge=judge, parameters=parameters))


def test_the_papers_judges_are_there() -> None:
    assert set(presets()) == {"qwen3-32b", "qwen3-30b-a3b-thinking", "gpt-4.1"}
    for name, row in presets().items():
        assert row.name == name
        assert row.summary
        assert row.source
        assert row.rubric in RUBRICS
        assert (row.serving is not None) == row.model.startswith("hosted_vllm/")
        assert row.spec().model.partition("/")[2] in (row.serving or row.model)


def test_the_leaderboards_judge_does_not_think() -> None:
    row = preset("qwen3-32b")
    assert row.spec() == ModelSpec(
        model="hosted_vllm/Qwen/Qwen3-32B", extra_body={"chat_template_kwargs": {"enable_thinking": False}}
    )
    values = row.sampling()
    assert (values.temperature, values.top_p, values.top_k, values.max_tokens, values.seed) == (0.7, 0.8, 20, 4096, 0)
    assert row.rubric == "browsecomp-plus-v1"


def test_the_judge_of_lrat_has_room_to_think() -> None:
    row = preset("qwen3-30b-a3b-thinking")
    assert (row.model, row.rubric) == ("hosted_vllm/Qwen/Qwen3-30B-A3B-Thinking-2507", "lrat-v1")
    assert (row.max_tokens or 0) > 8192


def test_the_papers_judge_goes_by_the_stricter_rubric() -> None:
    row = preset("gpt-4.1")
    assert (row.model, row.rubric, row.max_tokens) == ("openai/gpt-4.1", "browsecomp-v1", 1024)


@pytest.mark.parametrize("model", ["openai/gpt-4.1-mini", "openrouter/meta-llama/llama-4:free", "test/model"])
def test_any_litellm_id_judges_with_every_value_said(model: str) -> None:
    row = preset(model)
    assert (row.name, row.model, row.rubric) == (model, model, "browsecomp-plus-v1")
    assert (row.temperature, row.top_p, row.max_tokens, row.seed, row.omit) == (0.0, 1.0, 4096, 0, ())


def test_what_a_provider_refuses_is_not_sent() -> None:
    assert {"temperature", "top_p", "seed"} <= set(preset("openai/gpt-5-mini").spec().omit)
    assert {"top_p", "seed"} <= set(preset("anthropic/claude-sonnet-4-5").spec().omit)
    assert preset("hosted_vllm/mine").sampling().top_k == -1


def test_settings_change_a_preset() -> None:
    row = preset(
        "qwen3-32b",
        model="openai/qwen",
        revision="abc",
        max_tokens=99,
        seed=None,
        parameters={"reasoning_effort": "low"},
    )
    assert row.spec() == ModelSpec(
        model="openai/qwen",
        revision="abc",
        parameters={"reasoning_effort": "low"},
        extra_body={"chat_template_kwargs": {"enable_thinking": False}},
    )
    assert (row.sampling().max_tokens, row.sampling().seed, row.sampling().temperature) == (99, None, 0.7)


def test_a_mapping_is_merged_and_null_takes_out() -> None:
    merged = {"chat_template_kwargs": {"enable_thinking": True}, "min_p": 0}
    assert preset("qwen3-32b", **{"extra_body.min_p": 0, "extra_body.chat_template_kwargs.enable_thinking": True}) == (
        preset("qwen3-32b", extra_body=merged)
    )
    assert preset("qwen3-32b", extra_body=merged).extra_body == merged
    assert preset("qwen3-32b", extra_body={"chat_template_kwargs": None}).extra_body == {}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temprature": 0}, "unknown setting of the judge 'temprature': did you mean 'temperature'"),
        ({"api_bas": "http://x"}, "did you mean 'api_base'"),
        ({"rubrik": "x"}, "unknown setting of the judge 'rubrik': known: .*extra_body.*max_tokens"),
        ({"temperature.x": 1}, "unknown setting of the judge 'temperature.x'"),
        ({"top_p": 2}, r"judge\.top_p cannot be 2: "),
        ({"max_tokens": "many"}, r"judge\.max_tokens cannot be 'many': "),
        ({"model": "gpt-4.1"}, r"judge\.model cannot be 'gpt-4\.1': "),
        ({"omit": ["tempo"]}, r"judge\.omit cannot be .*unknown sampling value 'tempo'"),
        (
            {"parameters": {"temperature": 1}},
            r"judge\.parameters: 'temperature' is a setting .*--set judge\.temperature=",
        ),
        ({"parameters": {"timeout": 1}}, r"judge\.parameters: 'timeout' .*--set judge\.timeout_seconds="),
        ({"parameters.stream": True}, r"judge\.parameters: 'stream' is decided elsewhere"),
        ({"omit": ["seed"], "seed": 3}, r"judge\.seed cannot be set: openai/gpt-4\.1 refuses it"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        preset("gpt-4.1", **parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"parameters": {"api_key": "s3cret"}},
        {"parameters": {"extra_headers": {"Authorization": "Bearer s3cret"}}},
        {"extra_body": {"provider": {"key": "s3cret"}}},
        {"parameters": "s3cret"},
    ],
)
def test_a_key_in_a_setting_is_refused_without_being_shown(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^judge\.(parameters|extra_body): ") as refused:
        preset("gpt-4.1", **parameters)
    assert "s3cret" not in str(refused.value)
    assert parameters["parameters" if "parameters" in parameters else "extra_body"] == "s3cret" or (
        "--set judge.api_key_env=NAME" in str(refused.value)
    )


def test_what_is_no_id_is_refused() -> None:
    with pytest.raises(UsageError, match="'/no/provider' is no LiteLLM id"):
        preset("/no/provider")
    with pytest.raises(UnknownName, match="did you mean 'qwen3-32b'"):
        load_judge(Scoring(judge="qwen3-32"))
    with pytest.raises(UnknownName, match="unknown LLM judge 'exact'"):
        preset("exact")


@pytest.mark.parametrize("judge", [*presets(), "openai/gpt-5", "hosted_vllm/mine", "exact"])
def test_a_judges_name_and_fingerprint_are_known_without_a_model(judge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    reach = Access()

    def opened(spec: ModelSpec) -> Model:
        return reach.open(spec, HOME)

    scoring = Scoring(judge=judge)
    offline, ready = load_judge(scoring), load_judge(scoring, open_model=opened)
    assert (offline.name, offline.fingerprint) == (ready.name, ready.fingerprint)
    assert offline.name == judge


def test_a_judge_whose_model_was_not_opened_cannot_be_asked() -> None:
    with pytest.raises(UsageError, match=r"openai/gpt-4\.1 was not opened"):
        asyncio.run(load_judge(Scoring(judge="gpt-4.1")).judge(Question("q", "?", ("a",), "test"), "a"))


def test_loading_a_judge_needs_no_litellm() -> None:
    code = (
        "import sys; from lrat_bench.score.judges.registry import load_judge; "
        "from lrat_bench.task.protocol import Scoring; load_judge(Scoring(judge='gpt-4.1')); "
        "assert not {'litellm', 'openai', 'pandas'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("judge", ["qwen3-32b", "hosted_vllm/mine"])
def test_a_judge_on_a_server_of_ones_own_needs_its_address(judge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    reach = Access()
    with pytest.raises(UsageError, match=rf"judge '{judge}' runs on a server of yours: .*--set judge\.api_base=") as no:
        load_judge(Scoring(judge=judge), open_model=reach.open)
    assert ("vllm serve Qwen/Qwen3-32B" in str(no.value)) == (judge == "qwen3-32b")
    moved = Scoring(judge=judge, parameters={"model": "openai/served"})
    assert load_judge(moved, open_model=reach.open).name == judge
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", "http://127.0.0.1:1/v1")
    assert isinstance(load_judge(Scoring(judge=judge), open_model=reach.open), LlmJudge)


def test_the_model_that_is_opened_is_the_one_that_is_asked() -> None:
    asked: list[ModelSpec] = []

    def opened(spec: ModelSpec) -> Model:
        asked.append(spec)
        return ScriptedModel([answers("correct: no")])

    judge = load_judge(Scoring(judge="gpt-4.1", parameters={"revision": "r"}), open_model=opened)
    assert asyncio.run(judge.judge(Question("q", "?", ("a",), "test"), "b")).outcome == "incorrect"
    assert [(spec.model, spec.revision) for spec in asked] == [("openai/gpt-4.1", "r")]
