"""Where in a YAML file something stands, so that an error can name the line; and keys that stand there twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lrat_bench.errors import DataError

__all__ = ["Lines"]


class Lines:
    """The lines of a YAML file that has been read without error.

    Args:
        file: the file.

    Raises:
        DataError: a mapping has a key twice, of which YAML would take the last in silence.
    """

    def __init__(self, file: Path) -> None:
        import yaml

        self._root: Any = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        for mapping in _mappings(self._root, set()):
            seen: dict[str, int] = {}
            for key, _ in mapping.value:
                line = key.start_mark.line + 1
                if key.value in seen and key.value != "<<":
                    raise DataError(
                        f"{key.value} stands twice, first in line {seen[key.value]}: keep one", file=file, line=line
                    )
                seen[key.value] = line

    def of(self, place: Sequence[str | int]) -> int | None:
        """The line of what lies at a place, or of the nearest thing around it that is there."""
        node, line = self._root, None if self._root is None else self._root.start_mark.line + 1
        for part in place:
            found = _child(node, part)
            if found is None:
                break
            node, line = found
        return line


def _child(node: Any, part: str | int) -> tuple[Any, int] | None:
    import yaml

    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        inner = node.value[part]
        return inner, inner.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    return None


def _mappings(node: Any, seen: set[int]) -> Iterator[Any]:
    import yaml

    # An alias leads to a node that was there before, also to one around it.
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        yield node
    for child in node.value:
        for inner in child if isinstance(child, tuple) else (child,):
            yield from _mappings(inner, seen)
