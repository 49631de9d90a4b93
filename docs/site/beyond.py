"""Files of the repository that lie outside docs/ and belong to the site all the same."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

__all__ = ["FOLDER", "Beyond", "links"]

FOLDER = "beyond"
"""Where they lie in the site."""

_LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$|`[^`\n]+`", re.DOTALL | re.MULTILINE)


class Beyond:
    """Knows where a file of the repository lies in the site, and the other way round.

    Args:
        repository: its root; pages lie in `docs/` there.
    """

    def __init__(self, repository: Path) -> None:
        self._root = repository

    def linked_from(self, nav: list[Any]) -> Iterator[tuple[str, Path]]:
        """What pages outside docs/ the navigation names, what any page links to, and so on from there.

        Yields:
            the place in the site, and the file.
        """
        waiting = [self._root / uri.removeprefix(f"{FOLDER}/") for uri in _named(nav) if uri.startswith(f"{FOLDER}/")]
        waiting += [path for page in self._pages() for path in self._outside(page)]
        seen: set[Path] = set()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            yield self.uri(path), path
            if path.suffix == ".md" and path.is_file():
                waiting += self._outside(path)

    def uri(self, path: Path) -> str:
        """The place of a file in the site."""
        inside = path.relative_to(self._root).as_posix()
        return inside.removeprefix("docs/") if inside.startswith("docs/") else f"{FOLDER}/{inside}"

    def source(self, uri: str) -> Path:
        """The file behind a place in the site."""
        outside = uri.startswith(f"{FOLDER}/")
        return self._root / (uri.removeprefix(f"{FOLDER}/") if outside else f"docs/{uri}")

    def relink(self, markdown: str, uri: str) -> str:
        """The text of the page at `uri` with links that work within the site."""
        here, page = PurePosixPath(uri).parent, self.source(uri)

        def within(match: re.Match[str]) -> str:
            target, hash_, anchor = match["target"].partition("#")
            found = self._resolve(page, target) if target else None
            if found is None:
                return match[0]
            there = os.path.relpath(self.uri(found), here)
            return f"[{match['text']}]({there}{hash_}{anchor})"

        return _outside_code(markdown, lambda text: _LINK.sub(within, text))

    def _pages(self) -> Iterator[Path]:
        docs = self._root / "docs"
        yield from (page for page in docs.rglob("*.md") if "site" not in page.relative_to(docs).parts)

    def _outside(self, page: Path) -> list[Path]:
        targets = (target.partition("#")[0] for target in links(page.read_text(encoding="utf-8")))
        found = (self._resolve(page, target) for target in targets if target)
        return [path for path in found if path is not None and not path.is_relative_to(self._root / "docs")]

    def _resolve(self, page: Path, target: str) -> Path | None:
        """The file of the repository that a link means; of a folder its README, else nothing that a site could show."""
        if "://" in target or target.startswith(("/", "mailto:")):
            return None
        path = Path(os.path.normpath(page.parent / target))
        if not path.is_relative_to(self._root):
            return None
        if path.is_dir() or target.endswith("/"):
            # The folder of schemas has a page of its own, generated from it.
            return path.with_name("schemas.md") if path == self._root / "docs" / "schemas" else path / "README.md"
        return path


def links(markdown: str) -> list[str]:
    """Targets of the links of a page, in order; what stands in code is none."""
    found: list[str] = []

    def take(text: str) -> str:
        found.extend(match["target"] for match in _LINK.finditer(text))
        return text

    _outside_code(markdown, take)
    return found


def _outside_code(markdown: str, change: Any) -> str:
    pieces, end = [], 0
    for code in _CODE.finditer(markdown):
        # A link whose text is code is a link: only code that holds the whole of one is left alone.
        if code[0].startswith("`") and not code[0].startswith("```") and "](" not in code[0]:
            continue
        pieces += [change(markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*pieces, change(markdown[end:])])


def _named(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for inner in nav.values():
            yield from _named(inner)
    else:
        for inner in nav:
            yield from _named(inner)
