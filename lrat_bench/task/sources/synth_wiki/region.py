"""A region: a few hundred entities and all facts about them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import cycle, islice

from lrat_bench.task.sources.synth_wiki.definition import Attribute, EntityType, Fact, WorldDefinition
from lrat_bench.task.sources.synth_wiki.draw import Draw
from lrat_bench.task.sources.synth_wiki.names import Namer

__all__ = ["Region"]


class Region:
    """The names and facts of one region; entities are counted from 0 within it, "locally".

    A fact's other end is a number: the target's local index, or the position of the value in the attribute's list.

    Args:
        definition: the kind of world.
        seed: of the world.
        namer: of the world.
        start: index in the world of the region's first entity.
        size: how many entities the region has.

    Attributes:
        layout: local indices of each type, by noun.
        kinds: type of each entity.
        ends: per entity, other end by fact key; a fact may be missing.
    """

    def __init__(self, definition: WorldDefinition, *, seed: int, namer: Namer, start: int, size: int) -> None:
        self.definition = definition
        self.start = start
        self.size = size
        self.layout = _layout(definition, size)
        self.kinds: list[EntityType] = [kind for kind in definition.types for _ in self.layout[kind.noun]]
        self._namer = namer
        self._draw = Draw(seed, definition.name, "region", start)
        self._in_use = {
            fact.key: self._draw.shuffled(range(len(fact.values)))[: definition.difficulty.variety]
            for fact in definition.facts.values()
            if isinstance(fact, Attribute)
        }
        self.ends: list[dict[str, int]] = []
        for kind in definition.types:
            self._draw_families(kind)

    @cached_property
    def names(self) -> list[str]:
        """Name of each entity, without an article."""
        return [name for name, _ in self._names]

    @cached_property
    def names_in_text(self) -> list[str]:
        """Name of each entity as running text has it: "the Ostrel Water"."""
        return [kind.naming.article + name for kind, name in zip(self.kinds, self.names, strict=True)]

    @cached_property
    def pronouns(self) -> list[tuple[str, str]]:
        """Subject and possessive pronoun of each entity; at odd places of a list of given names are women's."""
        personal = (("he", "his"), ("she", "her"))
        heads = (head for _, head in self._names)
        return [personal[head % 2] if k.person else ("it", "its") for k, head in zip(self.kinds, heads, strict=True)]

    @cached_property
    def incoming(self) -> list[list[tuple[str, int]]]:
        """Per entity, the relations that point to it as (fact key, subject)."""
        result: list[list[tuple[str, int]]] = [[] for _ in range(self.size)]
        for subject in range(self.size):
            for key, target in self.relations(subject):
                result[target].append((key, subject))
        return result

    def relations(self, local: int) -> Iterator[tuple[str, int]]:
        """The entity's relations as (fact key, target)."""
        facts = self.definition.facts
        return ((key, end) for key, end in self.ends[local].items() if not isinstance(facts[key], Attribute))

    @cached_property
    def _names(self) -> list[tuple[str, int]]:
        return [self._namer.name(self.start + local, kind.naming) for local, kind in enumerate(self.kinds)]

    def _draw_families(self, kind: EntityType) -> None:
        draw, sizes = self._draw, self.definition.difficulty.families
        locals_ = iter(self.layout[kind.noun])
        for local in locals_:
            model = {fact.key: self._draw_end(fact, kind, local) for fact in kind.facts}
            self.ends.append(_known(model))
            members = islice(locals_, draw.choice(sizes) - 1)
            for member, fact in zip(members, cycle(draw.shuffled(kind.facts)), strict=False):
                self.ends.append(_known(model | {fact.key: self._draw_end(fact, kind, member)}))

    def _draw_end(self, fact: Fact, kind: EntityType, local: int) -> int:
        """The other end of a fact, -1 where it has to be missing."""
        draw = self._draw
        if isinstance(fact, Attribute):
            return draw.choice(self._in_use[fact.key])
        targets = self.layout[fact.target]
        # Within a type, facts point to earlier entities only: no one is the apprentice of an own apprentice.
        count = local - targets.start if fact.target == kind.noun else len(targets)
        if count == 0:
            return -1
        return targets.start + min(draw.below(count) for _ in range(self.definition.difficulty.crowding))


@lru_cache(maxsize=8)
def _layout(definition: WorldDefinition, size: int) -> dict[str, range]:
    total = sum(kind.weight for kind in definition.types)
    layout, weight, start = {}, 0, 0
    for kind in definition.types:
        weight += kind.weight
        end = size * weight // total
        layout[kind.noun] = range(start, end)
        start = end
    return layout


def _known(ends: dict[str, int]) -> dict[str, int]:
    return {key: end for key, end in ends.items() if end >= 0}
