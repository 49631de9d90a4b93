"""`lrat-bench agents`."""

from __future__ import annotations

import json as jsonlib
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.listing import models_table
from lrat_bench.cli.options import json_option, plain, print_json, set_option, stdout

if TYPE_CHECKING:
    from lrat_bench.agent.backbones import Backbone

__all__ = ["agents"]


@click.group()
def agents() -> None:
    """List agents, and show what is known of one."""


@agents.command("list")
@json_option
def list_agents(json: bool) -> None:
    """The agents and backbones known by name."""
    from lrat_bench.agent.backbones import backbones
    from lrat_bench.agent.catalog import AGENTS

    entries = [AGENTS.entry(name) for name in AGENTS]
    found: list[dict[str, Any]] = [
        {"name": name, "summary": entry.summary, "origin": entry.origin, "format": None, "model": None, "match": []}
        for name, entry in zip(AGENTS, entries, strict=True)
    ]
    found += [
        {
            "name": row.name,
            "summary": row.summary,
            "origin": "lrat-bench",
            "format": row.format,
            "model": row.model,
            "match": list(row.match),
        }
        for row in backbones().values()
    ]
    if json:
        print_json(found)
        return
    rows = [(one["name"], one["format"], one["summary"], one["model"] or ", ".join(one["match"])) for one in found]
    console = stdout()
    console.print(models_table("agent", "format", rows))
    console.print(
        "[dim]Beside these: any LiteLLM id (--agent PROVIDER/MODEL), a row of your own (--agent FILE.yaml), a function "
        "or model of your own (--agent MODULE:OBJECT), any program (--agent command:'…')[/dim]"
    )


@agents.command("show")
@click.argument("agent", metavar="NAME|PROVIDER/MODEL|FILE.yaml")
@set_option
@json_option
def show_agent(agent: str, set: tuple[str, ...], json: bool) -> None:
    """What is known of an agent, what is sent, and how to serve and run it; with --set, under these settings."""
    from lrat_bench.agent.backbones import backbones
    from lrat_bench.agent.catalog import AGENTS, find_backbone
    from lrat_bench.errors import UnknownName
    from lrat_bench.registry import load_object

    given = _settings(set)
    row = None if agent in AGENTS else find_backbone(agent)
    if row is not None:
        facts = _facts(_under(row, given), agent, given, set)
        if json:
            print_json(facts)
        else:
            _print_facts(facts)
    elif agent in AGENTS:
        _refuse_settings(agent, given)
        entry = AGENTS.entry(agent)
        _show_rowless(agent, entry.summary, entry.origin, as_json=json)
    elif agent.startswith("command:"):
        _refuse_settings(agent, given)
        _show_rowless(agent, "a program of your own, over HTTP or MCP", "the command line", as_json=json)
    elif ":" in agent:
        _refuse_settings(agent, given)
        load_object(agent)
        if json:
            _show_rowless(agent, "an agent of your own", agent.partition(":")[0], as_json=True)
        else:
            click.echo(f"{agent} is an agent of your own, and has no row; run it: {_run(agent)}")
    else:
        raise UnknownName(
            "agent",
            agent,
            [*AGENTS, *backbones()],
            hint="A LiteLLM id is given with its provider (openai/gpt-4.1), an agent of your own as module:object.",
        )


def _settings(assignments: Sequence[str]) -> Mapping[str, Any]:
    from lrat_bench.errors import UsageError
    from lrat_bench.runs.resolve import Settings

    settings = Settings.parse(assignments)
    if others := [room for room in settings.to_dict() if room != "agent"]:
        raise UsageError(f"agents show takes settings of the agent only, got {others[0]}.…")
    return settings.agent


def _refuse_settings(agent: str, given: Mapping[str, Any]) -> None:
    from lrat_bench.errors import UsageError

    if given:
        raise UsageError(f"agent {agent!r} has no row to show agent.{next(iter(given))} in: leave --set out")


def _show_rowless(agent: str, summary: str, origin: str, *, as_json: bool) -> None:
    about = {"name": agent, "summary": summary, "origin": origin, "run": _run(agent)}
    if as_json:
        print_json(about)
        return
    _print_pairs({"summary": summary, "origin": origin})
    _print_command("run it", about["run"])


