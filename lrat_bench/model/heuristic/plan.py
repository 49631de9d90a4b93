"""What to do next: search, open a document, or answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lrat_bench.model.heuristic.question import Question
from lrat_bench.model.heuristic.support import Support
from lrat_bench.model.heuristic.text import STOPWORDS, names, phrase, stem, terms, words

__all__ = ["Answer", "Move", "Open", "Search", "Settings", "next_move"]


@dataclass(frozen=True, slots=True)
class Settings:
    """When the heuristic opens, searches on and stops.

    Attributes:
        steps: tool calls after which it answers.
        patience: searches in a row without a new document after which it searches no more.
        promise: least promise, 0 to 1, at which a hit is opened.
        covered: share of a clause that counts as support for it.
        helps: helpfulness of a document, 0 to 1, at which it is written about at length.
        enough: score of a candidate, 0 to 1, at which it answers.
    """

    steps: int = 20
    patience: int = 3
    promise: float = 0.1
    covered: float = 0.5
    helps: float = 0.35
    enough: float = 0.8


@dataclass(frozen=True, slots=True)
class Search:
    """Search for a query, for a stated reason."""

    query: str
    why: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open a hit."""

    docid: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer, for a stated reason."""

    why: str


Move = Search | Open | Answer


def next_move(support: Support, tools: frozenset[str], settings: Settings) -> Move:
    """The next move of the search for documents that support the open clauses.

    Args:
        support: question, notes and what follows from them.
        tools: names of the tools on offer.
        settings: thresholds.
    """
    notes = support.notes
    done = len(notes.queries) + len(notes.opened)
    if not tools:
        return Answer("No tool may be called any more.")
    if done >= settings.steps:
        return Answer(f"After {done} steps I answer with the best-supported candidate.")
    if "get_document" in tools and support.ranking and support.ranking[0].read and complete(support, settings):
        return Answer("Every part of the question is supported.")
    options: list[tuple[float, Move]] = []
    exhausted = notes.barren >= settings.patience
    if "search" in tools and not exhausted:
        asked = {frozenset(terms(query)) for query in notes.queries}
        options += [pair for pair in _searches(support) if frozenset(terms(pair[1].query)) not in asked]
    if "get_document" in tools:
        options += [pair for pair in _hits(support) if pair[0] >= settings.promise]
    if not options:
        return Answer("Further searching brings nothing new." if exhausted else "There is nothing left to search for.")
    return max(options, key=lambda pair: pair[0])[1]


def complete(support: Support, settings: Settings) -> bool:
    """Whether the best candidate has support for every clause."""
    best = support.ranking[0].docid
    return support.scores[best] >= settings.enough


def _hits(support: Support) -> Iterator[tuple[float, Open]]:
    """Hits that were not opened, each with what it is likely to add, 0 to about 1.

    That it is one of the described entities, by its type, what its snippet covers and the opened documents that name
    it; less where that entity is settled; and a little for a good rank.
    """
    for seen in support.notes.seen.values():
        if seen.docid in support.notes.opened:
            continue
        best = 0.3 if support.given(seen.page) else 0.0
        for number, trusted in support.around.items():
            linked = max(
                (trusted[docid] for docid in support.links[seen.docid] if docid in trusted),
                default=0.0,
            )
            worth = support.fit(number, seen.docid) * (0.7 * support.told[number][seen.docid] + 0.8 * linked)
            best = max(best, worth * (1 - 0.5 * support.settled[number]))
        yield best + 0.3 / (2 + seen.rank), Open(seen.docid)


def _searches(support: Support) -> Iterator[tuple[float, Search]]:
    """Queries, each with what it is likely to bring, 0 to 1; the question as a whole before all."""
    question, notes = support.question, support.notes
    yield 2.0, Search(question.text, "I start with the question as a whole.")
    asked = phrase(question.text)
    used = " ".join(phrase(query) for query in notes.queries)
    known = {seen.page.key for seen in notes.seen.values()}
    for number, trusted in support.around.items():
        gap = 1 - support.settled[number]
        wording = _wording(support, number)
        yield 0.35 * gap, Search(wording, "I look for one of the things described.")
        for index in support.said[number]:
            for name in names(f"x {question.clauses[index].text}"):
                yield (
                    0.4 * gap,
                    Search(
                        f"{name} {_noun(question, number)}".strip(),
                        f"I look for what is said of {name}.",
                    ),
                )
        literal = _literal(support, number)
        for docid in sorted(trusted, key=lambda docid: -trusted[docid])[:5]:
            page, value = notes.seen[docid].page, trusted[docid]
            if page.title and not support.given(page):
                why = f'"{page.title}" fits a part of the question; I look for what is connected with it.'
                yield gap * value, Search(f"{page.title} {literal}", why)
            for name in page.names:
                if (key := phrase(name)) not in asked and key not in used and key not in known:
                    yield (
                        0.7 * gap * value,
                        Search(
                            f"{name} {literal}",
                            f'"{page.title}" names {name}: I look it up.',
                        ),
                    )


def _wording(support: Support, number: int) -> str:
    """What is said of a described entity, without leading function words."""
    texts = []
    for index in support.said[number]:
        tokens = words(support.question.clauses[index].text)
        while tokens and tokens[0].lower() in STOPWORDS:
            tokens = tokens[1:]
        texts.append(" ".join(tokens))
    return " ".join(texts) or support.question.text


def _literal(support: Support, number: int) -> str:
    """The words of a description that documents use too, after the noun."""
    kept = [
        word
        for index in support.said[number]
        for word in words(support.question.clauses[index].text)
        if word.lower() not in STOPWORDS and support.weights.get(stem(word.lower()), 0.0) > 0.5
    ]
    return " ".join(dict.fromkeys((_noun(support.question, number), *kept))).strip()


def _noun(question: Question, number: int) -> str:
    """The noun that introduces a described entity, as the question writes it."""
    noun = question.entities[number].noun
    return next((word for word in words(question.text) if stem(word.lower()) in noun), "")
