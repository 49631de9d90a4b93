"""Tie groups: which sides of a ranking the data cannot tell apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from string import ascii_lowercase

__all__ = ["tie_groups", "tie_letters"]


def tie_groups(sides: Sequence[str], differ: Collection[frozenset[str]]) -> list[tuple[str, ...]]:
    """Groups of sides of which no two differ significantly.

    Two sides that do not differ are together in a group at least once, two that do never are, and a side that differs
    from all others is a group of its own. Not to differ is no equality: A may be tied with B and B with C although A
    and C differ, so a side may be in several groups (the compact letter display of H.-P. Piepho, 2004, "An algorithm
    for a letter-based representation of all-pairwise comparisons", Journal of Computational and Graphical Statistics
    13:456–466). His algorithm may need as many groups as there are cliques; here each group is grown from a pair that
    no earlier one holds, best sides first, so that there are never more than pairs.

    Args:
        sides: best first.
        differ: the pairs that differ.

    Returns:
        groups by their best side, each best first.
    """
    groups: list[tuple[str, ...]] = []
    held: set[frozenset[str]] = set()
    for one, other in combinations(sides, 2):
        pair = frozenset((one, other))
        if pair in differ or pair in held:
            continue
        members = [one, other]
        for side in sides:
            if side not in pair and not any(frozenset((side, member)) in differ for member in members):
                members.append(side)
        held |= {frozenset(two) for two in combinations(members, 2)}
        groups.append(tuple(side for side in sides if side in members))
    tied = {side for group in groups for side in group}
    groups += [(side,) for side in sides if side not in tied]
    place = {side: at for at, side in enumerate(sides)}
    return sorted(groups, key=lambda group: [place[side] for side in group])


def tie_letters(sides: Sequence[str], differ: Collection[frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Side → the letters of its groups: two sides that share one do not differ significantly, two that share none do.

    Args:
        sides: best first.
        differ: the pairs that differ.

    Returns:
        `a` is the group of the best side; after `z` come `a2`, `b2`, …
    """
    found: dict[str, list[str]] = {side: [] for side in sides}
    for at, group in enumerate(tie_groups(sides, differ)):
        turn, letter = divmod(at, len(ascii_lowercase))
        for side in group:
            found[side].append(ascii_lowercase[letter] + (str(turn + 1) if turn else ""))
    return {side: tuple(letters) for side, letters in found.items()}
