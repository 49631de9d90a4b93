"""Folders as runs and retrievals of published settings leave them, without the models that it would take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lrat_bench.agent.catalog import find_backbone
from lrat_bench.files import write_json
from lrat_bench.runs.manifest import Invocation, Manifest
from lrat_bench.runs.retrieval_folder import RetrievalManifest
from lrat_bench.score.intervals import wilson
from lrat_bench.score.judges.registry import load_judge
from lrat_bench.score.metric import Metric
from lrat_bench.score.retrieval import RetrievalScores
from lrat_bench.score.score import Scores
from lrat_bench.task.catalog import task_card
from lrat_bench.task.protocol import Protocol, Scoring

__all__ = ["mean", "rate", "write_retrieval", "write_run"]

DOCUMENTS = {"browsecomp-plus": 100_195, "infoseek-eval": 11_200_001}
QUESTIONS = {"browsecomp-plus": 830, "infoseek-eval": 300}


def rate(name: str, correct: int, n: int) -> Metric:
    """A rate of so many questions, with Wilson's interval."""
    low, high = wilson(correct, n)
    value = correct / n if n else None
    return Metric(
        name=name, value=value, n=n, low=low, high=high, unit="share", direction="higher", definition="A rate."
    )


def mean(name: str, value: float | None, half: float | None = None, n: int = 830, unit: str = "share") -> Metric:
    """A mean, with an interval of that half-width or none."""
    low, high = (None, None) if value is None or half is None else (value - half, value + half)
    return Metric(name=name, value=value, n=n, low=low, high=high, unit=unit, direction="higher", definition="A mean.")


def write_run(
    path: Path,
    *metrics: Metric,
    task: str = "browsecomp-plus@lrat-v1",
    agent: str = "gpt-oss-120b",
    retriever: str = "dense:Qwen/Qwen3-Embedding-0.6B",
    judge: str | None = None,
    rollout: Mapping[str, Any] | None = None,
    row: Mapping[str, Any] | None = None,
    documents: int | None = None,
    ungraded: int = 0,
    errored: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """A run folder: its manifest and metrics.json.

    Args:
        path: the folder.
        metrics: those with a dot in their names are a peer's.
        task: with its protocol.
        agent: a backbone.
        retriever: its name.
        judge: another one than the protocol's.
        rollout: knobs of the protocol that were set otherwise.
        row: fields of the backbone that were set otherwise.
        documents: of the corpus.
        ungraded: answers without a verdict.
        errored: questions without a result.
        settings: of the retriever.
    """
    name, _, protocol_name = task.partition("@")
    protocol = _protocol(name, protocol_name, rollout)
    scoring = protocol.scoring if judge is None else Scoring(judge=judge)
    grader = load_judge(scoring, offline=True)
    backbone = find_backbone(agent)
    assert backbone is not None
    described = backbone.model_dump(mode="json", exclude={"serving", "sources", "summary", "match", "notes"})
    n = QUESTIONS[name]
    manifest = Manifest(
        identity={"task": "t"},
        rankable=True,
        task={"name": name, "domain": None, "source": {}, "corpus": "c", "documents": documents or DOCUMENTS[name]},
        split="test",
        split_role="eval",
        limit=None,
        repeats=1,
        questions=tuple(f"q{at}" for at in range(n)),
        protocol=protocol,
        scoring=scoring.fingerprint,
        agent={"kind": "model", "name": agent, "row": {**described, **(row or {})}},
        retriever={"name": retriever, "fingerprint": "f"},
        judge={"name": grader.name, "fingerprint": grader.fingerprint},
        seed=0,
        settings={"task": task, "agent": agent, "retriever": retriever, "set": {"retriever": dict(settings or {})}},
        invocations=(Invocation(started=_now(), versions={}, git=None, machine={}),),
    )
    correct = n - ungraded - errored
    scores = Scores(
        questions=n,
        repeats=1,
        n=n,
        judge=grader.fingerprint,
        judge_name=grader.name,
        outcomes={"correct": correct, "incorrect": 0, "ungraded": ungraded, "errored": errored},
        statuses={"answered": n},
        success_bound=None,
        metrics=tuple(metric for metric in metrics if "." not in metric.name),
        peers=tuple(metric for metric in metrics if "." in metric.name),
    )
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "manifest.json", manifest.to_dict())
    write_json(path / "metrics.json", scores.model_dump(mode="json", by_alias=True))
    return path


def write_retrieval(
    path: Path,
    *metrics: Metric,
    retriever: str = "bm25",
    described: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    k: int = 1000,
) -> Path:
    """A retrieval folder of BrowseComp-Plus: its manifest and metrics.json.

    Args:
        path: the folder.
        metrics: of it.
        retriever: its name.
        described: what the retriever says of itself.
        settings: of the retriever.
        k: documents that were asked for.
    """
    manifest = RetrievalManifest(
        identity={"task": "t"},
        rankable=True,
        task={"name": "browsecomp-plus", "domain": None, "source": {}, "corpus": "c", "documents": 100_195},
        source="questions",
        split="test",
        split_role="eval",
        limit=None,
        runs=(),
        queries=830,
        issued=830,
        unjudged=0,
        k=k,
        retriever={**(described or {}), "name": retriever, "fingerprint": "f"},
        settings={"task": "browsecomp-plus@standard-v1", "set": {"retriever": dict(settings or {})}},
        seconds=1.0,
        started=_now(),
        versions={},
    )
    scores = RetrievalScores(queries=830, questions=830, k=k, left_out=(), metrics=metrics)
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "manifest.json", manifest.to_dict())
    write_json(path / "metrics.json", scores.model_dump(mode="json", by_alias=True))
    return path


def _protocol(task: str, name: str, rollout: Mapping[str, Any] | None) -> Protocol:
    protocol = task_card(task).protocols[name]
    if not rollout:
        return protocol
    changed = type(protocol.rollout).model_validate({**protocol.rollout.model_dump(), **rollout})
    return protocol.model_copy(update={"name": "custom", "rollout": changed})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
