"""Which part of a work this process does, where several share it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lrat_bench.errors import UsageError

__all__ = ["WHOLE", "Shard"]

_LAUNCHERS = (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS"))
"""Variables in which torchrun and srun say which process of how many this is."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count`; counted from 0, as launchers count."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `i/n`.

        Raises:
            UsageError: it is not of that form, or i is not one of 0 … n - 1.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        index, count = map(int, found.groups()) if found else (0, 0)
        if count < 1:
            raise UsageError(f"a shard is written i/n, as in 0/4 for the first of four, got {text!r}")
        if index >= count:
            raise UsageError(f"there is no shard {text!r}: of {count}, they are counted from 0 to {count - 1}")
        return cls(index, count)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> Shard:
        """What torchrun (RANK, WORLD_SIZE) or srun (SLURM_PROCID, SLURM_NTASKS) says; else the whole."""
        given = os.environ if variables is None else variables
        for index, count in _LAUNCHERS:
            if given.get(index) and given.get(count):
                return cls.parse(f"{given[index]}/{given[count]}")
        return WHOLE

    def takes(self, number: int) -> bool:
        """Whether piece `number` of the work is of this part; neighbours go to different parts."""
        return number % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Shard(0, 1)
"""All of it."""
