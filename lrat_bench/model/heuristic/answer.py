"""The final answer: the best-supported candidate of the kind that the question asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lrat_bench.model.heuristic.notebook import Seen
from lrat_bench.model.heuristic.support import Support
from lrat_bench.model.heuristic.text import (
    Sentence,
    is_number,
    phrase,
    stem,
    terms,
    words,
)

__all__ = ["UNKNOWN", "Conclusion", "conclude"]

UNKNOWN = "unknown"

_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = re.compile(
    rf"\b{_MONTH} \d{{1,2}}, \d{{4}}\b|\b\d{{1,2}} {_MONTH} \d{{4}}\b|\b{_MONTH} \d{{4}}\b|\b1\d{{3}}\b|\b20\d{{2}}\b"
)
_NUMBER = re.compile(r"\b\d+(?:,\d{3})*(?:\.\d+)?\b")
_COMPARISONS = (
    (
        re.compile(r"\b(?:first|earlier|earliest|older|oldest|before|elder)\b", re.IGNORECASE),
        _YEAR,
        -1,
    ),
    (
        re.compile(
            r"\b(?:later|latest|younger|youngest|newer|newest|last|after|recently)\b",
            re.IGNORECASE,
        ),
        _YEAR,
        1,
    ),
    (
        re.compile(
            r"\b(?:more|most|larger|largest|higher|highest|longer|longest|bigger|taller)\b",
            re.IGNORECASE,
        ),
        _NUMBER,
        1,
    ),
    (
        re.compile(
            r"\b(?:fewer|fewest|less|least|smaller|smallest|lower|shorter)\b",
            re.IGNORECASE,
        ),
        _NUMBER,
        -1,
    ),
)
"""Words that compare, what they compare, and whether more (1) or less (-1) of it wins."""

_PATTERNS = {"year": _YEAR, "date": _DATE, "number": _NUMBER}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """An answer, the document it rests on (None where there is none), and how far that is supported, 0 to 1."""

    text: str
    source: Seen | None
    confidence: float


def conclude(support: Support) -> Conclusion:
    """The best-supported answer; `UNKNOWN` where nothing was found, never a guess from the question."""
    if not support.ranking:
        return Conclusion(UNKNOWN, None, 0.0)
    best = support.ranking[0]
    score = support.scores[best.docid]
    question = support.question
    if question.kind == "yes-no":
        return Conclusion(_yes_or_no(support), best, score)
    if question.kind == "choice":
        return Conclusion(_choose(support), best, score)
    if (pattern := _PATTERNS.get(question.kind)) and (found := _value(support, pattern)):
        return Conclusion(found[0], found[1], score)
    return Conclusion(*_name(support, best), score)


def _name(support: Support, best: Seen) -> tuple[str, Seen]:
    """A title that the question does not name, else the first name that the best document holds and it does not."""
    asked = phrase(support.question.text)
    for seen in support.ranking:
        if (
            seen.page.key
            and seen.page.key not in asked
            and support.scores[seen.docid] >= 0.5 * support.scores[best.docid]
        ):
            return re.sub(r"\s*\([^)]*\)$", "", seen.page.title), seen
    fresh = (name for seen in support.ranking for name in seen.page.names if phrase(name) not in asked)
    return next(fresh, best.page.title or UNKNOWN), best


def _value(support: Support, pattern: re.Pattern[str]) -> tuple[str, Seen] | None:
    """The first value of a pattern, absent from the question, in the sentence that shares most with it."""
    question = support.question
    best: tuple[float, str, Seen] | None = None
    for seen in support.ranking[:4]:
        for sentence in seen.page.sentences:
            found = next(
                (m.group() for m in pattern.finditer(sentence.text) if m.group() not in question.text),
                None,
            )
            if found is None:
                continue
            value = support.scores[seen.docid] * (0.2 + _overlap(support, sentence))
            if best is None or value > best[0]:
                best = (value, found, seen)
    return None if best is None else best[1:]


def _overlap(support: Support, sentence: Sentence) -> float:
    return sum(weight for term, weight in support.weights.items() if term in sentence.terms) / (
        sum(support.weights.values()) or 1
    )


def _page_of(support: Support, name: str) -> Seen | None:
    """The document about a named thing: the one whose title shares most with the name."""
    wanted = set(terms(name))
    pool = sorted(support.notes.seen.values(), key=lambda seen: (not seen.read, seen.order))
    best = max(
        pool,
        key=lambda seen: _jaccard(wanted, set(terms(seen.page.title))),
        default=None,
    )
    return best if best and _jaccard(wanted, set(terms(best.page.title))) >= 0.5 else None


def _jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def _choose(support: Support) -> str:
    """One of two alternatives: the earlier, later or larger one where the question compares, else the better covered.

    What is compared is the first year, or the first number, in the sentence of each page that is closest to the
    question.
    """
    question = support.question
    first, second = question.choices
    one, other = (_page_of(support, choice) for choice in question.choices)
    if one is None or other is None:
        return first if one else second
    for more, pattern, sign in _COMPARISONS:
        if not more.search(question.text):
            continue
        values = [_compared(support, seen, pattern) for seen in (one, other)]
        if values[0] is not None and values[1] is not None and values[0] != values[1]:
            return first if sign * (values[0] - values[1]) > 0 else second
    return first if sum(support.own[one.docid]) >= sum(support.own[other.docid]) else second


def _compared(support: Support, seen: Seen, pattern: re.Pattern[str]) -> float | None:
    sentences = sorted(seen.page.sentences, key=lambda sentence: -_overlap(support, sentence))
    found = next(
        (match.group() for sentence in sentences for match in pattern.finditer(sentence.text)),
        None,
    )
    return None if found is None else float(found.replace(",", ""))


def _yes_or_no(support: Support) -> str:
    """Yes when both things that the question names have what it says of them."""
    question = support.question
    named = [seen for seen in support.ranking if seen.page.key and seen.page.key in phrase(question.text)][:2]
    if len(named) < 2:
        return "yes"
    about = {term for seen in named for term in terms(seen.page.title)}
    asked = [term for term in question.terms if term not in about and not is_number(term)]
    shared = named[0].page.terms & named[1].page.terms
    if any(word in {"same", "also"} for word in map(str.lower, words(question.text))):
        opening = [seen.page.sentences[0].terms - about for seen in named if seen.page.sentences]
        return "yes" if len(opening) == 2 and len(opening[0] & opening[1]) >= 3 else "no"
    return "yes" if not asked or sum(stem(term) in shared for term in asked) >= 0.5 * len(asked) else "no"
