"""Bless: a run becomes the baseline, and what that changes is said. Nothing else ever changes a baseline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lrat_bench.compare.side import Side, read_side
from lrat_bench.errors import RunIncomplete
from lrat_bench.files import writing
from lrat_bench.gate.baseline import Baseline, baseline_of, read_baseline, write_baseline
from lrat_bench.gate.check import check, differing
from lrat_bench.gate.result import GateResult
from lrat_bench.gate.rules import Rule, changed_rules, default_rules
from lrat_bench.runs.retrieval_folder import Retrieval
from lrat_bench.runs.run import Run

__all__ = ["Blessed", "bless"]


@dataclass(frozen=True, slots=True)
class Blessed:
    """A baseline that was written, beside the one that was there.

    Attributes:
        file: where it lies.
        baseline: what it holds now.
        before: what it held; None where there was none.
        differs: what must be equal for values to be paired, and is not equal in both.
        against: the run held against the one before; None where there was none, or they differ.
        rankable: whether every part of the run has a fingerprint.
    """

    file: Path
    baseline: Baseline
    before: Baseline | None
    differs: tuple[str, ...]
    against: GateResult | None
    rankable: bool

    @property
    def changed(self) -> bool:
        """Whether the file holds anything else than it did."""
        return self.before is None or self.before.text() != self.baseline.text()


def bless(path: Path, file: Path, *, rules: Iterable[Rule] = (), drop: Iterable[str] = ()) -> Blessed:
    """Make a run or a retrieval the baseline.

    A baseline that is there already leaves its rules and its alpha, which people edit, to the new one.

    Args:
        path: the run or retrieval folder.
        file: the baseline.
        rules: instead of the rules of the same measures, and beside the others.
        drop: measures whose rules are left out.

    Raises:
        UsageError: the folder holds neither; what lies at `file` is no baseline; the run cannot be held to a rule.
        RunIncomplete: rollouts are ungraded or errored.
    """
    side = read_side(path)
    if side.unresolved:
        raise RunIncomplete(
            f"{path} cannot be a baseline before it is complete: ungraded or errored rollouts, {side.unresolved}; give "
            "the command that made it again"
        )
    with writing(f"the baseline {file}"):
        there = file.exists()
    before = read_baseline(file) if there else None
    held = changed_rules(default_rules(side) if before is None else before.rules, rules, drop)
    started, versions, rankable = _circumstances(side)
    made = baseline_of(
        side, held, started=started, versions=versions, **({} if before is None else {"alpha": before.alpha})
    )
    differs = () if before is None else tuple(differing(before, side))
    against = None if before is None or differs else check(before, side)
    write_baseline(made, file)
    return Blessed(file=file, baseline=made, before=before, differs=differs, against=against, rankable=rankable)


def _circumstances(side: Side) -> tuple[str, dict[str, str], bool]:
    """When it was made, by which versions, and whether all its parts have fingerprints."""
    if side.kind == "retrieval":
        manifest = Retrieval(side.path).manifest
        return manifest.started, manifest.versions, manifest.rankable
    run = Run(side.path).manifest
    last = run.invocations[-1]
    return last.started, last.versions, run.rankable
