"""`lrat-bench retrievers`."""

from __future__ import annotations

import click

from lrat_bench.cli.listing import list_registry
from lrat_bench.cli.options import json_option

__all__ = ["retrievers"]


@click.group()
def retrievers() -> None:
    """List retrievers."""


@retrievers.command("list")
@json_option
def list_retrievers(json: bool) -> None:
    """The retrievers known by name."""
    from lrat_bench.retriever.catalog import RETRIEVERS

    list_registry(RETRIEVERS, as_json=json, remark="A retriever of your own: --retriever module:object")
