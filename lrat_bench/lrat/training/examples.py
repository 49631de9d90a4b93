"""Examples: what the pairs of a stage are to training, and which negatives a row has in which epoch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lrat_bench.errors import UsageError
from lrat_bench.files import fingerprint
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.training.batches import permuted
from lrat_bench.lrat.training.recipe import Recipe, Stage

__all__ = ["Example", "Examples", "draw_negatives", "make_examples"]


@dataclass(frozen=True, slots=True)
class Example:
    """One row: a query, its positive, and the documents that may be drawn as its negatives."""

    query: str
    pos_id: str
    neg_ids: tuple[str, ...]
    question_id: str
    weight: float


@dataclass(frozen=True)
class Examples:
    """The rows of a training.

    Attributes:
        rows: in the order of the pairs.
        positives: question → documents that must not be held against its rows: those browsed for it.
        without_weight: pairs left out because their weight cannot be told.
        without_negatives: rows that only other rows' documents can be held against.
        false_negatives: negatives taken out because they are positives of the question.
    """

    rows: tuple[Example, ...]
    positives: dict[str, frozenset[str]]
    without_weight: int
    without_negatives: int
    false_negatives: int

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the rows, wherever they came from."""
        return fingerprint([[row.query, row.pos_id, row.neg_ids, row.question_id, row.weight] for row in self.rows])

    @property
    def docids(self) -> list[str]:
        """Every document that training may read, each once, in order of appearance."""
        return list(dict.fromkeys(docid for row in self.rows for docid in (row.pos_id, *row.neg_ids)))


def make_examples(kept: Iterable[Pair], rejected: Iterable[Pair], recipe: Recipe) -> Examples:
    """The rows of a recipe's stage.

    Args:
        kept: pairs that the relevance filter let pass.
        rejected: pairs that it did not; positives in stage `naive`, else only never negatives by chance.
        recipe: its stage, its control (`shuffle`) and its seed.

    Raises:
        UsageError: there is nothing to train on, or stage `reweight` has no weights to tell pairs apart by.
    """
    chosen, others = list(kept), list(rejected)
    if recipe.stage == "naive":
        chosen, others = [*chosen, *others], []
    without_weight = sum(pair.weight is None for pair in chosen) if recipe.stage == "reweight" else 0
    if recipe.stage == "reweight":
        weighted = [pair for pair in chosen if pair.weight is not None]
        _require_weights(chosen, weighted)
        chosen = weighted
    if not chosen:
        raise UsageError(f"stage {recipe.stage!r} has no pair to train on: mine more runs, or take another stage")
    _refuse_unused_control(recipe.stage, recipe)
    rows = [Example(one.query, one.pos_id, one.neg_ids, one.question_id, _weight(one, recipe.stage)) for one in chosen]
    rows = _shuffled(rows, recipe)
    browsed: defaultdict[str, set[str]] = defaultdict(set)
    for pair in (*chosen, *others):
        browsed[pair.question_id].add(pair.pos_id)
    relevant: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        browsed[row.question_id].add(row.pos_id)
        relevant[row.question_id].add(row.pos_id)
    before = sum(len(row.neg_ids) for row in rows)
    rows = [
        replace(row, neg_ids=tuple(docid for docid in row.neg_ids if docid not in relevant[row.question_id]))
        for row in rows
    ]
    return Examples(
        rows=tuple(rows),
        positives={qid: frozenset(docids) for qid, docids in browsed.items()},
        without_weight=without_weight,
        without_negatives=sum(not row.neg_ids for row in rows),
        false_negatives=before - sum(len(row.neg_ids) for row in rows),
    )


def draw_negatives(neg_ids: Sequence[str], wanted: int, *, seed: int, epoch: int, row: int) -> tuple[str, ...]:
    """The negatives of a row in an epoch: a function of (seed, epoch, row), on any machine and in any process.

    Without replacement as long as there are enough; then all of them, again and again. None where there is none.

    Args:
        neg_ids: to draw from.
        wanted: how many.
        seed: of the training.
        epoch: 0-based.
        row: 0-based position among the examples.
    """
    if not neg_ids:
        return ()
    found = permuted(neg_ids, "negatives", seed, epoch, row)[:wanted]
    # Once through in one order, then again in another: as even as repetitions can be.
    again = 0
    while len(found) < wanted:
        again += 1
        found += permuted(neg_ids, "negatives", seed, epoch, row, again)[: wanted - len(found)]
    return tuple(found)


def _weight(pair: Pair, stage: Stage) -> float:
    return pair.weight if stage == "reweight" and pair.weight is not None else 1.0


def _require_weights(pairs: Sequence[Pair], weighted: Sequence[Pair]) -> None:
    if pairs and not weighted:
        raise UsageError(
            f"stage 'reweight' needs weights, and none of {len(pairs)} pairs has one: mine with reasoning that can be "
            "measured, or train with --stage filter"
        )
    if len({pair.weight for pair in weighted}) == 1:
        raise UsageError(
            f"stage 'reweight' needs weights that differ, and all {len(weighted)} are {weighted[0].weight}: "
            "that is --stage filter"
        )


def _refuse_unused_control(stage: Stage, recipe: Recipe) -> None:
    if recipe.shuffle == "weights" and stage != "reweight":
        raise UsageError(f"--shuffle weights changes nothing in stage {stage!r}: take --stage reweight")


def _shuffled(rows: list[Example], recipe: Recipe) -> list[Example]:
    """The control: positives or weights permuted among the rows, each with all else as it was."""
    if recipe.shuffle is None:
        return rows
    order = permuted(range(len(rows)), "shuffle", recipe.seed)
    if recipe.shuffle == "weights":
        return [replace(row, weight=rows[at].weight) for row, at in zip(rows, order, strict=True)]
    return [replace(row, pos_id=rows[at].pos_id) for row, at in zip(rows, order, strict=True)]
