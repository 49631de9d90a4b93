"""`lrat-bench agents`."""

from __future__ import annotations

import click

from lrat_bench.cli.listing import list_registry
from lrat_bench.cli.options import json_option

__all__ = ["agents"]


@click.group()
def agents() -> None:
    """List agents."""


@agents.command("list")
@json_option
def list_agents(json: bool) -> None:
    """The agents known by name."""
    from lrat_bench.agent.catalog import AGENTS

    list_registry(AGENTS, as_json=json, remark="An agent or model of your own: --agent module:object")
