"""Text as the heuristic reads it: words, stems, names, sentences, pages.

Shallow on purpose: nothing here knows a language beyond English function words and a few suffixes, and nothing
knows a corpus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "STOPWORDS",
    "Page",
    "Sentence",
    "count_tokens",
    "is_number",
    "names",
    "noun_terms",
    "phrase",
    "read_page",
    "stem",
    "terms",
]

STOPWORDS = frozenset(
    """a about additionally after all also although among an and another any are as at be became because become been
    before being between both but by can could did do does during each either else even ever every few for from
    had has have having he her hers him his how i if in into is it its itself just many may me might more most
    much must my name named neither no nor not now of off on once one only onto or other our out over own per s
    same she should since so some such t than that the their them then there these they this those through to
    together too toward towards under until up upon us very was we well were what when where whether which while
    who whom whose why will with within without would you your""".split()
)
"""Function words: they say nothing about what a text is about."""

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\b(?:St|Mr|Dr|Jr|Sr)\.)(?<!\bMrs\.)[\"”’)\]]*\s+(?=[\"“‘(\[]?[A-Z0-9])"
)
_CAPITALISED = r"(?:[^\W\d_a-zß-öø-ÿ][^\W_]*(?:[.'’-][^\W_]+)*\.?)"
_NAME = re.compile(rf"{_CAPITALISED}(?:(?:\s+(?:of|the|de|la|von|van|der))?(?:\s+of\s+the)?\s+{_CAPITALISED})*")
_DEFINITION = re.compile(r"\b(?:is|was|are|were)\s+(?:an?|the|one of the)\s+([^,.;:]+)")
_LONGEST = 40_000
_SHORT = 1_000
_SUFFIXES = (
    "ations",
    "ation",
    "ings",
    "ions",
    "ing",
    "ion",
    "ers",
    "ors",
    "er",
    "or",
    "ies",
    "ed",
    "es",
    "ly",
    "s",
    "y",
    "e",
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """`word` (lower case) without its inflection: the first suffix that leaves four characters is cut."""
    if word[-1:].isdigit():
        return word.replace(",", "")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)]
    return word


def words(text: str) -> list[str]:
    """Runs of letters or digits, in order, as written."""
    return _WORD.findall(text)


@lru_cache(maxsize=16384)
def terms(text: str) -> tuple[str, ...]:
    """Stems of the content words, in order, each once."""
    lowered = (word.lower() for word in words(text))
    return tuple(
        dict.fromkeys(stem(word) for word in lowered if word not in STOPWORDS and (len(word) > 1 or word.isdigit()))
    )


def phrase(text: str) -> str:
    """Words in lower case between single spaces, with one at either end, so that `in` compares whole words."""
    # Questions, names and sentences come again every turn; a whole document comes once, and would fill the memory.
    return _short_phrase(text) if len(text) <= _SHORT else _phrase(text)


def _phrase(text: str) -> str:
    return f" {' '.join(words(text)).lower()} "


_short_phrase = lru_cache(maxsize=16384)(_phrase)


def is_number(term: str) -> bool:
    """Whether a term is a number or a year."""
    return term[:1].isdigit()


@lru_cache(maxsize=4096)
def names(text: str) -> tuple[str, ...]:
    """Capitalised runs, in order, each once; a lone capital at the head of a sentence is not taken for one."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        run = match.group().rstrip(".'’").split()
        headed = match.start() == 0
        while run and run[0].lower() in STOPWORDS:
            run, headed = run[1:], False
        while run and run[-1].lower() in STOPWORDS:
            run = run[:-1]
        if run and not (headed and len(run) == 1) and len(" ".join(run)) > 2:
            found[" ".join(run)] = None
    return tuple(found)


def count_tokens(text: str) -> int:
    """Approximate model tokens: four for every three words between white space."""
    return (4 * _whitespace_words(text) + 2) // 3


@lru_cache(maxsize=4096)
def _whitespace_words(text: str) -> int:
    return len(text.split())


def noun_terms(text: str) -> tuple[str, ...]:
    """Stems of the noun phrase that a text begins with: up to three lower-case content words, "of" passed over."""
    found: list[str] = []
    for word in words(text):
        if (word == "of" and found) or (word[:1].isupper() and not found):
            continue
        if word in STOPWORDS or not word.islower() or len(found) == 3:
            break
        found.append(stem(word))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and the stems of its content words."""

    text: str
    terms: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A document as far as it was shown; compared by identity, `read_page` gives the same one for the same text.

    Attributes:
        title: its first line; empty where it has none.
        key: the title as a phrase without a parenthesis, for looking it up in other pages.
        sentences: of title and body; each sentence's terms include the title's.
        types: stems of what its first sentence says that it is ("… is a stone bridge over …": stone, bridg).
        terms: of everything.
        body: the whole text as a phrase.
        names: names in the body other than the title.
    """

    title: str
    key: str
    sentences: tuple[Sentence, ...]
    types: frozenset[str]
    terms: frozenset[str]
    body: str
    names: tuple[str, ...]


@lru_cache(maxsize=8192)
def read_page(text: str) -> Page:
    """Take a snippet or a document apart; what a document says after 40,000 characters is not read."""
    text = text[:_LONGEST]
    first, line_break, rest = text.strip().partition("\n")
    titled = bool(line_break) and len(first) <= 120 and not first.endswith((".", "!", "?", ","))
    title, body = (first.strip(), rest) if titled else ("", text)
    about = frozenset(terms(title))
    key = phrase(re.sub(r"\s*\([^)]*\)\s*$", "", title)) if title else ""
    sentences = tuple(
        Sentence(sentence.strip(), about | frozenset(terms(sentence)))
        for line in body.splitlines()
        for sentence in _SENTENCE_END.split(line)
        if sentence.strip()
    )
    found = dict.fromkeys(name for sentence in sentences for name in names(sentence.text) if phrase(name) != key)
    everything = about.union(*(sentence.terms for sentence in sentences))
    return Page(title, key, sentences, _types(sentences), everything, phrase(text), tuple(found))


def _types(sentences: tuple[Sentence, ...]) -> frozenset[str]:
    """Content words of the definition in the first sentence, up to where it says more than the type."""
    defined = _DEFINITION.search(sentences[0].text) if sentences else None
    found: list[str] = []
    for word in words(defined.group(1)) if defined else ():
        if word in STOPWORDS and word != "and":
            break
        found.append(word.lower())
    return frozenset(stem(word) for word in found if word not in STOPWORDS)
