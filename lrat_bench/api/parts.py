"""What verbs for Python share: how models are reached, and loading and closing the parts of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder
from lrat_bench.model.access import Access
from lrat_bench.model.budget import Budget
from lrat_bench.model.cassette import Cassette, CassetteMode
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import load_retriever as _load_retriever
from lrat_bench.runs.command import close, prepare
from lrat_bench.task.catalog import load_task as _load_task
from lrat_bench.task.task import Task

__all__ = ["DEFAULTS", "access", "close", "load_retriever", "load_task"]

DEFAULTS = {"task": "synth-wiki", "agent": "heuristic", "retriever": "bm25"}
"""The embedded default: no key, no GPU, no download."""


def access(
    *, max_cost: float | None = None, cassette: str | Path | None = None, cassette_mode: CassetteMode = "replay"
) -> Access:
    """How the models of one command are reached.

    Args:
        max_cost: cap in USD on what models may cost, agent and judge together; None is none.
        cassette: file that holds recorded calls.
        cassette_mode: `record` calls every model and writes, `replay` calls where nothing is recorded, `strict` never
            calls.

    Raises:
        UsageError: a value does not fit.
    """
    if max_cost is not None and not 0 < max_cost < float("inf"):
        raise UsageError(f"max_cost is an amount in USD above 0, got {max_cost}")
    if cassette is None and cassette_mode != "replay":
        raise UsageError(f"cassette_mode {cassette_mode!r} wants a file: give --cassette FILE")
    return Access(
        budget=Budget() if max_cost is None else Budget(max_cost),
        cassette=None if cassette is None else Cassette(Path(cassette), cassette_mode),
    )


def load_task(task: str, *, set: Mapping[str, Any] | None = None, progress: Progress = no_progress) -> Task:  # noqa: A002
    """A task by name or folder, prepared on first use; `name@protocol` makes that protocol its default one.

    Raises:
        UsageError: there is no such task, or its files are wrong.
    """
    loaded, protocol = _load_task(task, settings=set, progress=progress)
    return replace(loaded, default_protocol=protocol.name)


def load_retriever(
    retriever: str,
    task: str | Task,
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    progress: Progress = no_progress,
) -> Retriever:
    """A retriever over the corpus of a task, its index built if need be.

    Raises:
        UsageError: there is no such retriever, or it cannot be built.
    """
    over = load_task(task, progress=progress) if isinstance(task, str) else task
    passage_tokens = over.protocol().rollout.passage_tokens
    context = BuildContext(over, dict(set or {}), cache_folder(), passage_tokens=passage_tokens)
    found = _load_retriever(retriever, context)
    prepare(found, progress)
    return found
