"""The processes that train together, as torchrun and accelerate start them: one per accelerator, or one alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from lrat_bench.errors import LratBenchError, RunIncomplete, UsageError
from lrat_bench.lrat.training.libraries import require_libraries

__all__ = ["Processes", "Refused"]

_GONE = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer")
"""What torch says when another process is gone."""

_MEETING = ("MASTER_ADDR", "MASTER_PORT")

T = TypeVar("T")


class Refused(LratBenchError):
    """What the first process refused, in another one: the first has the words for it."""

    def __init__(self, said: str, exit_code: int) -> None:
        super().__init__(said)
        self.exit_code = exit_code


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
        """As the environment says: `RANK` and `WORLD_SIZE`.

        Raises:
            UsageError: it says what cannot be.
        """
        rank, count = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
        mend = "unset both, or start with torchrun"
        try:
            found = cls(int(rank), int(count))
        except ValueError:
            raise UsageError(f"RANK and WORLD_SIZE must be numbers, not {rank!r} and {count!r}: {mend}") from None
        if not 0 <= found.rank < found.count:
            raise UsageError(f"RANK is {rank} and WORLD_SIZE {count}, and there is no such process: {mend}")
        if found.count > 1 and (absent := [name for name in _MEETING if not os.environ.get(name)]):
            raise UsageError(
                f"RANK and WORLD_SIZE say that {found.count} processes train, "
                f"and {' and '.join(absent)}, where they meet, is not set: {mend}"
            )
        return found

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def agree(self, decide: Callable[[], T]) -> T:
        """What the first process decides, in all of them; a refusal of its is one of all.

        Each looking for itself would see the folder while the first one is at work in it.

        Args:
            decide: called in the first process alone; what it returns must be picklable.

        Raises:
            Refused: the first process refused, and this is another.
        """
        if self.count == 1:
            return decide()
        require_libraries()
        import torch
        from accelerate import PartialState
        from accelerate.utils import broadcast_object_list

        with self.together():
            PartialState(cpu=not torch.cuda.is_available())
        said: list[Any] = [None, None]
        refusal: LratBenchError | None = None
        if self.first:
            try:
                said[0] = decide()
            except LratBenchError as error:
                refusal, said[1] = error, (str(error), error.exit_code)
        with self.together():
            found, refused = broadcast_object_list(said)
        if refused is not None:
            raise refusal or Refused(*refused)
        answer: T = found
        return answer

    def each(self, prepare: Callable[[], T]) -> T:
        """What each prepares for itself; a refusal of the first is one of all, that of another is its own."""
        try:
            found = prepare()
        except LratBenchError as error:
            self.agree(partial(_raise, error))
            raise
        self.agree(lambda: None)
        return found

    @contextmanager
    def together(self) -> Iterator[None]:
        """Around what all take part in: where another process is gone, it is that one which has a reason.

        Raises:
            RunIncomplete: another one is gone.
        """
        try:
            yield
        except RuntimeError as error:
            if self.count == 1 or not any(sign in str(error) for sign in _GONE):
                raise
            raise RunIncomplete(
                "another process of this training has ended: see what it said; what is done is kept, and the same "
                "command goes on"
            ) from error


def _raise(error: LratBenchError) -> None:
    raise error
