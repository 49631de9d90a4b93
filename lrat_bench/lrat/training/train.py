"""The order of a training: pairs, examples, model, steps, and the folder that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.lrat.training.base import base_prompts, find_base, load_base
from lrat_bench.lrat.training.batches import Batches
from lrat_bench.lrat.training.collate import Collator, check_documents
from lrat_bench.lrat.training.evaluate import Replay, read_replay
from lrat_bench.lrat.training.examples import make_examples
from lrat_bench.lrat.training.finish import finish
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.hardware import resolve_precision
from lrat_bench.lrat.training.libraries import require_libraries
from lrat_bench.lrat.training.plan import Plan
from lrat_bench.lrat.training.processes import Processes
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.record import Evaluation, ModelRecord, Step
from lrat_bench.lrat.training.source import (
    MinedPairs,
    find_corpus,
    read_pairs,
    refuse_mixed_weights,
    refuse_other_corpus,
)
from lrat_bench.progress import Progress, no_progress
from lrat_bench.task.corpus import Corpus

__all__ = ["CHECKPOINT_STEPS", "OnLine", "TrainedModel", "train"]

CHECKPOINT_STEPS = 500
"""How often a checkpoint is written, beside the ends of epochs, unless told otherwise."""

OnLine = Callable[[Step | Evaluation, int], None]
"""Called with each line of the log and the number of steps there are."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model folder.

    Attributes:
        path: the folder, for `SentenceTransformer(path)` and `dense:PATH`.
        record: what it is.
        resumed_from: step of the checkpoint that this command went on from; 0 where it began.
        trained: whether this command did any training; false where the model was there already.
    """

    path: Path
    record: ModelRecord
    resumed_from: int = 0
    trained: bool = True


def train(
    *,
    pairs: Sequence[str | Path] | MinedPairs,
    base: str,
    out: str | Path,
    recipe: Recipe,
    task: str | None = None,
    corpus: Corpus | None = None,
    evals: Sequence[str | Path] = (),
    eval_steps: int | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    checkpoint_steps: int = CHECKPOINT_STEPS,
    language: str = "en",
    fresh: bool = False,
    progress: Progress = no_progress,
    on_line: OnLine | None = None,
) -> TrainedModel:
    """Train a dense retriever on mined pairs, or go on with such a training.

    The same call again goes on from the last complete checkpoint and gives the model that an uninterrupted training
    would have given; a finished one is returned as it is. Under torchrun or accelerate every process makes the call.

    Args:
        pairs: folders of `lrat-bench mine`, or pairs that were read already.
        base: folder or hub name of a sentence-transformers model.
        out: the model folder.
        recipe: all that the weights depend on beside pairs and base.
        task: where the task lies whose documents the pairs are of; as it was named when mining unless given.
        corpus: its documents, where they are open already.
        evals: run folders whose queries are replayed during training.
        eval_steps: how often; once an epoch unless given.
        query_prompt: put before queries; the model's own unless given.
        document_prompt: put before documents; the model's own unless given.
        checkpoint_steps: how often a checkpoint is written, beside the ends of epochs.
        language: of the texts, for the model card.
        fresh: discard what the folder holds of a training.
        progress: told how the corpus is prepared.
        on_line: told each step and evaluation, in the first process; `progress` is told the steps unless given.

    Raises:
        UsageError: something does not exist or does not fit; nothing was started.
        MissingLibrary: the `train` extra is not installed.
        RunIncomplete: it was interrupted; its checkpoints are kept.
    """
    for name, value in (("checkpoint_steps", checkpoint_steps), ("eval_steps", eval_steps)):
        if value is not None and value < 1:
            raise UsageError(f"{name} must be at least 1, got {value}")
    processes = Processes.here()

    def prepare() -> Plan:
        mined = pairs if isinstance(pairs, MinedPairs) else read_pairs([Path(folder) for folder in pairs])
        if recipe.stage == "reweight":
            refuse_mixed_weights(mined)
        examples = make_examples(mined.kept, mined.rejected, recipe, undecided=mined.undecided)
        batches = Batches(len(examples.rows), recipe.batch, recipe.epochs, recipe.seed, processes.rank, processes.count)
        found = find_base(base)
        documents = corpus if corpus is not None else find_corpus(mined, task=task, progress=progress)
        refuse_other_corpus(mined, documents)
        check_documents(examples.docids, documents, progress)
        runs = [Path(run) for run in evals]
        replay = read_replay(runs, corpus=documents, task=task, progress=progress) if runs else None
        _require_replay(recipe, replay)
        return Plan(
            folder=ModelFolder(Path(out)),
            recipe=recipe,
            mined=mined,
            examples=examples,
            corpus=documents,
            base=found,
            prompts=base_prompts(found, query=query_prompt, document=document_prompt),
            replay=replay,
            eval_steps=eval_steps,
            processes=processes,
            batches=batches,
            language=language,
        )

    plan = processes.each(prepare)
    tell = on_line or (lambda line, total: progress("training steps", line.step, total))
    with ExitStack() as stack:
        if processes.agree(lambda: _claimed(plan, stack, fresh=fresh)):
            progress("loading the model", 0, None)
            return _carry_out(plan, checkpoint_steps, tell)
    done = plan.folder.record
    assert done is not None
    return TrainedModel(plan.folder.path, done, trained=False)


def _claimed(plan: Plan, stack: ExitStack, *, fresh: bool) -> bool:
    """Make the folder this training's until the stack is closed; false where the training is finished."""
    plan.folder.refuse_another(plan.identity, fresh=fresh)
    if not fresh and plan.folder.record is not None:
        plan.folder.settle()
        return False
    require_libraries()
    resolve_precision(plan.recipe.precision)
    stack.enter_context(plan.folder.hold())
    if fresh:
        plan.folder.discard()
    plan.folder.claim(plan.identity)
    return True


