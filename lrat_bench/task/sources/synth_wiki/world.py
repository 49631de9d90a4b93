"""The world: entities by index, computed when asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lrat_bench.task.corpus import Document
from lrat_bench.task.sources.synth_wiki.article import write_article
from lrat_bench.task.sources.synth_wiki.definition import Attribute, EntityType, WorldDefinition
from lrat_bench.task.sources.synth_wiki.draw import Draw
from lrat_bench.task.sources.synth_wiki.names import Namer, coprime
from lrat_bench.task.sources.synth_wiki.region import Region

__all__ = ["Entity", "World"]


@dataclass(frozen=True, slots=True)
class Entity:
    """What the world knows of one entity.

    Attributes:
        index: from 0 to the world's size - 1.
        docid: of its article.
        name: without an article; the title, and the answer to a question about it.
        type: its type.
        facts: by key: a value, or the index of the entity at the other end.
    """

    index: int
    docid: str
    name: str
    type: EntityType
    facts: Mapping[str, str | int]


class World:
    """A world of `documents` entities, one article each.

    Args:
        definition: the kind of world.
        seed: any integer.
        documents: how many entities; at least one region's worth.
    """

    def __init__(self, definition: WorldDefinition, seed: int, documents: int) -> None:
        self.definition = definition
        self.seed = seed
        self.documents = documents
        self.regions = max(1, documents // definition.difficulty.region)
        self._namer = Namer(definition, seed, documents)
        self._cache: OrderedDict[int, Region] = OrderedDict()
        draw = Draw(seed, definition.name, "docids")
        self._docid_step = coprime(documents, documents // 3 + draw.below(documents // 3 + 1))
        self._docid_start = draw.below(documents)
        self._docid_width = len(str(documents - 1))

    def __len__(self) -> int:
        return self.documents

    def __iter__(self) -> Iterator[Document]:
        """All articles by index, as a stream."""
        return map(self.document, range(self.documents))

    def start(self, region: int) -> int:
        """Index of the first entity of a region."""
        return region * self.documents // self.regions

    def region_of(self, index: int) -> int:
        """Number of the region that an entity lies in."""
        return ((index + 1) * self.regions - 1) // self.documents

    def region(self, number: int) -> Region:
        """The facts of a region; the last few regions asked for are kept."""
        found = self._cache.get(number)
        if found is None:
            start = self.start(number)
            size = self.start(number + 1) - start
            found = Region(self.definition, seed=self.seed, namer=self._namer, start=start, size=size)
            self._cache[number] = found
            if len(self._cache) > 4:
                self._cache.popitem(last=False)
        return found

    def docid(self, index: int) -> str:
        """Docid of an entity: digits of one width, in an order that tells nothing about regions."""
        return str((index * self._docid_step + self._docid_start) % self.documents).zfill(self._docid_width)

    def entity(self, index: int) -> Entity:
        """The entity of an index."""
        region = self.region(self.region_of(index))
        local = index - region.start
        facts: dict[str, str | int] = {}
        for key, end in region.ends[local].items():
            fact = self.definition.facts[key]
            facts[key] = fact.values[end] if isinstance(fact, Attribute) else region.start + end
        return Entity(index, self.docid(index), region.names[local], region.kinds[local], facts)

    def document(self, index: int) -> Document:
        """The article of an entity."""
        region = self.region(self.region_of(index))
        local = index - region.start
        draw = Draw(self.seed, self.definition.name, "article", index)
        return Document(self.docid(index), region.names[local], write_article(region, local, draw))
