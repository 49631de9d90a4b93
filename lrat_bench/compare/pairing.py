"""What may be paired with what, and how the sides of a comparison are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from lrat_bench.compare.side import Side
from lrat_bench.errors import UnknownName, UsageError

__all__ = ["differing_keys", "labels", "refuse_unpairable"]

_MEND = {
    "task": "run both on the same task and documents",
    "judgements": "accepted answers or judgements have changed since: measure both anew (`lrat-bench score`)",
    "split": "run both on the same split",
    "protocol": "run both under the same protocol",
    "tokenizer": "run both with the same snippet tokenizer",
    "prompt": "run both with the same prompt",
    "judge": "grade both by the same judge (`lrat-bench score RUN --judge NAME`)",
    "questions": "run both on the same questions (`--limit`)",
    "repeats": "run the missing repeats (`lrat-bench run --repeats`)",
    "queries": "search the same queries with both",
}
"""What must be equal → what to do where it is not."""

_SHOWN = 40
"""Characters of a value up to which it is said; fingerprints are cut."""


def differing_keys(sides: Sequence[Side]) -> list[str]:
    """What should be equal on all sides and is not."""
    keys = dict.fromkeys(key for side in sides for key in side.shared)
    return [key for key in keys if len({side.shared.get(key) for side in sides}) > 1]


def refuse_unpairable(sides: Sequence[Side], *, across: Collection[str] = ()) -> None:
    """See that the values of these sides can be paired.

    Args:
        sides: two or more.
        across: what may differ on purpose, by the names of `Side.shared`.

    Raises:
        UsageError: runs and retrievals are mixed, or something differs that should be equal; the message names it.
        UnknownName: `across` names what no side has.
    """
    if len(sides) < 2:
        raise UsageError(f"a comparison wants two sides or more, got {len(sides)}")
    first = sides[0]
    for other in sides[1:]:
        if other.kind != first.kind:
            raise UsageError(
                f"{first.path} is a {first.kind} and {other.path} a {other.kind}: they have no measure in common; "
                "compare runs with runs, and retrievals with retrievals"
            )
    known = dict.fromkeys(key for side in sides for key in side.shared)
    for key in across:
        if key not in known:
            raise UnknownName("key of --across", key, known)
    for other in sides[1:]:
        if differing := [key for key in differing_keys((first, other)) if key not in across]:
            said = ", ".join(_said(key, first, other) for key in differing)
            options = " ".join(f"--across {key}" for key in differing)
            mend = "; ".join(_MEND.get(key, f"make {key} equal") for key in differing)
            raise UsageError(
                f"{first.path} and {other.path} cannot be paired, they differ in {said}: {mend}; or compare across it "
                f"on purpose: {options}"
            )


def labels(sides: Sequence[Side]) -> tuple[str, ...]:
    """A name for each side, each another one: what tells it apart, else its folder's name, else its path."""
    free = dict.fromkeys(key for side in sides for key in side.free)
    telling = [key for key in free if len({side.free.get(key) for side in sides}) > 1]
    by_parts = [" · ".join(_part(key, side.free.get(key, "–")) for key in telling) for side in sides]
    for names in (by_parts, [side.name for side in sides], [str(side.path) for side in sides]):
        if all(names) and len(set(names)) == len(sides):
            return tuple(names)
    return _numbered([side.name for side in sides])


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def _part(key: str, value: str) -> str:
    return f"seed {value}" if key == "seed" else value


def _said(key: str, first: Side, other: Side) -> str:
    return f"{key} ({_called(first, key)} and {_called(other, key)})"


def _called(side: Side, key: str) -> str:
    short = _short(side.shared.get(key))
    return f"{side.names[key]} {short}" if key in side.names else short


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    return value if len(value) <= _SHOWN else f"{value[:12]}…"
