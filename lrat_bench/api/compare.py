"""Comparisons from Python."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from lrat_bench.compare.comparison import compare_sides
from lrat_bench.compare.record import Comparison
from lrat_bench.compare.side import read_side
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run

__all__ = ["compare_runs"]


def compare_runs(
    *runs: str | Path | Run | Retrieval,
    across: Collection[str] = (),
    measures: Sequence[str] | None = None,
    all_pairs: bool = False,
    seed: int = 0,
) -> Comparison:
    """How much better is one run than another on the same questions?

    Args:
        runs: two or more, or folders of `run` or of `retrieve`; the first is the baseline.
        across: what may differ on purpose: protocol, judge, questions, …; what differs otherwise is refused.
        measures: what to compare by; the main measures of runs, all of retrievals, unless given.
        all_pairs: compare every pair, not only each with the first.
        seed: of the bootstrap and of the randomisation test.

    Returns:
        the record; `.difference("success_rate")`, `.ties`, `.flips`, `.to_dataframe()`.

    Raises:
        UsageError: a folder holds neither, was not scored, or the runs cannot be paired.
        UnknownName: there is no such measure, or nothing of that name differs.
    """
    sides = [read_side(one.path if isinstance(one, Run | Retrieval) else Path(one)) for one in runs]
    return compare_sides(sides, across=across, measures=measures, all_pairs=all_pairs, seed=seed)
