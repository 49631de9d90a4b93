"""What mkdocs does beside rendering docs/: pages that are generated, and links that lead out of docs/.

Pages of docs/ link to files of the repository as they lie there (`../leaderboard/README.md`), so that they can be read
without the site. Here these files become part of it, below `beyond/`: Markdown as a page, anything else as it is.
"""

from __future__ import annotations

import logging
from pathlib import Path

from beyond import Beyond
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from protocols import protocols_page
from schemas import schemas_page

__all__ = ["on_files", "on_page_content", "on_page_markdown"]

_log = logging.getLogger("mkdocs.docs.site")
_repository = Path(__file__).resolve().parents[2]
_beyond = Beyond(_repository)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated, and what the pages link to outside docs/."""
    files.append(File.generated(config, "protocols.md", content=protocols_page(_repository / "tasks")))
    files.append(File.generated(config, "schemas.md", content=schemas_page(_repository / "docs" / "schemas")))
    for uri, path in _beyond.linked_from(config.nav or []):
        if not path.is_file():
            _log.warning("%s is linked to, and is not there", path.relative_to(_repository))
            continue
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Turn links that lead out of docs/ into links within the site."""
    return _beyond.relink(markdown, page.file.src_uri)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """In the table of options, say nothing where an option has no default."""
    # mkdocs-click 0.9 writes what click, from 8.3 on, holds there.
    return html.replace("<code>Sentinel.UNSET</code>", "") if page.file.src_uri == "reference/cli.md" else html
