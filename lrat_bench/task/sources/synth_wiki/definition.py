"""What a world is made of, as data: types of entity, their facts, the phrasings of each fact, and the names.

A world definition holds no code; the generator holds no vocabulary. Templates are `str.format` strings:

    {N}  the entity's name with its article: "the Ostrel Water"
    {S}  the entity as subject of a sentence: "She", "The river"
    {s}  the same in mid-sentence: "she", "the river"
    {P}  possessive, capitalised where it opens the sentence: "her", "its"
    {o}  the other end of the fact: a name, a description, or an attribute's value
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Attribute", "Difficulty", "EntityType", "Fact", "Naming", "Relation", "Syllables", "WorldDefinition"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A fact whose other end is a value.

    Attributes:
        key: unique within the world.
        values: they stand literally in articles and in questions.
        told: sentences of articles.
        asked: verb phrases of questions, sharing no content word with `told`.
    """

    key: str
    values: tuple[str, ...]
    told: tuple[str, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A fact whose other end is an entity.

    Attributes:
        key: unique within the world.
        target: type of the other end.
        told: sentences of the subject's article.
        echoed: sentences of the target's article, where {o} is the subject.
        asked: verb phrases said of the subject; they end with {o}, which may be a long description.
        traced: verb phrases said of the target, where {o}, at the end, is the subject.
    """

    key: str
    target: str
    told: tuple[str, ...]
    echoed: tuple[str, ...]
    asked: tuple[str, ...]
    traced: tuple[str, ...]


Fact = Attribute | Relation


@dataclass(frozen=True, slots=True)
class Naming:
    """How the entities of some types are named: an invented word, and a head that tells the kind.

    Attributes:
        pattern: with {word} and {head}.
        heads: no head serves two namings, which keeps names of different kinds apart.
        article: "the " where running text needs it, else "".
    """

    pattern: str
    heads: tuple[str, ...]
    article: str = ""


@dataclass(frozen=True, slots=True)
class Syllables:
    """Parts of invented words: first, none to two of the middle ones, last."""

    first: tuple[str, ...]
    middle: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityType:
    """One type of entity.

    Attributes:
        noun: names the type, in data and in text.
        weight: share of the world, relative to the other types.
        naming: how its entities are called.
        facts: what is said of each, in any order.
        leads: first sentences.
        asides: sentences that state no fact.
        person: whether it is "who", "she" or "he" rather than "that" and "it".
    """

    noun: str
    weight: int
    naming: Naming
    facts: tuple[Fact, ...]
    leads: tuple[str, ...]
    asides: tuple[str, ...]
    person: bool = False


@dataclass(frozen=True, slots=True)
class Difficulty:
    """The knobs that make the questions of a world harder or easier to answer.

    Attributes:
        region: entities per region. Relations stay inside a region, so a larger one has more candidates for every
            description.
        families: sizes, chosen at random, of the groups of entities that agree in all facts but one. Larger gives more
            near misses, and questions that need more constraints.
        variety: values of an attribute that are in use within a region. Lower makes values tell less.
        crowding: of how many draws the lowest is taken when a relation picks its target. 1 is uniform; higher
            crowds the mentions onto few entities, whose names then find many articles.
        names_per_word: how many entities of the world share an invented word. Higher gives BM25 more wrong hits.
        backlinks: at most so many facts are told in the target's article too. Higher opens a second way to them.
        confusions: probability that an article names an unrelated entity of its own type.
        named: probability that an entity is described by the name of another rather than by a value. Higher is easier.
        direct: probability that a question names an entity next to its answer if it can. Higher is easier.
        shapes: what questions look like, taken in turn: (how many entities one below the other are described, the
            answer included; how many constraints the answer has). Deeper and wider is harder.
    """

    region: int = 250
    families: tuple[int, ...] = (2, 3, 4, 5)
    variety: int = 5
    crowding: int = 2
    names_per_word: int = 4
    backlinks: int = 2
    confusions: float = 0.3
    named: float = 0.6
    direct: float = 0.9
    shapes: tuple[tuple[int, int], ...] = ((2, 2), (3, 2), (2, 3), (2, 2), (3, 3), (2, 3), (3, 2), (2, 4))


@dataclass(frozen=True)
class WorldDefinition:
    """Everything that tells one world from another."""

    name: str
    types: tuple[EntityType, ...]
    syllables: Syllables
    confusions: tuple[str, ...]
    difficulty: Difficulty = Difficulty()

    @cached_property
    def by_noun(self) -> Mapping[str, EntityType]:
        """The types by noun."""
        return {kind.noun: kind for kind in self.types}

    @cached_property
    def facts(self) -> Mapping[str, Fact]:
        """The facts by key; one fact may serve several types."""
        return {fact.key: fact for kind in self.types for fact in kind.facts}
