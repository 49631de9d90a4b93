"""The judges by name."""

from __future__ import annotations

from lrat_bench.errors import UsageError, foreign
from lrat_bench.registry import Entry, Registry, load_object
from lrat_bench.score.judges.base import Judge
from lrat_bench.task.protocol import Scoring

__all__ = ["JUDGES", "load_judge"]

JUDGES = Registry(
    "judge",
    {
        "exact": Entry(
            "lrat_bench.score.judges.exact:Exact", "final answer equals an accepted one, normalised; offline"
        ),
        "contains": Entry("lrat_bench.score.judges.contains:Contains", "text contains an accepted answer; offline"),
    },
    group="lrat_bench.judges",
)
"""What stands behind a name is called with the protocol's `Scoring` part and returns a `Judge`."""


def load_judge(scoring: Scoring) -> Judge:
    """The judge that a protocol names: a registered name or `module:object`.

    Raises:
        UnknownName: no judge has that name.
        UsageError: it refuses its settings, cannot be loaded, or is no judge.
    """
    registered = scoring.judge in JUDGES or ":" not in scoring.judge
    factory = JUDGES.load(scoring.judge) if registered else load_object(scoring.judge)
    with foreign(f"judge {scoring.judge!r} cannot be made"):
        judge = factory(scoring)
    if not isinstance(judge, Judge):
        raise UsageError(
            f"{scoring.judge!r} made {type(judge).__name__!r}, which is no judge: "
            "it needs name, fingerprint, judge(question, answer) and close()"
        )
    return judge
