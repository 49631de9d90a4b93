"""The trainer of sentence-transformers, under our batches, our checkpoints and our silence."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.evaluation import BaseEvaluator
from torch.utils.data import DataLoader, Dataset

from lrat_bench.errors import RunIncomplete, UsageError
from lrat_bench.files import encodable, write_json, writing
from lrat_bench.lrat.training.batches import Batches, Place
from lrat_bench.lrat.training.collate import Collator, at_most
from lrat_bench.lrat.training.evaluate import BEST_BY, Replay
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.loss import make_loss
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.record import Evaluation, Step

__all__ = ["Session", "Trainer"]

_LIBRARY: Any = transformers  # which types its classes in part
_ENCODE_BATCH = 32


@dataclass(frozen=True)
class Session:
    """What one command knows of a training.

    Attributes:
        folder: where it is kept.
        batches: of this process.
        replay: what is evaluated on; None evaluates nothing.
        checkpoint_steps: how often a checkpoint is written, beside the ends of epochs.
        eval_steps: how often it is evaluated; None is once an epoch.
        seconds: that earlier commands have trained.
        on_line: told each line of the log, in the first process.
    """

    folder: ModelFolder
    batches: Batches
    replay: Replay | None
    checkpoint_steps: int
    eval_steps: int | None
    seconds: float
    on_line: Callable[[Step | Evaluation], None]

    def epoch_of(self, step: int) -> float:
        """How often the rows were gone through after so many steps."""
        return step / self.batches.per_epoch

    def saves_at(self, step: int) -> bool:
        """Whether a checkpoint is due after a step."""
        return step % self.checkpoint_steps == 0 or step % self.batches.per_epoch == 0

    def evaluates_at(self, step: int) -> bool:
        """Whether an evaluation is due after a step."""
        if self.replay is None:
            return False
        return step % (self.eval_steps or self.batches.per_epoch) == 0 or step == len(self.batches)


class Trainer(SentenceTransformerTrainer):
    """Trains on places, writes what a resumed training needs, and refuses to go on where weights do not count.

    The epochs are one to the library: all batches in a row, so that a batch depends on its number alone.
    """

    def __init__(
        self, model: SentenceTransformer, collator: Collator, session: Session, *, evaluate_first: bool
    ) -> None:
        self._session = session
        self._weight: torch.Tensor | None = None
        recipe = collator.recipe
        if recipe.gradient_checkpointing:
            _freeze_unused(model)
        super().__init__(
            model=model,
            args=_arguments(recipe, session, evaluate_first=evaluate_first),
            data_collator=collator,  # type: ignore[arg-type]
            loss=make_loss(model, recipe),
            evaluator=None if session.replay is None else _Evaluator(session.replay, collator),
            callbacks=[_Keeper(session, model, keeps_best=recipe.keep == "best")],
        )
        self.remove_callback(_LIBRARY.PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Place]:
        """The batches of this process; what a checkpoint has behind it is skipped by number, unread."""
        # Not handed to accelerate, which would part them among the processes a second time.
        return DataLoader(_Places(), batch_sampler=self._session.batches, collate_fn=self.data_collator)

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The loss of a batch, whose weights are made part of its graph."""
        self._weight = inputs["label"]["weight"].requires_grad_()
        loss: torch.Tensor = super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[assignment]
        if not torch.isfinite(loss):
            raise UsageError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1}: take a lower --lr, or "
                "--precision float32"
            )
        return loss

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """One step; then the loss must have had a gradient by the weights, or it has not used them.

        LRAT's released code took its weights and dropped them on three of its four paths, in silence.
        """
        loss = super().training_step(*args, **kwargs)
        assert self._weight is not None
        if self._weight.grad is None:
            raise UsageError("the loss does not depend on the weights of its rows: this path would train without them")
        return loss

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """None: the card is ours."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002
        assert output_dir is not None
        self.model.save_pretrained(output_dir, create_model_card=False)

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        from safetensors import SafetensorError

        mend = "earlier checkpoints are kept, and the same command goes on from them"
        with writing(
            f"a checkpoint to {self._session.folder.checkpoints}", errors=(OSError, SafetensorError), mend=mend
        ):
            try:
                super()._save_checkpoint(*args, **kwargs)
            except RuntimeError as error:
                # What torch says of a full disk: "[enforce fail at inline_container.cc] unexpected pos".
                if "inline_container" not in str(error) and "PytorchStreamWriter" not in str(error):
                    raise
                raise OSError("the disk is full, or refuses") from error
            self.accelerator.wait_for_everyone()
            if self.is_world_process_zero():
                step = self.state.global_step
                self._session.folder.complete(self._session.folder.checkpoints / f"checkpoint-{step}", step)


class _Places(Dataset[Place]):
    """Places as they are: the collator reads them."""

    def __getitem__(self, place: Place) -> Place:
        return place


class _Evaluator(BaseEvaluator):
    """A replay as an evaluator of sentence-transformers, which shares encoding among the processes."""

    def __init__(self, replay: Replay, collator: Collator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._replay = replay
        self._collator = collator

    def __call__(
        self,
        model: Any,
        output_path: str | None = None,  # noqa: ARG002
        epoch: float = -1,  # noqa: ARG002
        steps: int = -1,  # noqa: ARG002
    ) -> dict[str, float]:
        recipe, prompts = self._collator.recipe, self._collator.prompts
        return self._replay.measure(
            lambda texts: _encode(model, texts, prompts.query, recipe.query_tokens),
            lambda texts: _encode(model, texts, prompts.document, recipe.passage_tokens),
        )


class _Keeper(_LIBRARY.TrainerCallback):  # type: ignore[misc]
    """Says when to save and to evaluate, keeps the log, and the best weights."""

    def __init__(self, session: Session, model: SentenceTransformer, *, keeps_best: bool) -> None:
        self._session = session
        self._model = model
        self._keeps_best = keeps_best
        self._started = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._started = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        control.should_log = True
        control.should_save = self._session.saves_at(state.global_step)
        control.should_evaluate = self._session.evaluates_at(state.global_step)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        # The last step has done all three.
        control.should_log = control.should_save = control.should_evaluate = False

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        if "loss" not in logs or not state.is_world_process_zero:
            return
        norm = logs.get("grad_norm")
        self._tell(
            Step(
                step=state.global_step,
                epoch=self._session.epoch_of(state.global_step),
                loss=logs["loss"],
                lr=logs["learning_rate"],
                grad_norm=norm if norm is not None and math.isfinite(norm) else None,
                seconds=round(self._session.seconds + time.monotonic() - self._started, 3),
            )
        )

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        replay = self._session.replay
        if not state.is_world_process_zero or replay is None:
            return
        measures = {key.removeprefix("eval_"): value for key, value in metrics.items() if "@" in key}
        step = state.global_step
        found = Evaluation(
            step=step,
            epoch=self._session.epoch_of(step),
            queries=len(replay.queries),
            pool=len(replay.pool),
            measures=measures,
        )
        if self._keeps_best and step:
            self._keep_best(found)
        self._tell(found)

    def _keep_best(self, found: Evaluation) -> None:
        earlier = [line for line in self._session.folder.read_log() if isinstance(line, Evaluation) and line.step]
        if all(line.measures[BEST_BY] < found.measures[BEST_BY] for line in earlier):
            best = self._session.folder.best
            shutil.rmtree(best, ignore_errors=True)
            self._model.save_pretrained(str(best), create_model_card=False)
            write_json(best / "complete.json", {"step": found.step})

    def _tell(self, line: Step | Evaluation) -> None:
        try:
            self._session.folder.log(line)
        except OSError as error:
            raise RunIncomplete(f"cannot write {self._session.folder.path}: {error.strerror or error}") from error
        self._session.on_line(line)


def _arguments(recipe: Recipe, session: Session, *, evaluate_first: bool) -> SentenceTransformerTrainingArguments:
    gpu = torch.cuda.is_available()
    bfloat16 = recipe.precision == "bfloat16" or (recipe.precision == "auto" and gpu and torch.cuda.is_bf16_supported())
    float16 = recipe.precision == "float16" or (recipe.precision == "auto" and gpu and not bfloat16)
    if float16 and not gpu:
        raise UsageError("--precision float16 needs a GPU: take float32 or bfloat16")
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(session.folder.checkpoints),
        num_train_epochs=1,
        max_steps=len(session.batches),
        per_device_train_batch_size=session.batches.batch // session.batches.processes,
        learning_rate=recipe.lr,
        lr_scheduler_type="linear",
        warmup_steps=int(recipe.warmup * len(session.batches)),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        bf16=bfloat16,
        fp16=float16,
        use_cpu=not gpu,
        ddp_backend="gloo" if session.batches.processes > 1 and not gpu else None,
        seed=recipe.seed,
        eval_strategy="no",
        eval_on_start=evaluate_first,
        save_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        **(_checkpointing() if recipe.gradient_checkpointing else {}),
    )
    # Several GPUs and one process would make the library split batches among them, past the loss.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _checkpointing() -> dict[str, Any]:
    names = {field.name for field in fields(SentenceTransformerTrainingArguments)}
    # Renamed in transformers 5; the old name warns.
    name = "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
    return {name: True, f"{name}_kwargs": {"use_reentrant": False}, "ddp_find_unused_parameters": False}


def _freeze_unused(model: SentenceTransformer) -> None:
    """A pooler that sentence-transformers does not read has no gradient, for which DDP would wait forever."""
    pooler = getattr(getattr(model[0], "auto_model", None), "pooler", None)
    if isinstance(pooler, torch.nn.Module):
        pooler.requires_grad_(requires_grad=False)


def _encode(model: Any, texts: Any, prompt: str, tokens: int) -> torch.Tensor:
    found: torch.Tensor = model.encode(
        list(map(encodable, texts)),
        prompt=prompt or None,
        batch_size=_ENCODE_BATCH,
        show_progress_bar=False,
        convert_to_tensor=True,
        normalize_embeddings=True,
        **at_most(model, tokens),
    )
    return found.float()
