"""The question, split into the clauses that an answer has to satisfy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lrat_bench.model.heuristic.text import is_number, names, noun_terms, phrase, terms

__all__ = ["Clause", "Entity", "Kind", "Question", "read_question"]

Kind = Literal["name", "year", "date", "number", "yes-no", "choice"]
"""What the answer looks like."""

_ASKED = re.compile(
    r"(?:(?:^|[.?!,;]\s+|\b(?:in|on|at|of|for|from|to|by)\s+)(?:[Ww]hich|[Ww]hat)|^(?:[Nn]ame|[Ii]dentify|[Ff]ind|[Gg]ive))\s+"
    r"(?:(?:is|are|was|were|the|an?|one|name|title|of|type|kind|this)\s+)*([^,.;:?!]+)"
)
_AUXILIARY = frozenset("is are was were do does did has have had can could will would".split())
_NUMBERED = re.compile(r"\bhow (?:many|much|long|old|tall|high|far|large|big|deep)\b", re.IGNORECASE)
_CHOICE = re.compile(r"([^,;:?]+?),? or ([^,;?]+)\??$")
_PREPOSITION = r"(?:in|at|of|on|to|for|from|by|with|near|into|under|as)"
# A clause begins after punctuation, at a relative pronoun, at a conjunction, and where a new entity is introduced
# ("of a", "by an"); the indefinite article is what tells a described entity from a named one.
_BREAK = re.compile(
    r",\s+(?:(?:and|but|or)\s+)?(?=[a-z])|[;:?!()]\s*|\.\s+|\s+(?:and|but)\s+(?=[a-z])"
    rf"|\s+(?=(?:{_PREPOSITION}\s+)?(?:who|whose|whom|which|that|where|when|while)\s)"
    rf"|\s+(?=(?:{_PREPOSITION}\s+)?an?\s)"
)
_INTRODUCED = re.compile(rf"(?:{_PREPOSITION}\s+)?an?\s+(.*)", re.IGNORECASE)
_COPULA = re.compile(r"\b(?:is|are|was|were)$", re.IGNORECASE)
_AGAIN = re.compile(r"(?:the same|this|these|which|what)\s+(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing asked.

    Attributes:
        text: as the question has it.
        terms: stems of its content words, in order, and the names in it as phrases.
        about: index of the entity of which it is said.
    """

    text: str
    terms: tuple[str, ...]
    about: int


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that the question describes and does not name.

    Attributes:
        noun: stems of the words that introduce it, its type among them; empty for "who".
        parent: index of the entity in whose description it stands; None for the one asked for.
    """

    noun: tuple[str, ...]
    parent: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    Attributes:
        text: as asked.
        kind: what the answer looks like.
        entities: the one asked for, then those described, in the order of the question.
        clauses: in the order of the question.
        names: the names in it, as phrases.
        named: stems of the words in these names.
        choices: the two alternatives of "…, A or B?"; empty otherwise.
    """

    text: str
    kind: Kind
    entities: tuple[Entity, ...]
    clauses: tuple[Clause, ...]
    names: tuple[str, ...]
    named: frozenset[str]
    choices: tuple[str, ...]

    @property
    def terms(self) -> tuple[str, ...]:
        """Stems of all content words."""
        return terms(self.text)


@lru_cache(maxsize=1024)
def read_question(text: str) -> Question:
    """Split a question into clauses, and find out what it asks for."""
    text = " ".join(text.split())
    choices = _choices(text)
    found = names(text)
    entities, clauses = _describe(text, _head(text))
    return Question(
        text=text,
        kind=_kind(text, choices),
        entities=entities,
        clauses=clauses,
        names=tuple(phrase(name) for name in found),
        named=frozenset(term for name in found for term in terms(name)),
        choices=choices,
    )


