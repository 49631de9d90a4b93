"""The options that name a run and say how it is carried out: those of `run`, and of `serve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lrat_bench.cli.options import access_options, config_file, judge_options, set_option

__all__ = ["run_options"]

F = TypeVar("F", bound=Callable[..., Any])

_Option = Callable[[Any], Any]


def run_options(*, agent: _Option, concurrency: _Option, preflight: str) -> Callable[[F], F]:
    """From `--task` to `--cassette-mode`.

    Args:
        agent: `--agent`, which means another thing to each.
        concurrency: `--concurrency`, of another default.
        preflight: the help of `--preflight`.
    """
    options: tuple[_Option, ...] = (
        click.option(
            "--task", metavar="NAME[@PROTOCOL]|FOLDER", default="synth-wiki", show_default=True, help="What is asked."
        ),
        agent,
        click.option(
            "--retriever",
            metavar="NAME[:ARGUMENT]|MODULE:OBJECT",
            default="bm25",
            show_default=True,
            help="What is searched with.",
        ),
        judge_options(),
        click.option("--split", help="Which questions.  [default: the task's]"),
        click.option("--limit", type=int, help="Only the first so many questions."),
        click.option("--repeats", type=int, default=1, show_default=True, help="How often each question is asked."),
        click.option(
            "--seed", type=int, default=0, show_default=True, help="Of sampling; each question gets its own from it."
        ),
        concurrency,
        set_option,
        config_file,
        click.option(
            "-o",
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            help="Run folder.  [default: runs/<what>-<hash>, the same for the same run]",
        ),
        click.option("--fresh", is_flag=True, help="Discard what the run folder holds and start over."),
        click.option("--preflight/--no-preflight", default=True, show_default=True, help=preflight),
        access_options,
    )

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add
