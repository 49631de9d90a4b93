"""The regression gate from Python."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lrat_bench.compare.side import read_side
from lrat_bench.gate.baseline import read_baseline
from lrat_bench.gate.bless import Blessed
from lrat_bench.gate.bless import bless as make
from lrat_bench.gate.check import check as hold
from lrat_bench.gate.result import GateResult
from lrat_bench.gate.rules import Rule, parse_rule

__all__ = ["bless", "check"]


def bless(
    run: str | Path, baseline: str | Path, *, rules: Iterable[str | Rule] = (), drop: Iterable[str] = ()
) -> Blessed:
    """Make a run or a retrieval the baseline that others are held against.

    Args:
        run: the folder, complete and scored.
        baseline: the file; one that is there leaves its rules to the new one.
        rules: `"success_rate:tolerance=0.05"`, instead of the rule of that measure or beside the others.
        drop: measures whose rules are left out.

    Returns:
        the baseline, and what it changes; `.against` is the run held against the one that was there.

    Raises:
        UsageError: the folder holds neither, the file is no baseline, or the run cannot be held to a rule.
        RunIncomplete: rollouts are ungraded or errored.
    """
    parsed = [parse_rule(rule) if isinstance(rule, str) else rule for rule in rules]
    return make(Path(run), Path(baseline), rules=parsed, drop=drop)


def check(run: str | Path, baseline: str | Path, *, seed: int = 0) -> GateResult:
    """Hold a run or a retrieval against a baseline.

    Args:
        run: the folder, scored.
        baseline: the file.
        seed: of bootstrap and randomisation.

    Returns:
        what became of each rule; `.outcome` is `held`, `failed` or `unresolved`.

    Raises:
        UsageError: the folder holds neither, the file is no baseline, or the two cannot be paired; the message names
            what differs.
    """
    return hold(read_baseline(Path(baseline)), read_side(Path(run)), seed=seed)
