"""Proof that a question has one answer, one reading, and no word too many.

Sets of a region's entities are bit masks. A tree that names an entity is proven for the whole world by the region
alone: names are unique, and facts stay within a region.
"""

from __future__ import annotations

from functools import cached_property

from lrat_bench.task.sources.synth_wiki.definition import Attribute
from lrat_bench.task.sources.synth_wiki.region import Region
from lrat_bench.task.sources.synth_wiki.tree import Constraint, QuestionTree

__all__ = ["Prover"]

MOST_CONSTRAINTS = 7
"""In a whole tree; a longer question is hard to read."""


class Prover:
    """Answers questions about trees over one region.

    Args:
        region: its facts.
    """

    def __init__(self, region: Region) -> None:
        self.region = region

    @cached_property
    def _subjects(self) -> dict[tuple[str, int], int]:
        """(fact key, other end) → mask of subjects."""
        result: dict[tuple[str, int], int] = {}
        for subject, ends in enumerate(self.region.ends):
            for pair in ends.items():
                result[pair] = result.get(pair, 0) | 1 << subject
        return result

    @cached_property
    def of_type(self) -> dict[str, int]:
        """Mask of the entities of each type."""
        return {noun: ((1 << len(r)) - 1) << r.start for noun, r in self.region.layout.items()}

    def matches(self, tree: QuestionTree, *, without: Constraint | None = None) -> int:
        """Mask of the entities that fit, as if `without` were not asked."""
        if tree.named:
            return self._bit(tree)
        mask = self.of_type[tree.noun]
        for constraint in tree.constraints:
            if constraint is not without:
                mask &= self.fitting(constraint, without)
        return mask

    def fitting(self, constraint: Constraint, without: Constraint | None = None) -> int:
        """Mask of the entities, of any type, that fit one constraint."""
        if isinstance(constraint.other, str):
            fact = self.region.definition.facts[constraint.fact]
            assert isinstance(fact, Attribute)
            return self._subjects.get((constraint.fact, fact.values.index(constraint.other)), 0)
        return self._linked(constraint, self.matches(constraint.other, without=without))

    def _linked(self, constraint: Constraint, others: int) -> int:
        """Mask of the entities that the constraint's relation links to any of `others`."""
        mask = 0
        while others:
            lowest = others & -others
            others ^= lowest
            other = lowest.bit_length() - 1
            if constraint.traced:
                target = self.region.ends[other].get(constraint.fact)
                mask |= 0 if target is None else 1 << target
            else:
                mask |= self._subjects.get((constraint.fact, other), 0)
        return mask

    def proves(self, tree: QuestionTree) -> bool:
        """Whether the tree makes a question.

        It does when it names an entity (see above), is no longer than can be read, when the root's entity alone fits,
        when each entity below the root can be no other, so that the evidence is complete, and when no constraint can
        be spared: for each there is a near miss, an entity that fits all the others.
        """
        constraints = list(tree.all_constraints())
        return (
            len(constraints) <= MOST_CONSTRAINTS
            and any(node.named for node in tree.nodes())
            and self.matches(tree) == self._bit(tree)
            and all(self.matches(tree, without=constraint) != self._bit(tree) for constraint in constraints)
            and self._is_unambiguous(tree)
        )

    def _is_unambiguous(self, tree: QuestionTree) -> bool:
        for constraint in tree.constraints:
            other = constraint.other
            if isinstance(other, QuestionTree):
                reverse = Constraint(constraint.fact, tree, not constraint.traced)
                linked = self._linked(reverse, self._bit(tree))
                if linked & self.matches(other) != self._bit(other) or not self._is_unambiguous(other):
                    return False
        return True

    def _bit(self, tree: QuestionTree) -> int:
        return 1 << (tree.entity - self.region.start)
