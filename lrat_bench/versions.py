"""Versions of what a result may hang on."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

__all__ = ["installed_versions", "versions_with_python"]


def installed_versions(libraries: Iterable[str]) -> dict[str, str]:
    """Those of the libraries that are installed."""
    found = {}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def versions_with_python(libraries: Iterable[str]) -> dict[str, str]:
    """That of Python, and those of the libraries that are installed."""
    return {"python": platform.python_version(), **installed_versions(libraries)}
