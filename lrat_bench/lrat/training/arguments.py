"""The arguments that the trainer of sentence-transformers takes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from sentence_transformers import SentenceTransformerTrainingArguments

from lrat_bench.lrat.training.hardware import resolve_precision
from lrat_bench.lrat.training.keeper import Session
from lrat_bench.lrat.training.recipe import Recipe

__all__ = ["make_arguments"]


def make_arguments(recipe: Recipe, session: Session, *, evaluate_first: bool) -> SentenceTransformerTrainingArguments:
    """A recipe in the words of the trainer; the learning rate's course, checkpoints and evaluations are our own."""
    gpu = torch.cuda.is_available()
    precision = resolve_precision(recipe.precision)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(session.folder.checkpoints.path),
        num_train_epochs=1,
        max_steps=len(session.batches),
        per_device_train_batch_size=session.batches.batch // session.batches.processes,
        learning_rate=recipe.lr,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        bf16=precision == "bfloat16",
        fp16=precision == "float16",
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
