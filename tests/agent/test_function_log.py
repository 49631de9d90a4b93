"""Whoever wrote a function finds in the run's log where it failed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import lrat_bench

MODULE = """
import sys

def deeper(question):
    raise ValueError("my bug, with hidden-key-123456")

async def raises(question, tools):
    deeper(question)

async def leaves(question, tools):
    sys.exit(4)

async def uses(question, tools):
    await tools.search(question)

async def answers(question, tools):
    return "x"
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's, with functions that fail."""
    (tmp_path / "failing_agents.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "failing_agents", raising=False)
    monkeypatch.setenv("SERVICE_API_KEY", "hidden-key-123456")
    return "failing_agents"


class Broken:
    """A retriever with a bug."""

    name = "broken"
    fingerprint = "1"

    def prepare(self, progress: Any) -> None:
        pass

    def search(self, queries: Any, k: int, *, contexts: Any = None) -> Any:
        return [self.rank(query) for query in queries]

    def rank(self, query: str) -> Any:
        raise KeyError("postings")

    def close(self) -> None:
        pass


def logged(folder: Path, agent: str, task: Path, retriever: Any = "none") -> tuple[str, set[str | None]]:
    """What the run's logs hold, and how its questions ended."""
    run = lrat_bench.run(str(task), agent=agent, retriever=retriever, out=folder)
    return "".join(log.read_text() for log in folder.glob("logs/*.log")), {one.status for one in run.trajectories}


def test_the_log_shows_where_a_function_failed_and_no_secret(module: str, task_folder: Path, tmp_path: Path) -> None:
    log, statuses = logged(tmp_path / "run", f"{module}:raises", task_folder)
    assert statuses == {"error"}
    assert "q1: where it failed" in log
    assert "Traceback" in log
    assert 'failing_agents.py", line 5, in deeper' in log
    assert "ValueError: my bug, with [secret]" in log
    assert not any(b"hidden-key-123456" in path.read_bytes() for path in tmp_path.glob("run/**/*") if path.is_file())


def test_the_log_shows_where_a_function_tried_to_leave(module: str, task_folder: Path, tmp_path: Path) -> None:
    assert "in leaves" in logged(tmp_path / "run", f"{module}:leaves", task_folder)[0]


def test_the_log_shows_where_a_retriever_failed_behind_it(module: str, task_folder: Path, tmp_path: Path) -> None:
    log, statuses = logged(tmp_path / "run", f"{module}:uses", task_folder, Broken())
    assert statuses == {"error"}
    assert "in rank" in log
    assert "KeyError: 'postings'" in log


def test_what_ends_well_leaves_no_traceback(module: str, task_folder: Path, tmp_path: Path) -> None:
    log, statuses = logged(tmp_path / "run", f"{module}:answers", task_folder)
    assert statuses == {"answered"}
    assert "Traceback" not in log
