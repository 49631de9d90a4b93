"""A question before it is worded: a tree of constraints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Constraint", "QuestionTree"]


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """One thing that is asked of an entity.

    Attributes:
        fact: key of the fact.
        other: the fact's other end: a value, or an entity.
        traced: the constrained entity is the fact's target, and `other` its subject.
    """

    fact: str
    other: str | QuestionTree
    traced: bool = False

    @property
    def meaning(self) -> str:
        """Equal for constraints that ask the same."""
        other = self.other if isinstance(self.other, str) else self.other.meaning
        return f"{self.fact}{'<' if self.traced else '='}{other}"


@dataclass(frozen=True, slots=True, eq=False)
class QuestionTree:
    """An entity as a question speaks of it: described by constraints or, without any, named.

    The root is what is asked for. Constraints are compared by identity: "this constraint of this tree".

    Attributes:
        entity: index in the world.
        noun: its type, which the description states.
        constraints: all hold for the entity.
    """

    entity: int
    noun: str
    constraints: tuple[Constraint, ...] = ()

    @property
    def named(self) -> bool:
        """Whether the question gives the entity's name."""
        return not self.constraints

    @property
    def depth(self) -> int:
        """How many entities on the longest path from here are described."""
        if self.named:
            return 0
        return 1 + max((c.other.depth for c in self.constraints if isinstance(c.other, QuestionTree)), default=0)

    @property
    def meaning(self) -> str:
        """Equal for trees that ask the same, in whatever order."""
        return f"{self.entity}({','.join(sorted(constraint.meaning for constraint in self.constraints))})"

    def nodes(self) -> Iterator[QuestionTree]:
        """This entity and all below it."""
        yield self
        for constraint in self.constraints:
            if isinstance(constraint.other, QuestionTree):
                yield from constraint.other.nodes()

    def all_constraints(self) -> Iterator[Constraint]:
        """The constraints of this entity and of all below it."""
        for node in self.nodes():
            yield from node.constraints
