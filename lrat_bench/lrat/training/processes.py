"""The processes that train together, as torchrun and accelerate start them: one per accelerator, or one alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lrat_bench.errors import LratBenchError, UsageError

__all__ = ["Processes"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """Which one this is, of how many.

    Attributes:
        rank: 0 is the one that writes and speaks.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def here(cls) -> Processes:
        """As the environment says: `RANK` and `WORLD_SIZE`."""
        try:
            return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
        except ValueError:
            raise UsageError("RANK and WORLD_SIZE must be numbers: unset them, or start with torchrun") from None

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def agree(self, decide: Callable[[], T]) -> T:
        """What the first process decides, in all of them; a refusal of its is one of all.

        Each looking for itself would see the folder while the first one is at work in it.

        Args:
            decide: called in the first process alone; what it returns must be picklable.
        """
        if self.count == 1:
            return decide()
        import torch
        from accelerate import PartialState
        from accelerate.utils import broadcast_object_list

        PartialState(cpu=not torch.cuda.is_available())
        said: list[Any] = [None, None]
        refusal: LratBenchError | None = None
        if self.first:
            try:
                said[0] = decide()
            except LratBenchError as error:
                refusal, said[1] = error, str(error)
        found, refused = broadcast_object_list(said)
        if refused is not None:
            raise refusal or UsageError(refused)
        answer: T = found
        return answer
