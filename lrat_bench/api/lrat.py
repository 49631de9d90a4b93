"""The steps of LRAT from Python, and retrieval without agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lrat_bench.api.parts import access
from lrat_bench.errors import UsageError
from lrat_bench.lrat.analysis.analysis import analyse
from lrat_bench.lrat.mining.mine import mine_runs
from lrat_bench.lrat.pair import Rule
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.training.recipe import Stage, make_recipe
from lrat_bench.lrat.training.train import OnLine, TrainedModel
from lrat_bench.lrat.training.train import train as carry_out_training
from lrat_bench.model.cassette import CassetteMode
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.base import Retriever
from lrat_bench.runs.resolve import Settings
from lrat_bench.runs.retrieval import retrieve as carry_out_retrieval
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.task.task import Task

__all__ = ["analyze", "mine", "retrieve", "train"]

analyze = analyse


def mine(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    rule: Rule = "attributed",
    outcome: Literal["correct", "incorrect", "all"] = "correct",
    status: str | Iterable[str] = ("answered",),
    filter: str = "rules",  # noqa: A002 -- the name of the flag
    tokenizer: str = "regex-v1",
    scale: Literal["pooled", "agent"] = "pooled",
    task: str | None = None,
    verdicts: str | None = None,
    allow_eval: bool = False,
    relevance_cache: bool = True,
    concurrency: int = 16,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    max_cost: float | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode = "replay",
    fresh: bool = False,
    progress: Progress = no_progress,
) -> Pairs:
    """Mine training pairs from the trajectories of runs; arguments as the flags of `lrat-bench mine`.

    Args:
        runs: run folders, or folders of LRAT's run files.
        out: the folder of the pairs.
        rule: how a browse is attributed to a query.
        outcome: trajectories whose answer was judged so.
        status: trajectories that ended so; "all" for any.
        filter: who judges relevance: rules, none, a preset, a LiteLLM id, `module:object`.
        tokenizer: what reasoning is measured in.
        scale: one β and µ for all, or one for each agent's pairs.
        task: where the task lies now, if it moved.
        verdicts: whose verdicts on answers count; those of each run's own judge unless given.
        allow_eval: mine runs on evaluation questions, too.
        relevance_cache: take what a model has said before from the cache.
        concurrency: browses judged at once.
        set: `{"filter.api_base": "http://localhost:8000/v1"}`.
        max_cost: cap in USD on what the filter's model may cost.
        cassette: file of recorded model calls.
        cassette_mode: `record`, `replay` or `strict`.
        fresh: discard what the folder holds of earlier mining.
        progress: told how it goes.

    Returns:
        the pairs; while `manifest.counts.owed` is not 0 the judge has failed on some, and the same call asks again.

    Raises:
        UsageError: something does not fit, or nothing can be mined.
        RunIncomplete: it had to stop early; what the judge said is kept.
    """
    given = Settings.of(set or {})
    if wrong := [room for room in given.to_dict() if room != "filter"]:
        raise UsageError(f"{wrong[0]}.… cannot be set when mining: the trajectories are what they are")
    return mine_runs(
        runs,
        out,
        rule=rule,
        outcome=outcome,
        statuses=status,
        relevance=filter,
        tokenizer=tokenizer,
        scale=scale,
        task=task,
        verdicts=verdicts,
        allow_eval=allow_eval,
        settings=given.filter,
        relevance_cache=relevance_cache,
        concurrency=concurrency,
        access=access(max_cost=max_cost, cassette=cassette, cassette_mode=cassette_mode),
        fresh=fresh,
        progress=progress,
    )


def train(
    pairs: str | Path | Sequence[str | Path],
    *,
    base: str,
    out: str | Path,
    stage: Stage | None = None,
    preset: str = "paper",
    recipe: Mapping[str, Any] | None = None,
    task: str | None = None,
    eval: Sequence[str | Path] = (),  # noqa: A002
    fresh: bool = False,
    progress: Progress = no_progress,
    on_line: OnLine | None = None,
    **others: Any,
) -> TrainedModel:
    """Train a dense retriever on mined pairs, or go on with such a training.

    Args:
        pairs: a folder that `mine` made, or several.
        base: folder or hub name of a sentence-transformers model.
        out: the model folder.
        stage: naive, filter or reweight; the preset's unless given.
        preset: paper or small.
        recipe: values of it that are set otherwise, `{"lr": 2e-5}`; names as in `training.recipe.Recipe`.
        task: where the task of the pairs lies now, if it moved.
        eval: runs whose queries are replayed while it trains.
        fresh: discard what the folder holds of a training.
        progress: told how it goes.
        on_line: told each step and evaluation.
        others: further arguments of `training.train.train`.

    Raises:
        UsageError: something does not exist or does not fit; nothing was started.
        RunIncomplete: it was interrupted; its checkpoints are kept.
    """
    return carry_out_training(
        pairs=[pairs] if isinstance(pairs, str | Path) else pairs,
        base=base,
        out=out,
        recipe=make_recipe(preset, {**dict(recipe or {}), **({"stage": stage} if stage else {})}),
        task=task,
        evals=eval,
        fresh=fresh,
        progress=progress,
        on_line=on_line,
        **others,
    )


def retrieve(
    task: str | Task | None = None,
    retriever: str | Retriever = "bm25",
    *,
    split: str | None = None,
    limit: int | None = None,
    replay: Sequence[str | Path] = (),
    k: int | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 -- the name of the flag
    out: str | Path | None = None,
    fresh: bool = False,
    against: str | Path | None = None,
    progress: Progress = no_progress,
) -> Retrieval:
    """Score a retriever alone; arguments as in `runs.retrieval.retrieve`, settings as in `run`."""
    return carry_out_retrieval(
        task=task,
        retriever=retriever,
        split=split,
        limit=limit,
        replay=replay,
        k=k,
        settings=Settings.of(set or {}),
        out=out,
        fresh=fresh,
        against=against,
        progress=progress,
    )
