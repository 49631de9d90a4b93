"""Which documents fit the entities that the question describes, and so which the answer is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from lrat_bench.model.heuristic.evidence import Evidence
from lrat_bench.model.heuristic.notebook import Seen
from lrat_bench.model.heuristic.text import Page, phrase

__all__ = ["Support"]

_PRESENCE = 0.5
"""Weight of there being a document at all, beside the weights of what is said of an entity."""

_MISFIT, _UNTYPED, _NAMESAKE = 0.1, 0.8, 0.3
"""What is left of a document's value where its type is another one, where types are not known, and where the question
itself names it."""

_NAMED = 0.8
"""How far a document covers a clause by being linked to the one that the clause names."""

_UNLINKED = 0.5
"""What counts of a description that stands in the document of the describing entity rather than in one of its own."""

_PERSON = re.compile(r" (?:born|he|she|his|her) ")


@dataclass(frozen=True)
class Support(Evidence):
    """Documents against described entities.

    A question is a tree: the entity asked for is described by facts, and by other entities that are described in
    turn. A document fits an entity by its type, by the facts that it covers, and by being linked to documents that
    fit the entities in the description. Two documents are linked when one mentions the other's title.
    """

    @cached_property
    def parents(self) -> dict[int, int | None]:
        """Each described entity and the one in whose description it stands.

        A noun of which nothing is said and that no document is said to be ("a sunken garden") is a value rather than
        an entity, and left out.
        """
        entities = self.question.entities
        real = [n == 0 or bool(self.types.intersection(e.noun)) for n, e in enumerate(entities)]
        for clause in self.question.clauses:
            real[clause.about] |= bool(set(clause.terms) - set(entities[clause.about].noun))

        def real_parent(number: int | None) -> int | None:
            while number is not None and not real[number]:
                number = entities[number].parent
            return number

        return {n: real_parent(entity.parent) for n, entity in enumerate(entities) if real[n]}

    @cached_property
    def children(self) -> dict[int, tuple[int, ...]]:
        """Each described entity and those in its description."""
        return {n: tuple(m for m, parent in self.parents.items() if parent == n) for n in self.parents}

    @cached_property
    def said(self) -> dict[int, tuple[int, ...]]:
        """Each described entity and the clauses that are said of it."""
        entities = self.question.entities
        found: dict[int, list[int]] = {number: [] for number in self.parents}
        for index, clause in enumerate(self.question.clauses):
            about: int | None = clause.about
            while about is not None and about not in found:
                about = entities[about].parent
            found[about or 0].append(index)
        return {number: tuple(indices) for number, indices in found.items()}

    @cached_property
    def facts(self) -> dict[int, float]:
        """Weight of what is said of each described entity, without those in its description."""
        return {
            number: _PRESENCE + sum(self.clause_weights[index] for index in indices)
            for number, indices in self.said.items()
        }

    @cached_property
    def totals(self) -> dict[int, float]:
        """Weight of each described entity with those in its description."""
        totals: dict[int, float] = {}
        for number in sorted(self.parents, reverse=True):
            totals[number] = self.facts[number] + sum(totals[child] for child in self.children[number])
        return totals

    @cached_property
    def told(self) -> dict[int, dict[str, float]]:
        """Share of what is said of each described entity that each document covers, 0 to 1.

        A document that is linked to the one that a clause names covers that clause too.
        """
        covers = {docid: list(own) for docid, own in self.own.items()}
        for index, clause in enumerate(self.question.clauses):
            for seen in self.notes.seen.values():
                if seen.page.key in clause.terms:
                    for docid in self.links[seen.docid]:
                        covers[docid][index] = max(covers[docid][index], _NAMED)
        told: dict[int, dict[str, float]] = {}
        for number, indices in self.said.items():
            weights = [(index, self.clause_weights[index]) for index in indices]
            whole = sum(weight for _, weight in weights) or 1.0
            told[number] = {
                docid: sum(weight * covered[index] for index, weight in weights) / whole
                for docid, covered in covers.items()
            }
        return told

    def fit(self, number: int, docid: str) -> float:
        """How well a document's type fits a described entity, 0 to 1."""
        page = self.notes.seen[docid].page
        noun = self.question.entities[number].noun
        if wanted := self.types.intersection(noun):
            return _MISFIT + (1 - _MISFIT) * len(wanted & page.types) / len(wanted)
        if number == 0 and self.question.text.lower().startswith(("who", "whom")):
            return 1.0 if _PERSON.search(page.body) else 0.5
        return _UNTYPED

    @cached_property
    def values(self) -> dict[int, dict[str, float]]:
        """For each described entity and each document, how well the document fits the description, 0 to 1.

        The document's type, what is said of the entity itself, and for each entity in its description the document
        that fits best among those linked.
        """
        values: dict[int, dict[str, float]] = {}
        for number in sorted(self.parents, reverse=True):
            values[number] = {docid: self._value(number, docid, values) for docid in self.notes.seen}
        return values

    def _value(self, number: int, docid: str, values: dict[int, dict[str, float]]) -> float:
        reached = _PRESENCE + (self.facts[number] - _PRESENCE) * self.told[number][docid]
        for child in self.children[number]:
            linked = max((values[child][other] for other in self.links[docid]), default=0.0)
            reached += self.totals[child] * max(linked, _UNLINKED * self.told[child][docid])
        return self.fit(number, docid) * reached / self.totals[number]

    @cached_property
    def settled(self) -> dict[int, float]:
        """How well the best opened document fits each described entity, 0 to 1."""
        opened = [seen.docid for seen in self.notes.seen.values() if seen.read]
        return {number: max((values[docid] for docid in opened), default=0.0) for number, values in self.values.items()}

    @cached_property
    def around(self) -> dict[int, dict[str, float]]:
        """For each described entity, the opened documents that may lead to it, and how far they can be trusted.

        They fit an entity that the description connects it with, or are named in the description.
        """
        around: dict[int, dict[str, float]] = {}
        for number, parent in self.parents.items():
            others = (*self.children[number], *([] if parent is None else [parent]))
            found = {
                seen.docid: max((self.values[other][seen.docid] for other in others), default=0.0)
                for seen in self.notes.seen.values()
                if seen.read
            }
            named = {term for index in self.said[number] for term in self.question.clauses[index].terms}
            found |= {docid: _NAMED for docid in found if self.notes.seen[docid].page.key in named}
            around[number] = found
        return around

    @cached_property
    def scores(self) -> dict[str, float]:
        """How well each document fits what is asked for, 0 to 1."""
        return {
            docid: value * (_NAMESAKE if self.given(self.notes.seen[docid].page) else 1.0)
            for docid, value in self.values[0].items()
        }

    @cached_property
    def ranking(self) -> tuple[Seen, ...]:
        """Opened documents, best first (all that were seen, where none was opened)."""
        pool = [seen for seen in self.notes.seen.values() if seen.read] or list(self.notes.seen.values())
        return tuple(sorted(pool, key=lambda seen: (-self.scores[seen.docid], seen.order)))

    def given(self, page: Page) -> bool:
        """Whether a page is about something that the question names, so cannot be the answer to "which"."""
        return self.question.kind == "name" and bool(page.key) and page.key in phrase(self.question.text)

    def helpfulness(self, docid: str) -> float:
        """How much an opened document helps, 0 to 1.

        How well it fits a described entity, by itself and beside the opened document that fits it best; what the
        question names always helps.
        """
        page = self.notes.seen[docid].page
        named = _NAMED if page.key and page.key in phrase(self.question.text) else 0.0
        fits = (
            values[docid] ** 2 * self.fit(number, docid) / (self.settled[number] or 1.0)
            for number, values in self.values.items()
        )
        return max(named, *fits)

    @cached_property
    def open(self) -> tuple[float, ...]:
        """For each clause, how much of it the best candidate and what is linked to it leave unsupported, 0 to 1."""
        if not self.ranking:
            return (1.0,) * len(self.question.clauses)
        best = self.ranking[0].docid
        near = {best, *self.links[best]}
        near |= {other for docid in near for other in self.links[docid]}
        covered = [values for docid, values in self.own.items() if docid in near]
        return tuple(1 - max(values) for values in zip(*covered, strict=True))
