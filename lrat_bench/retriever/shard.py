"""Which part of a work this process does, where several share it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lrat_bench.errors import UsageError

__all__ = ["WHOLE", "Shard"]

_LAUNCHERS = (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"))
"""Variables in which torchrun and srun say which process of how many this is.

SLURM_NTASKS is no such variable: sbatch sets it, too, for the one process that the batch script is.
"""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count`; counted from 0, as launchers count.

    Attributes:
        index: which.
        count: of how many.
        origin: variables of a launcher that said so; empty where nobody else did.
    """

    index: int
    count: int
    origin: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `i/n`.

        Raises:
            UsageError: it is not of that form, or i is not one of 0 … n - 1.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip())
        index, count = map(int, found.groups()) if found else (0, 0)
        if count < 1:
            raise UsageError(f"a shard is written i/n, as in 0/4 for the first of four, got {text!r}")
        if index >= count:
            raise UsageError(f"there is no shard {text!r}: of {count}, they are counted from 0 to {count - 1}")
        return cls(index, count)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> Shard:
        """What torchrun (RANK, WORLD_SIZE) or srun (SLURM_PROCID, SLURM_STEP_NUM_TASKS) says; else the whole.

        Raises:
            UsageError: they say what is no shard.
        """
        given = os.environ if variables is None else variables
        for index, count in _LAUNCHERS:
            if given.get(index) and given.get(count):
                origin = f"{index}={given[index]} and {count}={given[count]}"
                try:
                    return replace(cls.parse(f"{given[index]}/{given[count]}"), origin=origin)
                except UsageError:
                    raise UsageError(
                        f"{origin} do not say which part of the work this process has: unset them, or give --shard I/N "
                        "(0/1 is the whole)"
                    ) from None
        return WHOLE

    def takes(self, number: int) -> bool:
        """Whether piece `number` of the work is of this part; neighbours go to different parts."""
        return number % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Shard(0, 1)
"""All of it."""
