"""The entry point: a table of verbs, loaded when called, and the one place where errors become exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from lrat_bench.errors import LratBenchError

__all__ = ["cli", "main"]

_VERBS = {
    "run": ("lrat_bench.cli.run:run", "Run an agent over a retriever on a task."),
    "score": ("lrat_bench.cli.score:score", "Judge and measure runs again, from their trajectories alone."),
    "compare": ("lrat_bench.cli.compare:compare", "How much better one run is than another on the same questions."),
    "power": ("lrat_bench.cli.power:power", "How many questions it takes to see a difference."),
    "check": ("lrat_bench.cli.check:check", "Hold a run against a baseline: a gate for CI."),
    "bless": ("lrat_bench.cli.bless:bless", "Make a run the baseline that others are held against."),
    "report": ("lrat_bench.cli.report:report", "Tables of runs for papers and notebooks, and plots."),
    "view": ("lrat_bench.cli.view:view", "Trajectories as web pages."),
    "leaderboard": ("lrat_bench.cli.leaderboard:leaderboard", "Prepare and validate submissions; build the board."),
    "sweep": ("lrat_bench.cli.sweep:sweep", "Run a grid of tasks, agents, retrievers and knobs."),
    "serve": ("lrat_bench.cli.serve:serve", "Questions and retrievers over HTTP and MCP, for agents of any kind."),
    "tasks": ("lrat_bench.cli.tasks:tasks", "List, show and prepare tasks."),
    "agents": ("lrat_bench.cli.agents:agents", "List agents, and show what is known of one."),
    "judges": ("lrat_bench.cli.judges:judges", "List judges and rubrics."),
    "retrievers": ("lrat_bench.cli.retrievers:retrievers", "List retrievers."),
    "index": ("lrat_bench.cli.index:index", "Build a retriever's index."),
    "retrieve": ("lrat_bench.cli.retrieve:retrieve", "Score a retriever alone, by questions or by recorded queries."),
    "mine": ("lrat_bench.cli.mine:mine", "Mine training pairs from the trajectories of runs."),
    "train": ("lrat_bench.cli.train:train", "Train a dense retriever on mined pairs."),
    "flywheel": ("lrat_bench.cli.flywheel:flywheel", "Run, mine, train, index, and run again."),
    "analyze": ("lrat_bench.cli.analyze:analyze", "What agents did with what they retrieved, over runs."),
    "import": ("lrat_bench.cli.import_:import_", "Make a run of trajectories that others recorded."),
    "export": ("lrat_bench.cli.export:export", "Write a run as what other tools read."),
    "reproduce": ("lrat_bench.cli.reproduce:reproduce", "Published figures, and your runs beside them."),
    "contamination": (
        "lrat_bench.cli.contamination:contamination",
        "What training pairs share with the questions of an evaluation.",
    ),
    "completion": ("lrat_bench.cli.completion:completion", "Print the set-up of shell completion."),
}
"""Verb → where it is, and its line in the help: listing them imports none."""


class _Verbs(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _VERBS:
            return None
        module, _, name = _VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            near = get_close_matches(args[0], _VERBS, n=2)
            offer = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(_VERBS)}."
            raise click.UsageError(f"unknown verb {args[0]!r}: {offer}", ctx=None)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in _VERBS.items()])


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "LRAT_BENCH"},
    epilog=(
        "Exit codes: 0 fine; 1 the thing checked does not hold; 2 wrong use; 3 the run ended with unresolved errors or "
        "was interrupted, or an internal error. Every option of a verb is also read from the environment: "
        "LRAT_BENCH_RUN_TASK for `run --task`."
    ),
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="lrat-bench", message="lrat-bench %(version)s")
def cli(debug: bool) -> None:
    """Benchmark search agents over retrievers.

    With no options at all, `lrat-bench run` runs the embedded default: no key, no GPU, no download.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    given = sys.argv[1:] if arguments is None else arguments
    if sys.stdout is None:  # closed by whoever started it
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 -- for as long as the process lives
    # For module:object in the working directory; last, so that nothing there can stand in for a library.
    sys.path.append(str(Path.cwd()))
    sys.exit(_run(given))


def _run(arguments: list[str]) -> int:
    with _warnings_shown():
        return _call(arguments)


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """Show what the package warns of on stderr, whatever else it is logged to."""
    handler = _Warnings(level=logging.WARNING)
    package = logging.getLogger("lrat_bench")
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)


class _Warnings(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        from lrat_bench.model.redact import redact

        click.echo(redact(record.getMessage()), err=True)


def _call(arguments: list[str]) -> int:
    printed_to = sys.stdout
    try:
        code: Any = cli.main(args=arguments, prog_name="lrat-bench", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        help_line = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _fail(f"{error.format_message().rstrip('.')}{help_line}", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 3)
    except LratBenchError as error:
        if _debugging(arguments):
            _show_traceback(error)
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return _internal(error, arguments)
        return _fail(f"cannot write {error.filename or 'what is printed'}: {error.strerror}", 3)
    except SystemExit as stop:
        # So Rich ends a process when nobody reads what it prints, and click, which puts another stdout in its place.
        if isinstance(stop.__context__, BrokenPipeError) or sys.stdout is not printed_to:
            return _unread()
        raise
    except Exception as error:  # noqa: BLE001 -- the last resort: one line for whatever it is
        return _internal(error, arguments)
    return int(code or 0)


def _internal(error: Exception, arguments: list[str]) -> int:
    if _debugging(arguments):
        _show_traceback(error)
    return _fail(f"internal error: {type(error).__name__}: {error} (--debug shows where; please report it)", 3)


def _unread() -> int:
    """The exit code when whoever read stdout, as `head` does, has gone: not that of the verb, which is not known."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 3


def _debugging(arguments: list[str]) -> bool:
    return "--debug" in arguments or os.environ.get("LRAT_BENCH_DEBUG", "").lower() in ("1", "true", "yes", "on")


def _show_traceback(error: Exception) -> None:
    """The traceback, without the secrets that the messages of libraries may hold."""
    import traceback

    from lrat_bench.model.redact import redact

    click.echo(redact("".join(traceback.format_exception(error))), err=True)


def _fail(message: str, code: int) -> int:
    from lrat_bench.report.text import printable

    # A message may quote what a hostile file holds.
    click.echo(f"lrat-bench: {printable(' '.join(message.split()))}", err=True)
    return code
