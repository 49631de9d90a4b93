"""Pairs as FlagEmbedding, and LRAT's own trainer, read them: one JSON object a line, with the texts in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import UsageError
from lrat_bench.files import writing
from lrat_bench.guard import refuse_plain
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import NAMES, Pairs
from lrat_bench.task.corpus import Corpus

__all__ = ["Exported", "export", "refuse_export"]

_RECORDS = ("trajectories.jsonl", "verdicts.jsonl", "costs.jsonl", "run.trec")
"""Files of a run beside those in JSON."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds.

    Attributes:
        file: that was written.
        rows: pairs in it.
        without_weight: kept pairs left out because their weight cannot be told; the trainer would take 1 for it.
        without_negatives: kept pairs left out because they have none, which the trainer cannot bear.
    """

    file: Path
    rows: int
    without_weight: int
    without_negatives: int


def export(pairs: Pairs, corpus: Corpus, file: Path) -> Exported:
    """Write the kept pairs as `{query, pos, neg, pos_id, neg_id, reasoning_len, satisfied, reweight_rate}`.

    Where no pair has a weight, all get 1.

    Args:
        pairs: a folder of pairs.
        corpus: their documents.
        file: complete, or not there.

    Raises:
        UsageError: the corpus lacks a document, nothing is left to write, or the file cannot be written, is one of the
            pairs' own, or would publish those of a guarded task.
    """
    refuse_export(file, pairs.path)
    if pairs.manifest.canary is not None:
        refuse_plain("pairs", file, mend="give a file outside of it")
    draft = file.with_name(f".{file.name}.draft")
    try:
        with writing(str(file)):
            file.parent.mkdir(parents=True, exist_ok=True)
            found = _write(pairs, corpus, file, draft)
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return found


def refuse_export(file: Path, pairs: Path, sources: Iterable[Path] = ()) -> None:
    """See that an export takes the place of no pairs and of nothing that they are mined from.

    Args:
        file: the export; an earlier export may be there.
        pairs: their folder.
        sources: run folders, folders of run files, and run files.

    Raises:
        UsageError: it would replace a file of theirs.
    """
    place = file.resolve()
    owners = [pairs] if place.parent == pairs.resolve() and place.name in NAMES else []
    for source in sources:
        inside = place.parent == source.resolve() and (place.name in _RECORDS or place.suffix == ".json")
        if place.exists() and (inside or place == source.resolve()):
            owners.append(source)
    if owners:
        raise UsageError(f"{file} is a file of {owners[0]}, which an export must not replace: give another one")


def _write(pairs: Pairs, corpus: Corpus, file: Path, draft: Path) -> Exported:
    weighed = pairs.manifest.intensity is not None
    rows = without_weight = without_negatives = 0
    with draft.open("w", encoding="utf-8") as stream:
        for pair in pairs.kept():
            if weighed and pair.weight is None:
                without_weight += 1
            elif not pair.neg_ids:
                without_negatives += 1
            else:
                stream.write(json.dumps(_row(pair, corpus), ensure_ascii=False, allow_nan=False) + "\n")
                rows += 1
    if not rows:
        raise UsageError(
            f"nothing to export: of the kept pairs {without_weight} have no weight and {without_negatives} no negatives"
        )
    return Exported(file, rows, without_weight, without_negatives)


def _row(pair: Pair, corpus: Corpus) -> dict[str, object]:
    return {
        "query": pair.query,
        "pos": [_text(corpus, pair.pos_id)],
        "neg": [_text(corpus, docid) for docid in pair.neg_ids],
        "pos_id": [pair.pos_id],
        "neg_id": list(pair.neg_ids),
        "reasoning_len": pair.reasoning_tokens,
        "satisfied": pair.satisfied is not False,
        "reweight_rate": 1.0 if pair.weight is None else pair.weight,
    }


def _text(corpus: Corpus, docid: str) -> str:
    document = corpus.get(docid)
    if document is None:
        raise UsageError(
            f"document {docid!r} of the pairs is not in corpus {corpus.name!r}: give the task that the runs were made "
            "on with --task"
        )
    return document.contents
