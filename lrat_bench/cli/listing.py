"""How registries and models are listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrat_bench.cli.options import print_json, stdout
from lrat_bench.registry import Registry

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["list_registry", "models_table", "plain_table"]


def list_registry(registry: Registry, *, as_json: bool, remark: str) -> None:
    """Names, what they are and who brought them; imports none of what stands behind them."""
    entries = {name: registry.entry(name) for name in registry}
    if as_json:
        print_json(
            [{"name": name, "summary": entry.summary, "origin": entry.origin} for name, entry in entries.items()]
        )
        return
    from rich.text import Text

    table = plain_table()
    table.add_column(registry.kind)
    table.add_column("")
    for name, entry in entries.items():
        table.add_row(Text(name, style="bold"), Text(entry.summary))
    console = stdout()
    console.print(table)
    console.print(f"[dim]{remark}[/dim]")


def plain_table() -> Table:
    """A table without lines."""
    from rich.table import Table

    return Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))


def models_table(kind: str, manner: str, rows: Iterable[tuple[str, str | None, str, str | None]]) -> Table:
    """Things that stand for language models.

    Args:
        kind: heading of the names.
        manner: heading of what tells them apart.
        rows: name, manner, summary, and LiteLLM id or patterns of such.
    """
    from rich.text import Text

    table = plain_table()
    table.add_column(kind, no_wrap=True)
    table.add_column(manner, no_wrap=True)
    table.add_column("", overflow="fold")
    for name, how, summary, model in rows:
        # Below its summary an id has the room to stay whole.
        about = Text(summary)
        if model:
            about.append(f"\n{model}", style="dim")
        table.add_row(Text(name, style="bold"), Text(how or "–"), about)
    return table
