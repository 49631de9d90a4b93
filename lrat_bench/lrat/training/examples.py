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
        rows: in the order of their questions, whatever order the pairs came in.
        positives: question of a row → documents that must not be held against it: those browsed for the question.
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
        """SHA-256 over the rows and what must not be held against them, wherever they came from."""
        rows = [[row.query, row.pos_id, row.neg_ids, row.question_id, row.weight] for row in self.rows]
        return fingerprint([rows, {question: sorted(docids) for question, docids in self.positives.items()}])

    @property
    def docids(self) -> list[str]:
        """Every document that training may read, each once, in order of appearance."""
        return list(dict.fromkeys(docid for row in self.rows for docid in (row.pos_id, *row.neg_ids)))


def make_examples(
    kept: Iterable[Pair], rejected: Iterable[Pair], recipe: Recipe, *, undecided: Iterable[Pair] = ()
) -> Examples:
    """The rows of a recipe's stage.

    Args:
        kept: pairs that the relevance filter let pass.
        rejected: pairs that it did not; positives in stage `naive`, else only never negatives by chance.
        recipe: its stage, its control (`shuffle`) and its seed.
        undecided: browses that it could not judge; as `rejected`.

    Raises:
        UsageError: there is nothing to train on, or stage `reweight` has no weights to tell pairs apart by.
    """
    _refuse_unused_control(recipe)
    known, others = list(kept), [*rejected, *undecided]
    if recipe.stage == "naive":
        known, others = [*known, *others], []
    known.sort(key=_place)
    chosen = known
    if recipe.stage == "reweight":
        chosen = [pair for pair in known if pair.weight is not None]
        _require_weights(known, chosen)
    if not chosen:
        raise UsageError(f"stage {recipe.stage!r} has no pair to train on: mine more runs, or take another stage")
    rows = [Example(one.query, one.pos_id, one.neg_ids, one.question_id, _weight(one, recipe.stage)) for one in chosen]
    rows = _shuffled(rows, recipe)
    # A pair without a weight is no row, and its document is as relevant as any.
    browsed, relevant = _documents((*known, *others), rows), _documents(known, rows)
    before = sum(len(row.neg_ids) for row in rows)
    rows = [
        replace(row, neg_ids=tuple(docid for docid in row.neg_ids if docid not in relevant[row.question_id]))
        for row in rows
    ]
    return Examples(
        rows=tuple(rows),
        positives={row.question_id: frozenset(browsed[row.question_id]) for row in rows},
        without_weight=len(known) - len(chosen),
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


def _refuse_unused_control(recipe: Recipe) -> None:
    if recipe.shuffle == "weights" and recipe.stage != "reweight":
        raise UsageError(f"--shuffle weights changes nothing in stage {recipe.stage!r}: take --stage reweight")


def _place(pair: Pair) -> tuple[str, str, int, int, str, str]:
    """Where a pair stands: pairs come in the order in which questions happened to be finished."""
    return pair.question_id, pair.run, pair.repeat, pair.step, pair.query, pair.pos_id


def _documents(pairs: Iterable[Pair], rows: Iterable[Example]) -> dict[str, set[str]]:
    """Question → positives."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        found[pair.question_id].add(pair.pos_id)
    for row in rows:
        found[row.question_id].add(row.pos_id)
    return found


def _shuffled(rows: list[Example], recipe: Recipe) -> list[Example]:
    """The control: positives or weights permuted among the rows, each with all else as it was."""
    if recipe.shuffle is None:
        return rows
    order = permuted(range(len(rows)), "shuffle", recipe.seed)
    if recipe.shuffle == "weights":
        return [replace(row, weight=rows[at].weight) for row, at in zip(rows, order, strict=True)]
    return [replace(row, pos_id=rows[at].pos_id) for row, at in zip(rows, order, strict=True)]
