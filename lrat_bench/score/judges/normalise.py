"""When two spellings are the same answer.

The rules extend those of SQuAD (Rajpurkar et al. 2016: lower case, no articles, no punctuation) where these would
make different answers equal or equal ones different: decimal points, minus signs, initials and scripts other than
Latin.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["normalise", "words"]

ARTICLES = frozenset({"a", "an", "the"})

_MARKS = re.compile("[\u0300-\u036f]")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_INITIALS = re.compile(r"(?<=\b[^\W\d_]\.)\s+(?=[^\W\d_]\.)")
_NUMBER_SIGN = re.compile(r"((?<=\d)\.(?=\d)|(?<!\w)-(?=\d))")
_SILENT = frozenset(".'’‘ʼ\"“”`")


def words(text: str) -> list[str]:
    """The words of a text, for comparison; articles are kept.

    - Compatibility forms and case are folded (NFKD, Unicode case folding), so `Ⅳ` is `iv` and `ß` is `ss`.
    - Accents are dropped: agents transliterate, and answers that differ in accents alone are rare. Dropped are the
      marks of U+0300–U+036F (Latin, Greek, Cyrillic) only: in Devanagari, Thai or kana a mark is a letter's worth.
      Letters that are no accented ones (`ø`, `ł`) stay.
    - Full stops, quotes and apostrophes vanish (`U.S.A.` is `usa`, `J. R. R.` is `jrr`), other punctuation
      separates words (`Jean-Paul` is `jean paul`).
    - Numbers keep their decimal point and their minus sign and lose thousands commas. Symbols (`+`, `€`) are kept.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = _MARKS.sub("", folded).replace("\u2212", "-").replace("\u2044", "/")
    pieces = _NUMBER_SIGN.split(_INITIALS.sub("", _GROUPED.sub("", plain)))
    # Every second piece is a decimal point or a minus sign; the minus starts a word.
    spelt = [{".": ".", "-": " -"}[piece] if at % 2 else _clean(piece) for at, piece in enumerate(pieces)]
    return unicodedata.normalize("NFC", "".join(spelt)).split()


def normalise(text: str) -> str:
    """`words` without articles, joined by single spaces.

    An article that ends the text is a name (`Vitamin A`, `Plan A`) and kept. A text of punctuation alone stands for
    itself.
    """
    found = words(text)
    kept = [word for at, word in enumerate(found) if word not in ARTICLES or at == len(found) - 1]
    return " ".join(kept) or " ".join(unicodedata.normalize("NFKC", text).split())


def _clean(text: str) -> str:
    return "".join(map(_character, text))


def _character(char: str) -> str:
    if char in _SILENT:
        return ""
    kind = unicodedata.category(char)
    if kind[0] == "P":
        return " "
    # Soft hyphens, joiners and control characters are invisible.
    return "" if kind in {"Cf", "Cc"} and not char.isspace() else char
