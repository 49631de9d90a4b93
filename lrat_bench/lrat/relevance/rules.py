"""The judge `rules`: reads English cues in the first sentences behind a browse; offline, at once, and free."""

from __future__ import annotations

import re
from typing import Literal

from lrat_bench.files import fingerprint
from lrat_bench.lrat.relevance.base import Opinion
from lrat_bench.score.judges.base import NOTHING_USED

__all__ = ["RulesRelevance"]

_VERSION = 1
"""Grows with every change that can alter an opinion."""

_SENTENCES = 3
_WORDS = 3
"""How many sentences of how many words are read; what comes later is about the next step."""

_CHARACTERS = 4000
_SENTENCE = 500
"""What is looked at of a reasoning and of a sentence at most: a model that writes no full stops costs no seconds."""

_QUOTE = '"…"'
_QUOTED = re.compile(r'"[^"\n]*"|“[^”\n]*”|«[^»\n]*»|„[^“\n]*“')
# A line is a sentence, too; `Mr. X` is cut in two, which does no harm.
_BREAK = re.compile(r"(?<=[.!?])[\s*]+|\n+")

# What a sentence about the document begins with, or has somewhat before its verb.
_SUBJECT = (
    r"(?:^|\b(?:documents?|docs?|pages?|articles?|texts?|entry|entries|results?|passages?|contents?|sources?|snippets?|"
    r"it|this|that|these|those|they|which|information|info)\b|" + re.escape(_QUOTE) + r"|\[\w+\]|\b\d{3,}\b)"
)
_GAP = r"(?:[^\w\"]+\w+){0,5}?[^\w\"]*?"
_NOT = r"\b(?:does|do|did|is|was|are|were|has|have|had|can|could|would)(?:n't|\s+not)\b(?!\s+(?:only|just|merely))"
_TELLS = (
    r"(?:help|mention|contain|include|provide|give|say|state|discuss|answer|address|cover|specify|show|list|reveal|match|"
    r"fit|talk|tell|indicate|confirm|describe|refer|offer|yield|explain|relate|support|bear|seem|appear)"
)
_APT = r"(?:helpful|relevant|useful|related|informative|pertinent|applicable)"
_FACTS = (
    r"(?:information|info|mentions?|details?|evidence|data|connection|match|relevance|references?|help|use|answers?|luck|"
    r"clues?|trace|indication|facts?)"
)
_SAYS = (
    r"(?:helps|says|states|mentions|confirms|gives|lists|shows|describes|reveals|contains|provides|indicates|explains|"
    r"notes|tells|matches|answers|supports|identifies)"
)

