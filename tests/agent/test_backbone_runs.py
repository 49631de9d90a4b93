"""Every row that is served by oneself plays the run that the same model plays in process, in its own terms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from endpoint import Dialect, Endpoint

import lrat_bench
from lrat_bench.agent.backbones import Backbone, backbones
from lrat_bench.model.heuristic import Heuristic
from lrat_bench.model.seam import ToolCall
from lrat_bench.runs.run import Run

# What stands in each server's way: where it puts calls, and where reasoning.
DIALECTS = {
    "tongyi-deepresearch": Dialect(calls="tags", reasoning="inline"),
    "webexplorer": Dialect(calls="tags", reasoning="inline"),
    "agentcpm-explore": Dialect(calls="tags", reasoning="unopened"),
    "gpt-oss-120b": Dialect(reasoning="reasoning"),
    "minimax-m2.1": Dialect(reasoning="reasoning"),
    "glm-4.7": Dialect(reasoning="reasoning_content"),
    "qwen3-30b-a3b-thinking": Dialect(reasoning="reasoning_content"),
    "search-r1": Dialect(calls="search_r1", reasoning="inline"),
}


def in_terms_of(row: Backbone) -> Any:
    """The heuristic's calls as the row's model would write them."""

    def present(call: ToolCall) -> ToolCall:
        form = row.presentation[call.name]
        (value,) = json.loads(call.arguments).values()
        values = value if isinstance(value, list) else [value]
        arguments = {form.argument: values if form.many else value, **dict.fromkeys(form.extra, "anything")}
        return replace(call, name=form.name, arguments=json.dumps(arguments))

    return present


def played(run: Run) -> dict[tuple[str, int], Any]:
    return {record.key: (record.status, record.answer, record.content()["steps"]) for record in run.trajectories}


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_row_s_run_over_http_is_the_run_in_process(task_folder: Path, tmp_path: Path, name: str) -> None:
    row = backbones()[name]
    rules: dict[str, Any] = {"protocol.tools": ["search"]} if row.format == "search_r1" else {}
    names = {form.name: tool for tool, form in row.presentation.items()}
    assert row.model is not None
    with Endpoint(
        Heuristic(),
        dialect=DIALECTS[name],
        context_tokens=row.context_tokens or 0,
        model=row.model.partition("/")[2],
        names=names,
        present=in_terms_of(row),
    ) as endpoint:
        there = lrat_bench.run(
            str(task_folder), name, "oracle", out=tmp_path / "there", set={"agent.api_base": endpoint.url, **rules}
        )
        bodies = endpoint.bodies
    here = lrat_bench.run(str(task_folder), "heuristic", "oracle", out=tmp_path / "here", set=rules)
    assert played(there) == played(here)
    assert all(body["model"] == row.model.partition("/")[2] for body in bodies)
    sampling = row.sampling_values()
    for body in bodies:
        sent = {key: body[key] for key in ("temperature", "top_p", "top_k", "presence_penalty", "max_tokens")}
        assert sent == {key: getattr(sampling, key) for key in sent}
        assert row.extra_body.items() <= body.items()
