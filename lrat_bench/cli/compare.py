"""`lrat-bench compare`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.options import json_option, print_json, stdout

__all__ = ["compare"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path), metavar="RUN RUN…")
@click.option(
    "--across",
    multiple=True,
    metavar="KEY",
    help="Compare although this differs: protocol, judge, questions, … (a refusal names it). Repeatable.",
)
@click.option(
    "--measure",
    multiple=True,
    metavar="NAME",
    help="Compare by this one; repeatable.  [default: the main ones of runs, all of retrievals]",
)
@click.option("--all-pairs", is_flag=True, help="Compare every pair, not only each with the first.")
@click.option("--flips", is_flag=True, help="Name the questions that one answers and the other does not.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the bootstrap and the randomisation test.",
)
@json_option
def compare(
    runs: tuple[Path, ...],
    across: tuple[str, ...],
    measure: tuple[str, ...],
    all_pairs: bool,
    flips: bool,
    seed: int,
    json: bool,
) -> int:
    """How much better is one run than another on the same questions? The first is the baseline.

    RUN is a folder of `run`, or of `retrieve`, scored. Prints the paired difference of each measure with its 95 %
    interval, p-value and effect size; of three and more, Holm's correction and tie groups. Exit code 3 says that
    something is unresolved, so that no number is final.
    """
    from lrat_bench.compare.comparison import compare_sides
    from lrat_bench.compare.side import read_side
    from lrat_bench.report.compare import comparison_view

    sides = [read_side(path) for path in runs]
    found = compare_sides(sides, across=across, measures=measure or None, all_pairs=all_pairs, seed=seed)
    if json:
        print_json(found.model_dump(mode="json", by_alias=True))
    else:
        stdout().print(comparison_view(found, flips=flips))
    return 3 if found.unresolved else 0
