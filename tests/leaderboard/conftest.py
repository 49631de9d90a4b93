"""A newcomer's board, made once by the commands that leaderboard/README.md shows; and copies of its submission."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import browser, chromium
from submissions import README, Newcomer, commands, entry_of

import lrat_bench
from lrat_bench.cli.main import main
from lrat_bench.leaderboard.prepare import prepare, read_entered
from lrat_bench.leaderboard.tracks import Tracks, load_tracks

__all__ = ["browser", "chromium"]


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    """The README, done as written."""
    home = tmp_path_factory.mktemp("newcomer")
    (home / "entry.yaml").write_text(entry_of(README))
    codes = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for line in commands(README):
            program, *words = shlex.split(line)
            assert program == "lrat-bench"
            with pytest.raises(SystemExit) as stop:
                main(words)
            assert isinstance(stop.value.code, int)
            codes.append(stop.value.code)
    return Newcomer(home, home / "leaderboard" / "submissions" / "my-bm25", home / "site", tuple(codes))


@pytest.fixture(scope="session")
def tracks() -> Tracks:
    """Those of the board."""
    return load_tracks()


@pytest.fixture(scope="session")
def others(newcomer: Newcomer, tracks: Tracks) -> Path:
    """A folder of submissions by other retrievers to the same track."""
    folder = newcomer.home / "others"
    for retriever in ("oracle", "none"):
        runs = [newcomer.home / "runs" / f"{retriever}-{task}" for task in ("synth-wiki", "synth-wiki-ood")]
        for run, task in zip(runs, ("synth-wiki", "synth-wiki-ood"), strict=True):
            lrat_bench.run(task, retriever=retriever, limit=20, out=run, set={"task.documents": 1000})
        entered = read_entered(newcomer.home / "entry.yaml")
        entered = entered.model_copy(update={"entry": entered.entry.model_copy(update={"id": retriever, "url": None})})
        prepare(runs, track="demo", out=folder / f"the-{retriever}", entered=entered, tracks=tracks)
    shutil.copytree(newcomer.submission, folder / "my-bm25")
    return folder


@pytest.fixture
def submission(newcomer: Newcomer, tmp_path: Path) -> Iterator[Path]:
    """A copy of the newcomer's submission, to be spoiled."""
    copy = tmp_path / "my-bm25"
    shutil.copytree(newcomer.submission, copy)
    yield copy
    shutil.rmtree(copy, ignore_errors=True)
