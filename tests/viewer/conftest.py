"""Two runs on the same questions, of which one finds what it needs, and a browser that must not complain."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from browser import Browser, browser, chromium

import lrat_bench
from lrat_bench.api.view import view_runs
from lrat_bench.progress import Progress
from lrat_bench.retriever.base import Ranked, SearchContext
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import find_task

__all__ = ["browser", "chromium"]

SETTINGS = {"task.documents": 1000}
QUESTIONS = 12


class Weak:
    """Gives some documents, the same for the same query, whatever is asked."""

    name = "weak"
    fingerprint: str | None = "weak"

    def __init__(self, docids: Sequence[str]) -> None:
        self.docids = docids

    def prepare(self, progress: Progress) -> None:
        """Nothing to do."""

    def search(
        self, queries: Sequence[str], k: int, *, contexts: Sequence[SearchContext] | None = None
    ) -> list[list[Ranked]]:
        """The k documents behind a place that the query decides."""
        starts = [int(hashlib.sha256(query.encode()).hexdigest(), 16) % (len(self.docids) - k) for query in queries]
        return [[Ranked(docid, float(k - n)) for n, docid in enumerate(self.docids[at : at + k])] for at in starts]

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="session")
def strong(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Over `oracle`: everything is found."""
    out = tmp_path_factory.mktemp("runs") / "strong"
    run: Run = lrat_bench.run("synth-wiki", retriever="oracle", limit=QUESTIONS, out=out, set=SETTINGS)
    return run


@pytest.fixture(scope="session")
def weak(strong: Run) -> Run:
    """The same questions over documents at random."""
    docids = [document.docid for document in find_task(strong.manifest).corpus]
    out = strong.path.with_name("weak")
    run: Run = lrat_bench.run("synth-wiki", retriever=Weak(docids), limit=QUESTIONS, out=out, set=SETTINGS)
    return run


Open = Callable[..., Browser]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Writes a view of runs and opens it; in the end, the console must have been told nothing."""
    made: dict[tuple[object, ...], Path] = {}

    def of(*runs: Run, address: str = "", **words: object) -> Browser:
        key = (*(run.path for run in runs), *sorted(words.items()))
        if key not in made:
            made[key] = view_runs([run.path for run in runs], out=tmp_path / f"view-{len(made)}", **words).index  # type: ignore[arg-type]
        browser.open("about:blank")
        browser.open(f"{made[key].as_uri()}{address}")
        browser.until("document.documentElement.dataset.ready")
        return browser

    yield of
    assert browser.complaints() == []
