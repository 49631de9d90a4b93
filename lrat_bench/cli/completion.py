"""`lrat-bench completion`."""

from __future__ import annotations

import click

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the set-up of completion for SHELL.

    For bash, add this to ~/.bashrc:  eval "$(lrat-bench completion bash)"
    """
    from click.shell_completion import get_completion_class

    from lrat_bench.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "lrat-bench", "_LRAT_BENCH_COMPLETE").source())
