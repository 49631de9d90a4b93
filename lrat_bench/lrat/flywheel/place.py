"""Where things lie in a flywheel's folder.

flywheel.json                     what it is
0/base/eval/TASK/                 runs of the eval splits with the base model
0/base/collect/                   the run of the train split that the first pairs come from
1/pairs/                          mined from it
1/ARM/model/                      trained on them, one per arm
1/ARM/eval/TASK/                  runs with that model
1/ARM/collect/                    of the first arm, for the next iteration
table.json  table.md  flywheel.png
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.files import fingerprint

__all__ = ["BASE", "Place"]

BASE = "base"
"""The arm of iteration 0: nothing is trained yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """One arm of one iteration."""

    root: Path
    iteration: int
    arm: str

    @property
    def folder(self) -> Path:
        """All that belongs to it."""
        return self.root / str(self.iteration) / self.arm

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.folder / "model"

    @property
    def collected(self) -> Path:
        """The run of the train split."""
        return self.folder / "collect"

    @property
    def pairs(self) -> Path:
        """What this iteration is trained on, whatever the arm."""
        return self.root / str(self.iteration) / "pairs"

    def evaluated(self, task: str) -> Path:
        """The run of a task's eval split; tasks of like names lie apart."""
        slug = re.sub(r"[^A-Za-z0-9.-]+", "_", Path(task).name).strip("_.-")[:60]
        return self.folder / "eval" / "-".join(filter(None, (slug, fingerprint(task)[:8])))
