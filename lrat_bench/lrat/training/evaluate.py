"""Evaluation during training: queries that agents really issued, replayed against a small pool of documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.lrat.training.names import without_paths
from lrat_bench.lrat.training.record import EvaluatedRun
from lrat_bench.progress import Progress, no_progress
from lrat_bench.runs.folder import RunFolder
from lrat_bench.runs.manifest import Manifest
from lrat_bench.runs.scoring import find_task
from lrat_bench.score.metrics.ranking import ranking_measures
from lrat_bench.task.corpus import Corpus
from lrat_bench.task.task import Task
from lrat_bench.trajectory import Search, Trajectory

__all__ = ["BEST_BY", "MEASURES", "Encode", "Replay", "read_replay"]

MEASURES = ("RR@10", "nDCG@10", "R@5")
"""Of the evidence, in the names of ir_measures."""

BEST_BY = "nDCG@10"
"""What the best evaluation is the best by."""

_CHUNK = 256

Encode = Callable[[Sequence[str]], Any]
"""Texts → unit vectors, a tensor of shape (texts, dim)."""


@dataclass(frozen=True)
class Replay:
    """Queries, what answers them, and the documents they are searched in.

    The pool holds the evidence and everything that the recorded lists showed, so it is small, and harder than a random
    one of that size. Its measures compare checkpoints of one training; they are no measures over the corpus.

    Attributes:
        queries: query id → text.
        evidence: query id → relevant documents.
        pool: documents, by docid.
        runs: where the queries come from.
        without_evidence: recorded queries left out because their question has none.
        held_out: false where a run is of a split that is meant for the final numbers.
    """

    queries: Mapping[str, str]
    evidence: Mapping[str, frozenset[str]]
    pool: Mapping[str, str]
    runs: tuple[EvaluatedRun, ...]
    without_evidence: int
    held_out: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256 over queries, evidence and pool, whatever the runs are called."""
        asked = [[query, sorted(self.evidence[key])] for key, query in self.queries.items()]
        return fingerprint([asked, dict(self.pool)])

    def measure(self, encode_queries: Encode, encode_documents: Encode) -> dict[str, float]:
        """Rank the pool for every query by cosine, equal ones by rising docid, and average the measures over queries.

        Args:
            encode_queries: of the model as it is now.
            encode_documents: of the same.

        Returns:
            measure → mean over the queries.
        """
        import torch

        docids = sorted(self.pool)
        documents = encode_documents([self.pool[docid] for docid in docids])
        qids = list(self.queries)
        rankings: dict[str, list[str]] = {}
        for start in range(0, len(qids), _CHUNK):
            chunk = qids[start : start + _CHUNK]
            scores = encode_queries([self.queries[qid] for qid in chunk]) @ documents.T
            order = torch.sort(scores, descending=True, stable=True).indices[:, :10].tolist()
            rankings.update({qid: [docids[at] for at in row] for qid, row in zip(chunk, order, strict=True)})
        found = ranking_measures(rankings, dict(self.evidence), MEASURES)
        return {score.measure: score.mean or 0.0 for score in found}


def read_replay(
    runs: Sequence[Path], *, corpus: Corpus | None = None, task: str | None = None, progress: Progress = no_progress
) -> Replay:
    """The recorded queries of runs.

    Each query of a question once, as its agents put it; failed searches are left out.

    Args:
        runs: run folders.
        corpus: where documents are read; each run's own unless given. Only its fingerprint must agree.
        task: where the task of the runs lies now; as their manifests name it unless given.
        progress: told how preparing it goes.

    Raises:
        UsageError: a folder is no run, its task has no evidence or is gone, or no query is left.
    """
    queries: dict[str, str] = {}
    evidence: dict[str, frozenset[str]] = {}
    pool: dict[str, str] = {}
    evaluated: list[EvaluatedRun] = []
    missing = 0
    held_out = True
    for at, path in enumerate(runs):
        folder = RunFolder(path)
        manifest = folder.manifest
        loaded = find_task(manifest, task=task, progress=progress)
        if loaded.evidence is None:
            raise UsageError(f"{path} cannot evaluate: task {loaded.name!r} says nothing of evidence")
        if corpus is not None and corpus.fingerprint != loaded.corpus.fingerprint:
            raise UsageError(f"{path} was made on another corpus than the pairs: evaluate on runs of the same corpus")
        held_out = held_out and manifest.split_role != "eval"
        evaluated.append(_describe(path, manifest))
        wanted = set()
        # In an order of its own: trajectories are appended as they end.
        for number, (qid, query, shown) in enumerate(sorted(_searches(folder.trajectories.scan()))):
            relevant = loaded.evidence.get(qid)
            if not relevant:
                missing += 1
                continue
            key = f"{at}#{qid}#{number}"
            queries[key], evidence[key] = query, relevant
            wanted |= {*relevant, *shown}
        pool.update(_texts(wanted, loaded))
    if not queries:
        raise UsageError(f"no recorded query of {', '.join(str(path) for path in runs)} has evidence to evaluate by")
    return Replay(queries, evidence, pool, tuple(evaluated), missing, held_out)


def _describe(path: Path, manifest: Manifest) -> EvaluatedRun:
    return EvaluatedRun(
        name=path.resolve().name,
        identity=fingerprint(manifest.identity),
        task=without_paths(str(manifest.task["name"])),
        split=manifest.split,
        agent=without_paths(str(manifest.agent["name"])),
        retriever=without_paths(str(manifest.retriever["name"]), retriever=True),
    )


def _searches(trajectories: Iterable[Trajectory]) -> Iterable[tuple[str, str, list[str]]]:
    seen: set[tuple[str, str]] = set()
    for trajectory in trajectories:
        for step in trajectory.steps:
            if not isinstance(step, Search) or step.error is not None or not step.query.strip():
                continue
            if (trajectory.question_id, step.query) in seen:
                continue
            seen.add((trajectory.question_id, step.query))
            yield trajectory.question_id, step.query, [hit.docid for hit in step.hits]


def _texts(docids: Iterable[str], task: Task) -> dict[str, str]:
    found = {docid: task.corpus.get(docid) for docid in docids}
    return {docid: document.contents for docid, document in found.items() if document is not None}
