"""What is to be trained: everything resolved and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lrat_bench.lrat.training.batches import Batches
from lrat_bench.lrat.training.collate import Prompts
from lrat_bench.lrat.training.evaluate import Replay
from lrat_bench.lrat.training.examples import Examples
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.processes import Processes
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.source import MinedPairs
from lrat_bench.retriever.model_files import ModelFiles
from lrat_bench.task.corpus import Corpus

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """A training before anything heavy is loaded.

    Attributes:
        folder: where it is kept.
        recipe: how.
        mined: on which pairs.
        examples: their rows.
        corpus: their documents.
        base: what it starts from.
        prompts: put before texts.
        replay: what is evaluated on.
        eval_steps: how often; None is once an epoch.
        processes: who trains.
        batches: of this process.
        language: of the texts.
    """

    folder: ModelFolder
    recipe: Recipe
    mined: MinedPairs
    examples: Examples
    corpus: Corpus
    base: ModelFiles
    prompts: Prompts
    replay: Replay | None
    eval_steps: int | None
    processes: Processes
    batches: Batches
    language: str

    @property
    def identity(self) -> dict[str, Any]:
        """What two trainings must share to be the same one: all that decides the weights."""
        # Of the evaluations only where they choose the weights.
        replay = self.replay if self.recipe.keep == "best" else None
        return {
            **self.recipe.model_dump(mode="json"),
            "pairs": self.examples.fingerprint,
            "corpus": self.corpus.fingerprint,
            "base": self.base.fingerprint(),
            "query_prompt": self.prompts.query,
            "document_prompt": self.prompts.document,
            "processes": self.processes.count,
            "eval": replay and replay.fingerprint,
            "eval_steps": self.eval_steps if replay else None,
        }