def _kind(text: str, choices: tuple[str, ...]) -> Kind:
    lowered = text.lower()
    first = lowered.split(" ", 1)[0].strip("\"“'")
    if choices:
        return "choice"
    if first in _AUXILIARY:
        return "yes-no"
    if re.search(r"\b(?:what|which) (?:\w+ )?year\b|\byear (?:was|were|did|is)\b", lowered):
        return "year"
    if _NUMBERED.search(lowered) or re.search(
        r"\bwhat (?:is|was) the (?:population|number|height|length|area)\b", lowered
    ):
        return "number"
    if first == "when" or re.search(r"\b(?:what|which|on what) date\b", lowered):
        return "date"
    return "name"


def _choices(text: str) -> tuple[str, ...]:
    """The alternatives of a comparison: two names around the last "or"."""
    found = _CHOICE.search(text.rstrip("? ."))
    if not found:
        return ()
    left, right = found.groups()
    right = re.sub(r"^the ", "", right.strip())
    candidates = [name for name in names("x " + left) if left.rstrip(' "”').endswith(name)]
    if not candidates or not (right[:1].isupper() or right[:1] in "\"“'"):
        return ()
    return candidates[-1], right.strip("\"“”' ")


def _head(text: str) -> tuple[str, ...]:
    """The noun that is asked for, where the question has one: "Which stone bridge", "What is the name of a river"."""
    asked = _ASKED.search(text)
    return noun_terms(asked.group(1)) if asked else ()


def _describe(text: str, head: tuple[str, ...]) -> tuple[tuple[Entity, ...], tuple[Clause, ...]]:
    """Split a question into clauses and attach each to an entity.

    A clause is said of the entity that it introduces or takes up again ("this guild"); after a comma of the one that
    the sentence began with; otherwise of the one before it. "is a", "was an" introduce nothing new.
    """
    entities = [Entity(head, None)]
    clauses: list[Clause] = []
    subject = current = 0
    held = ""
    equated = False
    for delimiter, part in _pieces(text):
        if introduced := _INTRODUCED.match(part):
            if held:
                clauses.append(_clause(held, current))
            held = ""
        begins = delimiter[:1] in {"", ".", "?", "!", ";"}
        if begins:
            subject = current = 0
        elif delimiter.startswith(","):
            current = subject
        if introduced:
            noun = noun_terms(introduced.group(1))
            if not (entities[0].noun or clauses):
                entities[0] = Entity(noun, None)
            elif not (equated or (begins and set(noun) & set(head))):
                entities.append(Entity(noun, current))
                current = len(entities) - 1
        elif again := _AGAIN.match(part):
            noun = noun_terms(again.group(1))
            current = next(
                (i for i, entity in enumerate(entities) if set(noun) & set(entity.noun)),
                current,
            )
        if begins:
            subject = current
        piece = f"{held} {part}".strip()
        equated = bool(_COPULA.search(part))
        thin = _thin(piece)
        held = piece if thin and terms(piece) else ""
        if not thin:
            clauses.append(_clause(piece, current))
    if clauses and not set(terms(held)) <= set(head):
        clauses[-1] = _clause(f"{clauses[-1].text} {held}", clauses[-1].about)
    return tuple(entities), tuple(clauses or [_clause(text, 0)])


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What the question falls into, each piece with what separates it from the one before."""
    delimiter, start = "", 0
    for match in _BREAK.finditer(text):
        if match.start() > start:
            yield delimiter, text[start : match.start()]
        delimiter, start = match.group(), match.end()
    if start < len(text):
        yield delimiter, text[start:]


def _clause(text: str, about: int) -> Clause:
    named = (phrase(name) for name in names(f"x {text}"))
    return Clause(text, tuple(dict.fromkeys((*terms(text), *named))), about)


def _thin(piece: str) -> bool:
    """Whether a piece says too little to be looked for by itself."""
    found = [term for term in terms(piece) if term not in {"year", "date"}]
    return len(found) < 2 and not names(f"x {piece}") and not any(map(is_number, found))
