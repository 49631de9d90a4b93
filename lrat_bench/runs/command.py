"""One command, carried out: what stands around the rollouts of a run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from lrat_bench.errors import Interrupted, LratBenchError, RunIncomplete, foreign, one_error
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import Retriever
from lrat_bench.runs.config import RunConfig
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import describe_run, with_endpoints, with_retriever
from lrat_bench.runs.preflight import preflight as try_models
from lrat_bench.runs.run import Run
from lrat_bench.runs.runner import play_owed
from lrat_bench.runs.scoring import is_settled, judge_folder, measure_folder
from lrat_bench.runs.tally import OnTally
from lrat_bench.score.judging import Judging

__all__ = ["carry_out", "close", "prepare"]


def carry_out(
    config: RunConfig,
    *,
    out: str | Path | None = None,
    fresh: bool = False,
    preflight: bool = True,
    progress: Progress = no_progress,
    on_tally: OnTally | None = None,
) -> Run:
    """Complete a run folder: try the models, prepare the retriever, play what is owed, judge it and measure.

    Args:
        config: the resolved run; what it opened is closed.
        out: the run folder; `runs/<what>-<hash>` unless given.
        fresh: discard what the folder holds of this run.
        preflight: try each model with one call before anything is spent.
        progress: told how the index is prepared.
        on_tally: told after each question.

    Raises:
        UsageError: something does not fit; nothing was started.
        RunIncomplete: it had to stop early; what is done is kept.
        Interrupted: of these, by Ctrl-C.
    """
    folder = RunFolder(Path(out) if out is not None else config.folder_in(Path("runs")))
    manifest = describe_run(config)
    with folder.hold(), EventLoop() as loop:
        try:
            if not fresh:
                folder.refuse_another(manifest)
                config.access.budget.resume(folder.costs)
            settled = not fresh and is_settled(config, folder)
            if preflight and not settled:
                manifest = with_endpoints(manifest, loop.run(try_models(config)))
            else:
                config.access.require_prices()
                if not settled:
                    loop.run(config.access.warm_up())
            prepare(config.retriever, progress)
            manifest = with_retriever(manifest, config.retriever)
            # Only now is anything let go of: all that could be refused has been.
            if fresh:
                folder.discard()
            folder.claim(manifest)
            config.access.budget.keep_in(folder.costs)
            _play_and_score(config, folder, loop, on_tally or (lambda _: None))
        finally:
            loop.run(_close(config))
    return Run(folder.path, config.task)


def _play_and_score(config: RunConfig, folder: RunFolder, loop: EventLoop, on_tally: OnTally) -> None:
    judging = Judging(config.judge)
    try:
        with one_error():
            loop.run(play_owed(config, folder, on_tally=on_tally, judging=judging))
        loop.run(judge_folder(folder, config.task, judging))
        measure_folder(folder, config.task, config.judge)
    except (KeyboardInterrupt, RunIncomplete) as stopped:
        # Whatever stopped it (a full disk) may stop this too, and has been said.
        with suppress(LratBenchError, OSError):
            if isinstance(stopped, RunIncomplete):
                loop.run(judge_folder(folder, config.task, judging))
            measure_folder(folder, config.task, config.judge)
        if isinstance(stopped, RunIncomplete):
            raise
        raise Interrupted(
            f"interrupted; {folder.path} keeps every question that was finished, and the same command goes on"
        ) from None


async def _close(config: RunConfig) -> None:
    """Close what the run opened; what fails at that is logged, since its answers are in."""
    closing: list[tuple[str, Callable[[], Awaitable[None]]]] = [(f"judge {config.judge.name!r}", config.judge.close)]
    if config.owns_agent:
        closing.append((f"agent {config.agent.name!r}", config.agent.close))
    closing.append(("model clients", config.access.close))
    for what, shut in closing:
        try:
            await shut()
        except LratBenchError:
            raise
        except Exception as error:  # noqa: BLE001 -- code of anybody's
            said = f"{type(error).__name__}: {error}"
            logging.getLogger(__name__).warning("closing %s failed (%s); its answers are kept", what, said)


def prepare(retriever: Retriever, progress: Progress) -> None:
    """Let a retriever build or open its index; code of anybody's, so that what it raises becomes one line."""
    with foreign(f"retriever {retriever.name!r} cannot be prepared"):
        retriever.prepare(progress)


def close(retriever: Retriever) -> None:
    """Close a retriever; one that fails at that is logged, since its answers are in."""
    try:
        retriever.close()
    except Exception as error:  # noqa: BLE001 -- a retriever of anybody's
        said = f"{type(error).__name__}: {error}"
        logging.getLogger(__name__).warning(
            "closing retriever %r failed (%s); its answers are kept", retriever.name, said
        )
