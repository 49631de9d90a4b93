"""Mining, from the trajectories of runs to a folder of pairs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import cache_folder
from lrat_bench.guard import GUARDED_CACHE_MEND, refuse_plain
from lrat_bench.lrat.mining.folder import claimed, held
from lrat_bench.lrat.mining.rules import load_rule
from lrat_bench.lrat.mining.selection import FINISHED, make_filter
from lrat_bench.lrat.mining.source import Source, open_sources
from lrat_bench.lrat.mining.work import Mining
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.pairs_manifest import PairsManifest
from lrat_bench.lrat.relevance.base import RelevanceJudge
from lrat_bench.lrat.relevance.registry import load_relevance
from lrat_bench.model.access import Access
from lrat_bench.model.redact import is_secret_name, redact
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.event_loop import EventLoop
from lrat_bench.runs.scoring import find_task
from lrat_bench.task.catalog import load_task
from lrat_bench.task.task import Task
from lrat_bench.task.tokenizer import load_tokenizer

__all__ = ["mine_runs"]

_log = logging.getLogger("lrat_bench.lrat")


def mine_runs(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    rule: str = "attributed",
    outcome: str = "correct",
    statuses: str | Iterable[str] = FINISHED,
    relevance: str = "rules",
    tokenizer: str = "regex-v1",
    scale: str = "pooled",
    task: str | None = None,
    verdicts: str | None = None,
    allow_eval: bool = False,
    settings: Mapping[str, Any] | None = None,
    relevance_cache: bool = True,
    concurrency: int = 16,
    access: Access | None = None,
    fresh: bool = False,
    progress: Progress = no_progress,
) -> Pairs:
    """Mine pairs from runs, or complete such a folder.

    Memory does not depend on how many trajectories there are, ids, numbers and verdicts aside. What the relevance judge
    said is written down as it comes, so that the same call asks nothing twice.

    Args:
        runs: run folders, or folders of LRAT's run files.
        out: the folder of the pairs.
        rule: how a browse is attributed to a query: attributed, paper, or lrat-code.
        outcome: trajectories whose answers were judged correct, incorrect, or all, the ungraded among them.
        statuses: how they ended; `all` for any.
        relevance: who judges relevance: rules, none, a preset, a LiteLLM id, or module:object.
        tokenizer: what reasoning is measured in.
        scale: whether β and µ are pooled, or each agent has its own.
        task: where the task lies now; as the runs' manifests name it unless given. LRAT's files need none.
        verdicts: the judge of answers whose verdicts count; each run's own unless given.
        allow_eval: mine runs on evaluation questions, too; the pairs are marked as tainted.
        settings: `{"max_tokens": 8192, "api_base": …}`, of the relevance judge.
        relevance_cache: take a model's earlier opinions from the cache, and keep new ones there.
        concurrency: browses judged at once.
        access: how models are reached; closed at the end.
        fresh: discard what the folder holds of earlier mining.
        progress: told how many trajectories are done.

    Returns:
        the pairs; while `manifest.counts.owed` is not 0 the judge has failed on some, and the same call asks again.

    Raises:
        UsageError: something does not fit, or nothing can be mined.
        RunIncomplete: it was interrupted, or the disk is full; what the judge said is kept.
    """
    reach = access or Access()
    with EventLoop() as loop:
        try:
            if concurrency < 1:
                raise UsageError(f"concurrency must be at least 1, got {concurrency}")
            if scale not in ("pooled", "agent"):
                raise UsageError(f"scale is pooled or agent, got {scale!r}")
            counter = load_tokenizer(tokenizer)
            judge = load_relevance(relevance, settings=settings, access=reach, cache=relevance_cache)
            reach.require_prices()
            rules, filter_ = load_rule(rule), make_filter(outcome, statuses)
            sources = open_sources(runs, verdicts_of=verdicts)
            _refuse_source(Path(out), sources)
            tainted = _tainted(sources, allow=allow_eval)
            tasks = _tasks(sources, task, progress)
            if (canary := _canary(sources, tasks)) is not None:
                reach.refuse_plain()
                if judge is not None and relevance_cache:
                    refuse_plain("opinions of the relevance judge", cache_folder(), mend=GUARDED_CACHE_MEND)
            manifest = PairsManifest(
                version=metadata.version("lrat-bench"),
                rule=rules.name,
                filter=filter_,
                relevance=relevance,
                relevance_fingerprint=None if judge is None else judge.fingerprint,
                relevance_judge=_described(judge),
                tokenizer=tokenizer,
                tokenizer_fingerprint=counter.fingerprint,
                scale=scale,  # type: ignore[arg-type]
                sources=tuple(source.record() for source in sources),
                corpus=_corpus(sources, tasks),
                **_named(sources, task),
                documents_checked=all(found is not None for found in tasks),
                tainted=tainted,
                canary=canary,
            )
            with held(Path(out)), claimed(Path(out), manifest, fresh=fresh):
                reach.budget.resume(Path(out) / "costs.jsonl")
                reach.budget.keep_in(Path(out) / "costs.jsonl")
                mining = Mining(Path(out), manifest, rules, sources, tasks, counter, judge, concurrency, progress)
                return mining.carry_out(loop, reach)
        finally:
            loop.run(reach.close())


def _refuse_source(out: Path, sources: Sequence[Source]) -> None:
    """See that pairs are not written among the trajectories that they are mined from.

    Raises:
        UsageError: they would be.
    """
    for source in sources:
        if out.resolve() in (source.path.resolve(), source.path.resolve().parent if source.path.is_file() else None):
            raise UsageError(f"{out} holds the trajectories that are mined: give another folder for the pairs with -o")


def _tainted(sources: Sequence[Source], *, allow: bool) -> bool:
    """Whether evaluation questions are among those of the runs.

    Raises:
        UsageError: they are, and that is not allowed.
    """
    held_out = [source for source in sources if source.record().role == "eval"]
    if held_out and not allow:
        record = held_out[0].record()
        raise UsageError(
            f"{held_out[0].path} is a run on split {record.split!r}, which evaluates: a retriever trained on its "
            "questions makes every number on them void. Mine a run on a train split, or allow it with --allow-eval; "
            "the pairs are then marked as tainted"
        )
    return bool(held_out)


def _canary(sources: Sequence[Source], tasks: Sequence[Task | None]) -> str | None:
    """What guards the questions, as runs say or as the task does: they are over one corpus, and so of one benchmark."""
    of_runs = (source.manifest.task.get("canary") for source in sources if source.manifest is not None)
    found = chain(of_runs, (task.canary for task in tasks if task is not None))
    return next((str(canary) for canary in found if canary is not None), None)


def _tasks(sources: Sequence[Source], spec: str | None, progress: Progress) -> list[Task | None]:
    """The task of each source, where it is at hand.

    Raises:
        UsageError: a task was named, and is not there or not the one of a run.
    """
    found: dict[str, Task | None] = {}
    tasks: list[Task | None] = []
    for source in sources:
        manifest = source.manifest
        key = "" if manifest is None else str(manifest.identity["task"])
        if key not in found:
            found[key] = _task(source, spec, progress)
        tasks.append(found[key])
    return tasks


def _task(source: Source, spec: str | None, progress: Progress) -> Task | None:
    if source.manifest is None:
        return None if spec is None else load_task(spec, progress=progress)[0]
    if spec is not None:
        return find_task(source.manifest, task=spec, progress=progress)
    try:
        return find_task(source.manifest, progress=progress)
    except UsageError as error:
        _log.warning("documents are not looked up, since the task is not at hand (%s)", error)
        return None


def _corpus(sources: Sequence[Source], tasks: Sequence[Task | None]) -> str | None:
    """Fingerprint of the one corpus; that of files that name none is the corpus of the task that was given for them."""
    known = sources[0].record().corpus
    return known if known is not None or tasks[0] is None else tasks[0].corpus.fingerprint


def _named(sources: Sequence[Source], spec: str | None) -> dict[str, Any]:
    """The task whose corpus the documents are of, as typed, and what was set of it."""
    manifest = sources[0].manifest
    if manifest is None:
        return {"task": spec}
    named = spec or str(manifest.settings.get("task", manifest.task["name"]))
    return {"task": named, "task_settings": dict(manifest.settings.get("set", {}).get("task", {}))}


def _described(judge: RelevanceJudge | None) -> dict[str, Any]:
    """The judge's own words, where it has any, without what may be a secret in them."""
    own = getattr(judge, "describe", None)
    return {key: _public(key, value) for key, value in own().items()} if callable(own) else {}


def _public(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _public(name, inner) for name, inner in value.items()}
    if is_secret_name(key):
        return "(not recorded)"
    if isinstance(value, list | tuple):
        return [_public("", item) for item in value]
    return redact(value) if isinstance(value, str) else value
