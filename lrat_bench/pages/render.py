"""Pages from templates: everything escaped, nothing undefined, one content-security policy."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["POLICY", "page", "web_address"]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        # A text cannot become markup or a script's address, but for the addresses that the policy `shards` lets pass.
        "require-trusted-types-for 'script'",
        "trusted-types shards",
    )
)
"""What a page of ours may do, from a disk as from a server: load files that lie beside it, and nothing else."""

_OWN = "lrat_bench.pages"

_WEB = re.compile(r"https?://[^\s\"'<>\\`]+", re.ASCII)


def page(template: str, *, package: str, **context: Any) -> str:
    """Render a page.

    Args:
        template: its file name in the package's `templates/`; it extends `base.html`, whose head says what it offers.
        package: whose template it is, as `lrat_bench.viewer`.
        context: what the template names; a name that it uses and nobody gives is an error. `base.html` itself needs
            `title`, and takes `root` (the way from the page to the folder that holds `assets/`: "" or "../") and `nav`
            (pairs of label and address).

    Returns:
        the HTML.
    """
    return _environment(package).get_template(template).render(context)


def web_address(text: str | None) -> str | None:
    """An http(s) address that somebody gave, fit for a link; None of anything else (`javascript:`, `data:`, a path).

    In templates it is the filter `web_address`.
    """
    return text if text is not None and _WEB.fullmatch(text) else None


@cache
def _environment(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, _OWN))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(policy=POLICY, root="", nav=())
    environment.filters["web_address"] = web_address
    return environment
