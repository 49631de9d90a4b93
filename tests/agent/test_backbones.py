"""Rows say what is known of a model; settings and files change copies, and what does not fit is said in a line."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lrat_bench.agent.backbones import Backbone, backbones, matching, read_backbone
from lrat_bench.agent.formats.registry import FORMATS
from lrat_bench.errors import DataError, UnknownName, UsageError
from lrat_bench.model.spec import Connection

ROWS = list(backbones().values())
SERVED = [row for row in ROWS if row.serving]
PAPER = ("agentcpm-explore", "webexplorer", "tongyi-deepresearch", "gpt-oss-120b", "minimax-m2.1", "glm-4.7")


def with_settings(row: str, **settings: Any) -> Backbone:
    return backbones()[row].with_settings(settings)[0]


def write(folder: Path, text: str) -> Path:
    (folder / "mine.yaml").write_text(text)
    return folder / "mine.yaml"


def test_the_papers_backbones_and_the_big_families_are_there() -> None:
    assert {*PAPER, "qwen3", "search-r1", "gpt-5", "claude", "gemini", "deepseek"} <= set(backbones())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_complete(row: Backbone) -> None:
    assert row.summary
    assert row.sources
    assert row.match
    assert row.format in FORMATS
    assert row.wire_format().name == row.format
    assert row.sampling.max_tokens
    if row.context_tokens is not None:
        assert row.sampling.max_tokens < row.context_tokens / 2
    assert row.model is None or matching(row.model) is row


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_a_server_s_name_for_the_model_and_its_window_are_the_row_s(row: Backbone) -> None:
    for server, command in row.serving.items():
        words = shlex.split(command)
        options = dict(pairwise(words))
        assert f"hosted_vllm/{options['--served-model-name']}" == row.model
        window = options["--max-model-len" if server == "vllm" else "--context-length"]
        assert int(window) == row.context_tokens
        parsers = {"--tool-call-parser", "--reasoning-parser"} & set(words)
        assert len(parsers) == (2 if row.format == "native" else 0)
        assert ("--enable-auto-tool-choice" in words) == (row.format == "native" and server == "vllm")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_all_sampling_values_are_sent_but_those_that_the_provider_refuses(row: Backbone) -> None:
    values = row.sampling_values().__dict__
    own = row.match[0].startswith("hosted_vllm/")
    for name in ("temperature", "top_p", "presence_penalty", "max_tokens", *(["top_k"] if own else [])):
        assert (values[name] is None) == (name in row.omit), name
    if own:
        assert not row.omit
        # What vLLM would otherwise take from the checkpoint.
        assert {"min_p", "repetition_penalty"} <= row.extra_body.keys()


def test_trained_tools_are_offered_under_their_trained_names() -> None:
    forms = {
        name: [
            (form.name, form.argument, form.many, tuple(form.extra)) for form in backbones()[name].presentation.values()
        ]
        for name in ("tongyi-deepresearch", "webexplorer", "agentcpm-explore", "gpt-oss-120b")
    }
    assert forms == {
        "tongyi-deepresearch": [("search", "query", True, ()), ("visit", "url", True, ("goal",))],
        "webexplorer": [("search", "queries", True, ()), ("browse", "url", False, ("query",))],
        "agentcpm-explore": [("search", "query", True, ()), ("fetch_url", "url", True, ("purpose",))],
        "gpt-oss-120b": [("search", "query", False, ()), ("get_document", "docid", False, ())],
    }


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("hosted_vllm/anything", "vllm"),
        ("hosted_vllm/qwen3-8b", "qwen3"),
        ("hosted_vllm/Qwen/Qwen3-30B-A3B-Thinking-2507-FP8", "qwen3-30b-a3b-thinking"),
        ("hosted_vllm/Qwen/Qwen3-30B-A3B-Instruct-2507", "qwen3-instruct"),
        ("hosted_vllm/zai-org/glm-4.7-FP8", "glm-4.7"),
        ("hosted_vllm/openai/gpt-oss-20b", "gpt-oss-120b"),
        ("openai/responses/gpt-5.4", "gpt-5"),
        ("openai/gpt-5.4-mini", "openai-reasoning"),
        ("openai/o3", "openai-reasoning"),
        ("openai/gpt-5-chat-latest", "gpt-5-chat"),
        ("openai/gpt-5.1-chat-latest", "openai-reasoning"),
        ("azure/gpt-5-chat", "gpt-5-chat"),
        ("openai/gpt-4.1-mini", "gpt-4.1"),
        ("openai/gpt-4o", "openai"),
        ("anthropic/claude-sonnet-4-5-20250929", "claude-4.5"),
        ("anthropic/claude-sonnet-4-20250514", "claude-4.5"),
        ("anthropic/claude-opus-4-6-20260205", "claude"),
        ("anthropic/claude-sonnet-5-5", "claude"),
        ("anthropic/claude-3-7-sonnet-20250219", "claude-4.5"),
        ("anthropic/claude-3-5-sonnet-20241022", "claude-3"),
        ("anthropic/claude-3-haiku-20240307", "claude-3"),
        ("bedrock/us.anthropic.claude-opus-4-7-v1:0", "claude"),
        ("bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4.5"),
        ("vertex_ai/claude-opus-4@20250514", "claude-4.5"),
        ("vertex_ai/gemini-2.5-pro", "gemini"),
        ("minimax/MiniMax-M2.1-lightning", "minimax"),
        ("gemini/gemini-2.5-pro", "gemini"),
        ("deepseek/deepseek-reasoner", "deepseek"),
        ("groq/llama", None),
    ],
)
def test_a_litellm_id_has_the_settings_of_the_row_that_fits_it_best(model: str, row: str | None) -> None:
    found = matching(model)
    assert (found and found.name) == row


def test_what_a_litellm_id_without_a_row_is_sent() -> None:
    values = Backbone(name="x", model="groq/llama").sampling_values()
    assert (values.temperature, values.top_p, values.max_tokens, values.top_k) == (1.0, 1.0, 8192, None)


def test_settings_change_a_copy_and_connections_are_kept_apart() -> None:
    row, connection = backbones()["glm-4.7"].with_settings(
        {
            "temperature": 0.6,
            "top_p": None,
            "context_tokens": 4096,
            "format": "tags",
            "revision": "abc",
            "parameters.reasoning_effort": "low",
            "presentation.search.name": "find",
            "api_base": "http://localhost:1/v1",
        }
    )
    assert connection == Connection(api_base="http://localhost:1/v1")
    assert (row.sampling.temperature, row.sampling.top_p, row.sampling.max_tokens) == (0.6, None, 16384)
    assert (row.context_tokens, row.format, row.spec().revision) == (4096, "tags", "abc")
    assert row.spec().parameters == {"reasoning_effort": "low"}
    assert [form.name for form in row.presentation.values()] == ["find", "get_document"]
    assert backbones()["glm-4.7"].sampling.temperature == 1.0


@pytest.mark.parametrize("settings", [{"extra_body": {"seeded": {"a": 1}}}, {"extra_body.seeded.a": 1}])
def test_a_mapping_is_merged_into_the_row_s_own(settings: dict[str, Any]) -> None:
    body = with_settings("glm-4.7", **settings).extra_body
    assert body["seeded"] == {"a": 1}
    assert body["chat_template_kwargs"] == {"enable_thinking": True, "clear_thinking": False}
    gone = with_settings("glm-4.7", **{"extra_body.chat_template_kwargs.clear_thinking": None, **settings}).extra_body
    assert gone["chat_template_kwargs"] == {"enable_thinking": True}


def test_a_sampling_value_is_one_wherever_it_is_written() -> None:
    row = with_settings("vllm", model="hosted_vllm/x", extra_body={"top_k": 5})
    assert row.sampling_values().top_k == 5
    assert "top_k" not in row.extra_body
    assert row == with_settings("vllm", model="hosted_vllm/x", top_k=5)


@pytest.mark.parametrize(
    ("row", "settings", "words"),
    [
        ("glm-4.7", {"temprature": 1}, "temprature.*did you mean 'temperature'"),
        ("glm-4.7", {"name": "x"}, "setting of an agent 'name'"),
        ("glm-4.7", {"context_tokens.x": 1}, r"'context_tokens\.x'"),
        ("glm-4.7", {"temperature": "hot"}, r"agent\.temperature cannot be 'hot'"),
        ("glm-4.7", {"top_p": 1.5}, r"agent\.top_p cannot be 1\.5"),
        ("glm-4.7", {"model": "glm"}, r"agent\.model cannot be 'glm': must be a LiteLLM id with its provider, as in "),
        ("glm-4.7", {"model": "hosted_vllm/"}, "must be a LiteLLM id"),
        ("glm-4.7", {"max_tokens": 0}, r"agent\.max_tokens cannot be 0: must be at least 1$"),
        ("glm-4.7", {"context_tokens": "long"}, "must be a whole number$"),
        ("glm-4.7", {"omit": 5}, r"agent\.omit cannot be 5: must be a list, as in \[a, b\]$"),
        ("glm-4.7", {"presentation.search.many": "maybe"}, r"search\.many cannot be 'maybe': must be true or false$"),
        ("glm-4.7", {"passback": "never"}, r"agent\.passback cannot be 'never'"),
        ("glm-4.7", {"omit": ["temp"]}, r"agent\.omit cannot be 'temp': must be 'temperature'"),
        ("glm-4.7", {"presentation.find.name": "x"}, r"agent\.presentation.*'find'"),
        ("glm-4.7", {"parameters.num_retries": 3}, "num_retries"),
        ("glm-4.7", {"parameters.api_base": "http://x"}, "api_base"),
        ("glm-4.7", {"parameters.seed": 3}, r"agent\.parameters: 'seed' is decided elsewhere"),
        ("glm-4.7", {"api_key": "k"}, "api_key_env"),
        ("qwen3", {}, "family.*agent.model"),
        ("claude", {"temperature": 0.5}, r"agent\.temperature cannot be set.*agent\.omit"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_in_a_line(row: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        with_settings(row, **settings)
    assert "\n" not in str(refused.value)


def test_a_lone_text_is_a_list_of_one(tmp_path: Path) -> None:
    row = with_settings("glm-4.7", stop="END", omit="seed")
    assert (row.sampling.stop, row.omit) == (("END",), ("seed",))
    mine = read_backbone(write(tmp_path, "model: groq/llama\nnotes: one line\nmatch: groq/*\nsampling: {stop: END}\n"))
    assert (mine.notes, mine.match, mine.sampling.stop) == (("one line",), ("groq/*",), ("END",))


def test_a_refused_sampling_value_can_be_insisted_on() -> None:
    assert with_settings("claude", temperature=1, omit=["top_p", "seed"]).sampling_values().temperature == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"parameters.extra_headers.Authorization": "Bearer s3cret"},
        {"extra_body.chat_template_kwargs.access_token": "s3cret"},
        {"parameters": "api_key=s3cret"},
        {"extra_body": "s3cret"},
    ],
)
def test_a_key_in_a_setting_is_refused_without_being_shown(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^agent\.(parameters|extra_body): ") as refused:
        with_settings("glm-4.7", **settings)
    assert "s3cret" not in str(refused.value)
    assert not any("." in place for place in settings) or "--set agent.api_key_env=NAME" in str(refused.value)


def test_a_key_in_a_file_is_refused_without_being_shown(tmp_path: Path) -> None:
    file = write(tmp_path, "model: groq/llama\nparameters: {extra_headers: {x-api-key: s3cret}}\n")
    with pytest.raises(
        DataError, match=r"parameters: 'x-api-key' would lie in the open.*agent\.api_key_env"
    ) as refused:
        read_backbone(file)
    assert "s3cret" not in str(refused.value)


def test_a_file_may_start_from_a_row(tmp_path: Path) -> None:
    row = read_backbone(
        write(
            tmp_path,
            "base: glm-4.7\nmodel: hosted_vllm/mine\nsampling: {temperature: 0.5, presence_penalty: null}\n"
            "extra_body: {min_p: null}\npresentation: {search: {many: true}}\n",
        )
    )
    base = backbones()["glm-4.7"]
    assert (row.name, row.model, row.context_tokens) == ("mine", "hosted_vllm/mine", base.context_tokens)
    assert (row.sampling.temperature, row.sampling.top_p, row.sampling.presence_penalty) == (0.5, 0.95, None)
    assert row.extra_body == {key: value for key, value in base.extra_body.items() if key != "min_p"}
    assert row.presentation["search"].many
    assert not row.match
    assert not row.serving  # its command would serve another model


def test_a_file_may_say_everything_itself(tmp_path: Path) -> None:
    row = read_backbone(write(tmp_path, "name: other\nmodel: groq/llama\nformat: tags\n"))
    assert row == Backbone(name="other", model="groq/llama", format="tags")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", "mapping"),
        ("format: tags\n", "model: missing"),
        (
            "model: llama\n",
            "model cannot be 'llama': must be a LiteLLM id with its provider, as in hosted_vllm/",
        ),
        ("model: groq/llama\ntemperature: 1\n", "temperature: there is no such field"),
        ("model: groq/llama\nsampling: {temperature: hot}\n", r"sampling\.temperature cannot be 'hot'"),
        ("model: groq/llama\nsampling: hot\n", "sampling"),
        ("model: groq/llama\npresentation: {search: {nam: x}}\n", r"presentation\.search\.nam: there is no such field"),
        ("base: glm\nmodel: groq/llama\nextra_body: 3\n", "extra_body: must be a mapping"),
        ("base: gml\nmodel: groq/llama\n", "base: no row 'gml'"),
    ],
)
def test_a_file_that_is_no_row_is_told_which_field_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=rf"mine\.yaml: .*{words}"):
        read_backbone(write(tmp_path, text))


def test_an_unknown_format_is_known_when_the_agent_is_made() -> None:
    with pytest.raises(UnknownName, match="wire format 'tag': did you mean 'tags'"):
        with_settings("glm-4.7", format="tag").wire_format()
