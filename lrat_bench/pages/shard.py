"""Data for a page as a script file: what a page opened from a disk may load where it may not fetch."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["script_value"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_SURROGATES = re.compile("[\ud800-\udfff]")

_IN_LITERAL = (
    ("\\", "\\\\"),
    ("'", "\\'"),
    ("<", "\\u003c"),
    (">", "\\u003e"),
    ("&", "\\u0026"),
    ("\u2028", "\\u2028"),
    ("\u2029", "\\u2029"),
)
"""What is not written as itself within a JavaScript text in single quotes; the backslash first."""


def script_value(name: str, value: Any) -> str:
    """A script that sets `window.NAME` to a value, whatever texts the value holds.

    The value is a JSON text inside a JavaScript text: parsed, never evaluated, so that no key or content of it is
    code (`{"__proto__": …}` is a key like any other); quick for an engine; and safe where HTML would be read.

    Args:
        name: letters, digits and underscores.
        value: anything that JSON holds; NaN and infinities it does not.

    Raises:
        ValueError: the name is none, or the value is no JSON.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a script's value: {name!r}")
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _IN_LITERAL:
        text = text.replace(character, escape)
    # Half a character cannot be written as UTF-8.
    text = _SURROGATES.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return f"window.{name} = JSON.parse('{text}');\n"