def _under(row: Backbone, given: Mapping[str, Any]) -> Backbone:
    """The row with settings in place; one of a family stays without a model until one is chosen."""
    if not given:
        return row
    if given.get("model"):
        # Its commands serve the model of the row.
        return row.with_settings(given)[0].model_copy(update={"serving": {}})
    changed, _ = row.with_settings({**given, "model": row.model or _example(row)})
    return changed.model_copy(update={"model": row.model})


def _facts(row: Backbone, agent: str, given: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """The fields of a row, and what they lead to: tools as offered, what is sent, how it is run."""
    return {
        **row.model_dump(mode="json"),
        "tools": _tools(row),
        "sent": _sent(row),
        "run": _run(agent, row, given, assignments),
    }


def _tools(row: Backbone) -> dict[str, str]:
    """The form of each tool that can be called in the row's format."""
    from lrat_bench.agent.presentation import form
    from lrat_bench.agent.tools import offered
    from lrat_bench.task.protocol import Rollout

    return {tool.name: form(tool.name, row.presentation) for tool in row.wire_format().offer(offered(Rollout()))}


def _sent(row: Backbone) -> dict[str, Any]:
    """What every call is sent beside the conversation, as LiteLLM is given it; the seed is each rollout's own."""
    from lrat_bench.agent.presentation import present
    from lrat_bench.agent.tools import offered
    from lrat_bench.model.lite.payload import sent
    from lrat_bench.task.protocol import Rollout

    member = row if row.model else row.model_copy(update={"model": _example(row)})
    written = row.wire_format()
    tools = present(written.offer(offered(Rollout())), row.presentation)
    request = written.request(written.start("", tools), tools, may_call=True, sampling=row.sampling_values())
    return sent(member.spec(), request.sampling)


def _run(
    agent: str, row: Backbone | None = None, given: Mapping[str, Any] | None = None, assignments: Sequence[str] = ()
) -> str:
    settings = list(assignments)
    if row is not None and row.model is None:
        settings.append(f"agent.model={_example(row)}")
    if row is not None and (row.model or _example(row)).startswith("hosted_vllm/") and "api_base" not in (given or {}):
        settings.append("agent.api_base=http://localhost:8000/v1")
    return shlex.join(["lrat-bench", "run", "--agent", agent, *(word for one in settings for word in ("--set", one))])


def _example(row: Backbone) -> str:
    """What the LiteLLM id of a member of a family begins with."""
    return f"{row.match[0].partition('/')[0] if row.match else 'PROVIDER'}/MODEL"


_SERVERS = {"vllm": "vLLM", "sglang": "SGLang"}
_TOLD = ("sampling", "presentation", "parameters", "extra_body", "serving", "notes", "sources", "tools", "sent", "run")
"""Facts that have a part of their own in what is printed, as they are or as what they lead to."""


def _print_facts(facts: dict[str, Any]) -> None:
    _print_pairs({key: value for key, value in facts.items() if key not in _TOLD})
    _print_part("tools, as they are offered", facts["tools"])
    seeded = "" if "seed" in facts["omit"] else ", beside a seed"
    _print_part(f"sent with every call{seeded}", facts["sent"])
    for server, command in facts["serving"].items():
        _print_command(f"serve it with {_SERVERS[server]}", command)
    _print_command("run it", facts["run"])
    for title in ("notes", "sources"):
        if facts[title]:
            _print_part(title, dict.fromkeys(facts[title]))


def _print_pairs(pairs: dict[str, Any]) -> None:
    for key, value in pairs.items():
        click.echo(f"{key}: {_shown(value)}")


def _print_part(title: str, pairs: dict[str, Any]) -> None:
    stdout().print(f"\n{title}", markup=False, style="dim")
    for key, value in pairs.items():
        click.echo(f"  {key}" if value is None else f"  {key}: {_shown(value)}")


def _shown(value: Any) -> str:
    """A value as it can be given to --set."""
    return (
        plain(value) if value in (None, [], ()) or isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
    )


def _print_command(title: str, command: str) -> None:
    """A command on a line of its own, whole and from its first column, so that it can be copied."""
    stdout().print(f"\n{title}", markup=False, style="dim")
    click.echo(command)