def _require_replay(recipe: Recipe, replay: Replay | None) -> None:
    if recipe.keep != "best":
        return
    if replay is None:
        raise UsageError("--keep best needs something to be the best by: give a run with --eval")
    if not replay.held_out:
        raise UsageError(
            "--keep best would choose weights by questions of an evaluation split, which makes its numbers void: "
            "evaluate on a run of another split, or --keep last"
        )


def _carry_out(plan: Plan, checkpoint_steps: int, on_line: OnLine) -> TrainedModel:
    from lrat_bench.lrat.training.keeper import Session
    from lrat_bench.lrat.training.silence import quiet
    from lrat_bench.lrat.training.trainer import Trainer

    with quiet(), _endings(plan), plan.processes.together():
        model = load_base(plan.base, plan.prompts)
        latest = plan.processes.agree(lambda: plan.folder.checkpoints.latest)
        seconds = 0.0
        if plan.processes.first:
            with plan.folder.writing():
                seconds = plan.folder.rewind_log(latest[1] if latest else 0)
        session = Session(
            folder=plan.folder,
            batches=plan.batches,
            replay=plan.replay,
            checkpoint_steps=checkpoint_steps,
            eval_steps=plan.eval_steps,
            seconds=seconds,
            on_line=lambda line: on_line(line, len(plan.batches)),
        )
        collator = Collator(model, plan.examples, plan.corpus, plan.recipe, plan.prompts)
        trainer = Trainer(model, collator, session, evaluate_first=plan.replay is not None and latest is None)
        trainer.go(latest[0] if latest else None)
        trainer.accelerator.wait_for_everyone()
        if plan.processes.first:
            finish(plan, trainer.model)
        trainer.accelerator.wait_for_everyone()
    record = plan.folder.record
    assert record is not None
    return TrainedModel(plan.folder.path, record, latest[1] if latest else 0)


@contextmanager
def _endings(plan: Plan) -> Iterator[None]:
    """What ends a training early, in words."""
    import torch

    try:
        yield
    except KeyboardInterrupt:
        raise RunIncomplete(
            f"interrupted; {plan.folder.path} keeps its checkpoints, and the same command goes on"
        ) from None
    except torch.OutOfMemoryError:
        raise UsageError(
            "the GPU's memory does not hold a batch: encode it in parts with --mini-batch 8, or cut documents with "
            "--passage-tokens; with --fresh, since that is another training"
        ) from None
