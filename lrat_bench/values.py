"""Values as users give them: texts for lists, mappings over mappings, and what is said of those that do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["Texts", "listed", "merged", "nested", "plainly", "said"]

_MAPPING = "must be a mapping, as in {{key: value}}"
_LIST = "must be a list, as in [a, b]"
_SAID = {
    "missing": "is missing",
    "extra_forbidden": "there is no such field",
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"), _MAPPING),
    "string_type": "must be a text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    "finite_number": "must be a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    "none_required": "must be null",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be less than {lt:g}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
"""The validator's name of a problem → our words, with the facts that it gives."""

_PRIVATE = ("parameters", "extra_body")
"""Fields whose values may hold what nobody should read; so may any other mapping."""


def said(problem: ErrorDetails) -> str:
    """What is wrong, as the end of a sentence: "must be a whole number"."""
    words = _SAID.get(problem["type"])
    if words is not None:
        return words.format(**problem.get("ctx", {}))
    text = problem["msg"].removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def plainly(error: ValidationError) -> str:
    """The first problem on one line: the field, its value where anybody may read it, and what is wrong with it."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if isinstance(part, str) and part != "[key]") or "content"
    given = first["input"]
    public = isinstance(given, str | int | float) or given in ((), [])
    if first["type"] in ("missing", "extra_forbidden") or not public or set(_PRIVATE) & set(first["loc"]):
        return f"{place}: {said(first)}"
    return f"{place} cannot be {given!r}: {said(first)}"


def merged(old: Any, new: Any) -> Any:
    """`new` in place of `old`; mappings entry by entry, where null takes one out."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    kept = {key: value for key, value in old.items() if key not in new}
    return {**kept, **{key: merged(old.get(key), value) for key, value in new.items() if value is not None}}


def nested(path: Sequence[str], value: Any) -> Any:
    """A value in mappings of one entry each: `["a", "b"]` and 5 give `{"a": {"b": 5}}`."""
    for step in reversed(path):
        value = {step: value}
    return value


def listed(value: Any) -> Any:
    """A lone text as the list of one that is meant by it; anything else as it is."""
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(listed)]
"""A field that holds texts, and takes a lone one."""
