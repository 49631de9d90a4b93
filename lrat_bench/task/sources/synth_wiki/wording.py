"""The wording of a question."""

from __future__ import annotations

from lrat_bench.task.sources.synth_wiki.definition import Attribute
from lrat_bench.task.sources.synth_wiki.draw import Draw
from lrat_bench.task.sources.synth_wiki.tree import Constraint, QuestionTree
from lrat_bench.task.sources.synth_wiki.world import World

__all__ = ["word_question"]


def word_question(world: World, tree: QuestionTree, draw: Draw) -> str:
    """A tree as an English question, in one sentence or several.

    Args:
        world: names the entities.
        tree: what is asked.
        draw: chooses among phrasings.
    """
    noun = tree.noun
    phrases = [_phrase(world, constraint, draw) for constraint in draw.shuffled(tree.constraints)]
    style = draw.below(3)
    if style == 0:
        return f"Which {noun} {_listed(phrases)}?"
    if style == 1:
        return f"Which {noun} {phrases[0]}? The same {noun} {_listed(phrases[1:])}."
    opening = f"{'An' if noun[0] in 'aeiou' else 'A'} {noun} {phrases[0]}. This {noun} {_listed(phrases[1:])}."
    return f"{opening} Which {noun} is it?"


def _phrase(world: World, constraint: Constraint, draw: Draw) -> str:
    fact = world.definition.facts[constraint.fact]
    if isinstance(constraint.other, str):
        return draw.choice(fact.asked).format(o=constraint.other)
    assert not isinstance(fact, Attribute)
    templates = fact.traced if constraint.traced else fact.asked
    return draw.choice(templates).format(o=_described(world, constraint.other, draw))


def _described(world: World, tree: QuestionTree, draw: Draw) -> str:
    kind = world.definition.by_noun[tree.noun]
    if tree.named:
        return kind.naming.article + world.entity(tree.entity).name
    # What is short comes first, so that the end of a long description is the end of the clause.
    ordered = sorted(draw.shuffled(tree.constraints), key=_depth)
    relative = "who" if kind.person else "that"
    clauses = [f"{relative} {_phrase(world, constraint, draw)}" for constraint in ordered]
    return f"{'an' if tree.noun[0] in 'aeiou' else 'a'} {tree.noun} {' and '.join(clauses)}"


def _depth(constraint: Constraint) -> int:
    return -1 if isinstance(constraint.other, str) else constraint.other.depth


def _listed(phrases: list[str]) -> str:
    """Clauses as a list; the comma before "and" keeps the last from being read into a description."""
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])}, and {phrases[-1]}"
