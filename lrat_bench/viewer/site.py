"""The viewer as files by name, each made when it is asked for: a folder writes them all, a server one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.pages.assets import read_assets
from lrat_bench.pages.render import page
from lrat_bench.pages.shard import script_value
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.run import Run
from lrat_bench.viewer.conversation import conversation
from lrat_bench.viewer.documents import Shelves
from lrat_bench.viewer.listing import card, entry, keys_of
from lrat_bench.viewer.material import Material
from lrat_bench.viewer.opened import Key, OpenedRun, open_run

__all__ = ["Site", "open_site"]

_PER_LIST = 2000
"""Lines of the list in one shard."""


class Site:
    """The files of a view.

    Args:
        runs: all over one task.
        material: the task, where it is at hand.

    Attributes:
        runs: as given.
        material: as given.
        keys: (question id, repeat) of every line of the list.
        files: name → what makes its content; `index.html` is the last.
    """

    def __init__(self, runs: Sequence[OpenedRun], material: Material) -> None:
        self.runs = tuple(runs)
        self.material = material
        self.keys = keys_of(runs)
        self._shelves = Shelves(runs, material)
        self._shard_of = [{key: at for at, shard in enumerate(run.shards) for key in shard} for run in runs]
        lists = range(-(-len(self.keys) // _PER_LIST))
        self.files: dict[str, Callable[[], bytes]] = {
            f"assets/{name}": partial(bytes, content) for name, content in read_assets(__package__ or "").items()
        }
        self._data("index", self._index)
        for number in lists:
            self._data(f"list-{number:04d}", partial(self._list, number))
        for run in self.runs:
            for number in range(len(run.shards)):
                self._data(f"{run.letter.lower()}-{number:04d}", partial(self._conversations, run, number))
        for number in range(len(self._shelves)):
            self._data(f"docs-{number:04d}", partial(self._shelves.shard, number))
        self.files["index.html"] = self._page

    @property
    def trajectories(self) -> int:
        """How many there are to be seen."""
        return sum(len(shard) for run in self.runs for shard in run.shards)

    @property
    def guarded(self) -> bool:
        """Whether its texts must not lie in the open."""
        task = self.material.task
        return any(run.guarded for run in self.runs) or (task is not None and task.canary is not None)

    def _data(self, name: str, make: Callable[[], Any]) -> None:
        variable = f"lrat_{name.replace('-', '_')}"
        self.files[f"data/{name}.js"] = lambda: script_value(variable, make()).encode()

    def _page(self) -> bytes:
        manifest = self.runs[0].manifest
        title = f"{manifest.task['name']} · {manifest.split}"
        return page("index.html", package=__package__ or "", title=title, guarded=self.guarded).encode(
            "utf-8", "replace"
        )

    def _index(self) -> dict[str, Any]:
        return {
            "schema": "lrat-bench/view/1",
            "runs": [card(run) for run in self.runs],
            "lines": len(self.keys),
            "lists": -(-len(self.keys) // _PER_LIST),
            "questions": len({qid for qid, _ in self.keys}),
            "repeats": max((repeat for _, repeat in self.keys), default=0) + 1,
            "missing": self.material.missing,
        }

    def _list(self, number: int) -> list[dict[str, Any]]:
        keys = self.keys[number * _PER_LIST : (number + 1) * _PER_LIST]
        return [entry(key, self.runs, self._shard_of, self.material) for key in keys]

    def _conversations(self, run: OpenedRun, number: int) -> list[dict[str, Any]]:
        return [self._conversation(run, key) for key in run.shards[number]]

    def _conversation(self, run: OpenedRun, key: Key) -> dict[str, Any]:
        return conversation(run, key, self.material, self._shelves.shelf)


def open_site(
    paths: Sequence[Path],
    *,
    task: str | None = None,
    limit: int | None = None,
    texts: bool = True,
    progress: Progress = no_progress,
) -> Site:
    """The view of runs.

    Args:
        paths: run folders over one task, scored.
        task: where the task lies now, if it moved.
        limit: only the first so many questions.
        texts: whether the task is loaded, for the wording of questions, evidence, titles and texts.
        progress: told how it goes.

    Raises:
        UsageError: a folder is no run, the runs are over different tasks, or the named task is not theirs.
        DataError: a run is damaged, or was not scored.
    """
    if len(paths) > len(ascii_uppercase):
        raise UsageError(f"{len(paths)} runs are too many to be seen side by side: give at most {len(ascii_uppercase)}")
    if doubled := [path for at, path in enumerate(paths) if path.resolve() in {p.resolve() for p in paths[:at]}]:
        raise UsageError(f"{doubled[0]} is given twice: give each run once")
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, got {limit}")
    found = [Run(path) for path in paths]
    manifests = [run.manifest for run in found]
    for path, manifest in zip(paths, manifests, strict=True):
        if manifest.identity["task"] != manifests[0].identity["task"]:
            raise UsageError(
                f"{path} is over another task ({manifest.task['name']}) than {paths[0]} "
                f"({manifests[0].task['name']}), or over another state of it: view them apart"
            )
    material = Material.find(manifests[0], task=task, texts=texts, progress=progress)
    opened = []
    for at, (run, letter) in enumerate(zip(found, ascii_uppercase, strict=False)):
        progress("reading runs", at, len(found))
        opened.append(open_run(run, letter, material=material, limit=limit))
    return Site(opened, material)
