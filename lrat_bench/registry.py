"""Names a user can type, and what they stand for.

A registry holds strings, `"package.module:object"`, and imports nothing until a name is asked for; so listing what
there is costs nothing. Third parties add names through entry points, or pass `module:object` outright.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from lrat_bench.errors import UnknownName, UsageError

__all__ = ["Entry", "Registry", "load_object"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered thing: where it lives (`module:object`), one line for listings, and who brought it."""

    target: str
    summary: str = ""
    origin: str = "lrat-bench"


def load_object(target: str, *, origin: str | None = None) -> Any:
    """Import `module:object` and return the object.

    Raises:
        UsageError: the module or the object does not exist, or importing it fails.
    """
    module_name, colon, path = target.partition(":")
    whose = f" (from {origin})" if origin else ""
    if not (colon and module_name and path):
        raise UsageError(f"{target!r}{whose} is not of the form module:object")
    try:
        found: Any = import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise UsageError(f"cannot load {target!r}{whose}: {type(error).__name__}: {error}") from error
    return found


class Registry:
    """The known names of one kind ("retriever", "task source", …).

    Args:
        kind: the word used in messages.
        entries: built-in names.
        group: entry-point group that extends them; a plug-in cannot replace a built-in name.
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry], *, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._entries = dict(entries)
        self._plugins_read = group is None

    def add(self, name: str, entry: Entry) -> None:
        """Register `name`; refused when it is taken."""
        if name in self._entries:
            raise UsageError(
                f"{self.kind} {name!r} of {entry.origin} is already taken by {self._entries[name].origin}: rename it"
            )
        self._entries[name] = entry

    def __iter__(self) -> Iterator[str]:
        self._read_plugins()
        return iter(sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        self._read_plugins()
        return name in self._entries

    def entry(self, name: str) -> Entry:
        """The entry of `name`.

        Raises:
            UnknownName: nothing is registered under it.
        """
        self._read_plugins()
        if name not in self._entries:
            raise UnknownName(self.kind, name, self._entries)
        return self._entries[name]

    def load(self, name: str) -> Any:
        """Import and return what `name` stands for.

        Raises:
            UnknownName: nothing is registered under it.
            UsageError: importing it fails; the message names the distribution that registered it.
        """
        entry = self.entry(name)
        return load_object(entry.target, origin=None if entry.origin == "lrat-bench" else entry.origin)

    def _read_plugins(self) -> None:
        if self._plugins_read or self.group is None:
            return
        self._plugins_read = True
        for point in metadata.entry_points(group=self.group):
            origin = point.dist.name if point.dist else "an unnamed distribution"
            self.add(point.name, Entry(point.value, f"plug-in of {origin}", origin))
