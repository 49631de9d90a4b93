"""Trainings that are killed, for `test_kills.py`: a fork for each kill, since importing torch takes seconds.

python killed.py PAIRS BASE OTHER_PAIRS OUT
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lrat_bench.lrat.training.finish
import lrat_bench.lrat.training.trainer  # noqa: F401 -- once, before the forks
from lrat_bench.lrat.training.recipe import Recipe
from lrat_bench.lrat.training.train import train

RECIPE = Recipe(epochs=1, lr=1e-3, batch=8, group=3, temperature=0.05, query_tokens=16, passage_tokens=24)

DEEDS = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "open")
"""Events of the interpreter (PEP 578) that change a folder; `open` where it writes."""


def kill_at(number: int, folder: Path) -> None:
    """Kill this process when it is about to change something in the folder for the so-manieth time."""
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in DEEDS or not str(arguments[0]).startswith(str(folder)):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    sys.addaudithook(hook)


def alone(work: Callable[[], object]) -> int:
    """Do it in a fork; how that ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- for whoever reads the test's failure
            print(type(error).__name__, error, flush=True)  # noqa: T201
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(pairs: Path, base: Path, other: Path, out: Path) -> None:
    """Kill a training at every so-manieth change of its folder, going on from where it was killed."""
    gc.collect()
    gc.freeze()  # accelerate collects garbage whenever a training begins

    def go(kill: int | None, folder: Path, mined: Path, *, fresh: bool) -> int:
        def work() -> None:
            if kill is not None:
                kill_at(kill, folder)
            train(pairs=[mined], base=str(base), out=folder, recipe=RECIPE, checkpoint_steps=1, fresh=fresh)

        return alone(work)

    def until_done(name: str, mined: Path, *, fresh: bool, kills: range) -> list[int]:
        # A kill at each place in turn, each upon what the one before has left; then none.
        ends = [go(kill, out / name, mined, fresh=fresh) for kill in kills]
        return [*ends, go(None, out / name, mined, fresh=False)]

    said = {
        "whole": [go(None, out / "whole", pairs, fresh=False)],
        "killed": until_done("killed", pairs, fresh=False, kills=range(0, 56, 8)),
        # Over a finished training of other pairs, whose files must go.
        "fresh": [
            go(None, out / "fresh", other, fresh=False),
            *until_done("fresh", pairs, fresh=True, kills=range(0, 30, 5)),
        ],
    }
    (out / "ends.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
