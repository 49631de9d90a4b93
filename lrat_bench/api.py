"""The same verbs as the command line, for Python: names and defaults are those of its flags."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from lrat_bench.agent.agent import Agent
from lrat_bench.errors import LratBenchError, RunIncomplete, foreign
from lrat_bench.files import cache_folder
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import BuildContext, Retriever
from lrat_bench.retriever.catalog import load_retriever as _load_retriever
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import Manifest, describe_run
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.runs.run import Run
from lrat_bench.runs.runner import play_owed
from lrat_bench.runs.scoring import find_task, judge_folder, measure_folder, with_judge
from lrat_bench.runs.tally import OnTally
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.score import Scores
from lrat_bench.task.catalog import load_task as _load_task
from lrat_bench.task.task import Task

__all__ = ["DEFAULTS", "close", "load_retriever", "load_run", "load_task", "rescore", "run", "run_config"]

DEFAULTS = {"task": "synth-wiki", "agent": "heuristic", "retriever": "bm25"}
"""The embedded default: no key, no GPU, no download."""

T = TypeVar("T")


def run(
    task: str | Task = DEFAULTS["task"],
    agent: str | Agent = DEFAULTS["agent"],
    retriever: str | Retriever = DEFAULTS["retriever"],
    *,
    split: str | None = None,
    limit: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    concurrency: int = 16,
    set: Mapping[str, Any] | None = None,  # noqa: A002 -- the name of the flag
    out: str | Path | None = None,
    fresh: bool = False,
    progress: Progress = no_progress,
    on_tally: OnTally | None = None,
) -> Run:
    """Run an agent over a retriever on a task, or complete such a run; works where an event loop is running, too.

    Args:
        task: a name, `name@protocol`, a folder, or a loaded task.
        agent: a name, `module:object`, or an agent.
        retriever: a name, `name:argument`, `module:object`, or a retriever.
        split: which questions; the task's default split unless given.
        limit: the first so many of them.
        repeats: how often each question is asked.
        seed: of sampling.
        concurrency: questions in flight; changes the time a run takes, never its result.
        set: `{"protocol.k": 5, "retriever.b": 0.5}`.
        out: the run folder; `runs/<what>-<hash>` unless given.
        fresh: discard what the folder holds of this run.
        progress: told how tasks and indexes are prepared.
        on_tally: told after each question.

    Returns:
        the run; `.metrics`, `.trajectories`, `.to_dataframe()`.

    Raises:
        UsageError: something does not exist, or does not fit; nothing was started.
        RunIncomplete: it had to stop early; what is done is kept, and the same call goes on.
    """
    settings = Settings.of(set or {})
    config = resolve(
        task=task,
        agent=agent,
        retriever=retriever,
        split=split,
        limit=limit,
        repeats=repeats,
        seed=seed,
        concurrency=concurrency,
        settings=settings,
        progress=progress,
    )
    try:
        return run_config(config, out=out, fresh=fresh, progress=progress, on_tally=on_tally)
    finally:
        if isinstance(retriever, str):
            close(config.retriever)


def run_config(
    config: RunConfig,
    *,
    out: str | Path | None = None,
    fresh: bool = False,
    progress: Progress = no_progress,
    on_tally: OnTally | None = None,
) -> Run:
    """Carry out a resolved run; see `run`."""
    folder = RunFolder(Path(out) if out is not None else config.folder_in(Path("runs")))
    manifest = describe_run(config)
    with folder.hold():
        if not fresh:
            folder.refuse_another(manifest)
        _prepare(config.retriever, progress)
        # Only now is anything let go of: all that could be refused has been.
        if fresh:
            folder.discard()
        folder.claim(manifest)
        try:
            _complete(lambda: play_owed(config, folder, on_tally=on_tally or (lambda _: None)))
        except KeyboardInterrupt:
            _score_if_possible(config, folder)
            raise RunIncomplete(
                f"interrupted; {folder.path} keeps every question that was finished, and the same command goes on"
            ) from None
        except RunIncomplete:
            _score_if_possible(config, folder)
            raise
        _score(config, folder)
    return Run(folder.path, config.task)


def close(retriever: Retriever) -> None:
    """Close a retriever; one that fails at that is logged, since its answers are in."""
    try:
        retriever.close()
    except Exception as error:  # noqa: BLE001 -- a retriever of anybody's
        said = f"{type(error).__name__}: {error}"
        logging.getLogger(__name__).warning(
            "closing retriever %r failed (%s); its answers are kept", retriever.name, said
        )


def load_run(path: str | Path) -> Run:
    """The run in a folder.

    Raises:
        UsageError: the folder holds none.
    """
    found = Run(Path(path))
    _ = found.manifest
    return found


def rescore(
    path: str | Path, *, task: str | None = None, judge: str | None = None, progress: Progress = no_progress
) -> tuple[Run, Manifest, Scores]:
    """Judge what a judge has not graded in a run folder, and measure it again.

    Args:
        path: the run folder.
        task: where the task lies now; as the manifest names it unless given.
        judge: another judge than the protocol's.
        progress: told how the task is prepared.

    Returns:
        the run, its manifest under that judge, and the scores, which metrics.json then holds.

    Raises:
        UsageError: the folder holds no run, or its task is gone or has changed.
    """
    found = load_run(path)
    manifest = with_judge(found.manifest, judge)
    loaded = find_task(manifest, task=task, progress=progress)
    by = load_judge(manifest.protocol.scoring)
    with found.folder.hold():
        _complete(lambda: judge_folder(found.folder, loaded, by))
        scores = measure_folder(found.folder, loaded, by)
    return found, manifest, scores


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
    found = _load_retriever(retriever, BuildContext(over, dict(set or {}), cache_folder()))
    _prepare(found, progress)
    return found


def _prepare(retriever: Retriever, progress: Progress) -> None:
    with foreign(f"retriever {retriever.name!r} cannot be prepared"):
        retriever.prepare(progress)


def _score(config: RunConfig, folder: RunFolder) -> None:
    judge = load_judge(config.protocol.scoring)
    _complete(lambda: judge_folder(folder, config.task, judge))
    measure_folder(folder, config.task, judge)


def _score_if_possible(config: RunConfig, folder: RunFolder) -> None:
    """Score what a run left that stopped early; whatever stopped it (a full disk) may stop this too, and said so."""
    with suppress(LratBenchError, OSError):
        _score(config, folder)


def _complete(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, in a thread of its own where this one already has an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    result: list[T] = []
    failure: list[BaseException] = []
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

    def target() -> None:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            task = loop.create_task(work())
            running.append((loop, task))
            try:
                result.append(loop.run_until_complete(task))
            except BaseException as error:  # noqa: BLE001 -- handed to the caller's thread
                failure.append(error)

    thread = threading.Thread(target=target, name="lrat-bench")
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        for loop, task in running:
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if failure:
        raise failure[0]
    return result[0]
