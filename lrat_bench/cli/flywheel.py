"""`lrat-bench flywheel`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from lrat_bench.cli.options import (
    access_options,
    config_file,
    json_option,
    print_json,
    set_option,
    stdout,
    with_configured,
)
from lrat_bench.cli.watch import watch

__all__ = ["flywheel"]


@click.command()
@click.option(
    "--task",
    metavar="NAME[@PROTOCOL]|FOLDER",
    default="synth-wiki",
    show_default=True,
    help="Trajectories are collected on its train split, and its eval split is evaluated.",
)
@click.option("--ood", metavar="NAME[@PROTOCOL]|FOLDER", multiple=True, help="Evaluated beside it. Repeatable.")
@click.option("--agent", metavar="NAME|PROVIDER/MODEL|FILE.yaml", default="heuristic", show_default=True)
@click.option("--base", metavar="MODEL", required=True, help="The dense model of iteration 0: a folder or a hub name.")
@click.option("--iterations", type=click.IntRange(1), default=1, show_default=True, help="How often the wheel turns.")
@click.option(
    "--arm",
    multiple=True,
    default=("reweight",),
    show_default=True,
    metavar="NAME",
    help="reweight, filter, naive, shuffled-weights, shuffled-positives. The first turns the wheel, others are trained "
    "on the same pairs and evaluated beside it. Repeatable.",
)
@click.option(
    "--start",
    type=click.Choice(["previous", "base"]),
    default="previous",
    show_default=True,
    help="What training starts from: the model of the iteration before, or the base.",
)
@click.option("--train-split", help="Where trajectories are collected.  [default: the task's one train split]")
@click.option("--split", help="What is evaluated.  [default: the task's]")
@click.option("--limit", type=click.IntRange(1), help="Collect on only the first so many questions.")
@click.option("--eval-limit", type=click.IntRange(1), help="Evaluate only the first so many questions.")
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True, help="How often each is evaluated.")
@click.option(
    "--rule",
    type=click.Choice(["attributed", "paper", "lrat-code"]),
    default="attributed",
    show_default=True,
    help="How a browse is attributed to a query; see `mine`.",
)
@click.option(
    "--outcome",
    type=click.Choice(["correct", "incorrect", "all"]),
    default="correct",
    show_default=True,
    help="Trajectories that are mined.",
)
@click.option("--filter", metavar="rules|none|NAME", default="rules", show_default=True, help="Relevance; see `mine`.")
@click.option("--tokenizer", default="regex-v1", show_default=True, help="Measures reasoning; see `mine`.")
@click.option(
    "--preset",
    type=click.Choice(["paper", "small"]),
    default="paper",
    show_default=True,
    help="Recipe of training; see `train`.",
)
@click.option(
    "--recipe",
    multiple=True,
    callback=with_configured,
    metavar="KEY=VALUE",
    help="A value of the recipe, as lr=2e-5. Repeatable.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of sampling and training.")
@click.option("--concurrency", type=click.IntRange(1), default=16, show_default=True, help="Questions in flight.")
@set_option
@config_file
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("flywheel"),
    show_default=True,
    help="Folder; the same command goes on in it.",
)
@access_options
@json_option
def flywheel(
    task: str,
    ood: tuple[str, ...],
    agent: str,
    base: str,
    iterations: int,
    arm: tuple[str, ...],
    start: Literal["base", "previous"],
    train_split: str | None,
    split: str | None,
    limit: int | None,
    eval_limit: int | None,
    repeats: int,
    rule: Literal["attributed", "paper", "lrat-code"],
    outcome: Literal["correct", "incorrect", "all"],
    filter: str,
    tokenizer: str,
    preset: str,
    recipe: tuple[str, ...],
    seed: int,
    concurrency: int,
    set: tuple[str, ...],
    out: Path,
    json: bool,
    **access: Any,
) -> int:
    """Run, mine, train, index, and run again.

    An agent searches with the base model; its correct trajectories on the train split train the next one; and the
    evaluation split (and each --ood task) is run with every model. The folder keeps every run, pair and model; what is
    there is not done again.
    """
    from lrat_bench.api import flywheel as carry_out
    from lrat_bench.report.flywheel import flywheel_summary
    from lrat_bench.runs.resolve import Settings

    values = _recipe(recipe)
    with watch() as shown:
        table = carry_out(
            task,
            base=base,
            out=out,
            ood=ood,
            agent=agent,
            iterations=iterations,
            arms=arm,
            start=start,
            train_split=train_split,
            split=split,
            limit=limit,
            eval_limit=eval_limit,
            repeats=repeats,
            rule=rule,
            outcome=outcome,
            filter=filter,
            tokenizer=tokenizer,
            preset=preset,
            recipe=values,
            seed=seed,
            concurrency=concurrency,
            set=Settings.parse(set).to_dict(),
            progress=shown.work,
            on_tally=shown.run,
            on_arrow=shown.begin,
            **access,
        )
    if json:
        print_json(table.model_dump(mode="json", by_alias=True))
    else:
        stdout().print(flywheel_summary(table, out))
    return 3 if any(entry.unresolved for entry in table.entries) else 0


def _recipe(given: tuple[str, ...]) -> dict[str, Any]:
    from lrat_bench.errors import UsageError
    from lrat_bench.files import read_value

    values: dict[str, Any] = {}
    for one in given:
        key, equals, text = one.partition("=")
        if not equals:
            raise UsageError(f"--recipe takes KEY=VALUE, as in lr=2e-5; got {one!r}")
        values[key.strip()] = read_value(text)
    return values
