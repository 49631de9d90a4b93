"""Where pairs come from: folders of `lrat-bench mine`, and the corpus that their ids are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrat_bench.errors import UsageError
from lrat_bench.files import sha256_file
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.lrat.pairs_manifest import SourceRecord
from lrat_bench.lrat.training.names import without_paths
from lrat_bench.lrat.training.record import PairsSource
from lrat_bench.progress import Progress, no_progress
from lrat_bench.task.catalog import load_task
from lrat_bench.task.corpus import Corpus

__all__ = ["MinedPairs", "find_corpus", "read_pairs", "refuse_mixed_weights", "refuse_other_corpus"]


@dataclass(frozen=True)
class MinedPairs:
    """The pairs of some folders.

    Attributes:
        kept: judged relevant.
        rejected: judged not relevant.
        undecided: browses that could not be judged.
        sources: what is known of the folders; at least one.
        task: whose corpus it is, as typed when mining.
        task_settings: of that task.
    """

    kept: tuple[Pair, ...]
    rejected: tuple[Pair, ...]
    undecided: tuple[Pair, ...]
    sources: tuple[PairsSource, ...]
    task: str | None = None
    task_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def corpus(self) -> str | None:
        """Fingerprint of the corpus; None where the pairs cannot say."""
        return self.sources[0].corpus

    @property
    def tainted(self) -> bool:
        """Whether some pairs are of evaluation questions."""
        return any(source.tainted for source in self.sources)


def read_pairs(folders: Sequence[Path]) -> MinedPairs:
    """The pairs in folders of `lrat-bench mine`.

    Raises:
        UsageError: a folder holds none, or they are of different corpora.
        DataError: a line is no pair.
    """
    if not folders:
        raise UsageError("no pairs are given: name a folder of `lrat-bench mine`")
    opened = [Pairs.open(folder) for folder in folders]
    sources = [_source(pairs) for pairs in opened]
    for folder, source in zip(folders, sources, strict=True):
        if source.corpus != sources[0].corpus:
            raise UsageError(f"{folder} and {folders[0]} are of different corpora: train on pairs of one")
    first = opened[0].manifest
    return MinedPairs(
        kept=tuple(pair for pairs in opened for pair in pairs.kept()),
        rejected=tuple(pair for pairs in opened for pair in pairs.rejected()),
        undecided=tuple(pair for pairs in opened for pair in pairs.undecided()),
        sources=tuple(sources),
        task=first.task,
        task_settings=first.task_settings,
    )


def refuse_mixed_weights(pairs: MinedPairs) -> None:
    """See that the weights of several folders are on one scale, as far as they say.

    A weight is an intensity of β over the mean µ of its folder: another β gives equal reasoning another weight.

    Raises:
        UsageError: they are not.
    """
    first = pairs.sources[0]
    for other in pairs.sources[1:]:
        if (other.tokenizer, other.beta, other.mu) != (first.tokenizer, first.beta, first.mu):
            raise UsageError(
                f"the weights of {other.name} and {first.name} are not on one scale ({_scale(other)}, and "
                f"{_scale(first)}): mine the runs together, with one `lrat-bench mine`, or train with --stage filter"
            )


def find_corpus(pairs: MinedPairs, *, task: str | None = None, progress: Progress = no_progress) -> Corpus:
    """The corpus that the pairs are of.

    Args:
        pairs: whose documents are wanted.
        task: where the task lies now; as it was named when mining unless given.
        progress: told how preparing it goes.

    Raises:
        UsageError: it is not there, or is not the same any more.
    """
    spec = task or pairs.task
    if spec is None:
        raise UsageError("the pairs do not say which task's documents they are of: give it with --task")
    loaded, _ = load_task(spec, settings=None if task else pairs.task_settings, progress=progress)
    refuse_other_corpus(pairs, loaded.corpus)
    return loaded.corpus


def refuse_other_corpus(pairs: MinedPairs, corpus: Corpus) -> None:
    """See that a corpus is the one that the pairs are of, where they say which.

    Raises:
        UsageError: it is not.
    """
    if pairs.corpus is not None and corpus.fingerprint != pairs.corpus:
        raise UsageError(
            f"corpus {corpus.name!r} is not the one that the pairs were mined on: give the right task with --task"
        )


def _source(pairs: Pairs) -> PairsSource:
    manifest = pairs.manifest
    return PairsSource(
        name=pairs.path.resolve().name,
        manifest=sha256_file(pairs.path / "manifest.json"),
        corpus=manifest.corpus,
        task=manifest.task and without_paths(manifest.task),
        rule=manifest.rule,
        outcome=manifest.filter.outcome,
        relevance=without_paths(manifest.relevance),
        tokenizer=without_paths(manifest.tokenizer),
        beta=manifest.beta,
        mu=manifest.mu,
        runs=tuple(_run(source) for source in manifest.sources),
        tainted=manifest.tainted,
    )


def _run(source: SourceRecord) -> dict[str, Any]:
    told = source.model_dump(mode="json", exclude={"identity", "content"})
    return {
        key: without_paths(value, retriever=key == "retriever") if isinstance(value, str) else value
        for key, value in told.items()
    }


def _scale(source: PairsSource) -> str:
    def said(value: float | None) -> str:
        return "not known" if value is None else f"{value:.4g}"

    return f"β {said(source.beta)} tokens of {source.tokenizer}, µ {said(source.mu)}"
