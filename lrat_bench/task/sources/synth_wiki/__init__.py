"""`synth-wiki`: a generated encyclopedia of fictional entities and questions about it.

A function of (world, seed, size) alone: the same bytes on every machine. The world is divided into regions of a few
hundred entities; facts link entities of one region only. That makes any article computable by itself, lets a corpus
of any size be streamed, and turns a proof of uniqueness within one region into a proof over the whole world: every
question names at least one entity, names are unique, and whatever is linked to that entity lies in its region.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lrat_bench.progress import Progress, no_progress

__all__ = ["VERSION", "prepare"]

VERSION = 1
"""Counts changes of the output; part of the cache key of prepared tasks."""


def prepare(settings: Mapping[str, object], folder: Path, progress: Progress = no_progress) -> None:
    """Write the task folder: corpus, questions and relevance judgements.

    Args:
        settings: `world` ("in-domain" or "out-of-domain"), `seed` (int), `documents` (10³ to 10⁷), `train` and `test`
            (number of questions); keys left out have the defaults of `Settings`.
        folder: an existing folder.
        progress: told how many articles are written.

    Raises:
        UsageError: an unknown key, a bad value, or more questions than a world of that size holds.
    """
    from lrat_bench.task.sources.synth_wiki.settings import Settings
    from lrat_bench.task.sources.synth_wiki.task_folder import write_task

    write_task(Settings.parse(settings), folder, progress)
