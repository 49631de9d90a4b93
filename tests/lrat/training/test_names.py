"""Records name things; they do not say where those lay."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrat_bench.lrat.training.names import without_paths


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("dense:/tmp/rt/tiny", "dense:tiny"),
        ("dense:~/models/tiny/", "dense:tiny"),
        ("dense:./tiny", "dense:tiny"),
        ("dense:runs/1/model", "dense:model"),
        ("rerank:/data/ce@dense:../b/model", "rerank:ce@dense:model"),
        ("rrf:bm25+dense:/data/a+b/model", "rrf:bm25+dense:a+model"),
        ("dense:Qwen/Qwen3-Embedding-0.6B", "dense:Qwen/Qwen3-Embedding-0.6B"),
        ("rrf:bm25+dense:org/name", "rrf:bm25+dense:org/name"),
        ("bm25", "bm25"),
    ],
)
def test_a_retriever_is_called_by_what_it_is_made_of(typed: str, kept: str) -> None:
    assert without_paths(typed, retriever=True) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("/home/me/tasks/words", "words"),
        ("./agent.yaml", "agent.yaml"),
        ("hosted_vllm/Qwen/Qwen3-8B", "hosted_vllm/Qwen/Qwen3-8B"),
        ("hosted_vllm//data/models/mine", "mine"),
        ("synth-wiki@default", "synth-wiki@default"),
        ("x/" + "y" * 300 + "\0", "x/" + "y" * 300 + "\0"),
    ],
)
def test_an_agent_is_called_by_its_model_and_a_file_by_its_name(typed: str, kept: str) -> None:
    assert without_paths(typed) == kept


def test_a_folder_that_is_there_is_no_model_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs" / "model").mkdir(parents=True)
    assert without_paths("dense:runs/model", retriever=True) == "dense:runs/model"
    monkeypatch.chdir(tmp_path)
    assert without_paths("dense:runs/model", retriever=True) == "dense:model"
