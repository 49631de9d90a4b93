"""`lrat-bench check`."""

from __future__ import annotations

from pathlib import Path

import click

from lrat_bench.cli.baseline_option import baseline_option
from lrat_bench.cli.options import json_option, print_json, stdout

__all__ = ["check"]

_EXIT = {"held": 0, "failed": 1, "unresolved": 3}


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@baseline_option(help="What `lrat-bench bless` made.")
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE|-",
    help="Append a summary for people to a file, as $GITHUB_STEP_SUMMARY; - prints it instead of the table.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of bootstrap and randomisation."
)
@json_option
def check(run: Path, baseline: Path, markdown: Path | None, seed: int, json: bool) -> int:
    """Hold a run against a baseline: exit code 1 if something fell.

    RUN is a folder of `run`, `retrieve` or `retrieve --replay`, over the same questions, task and protocol as what the
    baseline was made of; agent, retriever and seed may differ. What counts as a fall stands in FILE, as rules.
    """
    from lrat_bench.api.gate import check as carry_out
    from lrat_bench.report.gate import gate_advice, gate_markdown, gate_view

    to_stdout = markdown == Path("-")
    if json and to_stdout:
        raise click.UsageError("--json and --markdown - both want stdout: give --markdown a file")
    result = carry_out(run, baseline, seed=seed)
    if json:
        print_json(result.model_dump(mode="json", by_alias=True))
    elif not to_stdout:
        console = stdout()
        console.print(gate_view(result))
        if (advice := gate_advice(result, run, baseline)) is not None:
            console.print(advice, soft_wrap=True)
    if markdown is not None:
        text = gate_markdown(result, run, baseline)
        if to_stdout:
            click.echo(text, nl=False)
        else:
            _append(markdown, text)
    return _EXIT[result.outcome]


def _append(file: Path, text: str) -> None:
    """Behind what other steps of a CI job have written there."""
    from lrat_bench.files import writing

    with writing(f"the summary {file}"), file.open("a", encoding="utf-8") as stream:
        stream.write(text)
