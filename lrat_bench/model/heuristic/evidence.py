"""What the documents seen so far say about the clauses of the question, one document at a time."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lrat_bench.model.heuristic.notebook import Notebook
from lrat_bench.model.heuristic.question import Clause, Question
from lrat_bench.model.heuristic.text import Page, Sentence, is_number, phrase

__all__ = ["Evidence"]

_LITERAL = 1.5
"""Names and numbers count for this much more than other words: they are asked for literally."""

_UNHEARD, _TYPE = 0.3, 0.1
"""Weights of a word that no document has (the question's own way to put it) and of a type shared by many."""

_TELLING = 1.0
"""Weight that a document must have of a clause to be quoted on it: about one uncommon word."""


@dataclass(frozen=True)
class Evidence:
    """Documents against clauses.

    A clause is *covered* by a document to the share of its terms, by weight, that the document holds: three tenths for
    the document as a whole, seven for its best sentence.

    Attributes:
        question: what is asked.
        notes: what was seen.
    """

    question: Question
    notes: Notebook

    @cached_property
    def types(self) -> frozenset[str]:
        """The question's nouns that some document is said to be."""
        nouns = frozenset(term for entity in self.question.entities for term in entity.noun)
        return nouns.intersection(term for seen in self.notes.seen.values() for term in seen.page.types)

    @cached_property
    def weights(self) -> dict[str, float]:
        """Weight of each term of the question: inverse document frequency among the documents seen."""
        counts = Counter(term for seen in self.notes.seen.values() for term in _held(seen.page, self._vocabulary)[0])
        total = len(self.notes.seen)

        def weight(term: str) -> float:
            literal = is_number(term) or term in self.question.named or term in self.question.names
            if term in self.types:
                return _TYPE
            if not counts[term] and not literal:
                return _UNHEARD
            return math.log(1 + (total + 1) / (counts[term] + 0.5)) * (_LITERAL if literal else 1.0)

        return {term: weight(term) for term in sorted(self._vocabulary)}

    @cached_property
    def clause_weights(self) -> tuple[float, ...]:
        """Weight of each clause."""
        return tuple(sum(self.weights[term] for term in clause.terms) for clause in self.question.clauses)

    @cached_property
    def own(self) -> dict[str, tuple[float, ...]]:
        """How far each document itself covers each clause, 0 to 1."""
        clauses = range(len(self.question.clauses))
        return {
            docid: tuple(self._coverage(seen.page, clause) for clause in clauses)
            for docid, seen in self.notes.seen.items()
        }

    @cached_property
    def links(self) -> dict[str, tuple[str, ...]]:
        """Of each document, those it mentions or is mentioned by; one of the two has been opened."""
        seen = list(self.notes.seen.values())
        found: dict[str, dict[str, None]] = {document.docid: {} for document in seen}
        for opened in seen:
            if not opened.read:
                continue
            for other in seen:
                if other is not opened and _linked(opened.page, other.page):
                    found[opened.docid][other.docid] = None
                    found[other.docid][opened.docid] = None
        return {docid: tuple(others) for docid, others in found.items()}

    def quotes(self, docid: str, least: float) -> list[tuple[Clause, Sentence, float]]:
        """The clauses that a document covers to `least` or more, each with the sentence that does.

        Clauses of which it has only faint words are left out.
        """
        page = self.notes.seen[docid].page
        found = []
        for number, (value, weight) in enumerate(zip(self.own[docid], self.clause_weights, strict=True)):
            if value >= least and value * weight >= _TELLING and page.sentences:
                found.append(
                    (
                        self.question.clauses[number],
                        max(page.sentences, key=lambda s: self._share(s.terms, number)),
                        value,
                    )
                )
        return found

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self.question.terms + self.question.names).union(
            *(clause.terms for clause in self.question.clauses)
        )

    @cached_property
    def _weighed(self) -> tuple[tuple[tuple[str, float], ...], ...]:
        """The terms of each clause, each with its weight."""
        return tuple(tuple((term, self.weights[term]) for term in clause.terms) for clause in self.question.clauses)

    def _coverage(self, page: Page, clause: int) -> float:
        whole, sentences = _held(page, self._vocabulary)
        everything = self._share(whole, clause)
        if not everything:
            return 0.0
        together = max(
            (self._share(sentence, clause) for sentence in sentences),
            default=everything,
        )
        return 0.7 * together + 0.3 * everything

    def _share(self, held: frozenset[str], clause: int) -> float:
        """Share of a clause's terms, by weight, that are held; the inner loop of the whole heuristic."""
        total = self.clause_weights[clause]
        return sum([weight for term, weight in self._weighed[clause] if term in held]) / total if total else 0.0


@lru_cache(maxsize=16384)
def _held(page: Page, vocabulary: frozenset[str]) -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """Which terms of a vocabulary a page holds: as a whole, and by sentence (those without any left out)."""
    named = [term for term in vocabulary if term.startswith(" ")]

    def held(terms: frozenset[str], text: str) -> frozenset[str]:
        return (vocabulary & terms).union(name for name in named if name in text)

    sentences = dict.fromkeys(held(sentence.terms, page.key + phrase(sentence.text)) for sentence in page.sentences)
    return held(page.terms, page.body), tuple(found for found in sentences if found)


@lru_cache(maxsize=65536)
def _linked(page: Page, other: Page) -> bool:
    """Whether one page mentions the other's title."""
    return bool(other.key and other.key in page.body) or bool(page.key and page.key in other.body)
