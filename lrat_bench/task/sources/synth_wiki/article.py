"""The article of an entity."""

from __future__ import annotations

from lrat_bench.task.sources.synth_wiki.definition import Attribute, Relation
from lrat_bench.task.sources.synth_wiki.draw import Draw
from lrat_bench.task.sources.synth_wiki.region import Region

__all__ = ["FEWEST_WORDS", "write_article"]

FEWEST_WORDS = 60
"""Below that, sentences that state no fact are added."""

ASIDES = 2
"""Such sentences in any article."""


def write_article(region: Region, local: int, draw: Draw) -> str:
    """The lead, then every fact of the entity among asides, in an order of its own.

    Args:
        region: the entity's region.
        local: index of the entity in the region.
        draw: chooses phrasings and order.
    """
    kind = region.kinds[local]
    asides = draw.shuffled(kind.asides)
    body = draw.shuffled(_facts(region, local, draw) + _mentions(region, local, draw))
    for aside in asides[:ASIDES]:
        body.insert(1 + draw.below(len(body)), (aside, ""))
    sentences = [_sentence(region, local, *told, draw) for told in [(draw.choice(kind.leads), ""), *body]]
    for aside in asides[ASIDES:]:
        if sum(sentence.count(" ") + 1 for sentence in sentences) >= FEWEST_WORDS:
            break
        sentences.append(_sentence(region, local, aside, "", draw))
    return " ".join(sentences)


def _facts(region: Region, local: int, draw: Draw) -> list[tuple[str, str]]:
    """(template, other end) of each fact."""
    told = []
    for fact in region.kinds[local].facts:
        end = region.ends[local].get(fact.key)
        if end is not None:
            other = fact.values[end] if isinstance(fact, Attribute) else region.names_in_text[end]
            told.append((draw.choice(fact.told), other))
    return told


def _mentions(region: Region, local: int, draw: Draw) -> list[tuple[str, str]]:
    """(template, name) of entities whose own articles link to this one, and of one that may be taken for it."""
    definition, incoming = region.definition, region.incoming[local]
    told = []
    if incoming:
        for key, subject in draw.shuffled(incoming)[: definition.difficulty.backlinks]:
            fact = definition.facts[key]
            assert isinstance(fact, Relation)
            told.append((draw.choice(fact.echoed), region.names_in_text[subject]))
    if draw.chance(definition.difficulty.confusions):
        peer = draw.choice(region.layout[region.kinds[local].noun])
        if peer != local:
            told.append((draw.choice(definition.confusions), region.names_in_text[peer]))
    return told


def _sentence(region: Region, local: int, template: str, other: str, draw: Draw) -> str:
    pronoun, possessive = region.pronouns[local]
    subject = pronoun if draw.chance(0.7) else f"the {region.kinds[local].noun}"
    sentence = template.format(N=region.names_in_text[local], S=subject, s=subject, P=possessive, o=other)
    return sentence[0].upper() + sentence[1:]
