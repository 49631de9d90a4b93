"""A candidate: a run folder or a retrieval folder that may answer published figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError, UsageError
from lrat_bench.published.figure import Kind
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run
from lrat_bench.score.metric import Metric
from lrat_bench.task.protocol import Rollout

__all__ = ["Candidate", "read_candidate"]


@dataclass(frozen=True)
class Candidate:
    """What of a folder is looked at.

    Attributes:
        path: the folder.
        kind: an agent's run, or a retriever alone.
        task: its name.
        documents: in its corpus.
        split: of the questions; None of a replay.
        rollout: of the run's protocol; None of a retrieval, and of an imported run whose protocol nobody named.
        agent: what the manifest says of it; empty of a retrieval.
        retriever: the same.
        settings: of the retriever, that were set.
        limit: how many questions were selected, the first of the split; None where it was all of them.
        imported: whether agent and retriever are known by what a user called them alone.
        judge: fingerprint of the judge whose verdicts count; None of a retrieval.
        judge_name: of it.
        metrics: by name, ours and those of peers.
        asked: how many were asked, repeats included.
        ungraded: answers that the judge has not graded.
        errored: questions times repeats that are owed.
    """

    path: Path
    kind: Kind
    task: str
    documents: int
    split: str | None
    rollout: Rollout | None
    agent: Mapping[str, Any]
    retriever: Mapping[str, Any]
    settings: Mapping[str, Any]
    metrics: Mapping[str, Metric] = field(repr=False)
    asked: int
    limit: int | None = None
    imported: bool = False
    judge: str | None = None
    judge_name: str | None = None
    ungraded: int = 0
    errored: int = 0


def read_candidate(path: Path) -> Candidate:
    """The run or retrieval in a folder.

    Raises:
        UsageError: it holds neither, or has not been scored.
    """
    return _retrieval(path) if _is_retrieval(path) else _run(path)


def _is_retrieval(path: Path) -> bool:
    file = path / "manifest.json"
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path} is neither a run nor a retrieval: it has no manifest.json") from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {getattr(error, 'strerror', None) or error}", file=file) from None
    schema = content.get("schema") if isinstance(content, dict) else None
    return isinstance(schema, str) and schema.startswith("lrat-bench/retrieval/")


def _run(path: Path) -> Candidate:
    run = Run(path)
    manifest, scores = run.manifest, run.metrics
    imported = "import" in manifest.settings
    return Candidate(
        path=path,
        kind="run",
        task=str(manifest.task.get("name")),
        documents=int(manifest.task.get("documents", 0)),
        split=manifest.split,
        rollout=None if imported and manifest.protocol.name == "unknown" else manifest.protocol.rollout,
        agent=manifest.agent,
        retriever=manifest.retriever,
        settings=_set(manifest.settings),
        metrics={metric.name: metric for metric in (*scores.metrics, *scores.peers)},
        asked=scores.n,
        limit=manifest.limit,
        imported=imported,
        judge=scores.judge,
        judge_name=scores.judge_name,
        ungraded=scores.outcomes.get("ungraded", 0),
        errored=scores.outcomes.get("errored", 0),
    )


def _retrieval(path: Path) -> Candidate:
    found = Retrieval(path)
    manifest, scores = found.manifest, found.metrics
    if manifest.source == "replay":
        raise UsageError(f"{path} replays queries of agents; published figures are of the questions themselves")
    return Candidate(
        path=path,
        kind="retrieval",
        task=str(manifest.task.get("name")),
        documents=int(manifest.task.get("documents", 0)),
        split=manifest.split,
        rollout=None,
        agent={},
        retriever=manifest.retriever,
        settings=_set(manifest.settings),
        metrics={metric.name: metric for metric in scores.metrics},
        asked=scores.queries,
        limit=manifest.limit,
    )


def _set(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = settings.get("set", {}).get("retriever", {})
    return found
