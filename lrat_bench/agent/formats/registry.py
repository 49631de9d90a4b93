"""Wire formats by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lrat_bench.agent.formats.base import WireFormat
from lrat_bench.errors import UsageError, foreign
from lrat_bench.registry import Entry, Registry
from lrat_bench.values import said

__all__ = ["FORMATS", "load_format"]

FORMATS = Registry(
    "wire format",
    {
        "native": Entry("lrat_bench.agent.formats.native:Native", "tools and calls in fields of their own"),
        "tags": Entry("lrat_bench.agent.formats.tags:Tags", "calls as <tool_call> text, as Qwen models write them"),
        "search_r1": Entry(
            "lrat_bench.agent.formats.search_r1:SearchR1",
            "one text that is continued, with <search> in it; no browsing",
        ),
    },
    group="lrat_bench.formats",
)


def load_format(name: str, options: Mapping[str, Any] | None = None) -> WireFormat:
    """A wire format.

    Args:
        name: as registered.
        options: keyword arguments of its class.

    Raises:
        UnknownName: there is none of that name.
        UsageError: it does not take these options.
    """
    made, given = FORMATS.load(name), dict(options or {})
    with foreign(f"wire format {name!r} cannot be made"):
        known = list(inspect.signature(made).parameters)
        if unknown := [key for key in given if key not in known]:
            has = f"it has {', '.join(map(repr, known))}" if known else "it has none"
            raise UsageError(f"wire format {name!r} has no option {', '.join(map(repr, unknown))}; {has}")
        try:
            found: WireFormat = made(**given)
        except ValidationError as error:
            first = error.errors()[0]
            key = str(first["loc"][0])
            raise UsageError(f"wire format {name!r} cannot have {key}={given[key]!r}: {said(first)}") from None
    return found
