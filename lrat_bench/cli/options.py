"""What several verbs share: options, settings, and where things are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "access_options",
    "as_json",
    "config_file",
    "json_option",
    "judge_options",
    "plain",
    "print_json",
    "set_option",
    "stderr",
    "stdout",
    "with_configured",
]

_MAPPINGS = {
    "set": "set: {protocol.k: 5} or set: {protocol: {k: 5}}",
    "recipe": "recipe: {lr: 2e-5}",
}
"""Options of assignments, and how a config file writes them."""

_CONFIGURED = "lrat_bench.configured"

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """`--json`."""
    return click.option("--json", is_flag=True, help="Print one JSON document on stdout, nothing else.")(command)


def set_option(command: F) -> F:
    """`--set`."""
    return click.option(
        "--set",
        multiple=True,
        callback=with_configured,
        metavar="ROOM.KEY=VALUE",
        help="Set a knob: task.documents=1000, protocol.k=5, agent.temperature=0.6, retriever.k1=1.2, "
        "judge.api_base=…, filter.api_base=… (of `mine` and `flywheel`). Repeatable.",
    )(command)


def judge_options(*, several: bool = False) -> Callable[[F], F]:
    """`--judge`, `--rubric` and `--verdict-cache`; `several` takes more than one judge, and compares them."""
    compare = " Given several times, judges are compared." if several else ""

    def add(command: F) -> F:
        rubric = click.option(
            "--rubric",
            metavar="NAME|FILE",
            help="Another rubric than the judge's own: browsecomp-plus-v1, lrat-v1, browsecomp-v1, or a text file.",
        )
        cache = click.option(
            "--verdict-cache/--no-verdict-cache",
            default=True,
            show_default=True,
            help="Take what an LLM judge has said before from the cache, and keep what it says now.",
        )
        judge = click.option(
            "--judge",
            metavar="NAME|PROVIDER/MODEL|MODULE:OBJECT",
            multiple=several,
            help="Another judge than the protocol's: exact, contains, qwen3-32b, qwen3-30b-a3b-thinking, gpt-4.1, any "
            f"LiteLLM id (`lrat-bench judges list`).{compare}",
        )
        return judge(rubric(cache(command)))

    return add


def access_options(command: F) -> F:
    """`--max-cost`, `--cassette` and `--cassette-mode`."""
    options = (
        click.option(
            "--max-cost",
            type=float,
            metavar="USD",
            help="Start no further call once models have cost this much; their prices must be known.",
        ),
        click.option(
            "--cassette", type=click.Path(dir_okay=False, path_type=Path), help="File of recorded model calls."
        ),
        click.option(
            "--cassette-mode",
            type=click.Choice(["record", "replay", "strict"]),
            default="replay",
            show_default=True,
            help="Call every model and write; call where nothing is recorded; never call.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def config_file(command: F) -> F:
    """`--config`: option values from a YAML file; what stands on the command line comes first."""
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_read_config,
        help="YAML file with values for these options; `set` is a mapping there, flat (protocol.k: 5) or nested, and "
        "holds beside what --set says.",
    )(command)


def as_json(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> str:
    """A value of a setting, as people write it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} = {plain(inner)}" for key, inner in value.items() if inner is not None) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "–" if value is None else str(value)


def print_json(value: Any) -> None:
    """The one JSON document of `--json`."""
    click.echo(as_json(value))


def stdout() -> Console:
    """Where results go."""
    from rich.console import Console

    # A pipe has no width of its own; 80 columns would cut tables that a file can hold.
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def stderr() -> Console:
    """Where progress and remarks go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _read_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:  # noqa: ARG001
    if value is None:
        return
    from lrat_bench.files import read_yaml

    content = read_yaml(value) or {}
    if not isinstance(content, dict):
        raise click.UsageError(f"{value}: must be a mapping of options to values")
    options = {max(option.opts, key=len).lstrip("-"): option for option in ctx.command.params}
    defaults: dict[str, Any] = {}
    for key, given in content.items():
        if key not in options or key in ("config", "help"):
            known = ", ".join(sorted(set(options) - {"config"}))
            raise click.UsageError(f"{value}: unknown option {key!r}; known: {known}")
        name = options[key].name
        assert name is not None
        if key in _MAPPINGS:
            if not isinstance(given, dict):
                raise click.UsageError(f"{value}: {key} must be a mapping, as in {_MAPPINGS[key]}")
            # Beside what the command line sets, which comes later and so counts.
            ctx.meta[f"{_CONFIGURED}.{name}"] = _assignments(given)
            continue
        defaults[name] = _value(given, options[key], value, key)
    ctx.default_map = {**(ctx.default_map or {}), **defaults}


def _value(given: Any, option: click.Parameter, file: Path, key: str) -> Any:
    several = given if isinstance(given, list) and getattr(option, "multiple", False) else [given]
    if not all(isinstance(one, str | int | float) for one in several):
        many = " or a list of such" if getattr(option, "multiple", False) else ""
        raise click.UsageError(f"{file}: {key} must be one value{many}, got {given!r}")
    return several if getattr(option, "multiple", False) else given


def with_configured(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Callback of an option of assignments: those of the config file, then those of the command line."""
    return (*ctx.meta.get(f"{_CONFIGURED}.{param.name}", ()), *value)


def _assignments(given: dict[Any, Any]) -> list[str]:
    """A mapping of settings as `--set` takes them; `Settings.parse` reads the same values back."""
    import yaml

    return [f"{place}={yaml.safe_dump(value, default_flow_style=True)}" for place, value in given.items()]
