"""Questions that fail together, each in its own way: a user is told one thing, in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from said import Command

import lrat_bench
from lrat_bench.errors import LratBenchError, RolloutFailure, RunIncomplete, UsageError, one_error

PLAYER = """
import asyncio

from lrat_bench.errors import RolloutFailure, UsageError


class Player:
    name, fingerprint = "mine", None

    def __init__(self, *errors):
        self.errors = list(errors)
        self.together = asyncio.Barrier(len(errors))

    def describe(self):
        return {"name": self.name}

    async def play(self, question, session, *, seed):
        error = self.errors.pop()
        await self.together.wait()
        raise error

    async def close(self):
        pass


several = Player(RuntimeError("odd"), UsageError("mend this"), OSError(28, "full"), ValueError("odder"))
odd = Player(RuntimeError("odd"), RuntimeError("odd"))
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "four_ways.py").write_text(PLAYER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "four_ways", raising=False)
    return tmp_path


def test_what_can_be_mended_is_said_before_what_is_odd(mine: Path, task_folder: Path, command: Command) -> None:
    words: tuple[Any, ...] = ("run", "--task", task_folder, "--retriever", "oracle", "--repeats", "2", "-o", "made")
    code, _, said = command(*words, "--agent", "four_ways:several")
    assert code in (2, 3)
    (line,) = [line for line in said.splitlines() if line.startswith("lrat-bench: ")]
    assert "mend this" in line or "cannot write to made: [Errno 28] full" in line
    assert "Group" not in said
    code, _, said = command(*words, "--agent", "four_ways:odd", "--limit", "1", "--fresh")
    assert (code, said.splitlines()[-1].partition(" (")[0]) == (3, "lrat-bench: internal error: RuntimeError: odd")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([ValueError("a"), UsageError("b"), RunIncomplete("c")], "b"),
        ([ValueError("a"), ExceptionGroup("", [KeyError("x"), ExceptionGroup("", [RunIncomplete("c")])])], "c"),
        ([ValueError("a"), RolloutFailure("b")], "b"),
        ([KeyboardInterrupt(), ValueError("a")], "a"),
        ([ExceptionGroup("", [ValueError("a")])], "a"),
    ],
)
def test_the_one_that_says_most_is_raised(errors: list[BaseException], expected: str) -> None:
    group = BaseExceptionGroup("several", errors)
    with pytest.raises(BaseException, match=f"^{expected}$") as told, one_error():
        raise group
    assert told.value.__cause__ is group


def test_an_error_that_comes_alone_is_left_as_it_is() -> None:
    with pytest.raises(LratBenchError, match="alone") as told, one_error():
        raise UsageError("alone")
    assert told.value.__cause__ is None
    with one_error():
        assert lrat_bench.__doc__
