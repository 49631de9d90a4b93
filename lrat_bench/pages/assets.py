"""The style sheets and scripts of pages, as files beside them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from lrat_bench.files import write_atomic

__all__ = ["read_assets", "write_assets"]

_OWN = "lrat_bench.pages"


def read_assets(*packages: str) -> dict[str, bytes]:
    """File name → content of what lies in `assets/` of this package and of further ones.

    Args:
        packages: whose assets come beside ours, as `lrat_bench.viewer`.
    """
    found: dict[str, bytes] = {}
    for package in dict.fromkeys((_OWN, *packages)):
        files = (file for file in (resources.files(package) / "assets").iterdir() if not file.name.startswith("."))
        found |= {file.name: file.read_bytes() for file in sorted(files, key=lambda file: file.name)}
    return found


def write_assets(folder: Path, *packages: str) -> list[Path]:
    """Write them to `FOLDER/assets/`, where `base.html` looks for them.

    Args:
        folder: of the page whose `root` is "".
        packages: whose assets come beside ours.

    Raises:
        OSError: a file cannot be written.
    """
    written = []
    for name, content in read_assets(*packages).items():
        write_atomic(folder / "assets" / name, content)
        written.append(folder / "assets" / name)
    return written
