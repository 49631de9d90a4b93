"""How registries and models are listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrat_bench.cli.options import print_json, stdout
from lrat_bench.registry import Registry

if TYPE_CHECKING:
    from lrat_bench.report.fitting import FittingTable

__all__ = ["list_registry", "models_table"]


def list_registry(registry: Registry, *, as_json: bool, remark: str) -> None:
    """Names, what they are and who brought them; imports none of what stands behind them."""
    entries = {name: registry.entry(name) for name in registry}
    if as_json:
        print_json(
            [{"name": name, "summary": entry.summary, "origin": entry.origin} for name, entry in entries.items()]
        )
        return
    from lrat_bench.report.fitting import FittingTable

    table = FittingTable()
    table.name(registry.kind, style="bold")
    table.text()
    for name, entry in entries.items():
        table.row(name, entry.summary)
    console = stdout()
    console.print(table)
    console.print(f"[dim]{remark}[/dim]")


def models_table(kind: str, manner: str, rows: Iterable[tuple[str, str | None, str, str | None]]) -> FittingTable:
    """Things that stand for language models.

    Args:
        kind: heading of the names.
        manner: heading of what tells them apart.
        rows: name, manner, summary, and LiteLLM id or patterns of such.
    """
    from rich.text import Text

    from lrat_bench.report.fitting import FittingTable
    from lrat_bench.report.text import printable

    table = FittingTable()
    table.name(kind, style="bold")
    table.number(manner, left=True, below=True)
    table.text()
    for name, how, summary, model in rows:
        # Below its summary an id has the room to stay whole.
        about = Text(printable(summary))
        if model:
            about.append(f"\n{printable(model)}", style="dim")
        table.row(name, how or "–", about)
    return table
