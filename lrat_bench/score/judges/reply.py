"""Reads a judge's reply: a verdict that is stated, or none. What cannot be read is never taken for a "no"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["READER_VERSION", "Reply", "read_reply"]

READER_VERSION = 1
"""Grows when a reply could be read differently; part of every LLM judge's fingerprint."""

_THOUGHT_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THOUGHT_START = re.compile(r"^[^\S\n]*+<think(?:ing)?>", re.IGNORECASE | re.MULTILINE)
# Possessive throughout: a judge that writes thousands of asterisks must not cost seconds.
# At the start of a line, behind bullets, numbers and Markdown. The repeated right answer comes first among those that
# begin alike: where that is "Yes", `correct answer: Yes` is no verdict.
_LABEL = re.compile(
    r"^[^\w\n]*+_*+(?:\d{1,2}[.)][^\w\n]*+_*+)?"
    r"(?P<name>extracted[ _-]?final[ _-]?answer|correct[ _-]?answer|reasoning|(?:is[ _])?correct|confidence)"
    r"(?:[ \t]*\([^)\n]*\))?[^\w\n:：=|]*+(?:_++[^\w\n:：=|]*+)?[:：=|]",
    re.IGNORECASE | re.MULTILINE,
)
_INLINE = re.compile(
    r"(?<![\w-])(?<!\bnot )correct[\"'*_`\]]*[ \t]*[:：=]['\"*_`\[ \t]*(?P<said>yes|no)\b"
    r"(?=['\"*_`\]]*\s*(?:$|[.,;)|}]|(?:confidence|reasoning|extracted)\b))",
    re.IGNORECASE,
)
_SAID = re.compile(r"[\W_]*(?P<said>yes|no|true|false)\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
# `yes|no`, `yes/no`, `"yes" or "no"`: the form again.
_CHOICE = re.compile(r"[\"'*_`\])]*\s*(?:[|/]|or\b)\s*[\"'*_`\[(]*(?:yes|no|true|false)\b", re.IGNORECASE)
# `yes if …`, `yes, but only if …`: a condition.
_CONDITION = re.compile(
    r"[\"'*_`\])]*+[ \t]*+[,;:–—-]*+[ \t]*+(?:but\s++)?(?:only\s++)?(?:if|unless|provided)\b", re.IGNORECASE
)
_PROSE = re.compile(r"[ \t]+\w")
_NUMBER = re.compile(r"[\s\"'*_`\[(~≈|]*(?P<number>\d+(?:\.\d+)?)[|\s\\]*(?P<percent>[%％]?)")
_PERCENT = re.compile(r"(?<![\d.])(?P<number>\d+(?:\.\d+)?)\s*(?P<percent>[%％])")
_MARKUP = " \t\r\n\"'*_`"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply says.

    Attributes:
        outcome: the stated verdict; None where there is none, or where two contradict each other.
        extracted_answer: the final answer as the judge read it; None where it found none.
        confidence: of the response, between 0 and 1; None where none is stated.
        reasoning: the judge's; empty where there is none.
        stated: the fields that the reply holds, by label.
    """

    outcome: Literal["correct", "incorrect"] | None
    extracted_answer: str | None = None
    confidence: float | None = None
    reasoning: str = ""
    stated: frozenset[str] = frozenset()


class _Field(NamedTuple):
    name: str
    value: Any
    at: int


def read_reply(text: str) -> Reply:
    """The verdict and the other fields of a reply.

    1. What precedes a closing `</think>` is ignored; where one is opened and not closed, nothing was said.
    2. Fields are lines that begin with a label (`correct: yes`, `**Correct:** Yes.`, `- [correct]: "no"`, with trailing
       text or the value on the next line), and the keys of a JSON object that holds `correct`. Where no line begins
       with `correct`, one within a line is taken, if all of them agree.
    3. All `correct` that say yes or no must say the same, and the last must be one of them. Those that repeat the
       choice (`yes|no`) are passed over; a condition (`yes, if …`) is neither.
    """
    said = _THOUGHT_END.split(text)[-1]
    if _THOUGHT_START.search(said):
        return Reply(None)
    fields = _fields(said)
    last = {field.name: field.value for field in fields}
    answer = last.get("extracted_final_answer")
    return Reply(
        outcome=_verdict(fields) if "correct" in last else _inline(said),
        extracted_answer=_text(answer) or None,
        confidence=_confidence(last.get("confidence")),
        reasoning=_text(last.get("reasoning")),
        stated=frozenset(last),
    )


def _fields(text: str) -> list[_Field]:
    found, start, end = [], len(text), len(text)
    if (span := _json(text)) is not None:
        record, start, end = span
        found = [_Field(_name(key), value, start) for key, value in record.items()]
    for part, offset in ((text[:start], 0), (text[end:], end)):
        labels = list(_LABEL.finditer(part))
        ends = [label.start() for label in labels[1:]] + [len(part)]
        for label, stop in zip(labels, ends, strict=False):
            found.append(_Field(_name(label["name"]), part[label.end() : stop], offset + label.start()))
    return sorted(found, key=lambda field: field.at)


def _json(text: str) -> tuple[dict[str, Any], int, int] | None:
    """The JSON object in a text that has a field `correct`, with where it begins and ends."""
    start, end = text.find("{"), text.rfind("}") + 1
    if not 0 <= start < end:
        return None
    try:
        record = json.loads(text[start:end], strict=False)
    except (ValueError, RecursionError):
        return None
    known = isinstance(record, dict) and any(_name(key) == "correct" for key in record)
    return (record, start, end) if known else None


def _name(label: str) -> str:
    name = re.sub(r"[ -]", "_", label.strip().lower())
    return {"is_correct": "correct", "extractedfinalanswer": "extracted_final_answer"}.get(name, name)


def _verdict(fields: list[_Field]) -> Literal["correct", "incorrect"] | None:
    """What all of the fields say; what is left undecided behind a verdict takes it back, before one it is a draft."""
    said = [_outcome(field.value) for field in fields if field.name == "correct" and not _is_choice(field.value)]
    decided = set(said) - {None}
    return said[-1] if said and len(decided) == 1 else None


def _is_choice(value: Any) -> bool:
    found = _SAID.match(value) if isinstance(value, str) else None
    return found is not None and _CHOICE.match(found["rest"]) is not None


def _outcome(value: Any) -> Literal["correct", "incorrect"] | None:
    if isinstance(value, bool):
        return "correct" if value else "incorrect"
    found = _SAID.match(value) if isinstance(value, str) else None
    if found is None or _CHOICE.match(found["rest"]) or _CONDITION.match(found["rest"]):
        return None
    # After a field that was left blank, `No further remarks` on a later line is prose.
    if "\n" in value[: found.start("said")] and _PROSE.match(found["rest"]):
        return None
    return _meaning(found["said"])


def _inline(text: str) -> Literal["correct", "incorrect"] | None:
    meant = {_meaning(found["said"]) for found in _INLINE.finditer(text)}
    return meant.pop() if len(meant) == 1 else None


def _meaning(said: str) -> Literal["correct", "incorrect"]:
    return "correct" if said.lower() in ("yes", "true") else "incorrect"


def _text(value: Any) -> str:
    """A value as text, without Markdown around it; empty for "None"."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    text = str(value).strip(_MARKUP)
    return "" if text.rstrip(".").lower() in ("none", "null", "[none]") else text


def _confidence(value: Any) -> float | None:
    """A percentage as a share. Written with a decimal point, no percent sign and at most 1, it is a share already."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    line = next(_lines(str(value)), "")
    found = _NUMBER.match(line) or _PERCENT.search(line)
    if found is None:
        return None
    number = float(found["number"])
    if not ("." in found["number"] and number <= 1 and not found["percent"]):
        number /= 100
    return number if number <= 1 else None


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip(_MARKUP))