_AGAINST = re.compile(
    "|".join(
        (
            rf"{_SUBJECT}{_GAP}{_NOT}(?:\s+\w+){{0,2}}?\s+{_TELLS}\w*",
            rf"(?:\b(?:not|hardly|barely|never)|n't)\s+(?!only\b|just\b)(?:\w+\s+){{0,2}}?{_APT}\b",
            r"\b(?:irrelevant|unrelated|unhelpful|useless|uninformative|off[- ]topic|dead end)\b",
            rf"\b(?:no|little|without|lacks?|lacking|zero)\s+(?:\w+\s+){{0,3}}?{_FACTS}\b",
            r"\b(?:says?|found|finds?|has|contains?|gives?|offers?|there(?:'s| is| was))\s+nothing\b",
            r"\bnothing\s+(?:\w+\s+){0,2}?(?:about|relevant|useful|helpful|here|there|new|that|on|of)\b",
            r"\bwrong\s+(?:document|doc|page|article|person|one|entry|place|city|book|film|year)\b",
            r"(?:\bnot|n't)\s+(?:what\s+(?:we|i)\b|the\s+(?:right|correct)\b|the\s+one\b|about\b|it\b(?!\s+\w+ed))",
            r"\b(?:i|we)\s+(?:do|did|could|can)(?:n't|\s?not)\s+(?:see|find)\b",
            r"\b(?:could\s+not|couldn't|cannot|can't)\s+be\s+(?:opened|read|found)\b",
            r"^\W*(?:no|nope|nothing|nah|not found)\b\W*$",
        )
    ),
    re.IGNORECASE,
)
_FOR = re.compile(
    "|".join(
        (
            rf"{_SUBJECT}{_GAP}(?<!only )(?<!just )(?<!merely )\b{_SAYS}\b",
            rf"\b(?:{_APT}|great|perfect|excellent|bingo|good)\b",
            r"\b(?:we|i)\s+(?:now\s+)?(?:have|got|know|found)\b",
            r"\b(?:thus|so|therefore|hence)\b[,:]?\s+(?:the\s+)?(?:final\s+)?answer\b",
            r"\b(?:the|our)\s+answer\s+(?:is|must|should)\b",
            r"\bconfirm(?:s|ed)\b",
        )
    ),
    re.IGNORECASE,
)
_STILL = re.compile(
    r"\b(?:but|however|although|though|yet|still|nevertheless)\b[^.!?]*?"
    r"\b(?:it|this|that|the\s+(?:document|doc|page|article|text|passage))\b\s+(?:also\s+|at\s+least\s+)?"
    r"(?:does(?!\s+not|n't)|mentions|says|gives|confirms|helps|states|shows|contains|provides|lists|tells|notes|leads)\b",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"(?:(?:so|then|now|but|ok|okay)\b,?\s+)?(?:next\b|let(?:'s|\s+us|\s+me)\b|maybe\b|perhaps\b|search\b|"
    r"(?:i|we)(?:'ll|\s+(?:will|need|should|must|could|search|open|try|look))\b)",
    re.IGNORECASE,
)


class RulesRelevance:
    """Relevant, unless the agent says at once that the document does not help.

    1. Quotations are blanked out, so that what a document says is not taken for what is said of it.
    2. The first three sentences of three words or more are read, and shorter ones in between; less where one that is
       not the first announces the next step ("Let us search …", "Perhaps …").
    3. The first sentence with a cue decides. Against a document speak: that it does not mention, contain, answer, help
       …; that it is irrelevant, unrelated, useless, not relevant, not helpful, the wrong one; that there is no
       information, no mention, nothing about it; a bare "No." For it: that it says, confirms, helps …; "great"; "now we
       have"; "the answer is".
    4. A cue against it is taken back by a contrast in the same or the next sentence: "… but it does say …".
    5. Without a cue it is relevant: an agent that goes on thinking about a document has a use for it.

    Another language has no cues, and every document passes. It is never undecided.
    """

    name = "rules"
    fingerprint = fingerprint(
        {
            "relevance": "rules",
            "version": _VERSION,
            "cues": [_AGAINST.pattern, _FOR.pattern, _STILL.pattern, _NEXT.pattern],
        }
    )

    async def judge(self, query: str, docid: str, reasoning: str) -> Opinion:  # noqa: ARG002
        """See the class; the query and the document are not looked at."""
        return Opinion(_outcome(_opening(reasoning)), usage=NOTHING_USED)

    async def close(self) -> None:
        """Nothing is held."""


def _opening(reasoning: str) -> list[str]:
    """The sentences that are read."""
    plain = _QUOTED.sub(_QUOTE, reasoning[:_CHARACTERS].replace("’", "'").replace("‘", "'"))
    opening: list[str] = []
    counted = 0
    for sentence in _BREAK.split(plain):
        text = sentence.strip(" \t*_#>-•")[:_SENTENCE]
        if not text:
            continue
        if opening and _NEXT.match(text):
            break
        opening.append(text)
        counted += len(text.split()) >= _WORDS
        if counted == _SENTENCES:
            break
    return opening


def _outcome(sentences: list[str]) -> Literal["relevant", "irrelevant"]:
    for place, sentence in enumerate(sentences):
        if _AGAINST.search(sentence):
            following = sentences[place + 1] if place + 1 < len(sentences) else ""
            taken_back = _STILL.search(sentence) or _STILL.match(following)
            return "relevant" if taken_back else "irrelevant"
        if _FOR.search(sentence):
            return "relevant"
    return "relevant"
