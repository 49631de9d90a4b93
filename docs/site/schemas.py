"""The page of schemas: what stands in every record on disk, field by field, from docs/schemas/*.schema.json."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

__all__ = ["schemas_page"]

_INTRO = """# Schemas

Every record on disk has a version in its field `schema`, and a JSON Schema that is generated from the model in the code
and checked by a test. A program that reads them can rely on these.
"""


def schemas_page(folder: Path) -> str:
    """The page, in Markdown."""
    return "\n".join(_lines(folder))


def _lines(folder: Path) -> Iterator[str]:
    yield _INTRO
    for file in sorted(folder.glob("*.schema.json")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        name = file.name.removesuffix(".schema.json")
        yield f"\n## {name}\n"
        yield f"{_text(schema)} [{file.name}](schemas/{file.name})\n"
        parts = {part: inner for part, inner in schema.get("$defs", {}).items() if "properties" in inner}
        yield from _fields(schema, name, parts)
        for part, inner in parts.items():
            yield f"\n### {part} {{ #{name}-{part.lower()} }}\n"
            yield f"{_text(inner)}\n"
            yield from _fields(inner, name, parts)


def _fields(schema: dict[str, Any], name: str, parts: Collection[str]) -> Iterator[str]:
    yield "| field | type | |"
    yield "| --- | --- | --- |"
    required = set(schema.get("required", ()))
    for field, about in schema.get("properties", {}).items():
        default = "" if field in required or "default" not in about else f" Default: {_value(about['default'])}."
        text = _text(about).rstrip(".")
        meaning = f"{text}.{default}" if text else default.strip()
        yield f"| `{field}` | {_type(about, name, parts)} | {meaning.replace('|', chr(92) + '|')} |"


def _text(about: dict[str, Any]) -> str:
    return " ".join(str(about.get("description", "")).split())


def _value(default: Any) -> str:
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _type(about: dict[str, Any], name: str, parts: Collection[str]) -> str:
    if "$ref" in about:
        part = about["$ref"].rpartition("/")[2]
        return f"[{part}](#{name}-{part.lower()})" if part in parts else part
    if "const" in about:
        return _value(about["const"])
    if "enum" in about:
        return " · ".join(map(_value, about["enum"]))
    for key in ("anyOf", "oneOf"):
        if key in about:
            return " or ".join(dict.fromkeys(_type(one, name, parts) for one in about[key]))
    if about.get("type") == "array":
        items = about.get("items") or {}
        several = about.get("prefixItems")
        return "list of " + ", ".join(_type(one, name, parts) for one in several or [items])
    if about.get("type") == "object" and isinstance(about.get("additionalProperties"), dict):
        return f"mapping to {_type(about['additionalProperties'], name, parts)}"
    return str(about.get("type", "anything"))
