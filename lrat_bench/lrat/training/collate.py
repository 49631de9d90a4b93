"""From places to tensors: texts are joined from the corpus batch by batch, so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lrat_bench.errors import UsageError
from lrat_bench.files import encodable
from lrat_bench.lrat.training.batches import Place
from lrat_bench.lrat.training.examples import Example, Examples, draw_negatives
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.progress import Progress, no_progress
from lrat_bench.retriever.loading import longest_input
from lrat_bench.task.corpus import Corpus

__all__ = ["Collator", "Prompts", "at_most", "check_documents"]


class Prompts(NamedTuple):
    """What is put before a text; empty for nothing."""

    query: str = ""
    document: str = ""


@dataclass
class Collator:
    """Reads the rows of a batch, draws their negatives, joins the texts and tokenises them.

    Gives the features of two columns, as the trainer of sentence-transformers takes them apart: `query_…` of the rows,
    and `document_…`, column by column (all positives, then each row's first negative, …). `label` holds what else the
    loss needs: weights, and numbers of documents and of the question's positives.

    A row without any negative has its group filled up with its positive, marked as not there, so that every process
    holds as many documents.

    Attributes:
        model: the SentenceTransformer whose tokenizer is used.
        examples: the rows.
        corpus: their documents.
        recipe: group, lengths and seed.
        prompts: put before texts.
    """

    model: Any
    examples: Examples
    corpus: Corpus
    recipe: Recipe
    prompts: Prompts = field(default_factory=Prompts)
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [docid for docids in self.examples.positives.values() for docid in docids]
        # Numbers need to agree between processes, which sets of strings do not in their order.
        for docid in sorted({*self.examples.docids, *known}):
            self._numbers[docid] = len(self._numbers)

    def __call__(self, places: Sequence[Place]) -> dict[str, Any]:
        """The batch at these places."""
        import torch

        from lrat_bench.lrat.training.info_nce import NOTHING

        rows = [self.examples.rows[row] for _, row in places]
        groups = [self._group(row, place) for row, place in zip(rows, places, strict=True)]
        by_column = [group[at] for at in range(self.recipe.group) for group in groups]
        texts = [
            self._text(docid or row.pos_id) for docid, row in zip(by_column, rows * self.recipe.group, strict=True)
        ]
        most = max(len(self.examples.positives[row.question_id]) for row in rows)
        numbers = [[NOTHING if docid is None else self._numbers[docid] for docid in group] for group in groups]
        positives = [sorted(self._numbers[docid] for docid in self.examples.positives[row.question_id]) for row in rows]
        recipe = self.recipe
        queries = [row.query for row in rows]
        return {
            **self._features("query", queries, self.prompts.query, recipe.query_tokens),
            **self._features("document", texts, self.prompts.document, recipe.passage_tokens),
            "label": {
                "weight": torch.tensor([row.weight for row in rows], dtype=torch.float32),
                "docids": torch.tensor(numbers),
                "positives": torch.tensor([[*those, *[NOTHING] * (most - len(those))] for those in positives]),
            },
        }

    def _group(self, example: Example, place: Place) -> list[str | None]:
        epoch, row = place
        wanted = self.recipe.group - 1
        drawn = draw_negatives(example.neg_ids, wanted, seed=self.recipe.seed, epoch=epoch, row=row)
        return [example.pos_id, *(drawn or [None] * wanted)]

    def _text(self, docid: str) -> str:
        document = self.corpus.get(docid)
        if document is None:
            raise _missing(docid, self.corpus)
        return document.contents

    def _features(self, name: str, texts: list[str], prompt: str, tokens: int) -> dict[str, Any]:
        found = self.model.preprocess(list(map(encodable, texts)), prompt=prompt, **at_most(self.model, tokens))
        return {f"{name}_{key}": value for key, value in found.items()}


def check_documents(docids: Sequence[str], corpus: Corpus, progress: Progress = no_progress) -> None:
    """See that every document of the pairs is there, before anything is spent.

    Raises:
        UsageError: one is not; the message names it.
    """
    for docid in _shown(docids, progress):
        if docid not in corpus:
            raise _missing(docid, corpus)


def _shown(docids: Sequence[str], progress: Progress) -> Iterable[str]:
    for done, docid in enumerate(docids):
        if done % 10_000 == 0:
            progress("documents of the pairs", done, len(docids))
        yield docid
    progress("documents of the pairs", len(docids), len(docids))


def _missing(docid: str, corpus: Corpus) -> UsageError:
    return UsageError(
        f"document {docid!r} of the pairs is not in corpus {corpus.name!r}: give the task that they were mined on with "
        "--task"
    )


def at_most(model: Any, tokens: int) -> dict[str, Any]:
    """How a model is told to cut texts at so many tokens, or at its own limit where that is less."""
    own = longest_input(model)
    return {"processing_kwargs": {"text": {"max_length": tokens if own is None else min(tokens, own)}}}
