"""Verdicts are taken from the cache unless the user, or a cassette, says otherwise."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from endpoint import Endpoint

from lrat_bench.model.access import Access
from lrat_bench.model.scripted import answers
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

QUESTION = Question("q", "Which town lies on the Ostrel?", ("Tarn",), "test")


@pytest.mark.parametrize(("cached", "calls"), [(True, 1), (False, 2)])
def test_a_verdict_cache_that_is_not_wanted_is_neither_read_nor_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool, calls: int
) -> None:
    monkeypatch.setenv("LRAT_BENCH_CACHE", str(tmp_path))

    async def ask(address: str) -> None:
        access = Access()
        choice = JudgeChoice("hosted_vllm/local", None, {"api_base": address}, verdict_cache=cached)
        judge = choice.open(choice.under(Scoring()), access)
        assert (await judge.judge(QUESTION, "Tarn")).outcome == "correct"
        await access.close()

    with Endpoint(lambda body: answers("correct: yes\nconfidence: 80")) as endpoint:
        for _ in range(2):
            asyncio.run(ask(endpoint.url))
        assert endpoint.calls == calls
    assert bool(list(tmp_path.rglob("*.json"))) == cached
