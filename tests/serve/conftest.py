"""A run that is open to the network while a test visits it, and a retriever that takes its time."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from lrat_bench.api.serve import Invitation, serve
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.runs.run import Run


class Open:
    """A run that is served: its questions as they are opened, and what became of it."""

    def __init__(self, task: str, retriever: Any, **words: Any) -> None:
        self.invitations: Queue[Invitation] = Queue()
        self._outcome: list[Run | BaseException] = []
        self._thread = threading.Thread(target=self._serve, args=(task, retriever), kwargs=words, daemon=True)
        self._thread.start()

    def _serve(self, task: str, retriever: Any, **words: Any) -> None:
        try:
            self._outcome.append(serve(task, retriever, on_invitation=self.invitations.put, **words))
        except BaseException as error:  # noqa: BLE001 -- raised again where the test waits
            self._outcome.append(error)

    def seats(self, many: int) -> list[Invitation]:
        """The next seats."""
        return [self.invitations.get(timeout=30) for _ in range(many)]

    def run(self, *, seconds: float = 30) -> Run:
        """The run, once all of it is answered."""
        self._thread.join(seconds)
        assert self._outcome, "the server still waits"
        (outcome,) = self._outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Slow:
    """Finds the documents of the bridge task, in order, after a while."""

    name = "slow"
    fingerprint = "slow"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.searched: list[str] = []

    def prepare(self, progress: Progress) -> None:
        pass

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        time.sleep(self.seconds)
        self.searched += queries
        return [[Ranked("d1", 2.0), Ranked("d2", 1.0)][:k] for _ in queries]

    def close(self) -> None:
        pass


@pytest.fixture
def slow() -> type[Slow]:
    """Makes a retriever that takes its time."""
    return Slow


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Open]]:
    """Serves a task until all of its questions are answered; what a test leaves open is given up."""
    opened: list[Open] = []

    def start(task: Path | str, retriever: Any, **words: Any) -> Open:
        found = Open(str(task), retriever, **{"out": tmp_path / "served", **words})
        opened.append(found)
        return found

    yield start
    for one in opened:
        with contextlib.suppress(Exception):
            one.run(seconds=2)


def write_questions(folder: Path, many: int) -> None:
    """Give a task folder that many questions instead of its own."""
    lines = [
        {"qid": f"q{n}", "question": f"Which is number {n}?", "answers": [f"number {n}"], "split": "test"}
        for n in range(many)
    ]
    (folder / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("qrels.trec", "qrels.gold.trec"):
        (folder / name).unlink()


@pytest.fixture
def many_questions(task_folder: Path) -> Path:
    """The bridge task's documents under 64 questions."""
    write_questions(task_folder, 64)
    return task_folder
