"""What it costs to start: CPU seconds (user and system) and modules of verbs that import nothing heavy."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

VERBS = (["--help"], ["run", "--help"], ["tasks", "list"], ["agents", "list"], ["retrievers", "list"])
BASELINES = {"python -c pass": "pass", "import click": "import click", "import pydantic": "import pydantic"}
COUNT = "import sys, atexit; atexit.register(lambda: print(len(sys.modules), file=sys.stderr)); "


def measure(code: str, runs: int) -> tuple[float, int]:
    """Median CPU seconds of a fresh interpreter running `code`, and how many modules it ends with."""
    seconds, modules = [], 0
    for _ in range(runs + 1):
        before = os.times()
        done = subprocess.run([sys.executable, "-c", COUNT + code], capture_output=True, text=True, check=False)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
        modules = int(done.stderr.splitlines()[-1])
    return statistics.median(seconds[1:]), modules


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print("| command | CPU s (median) | modules |")
    print("| --- | ---: | ---: |")
    for name, code in BASELINES.items():
        print("| {} | {:.3f} | {:,} |".format(name, *measure(code, runs)))
    for words in VERBS:
        code = f"from lrat_bench.cli.main import main; main({words!r})"
        print("| lrat-bench {} | {:.3f} | {:,} |".format(" ".join(words), *measure(code, runs)))


if __name__ == "__main__":
    main()
