"""What a training keeps while it goes on: when, and the log, checkpoints and best weights."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import transformers

from lrat_bench.errors import RunIncomplete
from lrat_bench.files import write_json
from lrat_bench.lrat.training.batches import Batches
from lrat_bench.lrat.training.checkpoints import sync
from lrat_bench.lrat.training.evaluate import BEST_BY, Replay
from lrat_bench.lrat.training.folder import ModelFolder
from lrat_bench.lrat.training.record import Evaluation, Step

__all__ = ["Keeper", "Session"]

_LIBRARY: Any = transformers  # which types its classes in part


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


class Keeper(_LIBRARY.TrainerCallback):  # type: ignore[misc]
    """Says when to save and to evaluate, keeps the log, and the best weights."""

    def __init__(self, session: Session, model: Any, *, keeps_best: bool) -> None:
        self._session = session
        self._model = model
        self._keeps_best = keeps_best
        self._started = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Start the clock: loading is no training."""
        self._started = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Say what is due after the step."""
        control.should_log = True
        control.should_save = self._session.saves_at(state.global_step)
        control.should_evaluate = self._session.evaluates_at(state.global_step)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Say that nothing is: the last step has done it."""
        control.should_log = control.should_save = control.should_evaluate = False

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        """Write a step's line; what is logged at the end has no loss."""
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
        """Write an evaluation's line, and keep the weights if they are the best so far."""
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
            best = self._session.folder.checkpoints.best
            with self._session.folder.checkpoints.saving():
                shutil.rmtree(best, ignore_errors=True)
                self._model.save_pretrained(str(best), create_model_card=False)
                sync(best)
                write_json(best / "complete.json", {"step": found.step})

    def _tell(self, line: Step | Evaluation) -> None:
        try:
            self._session.folder.log(line)
        except OSError as error:
            raise RunIncomplete(f"cannot write {self._session.folder.path}: {error.strerror or error}") from error
        self._session.on_line(line)
