"""The world definitions: data with rules of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest

from lrat_bench.task.sources.synth_wiki.definition import Attribute, Relation, WorldDefinition
from lrat_bench.task.sources.synth_wiki.draw import Draw
from lrat_bench.task.sources.synth_wiki.in_domain import IN_DOMAIN
from lrat_bench.task.sources.synth_wiki.names import Vocabulary
from lrat_bench.task.sources.synth_wiki.out_of_domain import OUT_OF_DOMAIN

WORLDS = (IN_DOMAIN, OUT_OF_DOMAIN)
FUNCTION_WORDS = set(
    "a about after again against all almost alone always among an and are as at back be been before below best between "
    "by came can chiefly come down each ever every few for found from gave get give given go had half has have he her "
    "his how in into is it its known last left like long made make many most my near never no nor not now of off old "
    "on once one only or other out over own s same seen she since so some still such take taken than that the their "
    "them then there they this those three through to took two under up very was well were what when where which while "
    "who with without".split()
)


def content_stems(world: WorldDefinition, phrases: Iterable[str]) -> set[str]:
    """Content words, roughly stemmed; the nouns of types are common to both kinds of text on purpose."""
    words = re.findall(r"[a-z]+", re.sub(r"\{\w\}", " ", " ".join(phrases).lower()))
    return {stem(word) for word in words if word not in FUNCTION_WORDS} - {stem(kind.noun) for kind in world.types}


def stem(word: str) -> str:
    return re.sub(r"(ings?|ed|es|s|e|y)$", "", word) if len(word) > 4 else word.removesuffix("s")


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_articles_and_questions_phrase_a_fact_in_different_words(world: WorldDefinition) -> None:
    shared = {}
    for fact in world.facts.values():
        told, asked = list(fact.told), list(fact.asked)
        if isinstance(fact, Relation):
            told += fact.echoed
            asked += fact.traced
        if common := content_stems(world, told) & content_stems(world, asked):
            shared[fact.key] = common
    assert not shared


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_every_fact_has_several_phrasings_that_show_the_other_end_once(world: WorldDefinition) -> None:
    for fact in world.facts.values():
        groups = [fact.told, fact.asked]
        if isinstance(fact, Relation):
            groups += [fact.echoed, fact.traced]
            for phrase in (*fact.asked, *fact.traced):
                assert phrase.endswith("{o}"), "a description may be long, so it comes last"
        else:
            assert len(set(fact.values)) == len(fact.values) >= 4
        for group in groups:
            assert len(set(group)) == len(group) >= 2, fact.key
            assert all(phrase.count("{o}") == 1 for phrase in group), fact.key


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_article_a_is_never_put_before_a_vowel(world: WorldDefinition) -> None:
    for fact in world.facts.values():
        if isinstance(fact, Attribute) and any(re.search(r"\b[Aa] \{o\}", phrase) for phrase in fact.told + fact.asked):
            assert not [value for value in fact.values if value[0] in "aeiou"], fact.key


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_facts_link_known_types_and_every_type_has_values_to_ask_for(world: WorldDefinition) -> None:
    assert len(world.types) >= 8
    seen: dict[str, object] = {}
    for kind in world.types:
        assert any(isinstance(fact, Attribute) for fact in kind.facts)
        for fact in kind.facts:
            assert seen.setdefault(fact.key, fact) is fact, "a key stands for one fact"
            assert isinstance(fact, Attribute) or fact.target in world.by_noun
        assert all("{N}" in lead and kind.noun in lead for lead in kind.leads)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_namings_have_no_head_in_common(world: WorldDefinition) -> None:
    namings = {kind.naming for kind in world.types}
    heads = [head for naming in namings for head in naming.heads]
    assert len(set(heads)) == len(heads)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_invented_words_are_all_different(world: WorldDefinition) -> None:
    vocabulary = Vocabulary(world.syllables)
    assert len(vocabulary) > 10**6
    sample = [*range(60_000), *range(60_000, len(vocabulary), 997)]
    assert len({vocabulary[number] for number in sample}) == len(sample)
    with pytest.raises(IndexError):
        vocabulary[len(vocabulary)]


def test_the_two_worlds_have_nothing_in_common_but_english() -> None:
    parts: list[Callable[[WorldDefinition], set[str]]] = [
        lambda world: {kind.noun for kind in world.types},
        lambda world: set(world.facts),
        lambda world: {phrase for fact in world.facts.values() for phrase in (*fact.told, *fact.asked)},
        lambda world: {head for kind in world.types for head in kind.naming.heads},
        lambda world: set(world.syllables.first),
        lambda world: {aside for kind in world.types for aside in kind.asides},
    ]
    for part in parts:
        assert not part(IN_DOMAIN) & part(OUT_OF_DOMAIN)


def test_a_draw_is_a_function_of_its_key_and_of_nothing_else() -> None:
    draw = Draw(0, "in-domain", "article", 7)
    # Literal numbers: another Python must not bring another world.
    assert [draw.below(1000) for _ in range(5)] == [58, 390, 69, 238, 943]
    assert Draw(1, "in-domain", "article", 7).below(10**9) != Draw(0, "in-domain", "article", 7).below(10**9)
    assert sorted(Draw("any").shuffled(range(50))) == list(range(50))
