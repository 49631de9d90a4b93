"""Questions about a world: sampled from its facts, proven before they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from operator import and_

from lrat_bench.errors import UsageError
from lrat_bench.task.sources.synth_wiki.definition import Attribute
from lrat_bench.task.sources.synth_wiki.draw import Draw
from lrat_bench.task.sources.synth_wiki.proof import Prover
from lrat_bench.task.sources.synth_wiki.tree import Constraint, QuestionTree
from lrat_bench.task.sources.synth_wiki.wording import word_question
from lrat_bench.task.sources.synth_wiki.world import World

__all__ = ["AskedQuestion", "ask"]

ANSWERS_PER_TYPE = 3
"""Entities tried as answer before another type is."""

LINKS = 4
"""Relations of an answer that are considered in each form: named, described, described by a description."""

SECOND = 0.25
"""Probability that a description below the answer has a second constraint, where the first may often do."""

Link = tuple[str, int, bool]
"""(fact key, local index of the other entity, whether the other is the fact's subject)."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question with all that the generator knows about it.

    Attributes:
        qid: "train-0000", "test-0000", …
        split: "train" or "test".
        text: as asked.
        tree: what it means; the root is the answer.
    """

    qid: str
    split: str
    text: str
    tree: QuestionTree


def ask(world: World, *, train: int, test: int) -> Iterator[AskedQuestion]:
    """The questions of a world, train first.

    The splits have no region in common, so neither an answer nor any evidence of one serves the other.

    Raises:
        UsageError: the world is too small for so many questions.
    """
    regions = Draw(world.seed, world.definition.name, "splits").shuffled(range(world.regions))
    half = len(regions) // 2
    for split, count, own in (("train", train, regions[:half]), ("test", test, regions[half:])):
        number = 0
        for position, region in enumerate(own[:count]):
            sampler = _Sampler(world, region)
            for _ in range(count // len(own) + (position < count % len(own))):
                qid = f"{split}-{number:04d}"
                draw = Draw(world.seed, world.definition.name, "question", qid)
                tree = sampler.sample(number, draw)
                if tree is None:
                    raise UsageError(
                        f"{world.documents} documents hold too few different questions for {split}={count}: "
                        "ask for fewer questions or more documents"
                    )
                yield AskedQuestion(qid, split, word_question(world, tree, draw), tree)
                number += 1


class _Sampler:
    """Samples trees over one region, no two the same, with answers used evenly."""

    def __init__(self, world: World, region: int) -> None:
        self.definition = world.definition
        self.region = world.region(region)
        self.prover = Prover(self.region)
        self._tried = [0] * self.region.size
        self._sampled: set[str] = set()

    def sample(self, number: int, draw: Draw) -> QuestionTree | None:
        """A proven tree, of the type and shape that are the number's turn where there is one; None if all fail."""
        types, shapes = self.definition.types, self.definition.difficulty.shapes
        turns = product(range(len(shapes)), range(len(types)), range(ANSWERS_PER_TYPE))
        for later_shape, later_type, _ in turns:
            kind = types[(number + later_type) % len(types)]
            depth, width = shapes[(number // len(types) + later_shape) % len(shapes)]
            answer = min(draw.shuffled(self.region.layout[kind.noun]), key=self._tried.__getitem__)
            self._tried[answer] += 1
            for tree in self._candidates(answer, depth, width, draw):
                if tree.meaning not in self._sampled and self.prover.proves(tree):
                    self._sampled.add(tree.meaning)
                    return tree
        return None

    def _candidates(self, answer: int, depth: int, width: int, draw: Draw) -> Iterator[QuestionTree]:
        """Trees of the shape, whose root's constraints are together sufficient and each needed."""
        root = QuestionTree(self.region.start + answer, self.region.kinds[answer].noun)
        peers, only = self.prover.of_type[root.noun], 1 << answer
        pool = [(constraint, self.prover.fitting(constraint) & peers) for constraint in self._pool(answer, depth, draw)]
        # What alone is enough makes all else redundant, and what all peers fit is redundant itself.
        pool = [(constraint, mask) for constraint, mask in pool if mask not in (only, peers)]
        masks = [mask for _, mask in pool]
        for chosen in _sufficient(masks, width, peers, only):
            if any(reduce(and_, (masks[place] for place in chosen if place != spared)) == only for spared in chosen):
                continue
            tree = replace(root, constraints=tuple(pool[place][0] for place in chosen))
            entities = [node.entity for node in tree.nodes()]
            if tree.depth == depth and len(set(entities)) == len(entities):
                yield tree

    def _pool(self, answer: int, depth: int, draw: Draw) -> list[Constraint]:
        """Things to ask of an answer: its values, and its relations with the other end named or described."""
        links, pool = self._links(answer), self._values(answer)
        for below in [*range(depth), depth - 1]:
            pool += [self._linked(link, below, answer, draw) for link in draw.shuffled(links)[:LINKS]]
        pool = draw.shuffled(pool)
        if draw.chance(self.definition.difficulty.direct):
            pool.sort(key=lambda constraint: not _is_named(constraint))
        return pool

    def _linked(self, link: Link, depth: int, origin: int, draw: Draw) -> Constraint:
        fact, other, traced = link
        constraints = self._describe(other, depth, origin, draw) if depth else ()
        tree = QuestionTree(self.region.start + other, self.region.kinds[other].noun, constraints)
        return Constraint(fact, tree, traced)

    def _describe(self, local: int, depth: int, origin: int, draw: Draw) -> tuple[Constraint, ...]:
        """One or two constraints of an entity, none of which leads back to where the description comes from."""
        links = draw.shuffled([link for link in self._links(local) if link[1] != origin])
        values = draw.shuffled(self._values(local))
        chosen = [self._linked(links.pop(), depth - 1, local, draw)] if links and depth > 1 else []
        for _ in range(draw.chance(SECOND) + (not chosen)):
            if links and draw.chance(self.definition.difficulty.named):
                chosen.append(self._linked(links.pop(), 0, local, draw))
            else:
                chosen.append(values.pop())
        return tuple(chosen)

    def _links(self, local: int) -> list[Link]:
        links = [(key, end, False) for key, end in self.region.relations(local)]
        return links + [(key, subject, True) for key, subject in self.region.incoming[local]]

    def _values(self, local: int) -> list[Constraint]:
        attributes = [fact for fact in self.region.kinds[local].facts if isinstance(fact, Attribute)]
        return [Constraint(fact.key, fact.values[self.region.ends[local][fact.key]]) for fact in attributes]


def _sufficient(masks: list[int], width: int, fit: int, only: int, first: int = 0) -> Iterator[tuple[int, ...]]:
    """Places of `width` masks that leave `only` together, in order, where each takes something from those before it.

    Where one can be spared because of those *after* it, the places are among them all the same.

    Args:
        masks: to choose from, at `first` or later.
        width: how many are chosen.
        fit: what those chosen before leave.
        only: what all together must leave.
        first: the first place that may be chosen.
    """
    for place in range(first, len(masks) - width + 1):
        left = fit & masks[place]
        if width == 1:
            if left == only:
                yield (place,)
        # One that takes nothing can be spared, and after one that leaves no more than is asked, all others can.
        elif left not in (fit, only):
            for others in _sufficient(masks, width - 1, left, only, place + 1):
                yield (place, *others)


def _is_named(constraint: Constraint) -> bool:
    return isinstance(constraint.other, QuestionTree) and constraint.other.named
