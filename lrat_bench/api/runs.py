"""Runs: made, loaded, judged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from lrat_bench.agent.episode import Player
from lrat_bench.agent.function import AgentFunction
from lrat_bench.api.parts import DEFAULTS, access, close
from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.model.cassette import CassetteMode
from lrat_bench.model.spec import Connection
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import Retriever
from lrat_bench.runs.command import carry_out
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.judge_choice import JudgeChoice
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.resolve import Settings, resolve
from lrat_bench.runs.run import Run
from lrat_bench.runs.scoring import (
    find_task,
    is_graded,
    judge_folder,
    measure_folder,
    selected,
    with_judge,
)
from lrat_bench.runs.tally import OnTally
from lrat_bench.score.agreement import Agreement, agreement
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.judging import Judging
from lrat_bench.score.score import Scores
from lrat_bench.score.verdict import current_verdicts, under_accepted
from lrat_bench.task.task import Task

__all__ = ["compare_judges", "load_run", "rescore", "run"]


def run(
    task: str | Task = DEFAULTS["task"],
    agent: str | Player | AgentFunction = DEFAULTS["agent"],
    retriever: str | Retriever = DEFAULTS["retriever"],
    *,
    judge: str | None = None,
    rubric: str | None = None,
    verdict_cache: bool = True,
    split: str | None = None,
    limit: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    concurrency: int = 16,
    set: Mapping[str, Any] | None = None,  # noqa: A002 -- the name of the flag
    out: str | Path | None = None,
    fresh: bool = False,
    max_cost: float | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode = "replay",
    preflight: bool = True,
    progress: Progress = no_progress,
    on_tally: OnTally | None = None,
) -> Run:
    """Run an agent over a retriever on a task, or complete such a run; works where an event loop is running, too.

    Args:
        task: a name, `name@protocol`, a folder, or a loaded task.
        agent: a name, a LiteLLM id, a YAML file, `module:object`, an agent, or an async function of (question, tools).
        retriever: a name, `name:argument`, `module:object`, or a retriever.
        judge: another judge than the protocol's: exact, contains, a preset, a LiteLLM id, `module:object`.
        rubric: another rubric than the judge's own: a name or a file.
        verdict_cache: take an LLM judge's earlier verdicts from the cache, and keep new ones there.
        split: which questions; the task's default split unless given.
        limit: the first so many of them.
        repeats: how often each question is asked.
        seed: of sampling.
        concurrency: questions in flight; changes the time a run takes, never its result.
        set: `{"protocol.k": 5, "retriever.b": 0.5}`.
        out: the run folder; `runs/<what>-<hash>` unless given.
        fresh: discard what the folder holds of this run.
        max_cost: cap in USD on what the models of this run may cost, all its invocations together.
        cassette: file that holds recorded model calls.
        cassette_mode: `record`, `replay` or `strict`; see `access`.
        preflight: try each model with one call before anything is spent.
        progress: told how tasks and indexes are prepared.
        on_tally: told after each question.

    Returns:
        the run; `.metrics`, `.trajectories`, `.to_dataframe()`.

    Raises:
        UsageError: something does not exist, or does not fit; nothing was started.
        RunIncomplete: it had to stop early; what is done is kept, and the same call goes on.
    """
    config = resolve(
        task=task,
        agent=agent,
        retriever=retriever,
        judge=judge,
        rubric=rubric,
        verdict_cache=verdict_cache,
        split=split,
        limit=limit,
        repeats=repeats,
        seed=seed,
        concurrency=concurrency,
        settings=Settings.of(set or {}),
        access=access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode),
        progress=progress,
    )
    try:
        return carry_out(config, out=out, fresh=fresh, preflight=preflight, progress=progress, on_tally=on_tally)
    finally:
        if isinstance(retriever, str):
            close(config.retriever)


def load_run(path: str | Path) -> Run:
    """The run in a folder.

    Raises:
        UsageError: the folder holds none.
    """
    found = Run(Path(path))
    _ = found.manifest
    return found


def rescore(
    path: str | Path,
    *,
    task: str | None = None,
    judge: str | None = None,
    rubric: str | None = None,
    verdict_cache: bool = True,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    max_cost: float | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode = "replay",
    progress: Progress = no_progress,
) -> tuple[Run, Manifest, Scores]:
    """Judge what a judge has not graded in a run folder, and measure it again.

    Args:
        path: the run folder.
        task: where the task lies now; as the manifest names it unless given.
        judge: another judge than the protocol's.
        rubric: another rubric than the judge's own: a name or a file.
        verdict_cache: take an LLM judge's earlier verdicts from the cache, and keep new ones there.
        set: `{"judge.api_base": "http://localhost:8000/v1"}`.
        max_cost: cap in USD on what the judge may cost now.
        cassette: file that holds recorded model calls.
        cassette_mode: `record`, `replay` or `strict`; see `access`.
        progress: told how the task is prepared.

    Returns:
        the run, its manifest under that judge, and the scores, which metrics.json then holds.

    Raises:
        UsageError: the folder holds no run, or its task is gone or has changed.
        RunIncomplete: it had to stop early; verdicts that were given are kept.
    """
    settings = Settings.of(set or {})
    if wrong := [room for room in settings.to_dict() if room != "judge"]:
        raise UsageError(f"{wrong[0]}.… cannot be set when judging again: the trajectories are what they are")
    found = load_run(path)
    known = {} if judge is not None else Connection.of_manifest(found.manifest.settings, room="judge")
    choice = JudgeChoice(judge, rubric, {**known, **settings.judge}, verdict_cache)
    manifest = with_judge(found.manifest, choice)
    loaded = find_task(manifest, task=task, progress=progress)
    reach = access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode)
    if loaded.canary is not None:
        reach.refuse_plain()
    by = load_judge(manifest.protocol.scoring)
    if not is_graded(found.folder, selected(manifest, loaded), by):
        by = choice.open(manifest.protocol.scoring, reach)
        reach.require_prices()
    with found.folder.hold(), EventLoop() as loop:
        reach.budget.keep_in(found.folder.costs)
        try:
            loop.run(judge_folder(found.folder, loaded, Judging(by)))
            scores = measure_folder(found.folder, loaded, by)
        except KeyboardInterrupt:
            raise RunIncomplete(f"interrupted; {found.path} keeps every verdict that was given") from None
        finally:
            loop.run(reach.close())
    return found, manifest, scores


def compare_judges(path: str | Path, manifests: Sequence[Manifest], *, task: str | None = None) -> list[Agreement]:
    """How far judges agree on the answers of one run, pair by pair, in the order given.

    Verdicts that were given under other accepted answers than those of now are no part of it.

    Args:
        path: the run folder.
        manifests: of the run under each judge, as `rescore` returned them.
        task: where the task lies now; as the manifest names it unless given.

    Raises:
        UsageError: the folder holds no run, or its task is gone or has changed.
    """
    folder = load_run(path).folder
    names = [load_judge(manifest.protocol.scoring) for manifest in manifests]
    questions = find_task(folder.manifest, task=task).questions
    verdicts = list(under_accepted(folder.verdicts.scan(), questions))
    current = {(*record.key, record.hash) for record in folder.trajectories.scan()}
    held = []
    for judge in names:
        grades = current_verdicts(verdicts, judge.fingerprint)
        held.append((judge.name, {key: grade for key, grade in grades.items() if key in current}))
    return [agreement(one, other) for one, other in combinations(held, 2)]
