"""What the pages of docs/ show works as it stands there, and what they list is all there is."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import lrat_bench
from lrat_bench.agent.backbones import Backbone
from lrat_bench.agent.formats.registry import FORMATS
from lrat_bench.agent.presentation import ToolForm
from lrat_bench.errors import UsageError
from lrat_bench.model.spec import ModelSpec
from lrat_bench.runs.folder import RunFolder
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.rows import Outcome, RowStatus
from lrat_bench.task.protocol import Scoring
from lrat_bench.trajectory import Status

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "site" not in page.parent.parts)
AGENTS, JUDGES, RUNS = ((DOCS / f"{name}.md").read_text() for name in ("agents", "judges", "runs"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for path in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        # Two pages are made when the site is built.
        assert (page.parent / path).exists() or path in ("protocols.md", "schemas.md"), path


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The judge that docs/judges.md shows."""
    (block,) = re.findall(r"```python\n(.*?)```", JUDGES, flags=re.DOTALL)
    (tmp_path / "my_package.py").write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_package", raising=False)
    return "my_package:Judge"


def test_the_judge_on_the_page_judges_a_run(judge: str, task_folder: Path, tmp_path: Path) -> None:
    async def agent(question: str, tools: Any) -> str:
        return "It was Aldwin Marr." if "mason" in question else "Somewhere on the river, in the town of Tarn."

    words: dict[str, Any] = {"agent": agent, "retriever": "none", "judge": judge}
    run = lrat_bench.run(str(task_folder), **words, out=tmp_path / "a")
    assert run.manifest.judge["name"] == "near-the-start"
    assert run.metrics.outcomes == {"correct": 2, "incorrect": 0, "ungraded": 0, "errored": 0}
    assert run.metrics.metric("judge_cost_usd").value == 0
    short = lrat_bench.run(str(task_folder), **words, set={"judge.letters": 20}, out=tmp_path / "b")
    assert short.metrics.metric("success_rate").value == 0.5
    assert short.metrics.judge != run.metrics.judge


def test_the_judge_on_the_page_has_no_rubric(judge: str) -> None:
    with pytest.raises(UsageError, match="has no rubric"):
        load_judge(Scoring(judge=judge, rubric="lrat-v1"))


def test_the_page_of_runs_reads_a_run(task_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    (block,) = re.findall(r"```python\n(.*?)```", RUNS, flags=re.DOTALL)
    exec(block.replace("runs/…", str(tmp_path / "run")), {})
    assert "q1 answered" in capsys.readouterr().out


def test_the_page_of_runs_names_every_file_status_and_outcome(task_folder: Path, tmp_path: Path) -> None:
    run = lrat_bench.run(str(task_folder), retriever="oracle", out=tmp_path / "run")
    files = {path.name for path in run.path.iterdir() if not path.name.startswith(".")}
    for name in {*files, RunFolder(run.path).costs.name} - {"logs"}:
        assert f"`{name}`" in RUNS
    statuses = {*get_args(Status), *(one for one in get_args(RowStatus) if isinstance(one, str))}
    assert {"answered", "error"} < statuses
    for name in (*statuses, *get_args(Outcome), "missing", "unknown"):
        assert f"`{name}`" in RUNS


def test_the_page_of_agents_names_every_value() -> None:
    passback = get_args(ModelSpec.model_fields["passback"].annotation)
    assert "fields" in passback
    for name in passback:
        assert f"| `{name}` |" in AGENTS
    for name in ToolForm.model_fields:
        assert f"| `{name}` |" in AGENTS
    for name in FORMATS:
        assert f"| `{name}` |" in AGENTS
        for option in inspect.signature(FORMATS.load(name)).parameters:
            assert f"| `{option}` |" in AGENTS
    settings = set(Backbone.model_fields) - {"name", "summary", "match", "serving", "sources", "notes", "sampling"}
    for name in settings:
        assert f"`agent.{name}`" in AGENTS
