"""What tests of sweeps share: a user's own retrievers that count what is done with them, and a model that costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

MINE = '''
"""Retrievers of a user's own."""

import os
import time
from dataclasses import replace

from lrat_bench.model.heuristic import Heuristic
from lrat_bench.retriever.base import Ranked

DONE = []


class Counting:
    name = "counting"
    fingerprint = "counting-1"

    def __init__(self, argument, context):
        DONE.append("made")
        context.settings.pop("size", None)
        self.docid = next(iter(context.corpus)).docid

    def prepare(self, progress):
        DONE.append("prepared")

    def search(self, queries, k, *, contexts=None):
        time.sleep(float(os.environ.get("MINE_SECONDS", "0")))
        return [[Ranked(self.docid, 1.0)] for _ in queries]

    def close(self):
        DONE.append("closed")


class Broken(Counting):
    name = "broken"
    fingerprint = "broken-1"

    def prepare(self, progress):
        DONE.append("failed")
        raise RuntimeError("no room for an index")


class Mute(Counting):
    name = "mute"
    fingerprint = "mute-1"

    def search(self, queries, k, *, contexts=None):
        raise RuntimeError("the line is dead")


class Paid:
    """The heuristic, at a price."""

    name = "paid"
    fingerprint = "paid-1"
    calls = 0

    async def complete(self, request):
        Paid.calls += 1
        turn = await Heuristic().complete(request)
        return replace(turn, usage=turn.usage.model_copy(update={"cost_usd": 0.25}))

    async def close(self):
        pass
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module `mine`, importable, with nothing done yet."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    import mine as module  # type: ignore[import-not-found]

    yield module
    sys.modules.pop("mine", None)
