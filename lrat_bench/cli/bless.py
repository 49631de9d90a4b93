"""`lrat-bench bless`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.baseline_option import baseline_option
from lrat_bench.cli.options import json_option, print_json, stdout

__all__ = ["bless"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@baseline_option(help="Where the baseline lies, or is to lie.")
@click.option(
    "--rule",
    multiple=True,
    metavar="MEASURE[:KEY=VALUE,…]",
    help="What may not fall, in place of the rule of that measure or beside the others: steps, "
    "success_rate:tolerance=0.05, cost_usd:relative=0.2,significant=false. Repeatable.",
)
@click.option("--drop", multiple=True, metavar="MEASURE", help="Leave out the rule of a measure. Repeatable.")
@json_option
def bless(run: Path, baseline: Path, rule: tuple[str, ...], drop: tuple[str, ...], json: bool) -> None:
    """Make a run the baseline that `check` holds others against.

    RUN is a folder of `run`, `retrieve` or `retrieve --replay`. FILE is small and meant for git; its rules may be
    edited by hand, and are kept when another run is blessed. It never changes in any other way.
    """
    from lrat_bench.api.gate import bless as carry_out
    from lrat_bench.report.gate import blessed_json, blessed_view

    done = carry_out(run, baseline, rules=rule, drop=drop)
    if json:
        print_json(blessed_json(done))
    else:
        stdout().print(blessed_view(done))
