"""How a registry is listed."""

from __future__ import annotations

from lrat_bench.cli.options import print_json, stdout
from lrat_bench.registry import Registry

__all__ = ["list_registry"]


def list_registry(registry: Registry, *, as_json: bool, remark: str) -> None:
    """Names, what they are and who brought them; imports none of what stands behind them."""
    entries = {name: registry.entry(name) for name in registry}
    if as_json:
        print_json(
            [{"name": name, "summary": entry.summary, "origin": entry.origin} for name, entry in entries.items()]
        )
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(registry.kind)
    table.add_column("")
    for name, entry in entries.items():
        table.add_row(Text(name, style="bold"), Text(entry.summary))
    console = stdout()
    console.print(table)
    console.print(f"[dim]{remark}[/dim]")
