"""Names: invented, pronounceable, shared in part, and unique over the whole world."""

from __future__ import annotations

from math import gcd

from lrat_bench.task.sources.synth_wiki.definition import Naming, Syllables, WorldDefinition
from lrat_bench.task.sources.synth_wiki.draw import Draw

__all__ = ["Namer", "Vocabulary", "coprime"]


class Vocabulary:
    """Invented words by number: short ones first, and within a length neighbours look unalike.

    Args:
        syllables: their parts; a word has up to two middle ones.
    """

    def __init__(self, syllables: Syllables) -> None:
        self._syllables = syllables
        shortest = len(syllables.first) * len(syllables.last)
        capacities: list[int] = [shortest * len(syllables.middle) ** middles for middles in range(3)]
        self._lengths = [(capacity, coprime(capacity, capacity * 5 // 8)) for capacity in capacities]
        self._size = sum(capacities)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < self._size:
            raise IndexError(number)
        parts = self._syllables
        middles = 0
        while number >= self._lengths[middles][0]:
            number -= self._lengths[middles][0]
            middles += 1
        capacity, step = self._lengths[middles]
        rest, first = divmod(number * step % capacity, len(parts.first))
        rest, last = divmod(rest, len(parts.last))
        word: str = parts.first[first]
        for _ in range(middles):
            rest, middle = divmod(rest, len(parts.middle))
            word += parts.middle[middle]
        return word + parts.last[last]


class Namer:
    """Names by index, without a table.

    The index i goes to the pair (word, round) = ((a·i + b) mod W, i div W), with a coprime to the number of words W,
    so no two indices share a pair; the round picks the head, starting from another head for each word. Two entities
    whose naming is the same therefore differ in word or head, and namings have no head in common.

    Args:
        definition: the world's syllables and namings.
        seed: of the world.
        documents: number of entities in the world.
    """

    def __init__(self, definition: WorldDefinition, seed: int, documents: int) -> None:
        self._vocabulary = Vocabulary(definition.syllables)
        self._words = min(max(1, documents // definition.difficulty.names_per_word), len(self._vocabulary))
        rounds = -(-documents // self._words)
        self._steps: dict[Naming, tuple[int, int]] = {}
        for kind in definition.types:
            if len(kind.naming.heads) < rounds:
                raise ValueError(
                    f"{kind.noun}: {len(kind.naming.heads)} heads are too few for {rounds} rounds of words"
                )
            draw = Draw(seed, definition.name, "names", kind.naming.heads[0])
            self._steps[kind.naming] = coprime(self._words, draw.below(self._words)), draw.below(self._words)

    def name(self, index: int, naming: Naming) -> tuple[str, int]:
        """The entity's name, without an article, and which of the naming's heads is in it."""
        step, start = self._steps[naming]
        word = (step * index + start) % self._words
        head = (word * 7 + index // self._words) % len(naming.heads)
        return naming.pattern.format(word=self._vocabulary[word], head=naming.heads[head]), head


def coprime(modulus: int, near: int) -> int:
    """The first number from `near` (at least 1) upward that shares no divisor with `modulus`."""
    number = max(1, near)
    while gcd(number, modulus) != 1:
        number += 1
    return number
