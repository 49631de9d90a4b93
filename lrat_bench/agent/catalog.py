"""Agents by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrat_bench.agent.agent import Agent
from lrat_bench.agent.backbones import Backbone, backbones, matching, read_backbone
from lrat_bench.agent.episode import Player
from lrat_bench.agent.function import FunctionAgent, as_agent
from lrat_bench.errors import UnknownName, UsageError, foreign
from lrat_bench.files import fingerprint
from lrat_bench.model.access import Access
from lrat_bench.model.seam import Model
from lrat_bench.model.spec import Connection
from lrat_bench.registry import Entry, Registry, load_object

__all__ = ["AGENTS", "find_backbone", "load_agent"]

_COMMAND = "command:"
"""Before the command line of an agent that is a program of its own."""

AGENTS = Registry(
    "agent",
    {
        "heuristic": Entry(
            "lrat_bench.agent.catalog:heuristic",
            "reads, searches and browses by rules, without a language model: a floor that needs no key",
        )
    },
    group="lrat_bench.agents",
)


def heuristic(settings: Mapping[str, Any]) -> Agent:
    """The `heuristic` model in the `native` format."""
    if settings:
        raise UsageError(f"agent 'heuristic' has no settings; got {', '.join(map(repr, settings))}")
    from lrat_bench.model.heuristic import Heuristic

    return Agent("heuristic", Heuristic())


def load_agent(spec: str, settings: Mapping[str, Any] | None = None, access: Access | None = None) -> Player:
    """The agent that `spec` names.

    Args:
        spec: a registered name; `command:` and a command line; a backbone row, or a YAML file with one; a LiteLLM id
            (`provider/name`); or `module:object`, where the object is an `Agent`, a `Model`, a class of one, an async
            function that answers questions (`FunctionAgent`), or a function that takes the settings and returns one of
            these.
        settings: what `--set agent.key=value` gave.
        access: how models are reached.

    Raises:
        UnknownName: no such agent.
        UsageError: the object is none of these, or refuses the settings.
    """
    given, reach = dict(settings or {}), access or Access()
    if spec.startswith(_COMMAND):
        # By name: a server and its libraries stand above this room.
        player: Player = load_object("lrat_bench.serve.command:command_agent")(spec.removeprefix(_COMMAND), given)
        return player
    if spec in AGENTS:
        return _agent(spec, AGENTS.load(spec), given, reach)
    if (row := find_backbone(spec)) is not None:
        return _backbone(row, spec if _is_id(spec) else row.name, given, reach)
    if ":" in spec:
        return _agent(spec, load_object(spec), given, reach)
    raise UnknownName(
        "agent",
        spec,
        [*AGENTS, *backbones()],
        hint="A model of LiteLLM is given with its provider (openai/gpt-4.1), an agent of your own as module:object or "
        "command:'PROGRAM …'.",
    )


def find_backbone(spec: str) -> Backbone | None:
    """The backbone that `spec` names: a row, a YAML file with one, or a LiteLLM id; None where it is none of these.

    A LiteLLM id has the settings of the row whose patterns fit it best, else the defaults.

    Raises:
        DataError: the file holds no row.
    """
    if spec in backbones():
        return backbones()[spec]
    if spec.endswith((".yaml", ".yml")):
        return read_backbone(Path(spec))
    if not _is_id(spec):
        return None
    row = matching(spec) or Backbone(name=spec, summary="any model of LiteLLM's, with the defaults")
    return row if row.model == spec else row.model_copy(update={"model": spec, "serving": {}})


def _is_id(spec: str) -> bool:
    return "/" in spec.partition(":")[0] and not spec.endswith((".yaml", ".yml"))


def _backbone(row: Backbone, name: str, settings: dict[str, Any], access: Access) -> Agent:
    if settings.get("model"):
        name = f"{name}:{settings['model']}"
    row, connection = row.with_settings(settings)
    if not access.offline:
        _require_address(row, connection)
    return Agent(
        name,
        access.open(row.spec(), connection),
        format=row.wire_format(),
        sampling=row.sampling_values(),
        context_tokens=row.context_tokens,
        presentation=row.presentation,
        row=row.model_dump(mode="json", exclude={"serving", "sources", "summary", "match", "notes"}),
    )


def _require_address(row: Backbone, connection: Connection) -> None:
    """See that a model that the user serves has an address."""
    if (
        not (row.model or "").startswith("hosted_vllm/")
        or connection.api_base
        or os.environ.get("HOSTED_VLLM_API_BASE")
    ):
        return
    shown = f" (`lrat-bench agents show {row.name}` prints the command)" if row.serving else ""
    raise UsageError(
        f"agent {row.name!r} runs on a server of yours: start one{shown} and give its address with "
        "--set agent.api_base=http://HOST:8000/v1, or in HOSTED_VLLM_API_BASE"
    )


def _agent(spec: str, found: Any, settings: dict[str, Any], access: Access) -> Player:
    if (player := as_agent(found, spec)) is not None:
        if settings:
            raise UsageError(
                f"agent {spec!r} is a function and takes no settings; got {', '.join(map(repr, settings))}"
            )
        return player
    if isinstance(found, type) or (callable(found) and not isinstance(found, Agent | Model)):
        found = _made(spec, found, settings)
        if (player := as_agent(found, spec)) is not None:
            return _marked(player, found, settings)
    elif settings:
        raise UsageError(f"agent {spec!r} is an object and takes no settings; got {', '.join(map(repr, settings))}")
    if isinstance(found, Model):
        found = Agent(found.name, found)
    if isinstance(found, Agent):
        return replace(found, model=access.wrap(found.model))
    raise UsageError(
        f"agent {spec!r} gave a {type(found).__name__}; it must give an Agent, a Model or an async function"
    )


def _marked(player: Player, found: Any, settings: dict[str, Any]) -> Player:
    """The player; settings that a function was made from are part of its fingerprint, unless it gives its own."""
    if not (isinstance(player, FunctionAgent) and player.fingerprint and settings) or hasattr(found, "fingerprint"):
        return player
    return replace(player, fingerprint=fingerprint([player.fingerprint, settings]))


def _made(spec: str, factory: Any, settings: dict[str, Any]) -> Any:
    with foreign(f"agent {spec!r} cannot be made"):
        return factory(settings) if settings or not isinstance(factory, type) else factory()
