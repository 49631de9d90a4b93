"""Which trajectories are mined: by how they ended, and by what the judge made of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.lrat.pairs_manifest import Filter
from lrat_bench.trajectory import Status

__all__ = ["ALL", "FINISHED", "Grading", "admits", "make_filter"]

ALL = "all"
"""The name of no choice at all."""

FINISHED: tuple[Status, ...] = ("answered",)
"""How a trajectory ends that stayed within its limits."""

Grading = Literal["correct", "incorrect", "ungraded"]
"""What is known of an answer; ungraded is neither of the others."""

_OUTCOMES = ("correct", "incorrect", ALL)


def make_filter(outcome: str, statuses: str | Iterable[str]) -> Filter:
    """The choice, as typed; the paper's is correct answers of trajectories that finished within the limit.

    Args:
        outcome: correct, incorrect (Table 3 of the paper) or all, which also takes what nobody has judged.
        statuses: names, commas between them or not; `all` is every one.

    Raises:
        UnknownName: there is no such outcome or status.
        UsageError: no status is given.
    """
    if outcome not in _OUTCOMES:
        raise UnknownName("outcome", outcome, _OUTCOMES)
    given = [statuses] if isinstance(statuses, str) else list(statuses)
    names = [name.strip() for word in given for name in word.split(",") if name.strip()]
    if not names:
        raise UsageError("--status takes at least one status, or all")
    if names == [ALL]:
        return Filter(outcome=outcome, statuses=None)  # type: ignore[arg-type]
    return Filter(outcome=outcome, statuses=_known(names))  # type: ignore[arg-type]


def admits(filter_: Filter, status: Status | None, grading: Grading) -> bool:
    """Whether a trajectory is mined; a status that is not known is among `all` alone."""
    ended = filter_.statuses is None or status in filter_.statuses
    return ended and filter_.outcome in (ALL, grading)


def _known(names: Sequence[str]) -> tuple[Status, ...]:
    known: tuple[Status, ...] = get_args(Status)
    for name in names:
        if name not in known:
            raise UnknownName("status", name, [*known, ALL])
    return tuple(status for status in known if status in names)
