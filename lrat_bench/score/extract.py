"""Reads the final answer and the stated confidence out of what an agent wrote.

Agents are asked to end with the lines

    Explanation: …
    Exact Answer: …
    Confidence: NN%

and many put Markdown or `<answer>` tags around them, or write nothing of the kind.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

__all__ = ["Extracted", "extract"]

_END_OF_THINKING = re.compile(r"</think>", re.IGNORECASE)
_TAGGED = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_ANSWER = re.compile(r"\bexact\s+answer[ \t*_]*[:\uff1a]", re.IGNORECASE)
_NEXT_FIELD = re.compile(r"\b(?:confidence(?:[ \t]+(?:score|level))?|explanation)[ \t*_]*[:\uff1a].*", re.IGNORECASE)
_CONFIDENCE = re.compile(
    r"\bconfidence(?:[ \t]+(?:score|level))?[ \t*_]*[:\uff1a][\s*_~≈]*(\d+(?:\.\d+)?)[ \t]*([%\uff05]?)", re.IGNORECASE
)
_MARKUP = "*_`" + string.whitespace


@dataclass(frozen=True, slots=True)
class Extracted:
    """A final answer and its stated confidence.

    Attributes:
        answer: the final answer; empty where there is none.
        confidence: between 0 and 1; None where none is stated or it lies outside.
    """

    answer: str
    confidence: float | None


def extract(text: str) -> Extracted:
    """The final answer in an agent's text.

    1. What precedes a closing `</think>` is no answer. Inside `<answer>` tags (the last pair that holds something;
       the closing one may be cut off) only their content counts.
    2. There, the last `Exact Answer:` that has a value, on its line or the next. Case does not matter, Markdown
       around label and value is dropped, and the label may stand within a line.
    3. Nothing, where the label is there and has no value; all of the text, where there is no label. Prose is not
       searched for the part that might be meant.

    A confidence is read from the last `Confidence:` with a number: `85%`, or `85`, or a fraction `0.85`; a number
    without a percent sign is a fraction when it is at most 1.
    """
    said = _END_OF_THINKING.split(text)[-1]
    said = said if said.strip() else text
    inside = [content for content in _TAGGED.findall(said) if content.strip()]
    scope = inside[-1] if inside else said
    if not _ANSWER.search(scope):
        return Extracted(scope.strip(_MARKUP), _confidence(said))
    given = [value for value in map(_value, _ANSWER.split(scope)[1:]) if value]
    return Extracted(given[-1] if given else "", _confidence(said))


def _value(after_label: str) -> str:
    line = after_label.strip(_MARKUP).partition("\n")[0]
    return _NEXT_FIELD.sub("", line).rstrip(_MARKUP + ",;(")


def _confidence(text: str) -> float | None:
    stated = _CONFIDENCE.findall(text)
    if not stated:
        return None
    number, percent = stated[-1]
    value = float(number)
    if percent or value > 1:
        value /= 100
    return value if value <= 1 else None
