"""`lrat-bench agents`."""

from __future__ import annotations

import json as jsonlib
import shlex
from typing import TYPE_CHECKING, Any

import click

from lrat_bench.cli.options import json_option, plain, print_json, stdout

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
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("agent", no_wrap=True)
    table.add_column("")
    table.add_column("format", no_wrap=True)
    table.add_column("model", overflow="fold")
    for one in found:
        model = one["model"] or ", ".join(one["match"])
        cells = (Text(one["name"], style="bold"), Text(one["summary"]), Text(one["format"] or "–"), Text(model or "–"))
        table.add_row(*cells)
    console = stdout()
    console.print(table)
    console.print(
        "[dim]Beside these: any LiteLLM id (--agent PROVIDER/MODEL), a row of your own (--agent FILE.yaml), a function "
        "or model of your own (--agent MODULE:OBJECT)[/dim]"
    )


@agents.command("show")
@click.argument("agent", metavar="NAME|PROVIDER/MODEL|FILE.yaml")
@json_option
def show_agent(agent: str, json: bool) -> None:
    """What is known of an agent, what is sent, and how to serve and run it."""
    from lrat_bench.agent.backbones import backbones
    from lrat_bench.agent.catalog import AGENTS, find_backbone
    from lrat_bench.errors import UnknownName

    if agent in AGENTS:
        entry = AGENTS.entry(agent)
        about = {"name": agent, "summary": entry.summary, "origin": entry.origin, "run": _run(agent, None)}
        if json:
            print_json(about)
        else:
            _print_pairs({"summary": entry.summary, "origin": entry.origin})
            _print_command("run it", about["run"])
        return
    row = find_backbone(agent)
    if row is None:
        hint = "A LiteLLM id is given with its provider (openai/gpt-4.1)."
        raise UnknownName("agent", agent, [*AGENTS, *backbones()], hint=hint)
    facts = _facts(row, agent)
    if json:
        print_json(facts)
    else:
        _print_facts(facts)


def _facts(row: Backbone, agent: str) -> dict[str, Any]:
    """The fields of a row, and what they lead to: tools as offered, what is sent, how it is run."""
    return {
        **row.model_dump(mode="json"),
        "tools": _tools(row),
        "sent": _sent(row),
        "run": _run(agent, row),
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


def _run(agent: str, row: Backbone | None) -> str:
    words = ["lrat-bench", "run", "--agent", agent]
    if row is not None and row.model is None:
        words += ["--set", f"agent.model={_example(row)}"]
    if row is not None and (row.model or _example(row)).startswith("hosted_vllm/"):
        words += ["--set", "agent.api_base=http://localhost:8000/v1"]
    return shlex.join(words)


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
