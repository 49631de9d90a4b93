"""The trainer of sentence-transformers, under our batches, our checkpoints and our silence."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from sentence_transformers.base.evaluation import BaseEvaluator
from torch.utils.data import DataLoader, Dataset

from lrat_bench.errors import UsageError
from lrat_bench.files import encodable
from lrat_bench.lrat.training.arguments import make_arguments
from lrat_bench.lrat.training.batches import Place
from lrat_bench.lrat.training.checkpoints import reading
from lrat_bench.lrat.training.collate import Collator, at_most
from lrat_bench.lrat.training.evaluate import Replay
from lrat_bench.lrat.training.keeper import Keeper, Session
from lrat_bench.lrat.training.loss import make_loss
from lrat_bench.lrat.training.schedule import share_of_peak

__all__ = ["Trainer"]

_LIBRARY: Any = transformers  # which types its classes in part
_ENCODE_BATCH = 32


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
        self._warmup = int(recipe.warmup * len(session.batches))
        if recipe.gradient_checkpointing:
            _freeze_unused(model)
        super().__init__(
            model=model,
            args=make_arguments(recipe, session, evaluate_first=evaluate_first),
            data_collator=collator,  # type: ignore[arg-type]
            loss=make_loss(model, recipe),
            evaluator=None if session.replay is None else _Evaluator(session.replay, collator),
            callbacks=[Keeper(session, model, keeps_best=recipe.keep == "best")],
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
                "--precision float32, with --fresh"
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

    def go(self, checkpoint: Path | None) -> None:
        """Train, from a checkpoint where there is one.

        Raises:
            DataError: it cannot be read.
        """
        if checkpoint is not None:
            with reading(checkpoint):
                _LIBRARY.TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        self.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """That of `share_of_peak`: transformers' own has the learning rate 0 in the first step."""
        if self.lr_scheduler is None:
            share = partial(share_of_peak, warmup=self._warmup, steps=num_training_steps)
            steered: Any = self.optimizer if optimizer is None else optimizer
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(steered, share)
        return self.lr_scheduler

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """None: the card is ours."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002
        assert output_dir is not None
        self.model.save_pretrained(output_dir, create_model_card=False)

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        with self._session.folder.checkpoints.saving():
            try:
                super()._save_checkpoint(*args, **kwargs)
            except RuntimeError as error:
                # What torch says of a full disk: "[enforce fail at inline_container.cc] unexpected pos".
                if "inline_container" not in str(error) and "PytorchStreamWriter" not in str(error):
                    raise
                raise OSError("the disk is full, or refuses") from error
            self.accelerator.wait_for_everyone()
            if self.is_world_process_zero():
                self._session.folder.checkpoints.complete(self.state.global_step)

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:  # type: ignore[override]
        with reading(checkpoint_path):
            super()._load_from_checkpoint(checkpoint_path)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        with reading(checkpoint):
            super()._load_optimizer_and_scheduler(checkpoint)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        with reading(checkpoint):
            super()._load_rng_state(checkpoint)


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


def _freeze_unused(model: SentenceTransformer) -> None:
    """A pooler that sentence-transformers does not read has no gradient, for which DDP would wait forever."""
    pooler = getattr(getattr(model[0], "auto_model", None), "pooler", None)
    if isinstance(pooler, torch.nn.Module):
        pooler.requires_grad_(requires_grad=False)


def _encode(model: Any, texts: Any, prompt: str, tokens: int) -> torch.Tensor:
    found: torch.Tensor = model.encode(
        list(map(encodable, texts)),
        prompt=prompt,  # empty as it may be: for None, the library takes the model's default prompt
        batch_size=_ENCODE_BATCH,
        show_progress_bar=False,
        convert_to_tensor=True,
        normalize_embeddings=True,
        **at_most(model, tokens),
    )
    return found.float()
