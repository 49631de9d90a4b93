"""The end of a training: the model, its card and its record, written so that a kill leaves all or none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from lrat_bench.files import write_atomic, writing
from lrat_bench.lrat.training.base import base_name
from lrat_bench.lrat.training.batches import Batches
from lrat_bench.lrat.training.card import model_card
from lrat_bench.lrat.training.hardware import device_name, resolve_precision
from lrat_bench.lrat.training.plan import Plan
from lrat_bench.lrat.training.record import Counts, Evaluation, LossCurve, ModelRecord, Step
from lrat_bench.versions import versions_with_python

__all__ = ["finish"]

_LIBRARIES = ("lrat-bench", "torch", "transformers", "sentence-transformers", "accelerate", "tokenizers")


def finish(plan: Plan, model: Any) -> None:
    """Save a model that is trained, its card and its record; in the first process.

    Args:
        plan: of the training.
        model: the SentenceTransformer, with the weights of the last step.

    Raises:
        UsageError: the disk refuses; the checkpoints are kept.
    """
    from safetensors import SafetensorError

    folder = plan.folder
    lines = folder.read_log()
    evaluations = [line for line in lines if isinstance(line, Evaluation)]
    steps = [line for line in lines if isinstance(line, Step)]
    kept_step = len(plan.batches)
    mend = "make room, and the same command goes on from the last checkpoint"
    with writing(f"the model folder {folder.path}", errors=(OSError, SafetensorError, RuntimeError), mend=mend):
        staged = folder.saving
        if plan.recipe.keep == "best":
            shutil.copytree(folder.checkpoints.best, staged, dirs_exist_ok=True)
            kept_step = _best_step(staged / "complete.json")
        else:
            model.save_pretrained(str(staged), create_model_card=False)
        files = sorted(path.name for path in staged.iterdir())
        record = _record(plan, steps, evaluations, kept_step, [*files, "README.md"])
        write_atomic(staged / "README.md", model_card(record, name=folder.path.resolve().name, language=plan.language))
        folder.finish(record)


def _best_step(file: Path) -> int:
    step = int(json.loads(file.read_bytes())["step"])
    file.unlink()
    return step


def _record(
    plan: Plan,
    steps: Sequence[Step],
    evaluations: Sequence[Evaluation],
    kept_step: int,
    files: Sequence[str],
) -> ModelRecord:
    examples = plan.examples
    return ModelRecord(
        identity=plan.identity,
        base=base_name(plan.base),
        base_fingerprint=plan.base.fingerprint(),
        recipe=plan.recipe,
        query_prompt=plan.prompts.query,
        document_prompt=plan.prompts.document,
        pairs=plan.mined.sources,
        counts=Counts(
            kept=len(plan.mined.kept),
            rejected=len(plan.mined.rejected),
            undecided=len(plan.mined.undecided),
            rows=len(examples.rows),
            questions=len({row.question_id for row in examples.rows}),
            documents=len(examples.docids),
            without_weight=examples.without_weight,
            without_negatives=examples.without_negatives,
            false_negatives=examples.false_negatives,
        ),
        tainted=plan.mined.tainted or bool(plan.base.tainted),
        processes=plan.processes.count,
        device=device_name(),
        precision=resolve_precision(plan.recipe.precision),
        steps=len(plan.batches),
        per_epoch=plan.batches.per_epoch,
        seconds=max((line.seconds for line in steps), default=0.0),
        loss=_curve(_comparable(plan.batches, steps)),
        evaluations=tuple(evaluations),
        evaluated=plan.replay.runs if plan.replay else (),
        kept_step=kept_step,
        versions=versions_with_python(_LIBRARIES),
        files=tuple(sorted(files)),
    )


def _comparable(batches: Batches, steps: Sequence[Step]) -> list[float]:
    """The losses of full batches: with fewer rows there are fewer in-batch negatives, and the loss is lower for it."""
    full = [line.loss for line in steps if batches.is_full(line.step - 1)]
    return full or [line.loss for line in steps]


def _curve(losses: Sequence[float]) -> LossCurve:
    count = min(10, len(losses))
    bounds = [len(losses) * at // count for at in range(count + 1)] if count else []
    tenths = tuple(fmean(losses[low:high]) for low, high in pairwise(bounds))
    return (
        LossCurve(first=tenths[0], last=tenths[-1], tenths=tenths) if tenths else LossCurve(first=0, last=0, tenths=())
    )
