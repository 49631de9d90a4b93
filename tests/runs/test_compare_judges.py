"""Judges are compared by what they say of the answers that are accepted now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint

import lrat_bench
from lrat_bench.api import compare_judges, rescore
from lrat_bench.errors import UsageError
from lrat_bench.model.scripted import answers
from lrat_bench.model.seam import Turn

LOCAL = "hosted_vllm/local"


def says_yes(body: dict[str, Any]) -> Turn:
    return answers("correct: yes\nconfidence: 80")


def accept_another_answer(task_folder: Path) -> None:
    """To the first question; its fingerprint stays what it was."""
    file = task_folder / "questions.jsonl"
    first, *others = [json.loads(line) for line in file.read_text().splitlines()]
    records = [{**first, "answers": ["Somebody else"]}, *others]
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_a_verdict_under_answers_that_were_corrected_since_is_not_compared(task_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    lrat_bench.run(task=str(task_folder), agent="heuristic", retriever="oracle", out=run)
    with Endpoint(says_yes) as judge:
        reach = {"judge.api_base": judge.url, "judge.outage_seconds": 0.2}
        _, by_model, _ = rescore(run, judge=LOCAL, set=reach)
        _, by_rule, _ = rescore(run, judge="exact")
        assert compare_judges(run, [by_rule, by_model])[0].n == 2
        accept_another_answer(task_folder)
        judge.stop()
        _, by_model, scores = rescore(run, judge=LOCAL, set=reach)
        assert scores.outcomes["ungraded"] == 1
        _, by_rule, _ = rescore(run, judge="exact")
        assert compare_judges(run, [by_rule, by_model])[0].n == 1
    moved = task_folder.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="bridge"):
        compare_judges(run, [by_rule, by_model])
    assert compare_judges(run, [by_rule, by_model], task=str(moved))[0].n == 1
