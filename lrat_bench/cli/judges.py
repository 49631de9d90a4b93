"""`lrat-bench judges`."""

from __future__ import annotations

from typing import Any

import click

from lrat_bench.cli.listing import models_table
from lrat_bench.cli.options import json_option, print_json, stdout

__all__ = ["judges"]


@click.group()
def judges() -> None:
    """List judges and rubrics."""


@judges.command("list")
@json_option
def list_judges(json: bool) -> None:
    """The judges known by name, and the rubrics that language models judge by."""
    from lrat_bench.score.judges.presets import presets
    from lrat_bench.score.judges.registry import JUDGES
    from lrat_bench.score.judges.rubrics import RUBRICS

    found: list[dict[str, Any]] = []
    for name in JUDGES:
        entry = JUDGES.entry(name)
        found.append({"name": name, "summary": entry.summary, "origin": entry.origin, "model": None, "rubric": None})
    for name, row in presets().items():
        of_a_model = {"model": row.model, "rubric": row.rubric}
        found.append({"name": name, "summary": row.summary, "origin": "lrat-bench", **of_a_model})
    rubrics = {name: rubric.summary for name, rubric in RUBRICS.items()}
    if json:
        shown = [{"name": name, "summary": summary} for name, summary in rubrics.items()]
        print_json({"judges": found, "rubrics": shown})
        return
    _print(found, rubrics)


def _print(found: list[dict[str, Any]], rubrics: dict[str, str]) -> None:
    from lrat_bench.report.fitting import FittingTable

    rows = [(one["name"], one["rubric"], one["summary"], one["model"]) for one in found]
    texts = FittingTable()
    texts.name("rubric", style="bold")
    texts.text()
    for name, summary in rubrics.items():
        texts.row(name, summary)
    console = stdout()
    console.print(models_table("judge", "rubric", rows))
    console.print(
        "[dim]Beside these: any LiteLLM id (--judge PROVIDER/MODEL), or a judge of your own (--judge MODULE:OBJECT)"
        "[/dim]\n"
    )
    console.print(texts)
    console.print("[dim]A rubric of your own: --rubric FILE[/dim]")
